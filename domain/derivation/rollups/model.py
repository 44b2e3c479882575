"""Rollups: one metric of what is below an entity becomes a metric of that entity, bucket by bucket. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.base.packed import Aggregate
from domain.telemetry.model.buckets import Bucket
from graph.kinds import EntityKind
from graph.relationships.model import Relationship
from graph.walk.spans import Hops, hierarchy_hops

_MICROSECOND = timedelta(microseconds=1)


class RollupAggregate(StrEnum):
    """Aggregate functions over the values of all descendants in a bucket.

    COUNT: the number of descendants with a value.
    """

    SUM = "SUM"
    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"
    WEIGHTED_MEAN = "WEIGHTED_MEAN"
    WORST = "WORST"


class Worst(StrEnum):
    """Which of two values is the worse."""

    LOWEST = "LOWEST"
    HIGHEST = "HIGHEST"


# How a descendant's own points within a bucket become one value, where the rollup does not say.
COMBINE: Final = {
    RollupAggregate.SUM: Aggregate.SUM,
    RollupAggregate.MEAN: Aggregate.MEAN,
    RollupAggregate.MIN: Aggregate.MIN,
    RollupAggregate.MAX: Aggregate.MAX,
    RollupAggregate.COUNT: Aggregate.COUNT,
    RollupAggregate.WEIGHTED_MEAN: Aggregate.MEAN,
    RollupAggregate.WORST: Aggregate.LAST,
}
# The others look beyond a bucket, or cannot be continued when a point arrives.
COMBINABLE: Final = (
    Aggregate.MEAN,
    Aggregate.MIN,
    Aggregate.MAX,
    Aggregate.SUM,
    Aggregate.COUNT,
    Aggregate.FIRST,
    Aggregate.LAST,
)


@dataclass(frozen=True, slots=True)
class EntitySelector:
    """Entities of these kinds and, unless None, of these types."""

    kinds: frozenset[EntityKind]
    types: frozenset[str] | None = None

    def has(self, kind: str, type_name: str | None) -> bool:
        """Return whether the selector includes an entity."""
        return kind in self.kinds and (self.types is None or type_name in self.types)

    def meets(self, other: EntitySelector) -> bool:
        """Return whether an entity can be in both selectors."""
        types = self.types is None or other.types is None or bool(self.types & other.types)
        return bool(self.kinds & other.kinds) and types


@dataclass(frozen=True, slots=True)
class BucketSize:
    """The length of a bucket as it was given, an ISO 8601 duration, and what it says."""

    text: str
    months: int
    length: timedelta

    @property
    def bucket(self) -> Bucket:
        """The bucket of this length."""
        return Bucket(self.months, self.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupDraft:
    """The definition of a rollup.

    metric: written at the upper entities. of: the descendants, of which of_metric is read; of_port: of devices, None
    for what they send without a port. located: what is located in any node of the hierarchy is a descendant, too.
    attribute: the weight of a WEIGHTED_MEAN. combine: how a descendant's own points within a bucket become one value.
    """

    name: str
    metric: str
    relationship: str
    of_metric: str
    members: EntitySelector
    of_port: int | None
    at: EntitySelector
    located: bool
    aggregate: RollupAggregate
    attribute: str | None
    worst: Worst | None
    bucket: BucketSize
    timezone: str
    combine: Aggregate
    unit: str | None

    @property
    def hops(self) -> Hops:
        """The relationships from an upper entity down to its descendants."""
        return hierarchy_hops(self.relationship, located=self.located)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which buckets begin."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Rollup:
    """A rollup. is_deleted: its points are to be removed. All times are UTC."""

    id: UUID
    draft: RollupDraft
    created_at: datetime
    updated_at: datetime
    is_deleted: bool = False


def located_of(selector: EntitySelector, relationship: Relationship) -> bool:
    """Return whether descendants of these kinds can only be located in what the hierarchy holds, not be part of it."""
    return not selector.kinds <= relationship.target_kinds


def definition_of(draft: RollupDraft) -> dict[str, Any]:
    """Return a draft, without name and metric, as JSON."""
    return {
        "relationship": draft.relationship,
        "ofMetric": draft.of_metric,
        "of": _chosen_json(draft.members),
        "ofPort": draft.of_port,
        "at": _chosen_json(draft.at),
        "located": draft.located,
        "aggregate": draft.aggregate.value,
        "attribute": draft.attribute,
        "worst": None if draft.worst is None else draft.worst.value,
        "bucket": draft.bucket.text,
        "months": draft.bucket.months,
        "lengthUs": draft.bucket.length // _MICROSECOND,
        "timezone": draft.timezone,
        "combine": draft.combine.value,
        "unit": draft.unit,
    }


def draft_of(name: str, metric: str, definition: dict[str, Any]) -> RollupDraft:
    """Return the draft that `definition_of` wrote."""
    worst = definition["worst"]
    return RollupDraft(
        name=name,
        metric=metric,
        relationship=definition["relationship"],
        of_metric=definition["ofMetric"],
        members=_chosen(definition["of"]),
        of_port=definition["ofPort"],
        at=_chosen(definition["at"]),
        located=definition["located"],
        aggregate=RollupAggregate(definition["aggregate"]),
        attribute=definition["attribute"],
        worst=None if worst is None else Worst(worst),
        bucket=BucketSize(definition["bucket"], definition["months"], definition["lengthUs"] * _MICROSECOND),
        timezone=definition["timezone"],
        combine=Aggregate(definition["combine"]),
        unit=definition["unit"],
    )


def _chosen_json(chosen: EntitySelector) -> dict[str, Any]:
    return {"kinds": sorted(chosen.kinds), "types": None if chosen.types is None else sorted(chosen.types)}


def _chosen(value: dict[str, Any]) -> EntitySelector:
    types = value["types"]
    return EntitySelector(frozenset(map(EntityKind, value["kinds"])), None if types is None else frozenset(types))
