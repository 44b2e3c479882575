"""The contract's EntityFilter: conditions on entities of all kinds, whatever they look at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from domain.plant.devices.model import Connectivity
from graph.errors import ArgusError, BadInputError, LimitExceededError
from graph.kinds import EntityKind

# Of one filter, those inside it included.
PARTS_MAX: Final = 100
DEPTH_MAX: Final = 8
IDS_MAX: Final = 10_000
ATTRIBUTES_MAX: Final = 100
LATEST_MAX: Final = 10
BELOW_MAX: Final = 10
GROUPS_MAX: Final = 10

Path = tuple[str, ...]
# The path of the filter of a dynamic group below the filter that names it.
GROUP: Final[Path] = ("groupId",)


class AttributeOperator(StrEnum):
    """How an attribute is compared; the contract's names."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeCondition:
    """One comparison of an attribute. path: names joined by dots."""

    path: str
    operator: AttributeOperator
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestCondition:
    """Conditions on the latest point of a metric: all that are given hold of one point; older_than is given alone."""

    metric: str
    eq: float | None = None
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None
    text: str | None = None
    older_than: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GroupMeaning:
    """What `group_id` of a filter means. where: the filter of a dynamic group, None of a static one."""

    name: str
    where: ListFilter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """The contract's EntityFilter; None: no condition; an empty collection: none at all.

    group: what `group_id` means, found by `groups_resolve`, without which it has no meaning.
    under_id: everything below that entity, itself included. is_deleted: the deleted ones instead of the others; only
    of the outermost filter. health_below, health_above: both exclusive. created_from, updated_from: inclusive,
    created_to, updated_to: exclusive. every, any_of, none_of: the contract's `and`, `or` and `not`.
    """

    kinds: Collection[EntityKind] | None = None
    types: Collection[str] | None = None
    statuses: Collection[str] | None = None
    search: str | None = None
    under_id: UUID | None = None
    connectivity: Connectivity | None = None
    ids: Collection[UUID] | None = None
    external_ids: Collection[str] | None = None
    profile_id: UUID | None = None
    group_id: UUID | None = None
    group: GroupMeaning | None = None
    attributes: Sequence[AttributeCondition] | None = None
    latest: Sequence[LatestCondition] | None = None
    health_below: float | None = None
    health_above: float | None = None
    is_linked: bool | None = None
    has_open_events: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    is_deleted: bool = False
    every: Sequence[ListFilter] | None = None
    any_of: Sequence[ListFilter] | None = None
    none_of: ListFilter | None = None

    @property
    def parts(self) -> Iterator[tuple[Path, ListFilter]]:
        """The filters directly inside it, each with its path below this one; that of a dynamic group is one of them."""
        if self.group is not None and self.group.where is not None:
            yield GROUP, self.group.where
        for name, inner in (("and", self.every), ("or", self.any_of)):
            for place, part in enumerate(inner or ()):
                yield (name, str(place)), part
        if self.none_of is not None:
            yield ("not",), self.none_of


def filter_check(where: ListFilter) -> None:
    """Check the bounds of a filter, and that its conditions do not contradict each other. Pure.

    Raises BadInputError, LimitExceededError, with the path of the place at fault; that of a fault in the filter of a
    group is the place that names the group.
    """
    waiting: list[tuple[ListFilter, Path, int, _Within | None]] = [(where, ("filter",), 0, None)]
    counts = dict.fromkeys(("filters", "attributes", "latest", "underId", "groupId"), 0)
    while waiting:
        part, path, depth, within = waiting.pop()
        try:
            _part_check(part, path, depth, counts)
        except ArgusError as error:
            if within is not None:
                group_error(error, within.name, within.path)
            raise
        for place, inner in part.parts:
            path_of_inner = (*path, *place)
            inside = _Within(part.group.name, path_of_inner) if place == GROUP and part.group is not None else None
            waiting.append((inner, path_of_inner, depth + 1, within or inside))


