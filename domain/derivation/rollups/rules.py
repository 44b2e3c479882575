"""Validate rollups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from domain.base.metrics import NAME_CHARS_MAX
from domain.base.packed import Aggregate
from domain.base.units import UnitError, unit_check
from domain.derivation.rollups.model import (
    COMBINABLE,
    COMBINE,
    BucketSize,
    EntitySelector,
    Rollup,
    RollupAggregate,
    RollupDraft,
    Worst,
    located_of,
)
from domain.derivation.rollups.writers import formulas_check
from domain.telemetry.model.buckets import bucket_of, zone_of
from graph.entities.types import type_name_check
from graph.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.json_bounds import text_check
from graph.kinds import EntityKind
from graph.relationships.model import Relationship
from graph.relationships.queries import relationship_get

ROLLUPS_MAX: Final = 100
TYPES_MAX: Final = 50
ROLLUP_NAME_MAX: Final = 200
_UNIT_MAX: Final = 64
_ATTRIBUTE_MAX: Final = 200
_PORT_MAX: Final = 2**31 - 1
BUCKET_LEAST: Final = timedelta(minutes=1)
BUCKET_MOST: Final = timedelta(days=366)
_MONTHS_MOST: Final = 12
# What can have metrics, and what can be given one.
_MEASURED: Final = frozenset({EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE})
_UPPER: Final = frozenset({EntityKind.ASSET, EntityKind.SPACE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupWish:
    """A rollup as a caller describes it; None is the default. See `RollupDraft`."""

    name: str
    metric: str
    relationship: str
    of_metric: str
    aggregate: RollupAggregate
    bucket: BucketSize
    of_kinds: Collection[EntityKind] | None = None
    of_types: Sequence[str] | None = None
    of_port: int | None = None
    at_kinds: Collection[EntityKind] | None = None
    at_types: Sequence[str] | None = None
    attribute: str | None = None
    worst: Worst | None = None
    timezone: str = "UTC"
    combine: Aggregate | None = None
    unit: str | None = None


def draft_checked(session: Session, *, organization_id: int, wish: RollupWish) -> RollupDraft:
    """Check a wish and return the draft that it makes.

    Raises BadInputError (path names the argument) for what cannot be, LimitExceededError for too many types.
    """
    name = text_check(wish.name, path=("name",), min_chars=1, max_chars=ROLLUP_NAME_MAX)
    metric = text_check(wish.metric, path=("metric",), min_chars=1, max_chars=NAME_CHARS_MAX)
    of_metric = text_check(wish.of_metric, path=("of", "metric"), min_chars=1, max_chars=NAME_CHARS_MAX)
    relationship = _hierarchy(session, organization_id, wish.relationship)
    selector = EntitySelector(
        _kinds(wish.of_kinds, relationship.target_kinds & _MEASURED, _MEASURED, ("of", "kinds")),
        _types(wish.of_types, ("of", "types")),
    )
    at = EntitySelector(
        _kinds(wish.at_kinds, relationship.source_kinds & _UPPER, _UPPER, ("at", "kinds")),
        _types(wish.at_types, ("at", "types")),
    )
    if wish.of_port is not None and (selector.kinds != {EntityKind.DEVICE} or not 0 <= wish.of_port <= _PORT_MAX):
        raise BadInputError("A port is a number from 0 on, of devices alone.", path=("of", "port"))
    _aggregate_check(wish)
    return RollupDraft(
        name=name,
        metric=metric,
        relationship=wish.relationship,
        of_metric=of_metric,
        members=selector,
        of_port=wish.of_port,
        at=at,
        located=located_of(selector, relationship),
        aggregate=wish.aggregate,
        attribute=wish.attribute,
        worst=wish.worst,
        bucket=_bucket(wish.bucket),
        timezone=zone_of(wish.timezone).key,
        combine=COMBINE[wish.aggregate] if wish.combine is None else _combine(wish.combine),
        unit=_unit(wish.unit),
    )


def _combine(aggregate: Aggregate) -> Aggregate:
    if aggregate not in COMBINABLE:
        message = f"A rollup combines points by one of {', '.join(COMBINABLE)}; not by {aggregate}."
        raise BadInputError(message, path=("combine",))
    return aggregate


def writers_check(session: Session, *, organization_id: int, draft: RollupDraft, others: Collection[Rollup]) -> None:
    """Refuse a rollup that conflicts with others. others: without the one it replaces.

    Raises ConflictError where the name is taken, where something else writes its metric at an entity of its own, or
    where it would, directly or through others, read what it writes; LimitExceededError where there are ROLLUPS_MAX.
    """
    if len(others) >= ROLLUPS_MAX:
        raise LimitExceededError(f"An organization has at most {ROLLUPS_MAX} rollups.")
    for other in others:
        if other.draft.name == draft.name:
            raise ConflictError(f"There is a rollup {draft.name!r} already: {other.id}.", path=("name",))
        if other.draft.metric == draft.metric and other.draft.at.meets(draft.at):
            message = f"The rollup {other.draft.name!r} writes {draft.metric!r} at such entities already."
            raise ConflictError(message, path=("metric",))
    formulas_check(session, organization_id=organization_id, draft=draft)
    _circle_check(draft, [other.draft for other in others])


def _hierarchy(session: Session, organization_id: int, name: str) -> Relationship:
    try:
        text_check(name, path=("relationship",), min_chars=1, max_chars=NAME_CHARS_MAX)
        relationship = relationship_get(session, organization_id=organization_id, name=name)
    except NotFoundError as error:
        raise BadInputError(error.message, path=("relationship",)) from None
    if not relationship.hierarchy:
        raise BadInputError(f"{name} is no hierarchy.", path=("relationship",))
    return relationship


def _kinds(
    given: Collection[EntityKind] | None,
    default: frozenset[EntityKind],
    allowed: frozenset[EntityKind],
    path: tuple[str, ...],
) -> frozenset[EntityKind]:
    kinds = default if given is None else frozenset(given)
    if not kinds or not kinds <= allowed:
        raise BadInputError(f"Name at least one of {', '.join(sorted(allowed))}, and no other.", path=path)
    return kinds


def _types(given: Sequence[str] | None, path: tuple[str, ...]) -> frozenset[str] | None:
    if given is None:
        return None
    if not given:
        raise BadInputError("Name at least one type, or leave the argument out.", path=path)
    if len(given) > TYPES_MAX:
        raise LimitExceededError(f"At most {TYPES_MAX} types can be named; there are {len(given)}.", path=path)
    return frozenset(type_name_check(name, path=(*path, str(n))) for n, name in enumerate(given))


def _aggregate_check(wish: RollupWish) -> None:
    if (wish.attribute is not None) != (wish.aggregate is RollupAggregate.WEIGHTED_MEAN):
        raise BadInputError("WEIGHTED_MEAN, and nothing else, has an attribute.", path=("attribute",))
    if wish.attribute is not None:
        text_check(wish.attribute, path=("attribute",), min_chars=1, max_chars=_ATTRIBUTE_MAX)
    if (wish.worst is not None) != (wish.aggregate is RollupAggregate.WORST):
        raise BadInputError("WORST, and nothing else, says which value is the worst.", path=("worst",))


def _bucket(length: BucketSize) -> BucketSize:
    bucket_of((length.months, length.length))
    if length.months > _MONTHS_MOST or not (length.months or BUCKET_LEAST <= length.length <= BUCKET_MOST):
        raise BadInputError("A bucket of a rollup is a minute to a year long.", path=("bucket",))
    return length


def _unit(unit: str | None) -> str | None:
    if unit is None:
        return None
    text_check(unit, path=("unit",), max_chars=_UNIT_MAX)
    try:
        unit_check(unit)
    except UnitError as error:
        raise BadInputError(str(error), path=("unit",)) from None
    return unit


def _circle_check(draft: RollupDraft, others: Iterable[RollupDraft]) -> None:
    """Raise ConflictError if a rollup would read, directly or through others, what it writes."""
    every = [draft, *others]
    seen: set[int] = set()
    waiting = [draft]
    while waiting:
        writer = waiting.pop()
        for reader in every:
            if reader.of_metric != writer.metric or not reader.members.meets(writer.at):
                continue
            if reader is draft:
                message = "The rollup would be made of what it writes itself. Name types that set them apart."
                raise ConflictError(message, path=("of",))
            if id(reader) not in seen:
                seen.add(id(reader))
                waiting.append(reader)
