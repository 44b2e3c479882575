"""Rollups: one metric of what is below an entity becomes a metric of that entity, bucket by bucket."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry

from domain.derivation.rollups.model import BucketSize, EntitySelector, RollupAggregate, Worst
from domain.derivation.rollups.model import Rollup as RollupRow
from domain.derivation.rollups.operations import rollup_create, rollup_delete, rollup_update
from domain.derivation.rollups.queries import rollups_get, rollups_page
from domain.derivation.rollups.rules import RollupWish
from gql.access.principal import ADMINS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.descriptions import enum_described
from gql.base.entities import AggregateEnum, EntityKindEnum, Node
from gql.base.ids import uuid_named, uuid_or_none
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime, Duration
from gql.errors import UserError
from graph.paging import PageRequest

RollupAggregateEnum = enum_described(
    RollupAggregate,
    "How the values of all descendants in a bucket become one.",
    SUM="Sum of the descendants' values.",
    MEAN="Mean of the descendants' values, each counting the same.",
    MIN="The least of the descendants' values.",
    MAX="The greatest of the descendants' values.",
    COUNT="Number of descendants that have a value.",
    WEIGHTED_MEAN="Mean of the descendants' values, weighted by an attribute.",
    WORST="The worst of the descendants' last values.",
)
WorstEnum = enum_described(
    Worst,
    "Which of two values is the worse.",
    LOWEST="The lower value is the worse.",
    HIGHEST="The higher value is the worse.",
)


@strawberry.type
class RollupOf:
    """The input of a rollup: a metric of the descendants of these kinds and types.

    Attributes:
        metric: Name of the metric that is read.
        kinds: Kinds of the descendants.
        types: Types of the descendants, by name; null: any.
        port: Port of the devices; null: readings without a port.
    """

    metric: str
    kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    types: list[str] | None
    port: int | None


@strawberry.type
class RollupAt:
    """Which entities have a rollup: those of these kinds and types that have such descendants.

    Attributes:
        kinds: Kinds of the entities.
        types: Types of the entities, by name; null: any.
    """

    kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    types: list[str] | None


@strawberry.type
class Rollup(Node):
    """A metric of an entity, computed bucket by bucket from a metric of the entities below it in a hierarchy.

    A point counts if its timestamp lies in the bucket and its entity was a descendant at that time. A descendant counts
    once, however many paths lead to it. The point of a bucket has the bucket's start as timestamp.

    Attributes:
        name: Name of the rollup.
        metric: Name of the metric that it writes.
        relationship: Name of the hierarchy, e.g. CONTAINS.
        of: What it is computed from.
        at: Which entities have it.
        aggregate: How the values of all descendants become one.
        attribute: Attribute that weights WEIGHTED_MEAN, as recorded when the bucket began; null: another aggregate.
        worst: Which value is the worst, for WORST; null: another aggregate.
        bucket: Length of a bucket.
        timezone: IANA time zone in which buckets begin.
        combine: How a descendant's own points in a bucket become one value.
        unit: Unit of the metric as a UCUM code; null: none.
    """

    name: str
    metric: str
    relationship: str
    of: RollupOf
    at: RollupAt
    aggregate: RollupAggregateEnum  # type: ignore[valid-type]
    attribute: str | None
    worst: WorstEnum | None  # type: ignore[valid-type]
    bucket: Duration
    timezone: str
    combine: AggregateEnum  # type: ignore[valid-type]
    unit: str | None
    created_at: DateTime
    updated_at: DateTime


RollupConnection = Connection[Rollup]


@strawberry.input
class RollupOfInput:
    """The input of a rollup.

    Attributes:
        metric: Name of the metric that is read, 1 to 200 characters.
        kinds: Kinds of the descendants: DEVICE, ASSET, SPACE. Default: those to which the hierarchy leads.
        types: Types of the descendants, by name, at most 50. Default: any.
        port: Port, where the kind is DEVICE alone. Default: readings without a port.
    """

    metric: str
    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None
    port: int | None = None


@strawberry.input
class RollupAtInput:
    """Which entities have a rollup.

    Attributes:
        kinds: Kinds of the entities: ASSET, SPACE. Default: those from which the hierarchy leads.
        types: Types of the entities, by name, at most 50. Default: any.
    """

    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None


@strawberry.input
class RollupInput:
    """A rollup. On update, what is left out takes its default.

    Where entities of the kinds of `of` cannot be part of the hierarchy, those located in it are meant. CONFLICT where
    another rollup or a formula writes the metric at the same entities, or the rollup would be computed from itself.

    Attributes:
        name: Name of the rollup, 1 to 200 characters. CONFLICT where it is taken.
        metric: Name of the metric that it writes, 1 to 200 characters. It cannot change: BAD_USER_INPUT.
        relationship: Name of the hierarchy: CONTAINS, HAS_PART or one of the organization's own.
        of: What it is computed from.
        aggregate: How the values of all descendants become one.
        bucket: Length of a bucket, one minute to one year.
        at: Which entities have it. Default: all that have such descendants.
        attribute: Attribute that weights the mean, a positive number. With WEIGHTED_MEAN alone, and required there.
        worst: Which value is the worst. With WORST alone, and required there.
        combine: How a descendant's own points in a bucket become one value: MEAN, MIN, MAX, SUM, COUNT, FIRST or LAST.
            Default: what suits `aggregate`.
        unit: Unit of the metric as a UCUM code; nothing is converted. Default: none.
    """

    name: str
    metric: str
    relationship: str
    of: RollupOfInput
    aggregate: RollupAggregateEnum  # type: ignore[valid-type]
    bucket: Duration
    at: RollupAtInput | None = None
    attribute: str | None = None
    worst: WorstEnum | None = None  # type: ignore[valid-type]
    timezone: str = "UTC"
    combine: AggregateEnum | None = None  # type: ignore[valid-type]
    unit: str | None = None


@strawberry.type
class RollupPayload:
    """Result of a mutation of a rollup.

    Attributes:
        rollup: The rollup after the change, or as it was deleted; null if the change was refused.
    """

    rollup: Rollup | None
    errors: list[UserError]


@queries
class RollupQuery:
    """Rollups."""

    @query(VIEWERS, scoped=True)
    async def rollup(self, info: Info, id: strawberry.ID) -> Rollup | None:
        """One rollup; null if there is none with this id.

        Args:
            id: Id of the rollup.
        """
        identity = uuid_or_none(id)
        if identity is None:
            return None
        rollups = await info.context.read(rollups_get, ids=[identity])
        return to_rollup(rollups[identity]) if identity in rollups else None

    @query(VIEWERS, scoped=True)
    @paged()
    async def rollups(self, info: Info, *, page: PageRequest) -> RollupConnection | None:
        """All rollups, the oldest first."""
        rows = await page_read(info, rollups_page, page)
        return RollupConnection(rows=rows, show=to_rollup)


@mutations
class RollupMutation:
    """Mutations of rollups."""

    @mutation(ADMINS)
    async def create_rollup(self, info: Info, input: RollupInput) -> RollupPayload:
        """Create a rollup. It is computed for all of event time and kept current. An organization has at most 100."""

        def prepare() -> Callable[..., RollupRow]:
            return partial(rollup_create, wish=_wish(input))

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def update_rollup(self, info: Info, id: strawberry.ID, input: RollupInput) -> RollupPayload:
        """Update a rollup (every field but `metric`). All of its buckets are recomputed.

        Args:
            id: Id of the rollup.
        """

        def prepare() -> Callable[..., RollupRow]:
            return partial(rollup_update, rollup_id=uuid_named(id, "id"), wish=_wish(input))

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def delete_rollup(self, info: Info, id: strawberry.ID) -> RollupPayload:
        """Delete a rollup. The points that it wrote are removed.

        Args:
            id: Id of the rollup.
        """

        def prepare() -> Callable[..., RollupRow]:
            return partial(rollup_delete, rollup_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, prepare, under=())


@converts(RollupRow)
def to_rollup(row: RollupRow) -> Rollup:
    """Convert a rollup to its GraphQL object."""
    draft = row.draft
    return Rollup(
        id=strawberry.ID(str(row.id)),
        name=draft.name,
        metric=draft.metric,
        relationship=draft.relationship,
        of=RollupOf(
            metric=draft.of_metric, kinds=sorted(draft.members.kinds), types=_types(draft.members), port=draft.of_port
        ),
        at=RollupAt(kinds=sorted(draft.at.kinds), types=_types(draft.at)),
        aggregate=draft.aggregate,
        attribute=draft.attribute,
        worst=draft.worst,
        bucket=Duration(draft.bucket.text, draft.bucket.months, draft.bucket.length),
        timezone=draft.timezone,
        combine=draft.combine,
        unit=draft.unit,
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
    )


def _types(selector: EntitySelector) -> list[str] | None:
    return None if selector.types is None else sorted(selector.types)


def _wish(input_: RollupInput) -> RollupWish:
    at = RollupAtInput() if input_.at is None else input_.at
    return RollupWish(
        name=input_.name,
        metric=input_.metric,
        relationship=input_.relationship,
        of_metric=input_.of.metric,
        of_kinds=input_.of.kinds,
        of_types=input_.of.types,
        of_port=input_.of.port,
        at_kinds=at.kinds,
        at_types=at.types,
        aggregate=input_.aggregate,
        attribute=input_.attribute,
        worst=input_.worst,
        bucket=BucketSize(input_.bucket.text, input_.bucket.months, input_.bucket.length),
        timezone=input_.timezone,
        combine=input_.combine,
        unit=input_.unit,
    )


def _payload(row: RollupRow | None, errors: list[UserError]) -> RollupPayload:
    return RollupPayload(rollup=None if row is None else to_rollup(row), errors=errors)