@dataclass(frozen=True, slots=True)
class _Within:
    """The outermost group whose filter a part belongs to. path: of the place that names it."""

    name: str
    path: Path


def group_error(error: ArgusError, name: str, path: Path) -> None:
    """Say of an error that it comes of the filter of a group. path: of the place that names the group."""
    error.message = f"The filter of the group {name!r} cannot be used: {error.message}"
    error.path = path


def _part_check(part: ListFilter, path: Path, depth: int, counts: dict[str, int]) -> None:
    """Check one filter, without those inside it. counts: of all so far, to which its own are added."""
    if depth > DEPTH_MAX:
        raise LimitExceededError(f"Filters may be nested {DEPTH_MAX} deep.", path=path)
    if depth and part.is_deleted:
        raise BadInputError("deleted is a condition of the outermost filter alone.", path=(*path, "deleted"))
    _ranges_check(part, path)
    for name, ids in (("ids", part.ids), ("externalIds", part.external_ids)):
        if ids is not None and len(ids) > IDS_MAX:
            raise LimitExceededError(f"{name} may have {IDS_MAX} entries.", path=(*path, name))
    counts["filters"] += 1
    counts["attributes"] += len(part.attributes or ())
    counts["latest"] += len(part.latest or ())
    counts["underId"] += part.under_id is not None
    counts["groupId"] += part.group_id is not None
    for name, most in (
        ("filters", PARTS_MAX), ("attributes", ATTRIBUTES_MAX), ("latest", LATEST_MAX), ("underId", BELOW_MAX),
        ("groupId", GROUPS_MAX),
    ):  # fmt: skip
        if counts[name] > most:
            what = "filters inside each other" if name == "filters" else f"conditions {name}"
            raise LimitExceededError(f"A filter may have {most} {what}.", path=path)


def selects(where: ListFilter) -> bool:
    """Return whether any condition keeps a filter from meaning everything. Pure."""
    own = replace(where, every=None, any_of=None, none_of=None, is_deleted=False, search=where.search or None)
    return (
        own != ListFilter()
        or any(map(selects, where.every or ()))
        or (where.any_of is not None and all(map(selects, where.any_of)))
        or where.none_of is not None
    )


def kinds_possible(where: ListFilter) -> frozenset[EntityKind]:
    """Return the kinds outside which nothing fits a filter. Pure."""
    kinds = frozenset(EntityKind if where.kinds is None else where.kinds)
    if where.connectivity is not None:
        kinds &= {EntityKind.DEVICE}
    if where.is_linked is not None:
        kinds &= {EntityKind.DEVICE, EntityKind.ASSET}
    if where.profile_id is not None or where.health_below is not None or where.health_above is not None:
        kinds &= {EntityKind.ASSET}
    if where.latest:
        kinds &= {EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE}
    for part in where.every or ():
        kinds &= kinds_possible(part)
    if where.group is not None and where.group.where is not None:
        kinds &= kinds_possible(where.group.where)
    if where.any_of is not None:
        kinds &= frozenset[EntityKind]().union(*map(kinds_possible, where.any_of))
    return kinds


def latest_count(where: ListFilter) -> int:
    """Return how many conditions on latest points a filter has, those of the filters inside it included. Pure."""
    return len(where.latest or ()) + sum(latest_count(part) for _, part in where.parts)


def _ranges_check(part: ListFilter, path: Path) -> None:
    for begin, begins, end, ends in (
        ("createdFrom", part.created_from, "createdTo", part.created_to),
        ("updatedFrom", part.updated_from, "updatedTo", part.updated_to),
    ):
        if begins is not None and ends is not None and begins >= ends:
            raise BadInputError(f"{end} must be later than {begin}.", path=(*path, end))
    if part.health_below is not None and part.health_above is not None and part.health_below <= part.health_above:
        raise BadInputError("healthBelow must be greater than healthAbove.", path=(*path, "healthBelow"))
