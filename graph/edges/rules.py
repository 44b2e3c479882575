"""Rules of edges, without a database: intervals, exclusivity, bounds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from graph.edges.errors import CycleError, KindNotAllowedError
from graph.errors import BadInputError
from graph.instants import instant_utc
from graph.kinds import EntityKind
from graph.relationships.model import Exclusive, Relationship

PORT_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Interval:
    """The instants from `start` up to, and without, `end`; None: for ever. Never empty."""

    start: datetime
    end: datetime | None

    def contains(self, instant: datetime) -> bool:
        """Return whether the instant lies in it."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def intersection(self, other: Interval) -> Interval | None:
        """Return the intersection; None where it is empty."""
        ends = [end for end in (self.end, other.end) if end is not None]
        start, end = max(self.start, other.start), min(ends, default=None)
        return Interval(start, end) if end is None or start < end else None

    def split(self, at: datetime) -> tuple[Interval | None, Interval | None]:
        """Split at an instant into the part before and the part from `at` on; None for an empty part."""
        if self.end is not None and self.end <= at:
            return self, None
        if at <= self.start:
            return None, self
        return Interval(self.start, at), Interval(at, self.end)


def interval_of(valid_from: datetime, valid_until: datetime | None) -> Interval:
    """Return the interval of two arguments, in UTC.

    Raises BadInputError for a naive time, one outside the years 1 to 9999, or an end not after the start.
    """
    start = instant_utc(valid_from, path="validFrom")
    end = None if valid_until is None else instant_utc(valid_until, path="validUntil")
    if end is not None and end <= start:
        raise BadInputError("validUntil must be later than validFrom.", path=("validUntil",))
    return Interval(start, end)


def shorten(valid: Interval, at: datetime) -> Interval:
    """Return the part before `at`. Raises BadInputError unless `at` lies strictly inside."""
    end = instant_utc(at, path="at")
    if not valid.contains(end) or end == valid.start:
        until = "" if valid.end is None else f" and before {valid.end.isoformat()}"
        message = f"An edge ends inside its validity: after {valid.start.isoformat()}{until}."
        raise BadInputError(message, path=("at",))
    return Interval(valid.start, end)


def kinds_check(relationship: Relationship, source_kind: EntityKind, target_kind: EntityKind) -> None:
    """Raise KindNotAllowedError where the relationship does not connect these kinds."""
    for kind, allowed, end, path in (
        (source_kind, relationship.source_kinds, "source", "sourceId"),
        (target_kind, relationship.target_kinds, "target", "targetId"),
    ):
        if kind not in allowed:
            message = f"The {end} of {relationship.name} must be {_one_of(allowed)}; it is {_a(kind)}."
            raise KindNotAllowedError(message, path=(path,))


def loop_check(relationship: Relationship, source_id: UUID, target_id: UUID) -> None:
    """Refuse an edge from an entity to itself: CycleError in a hierarchy, else BadInputError."""
    if source_id == target_id:
        message = f"An entity cannot be connected to itself: {source_id} {relationship.name} itself."
        fault = CycleError if relationship.hierarchy else BadInputError
        raise fault(message, path=("targetId",))


def port_check(relationship: Relationship, target_kind: EntityKind, port: int | None) -> None:
    """Raise BadInputError for a port out of range, or where the target is no device."""
    if port is None:
        return
    if target_kind is not EntityKind.DEVICE:
        raise BadInputError(f"{relationship.name} takes no port: only a device has ports.", path=("port",))
    if not 0 <= port <= PORT_MAX:
        raise BadInputError(f"port must lie between 0 and {PORT_MAX}; it was {port}.", path=("port",))


@dataclass(frozen=True, slots=True)
class Place:
    """What an exclusive edge has alone: no other believed edge of the same key holds at the same time.

    always: every edge there is exclusive, because its relationship is; else each edge is shared or exclusive by choice.
    """

    key: str
    always: bool


def place_of(
    relationship: Relationship,
    *,
    source_id: UUID,
    source_kind: EntityKind,
    target_id: UUID,
    port: int | None,
) -> Place | None:
    """Return the place of an edge; None where it can have none.

    By choice it is the port of a device, among the edges of the relationship from entities of the source's kind: what
    an asset has alone, the space around it may still read. Only where the relationship leads to devices alone: what
    else may lead to one, such as an activity that targets it, has no place there.
    """
    name, among = relationship.name, relationship.exclusive_among
    at_port = f"{name} {target_id} {'-' if port is None else port}"
    if relationship.exclusive is not None and (among is None or source_kind in among):
        match relationship.exclusive:
            case Exclusive.SOURCE:
                return Place(f"{name} {source_id}", always=True)
            case Exclusive.TARGET:
                return Place(f"{name} {target_id}", always=True)
            case Exclusive.TARGET_PORT:
                return Place(at_port if among is None else f"{at_port} {source_kind}", always=True)
    if relationship.target_kinds == {EntityKind.DEVICE}:
        return Place(f"{at_port} {source_kind}", always=False)
    return None


def exclusive_of(relationship: Relationship, place: Place | None, *, wanted: bool | None) -> bool:
    """Return whether an edge is exclusive. wanted None: as its relationship says, else shared.

    Raises BadInputError for what cannot be: an exclusive edge to what is no device, a shared one where every edge is
    exclusive.
    """
    always = place is not None and place.always
    if wanted and place is None:
        message = f"An edge of {relationship.name} cannot be exclusive: only those that lead to devices alone can."
        raise BadInputError(message, path=("exclusive",))
    if wanted is False and always:
        raise BadInputError(f"Every such edge of {relationship.name} is exclusive.", path=("exclusive",))
    return always or bool(wanted)


def _a(kind: EntityKind) -> str:
    return f"{'an' if kind.value[0] == 'A' else 'a'} {kind.value}"


def _one_of(kinds: frozenset[EntityKind]) -> str:
    return " or ".join(_a(kind) for kind in sorted(kinds))
