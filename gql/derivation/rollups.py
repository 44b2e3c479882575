"""Rollups: one metric of what is below an entity becomes a metric of that entity, bucket by bucket."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.derivation.rollups.model import BucketSize, EntitySelector, RollupAggregate, Worst
from domain.derivation.rollups.model import Rollup as RollupRow
from domain.derivation.rollups.operations import rollup_create, rollup_delete, rollup_update
from domain.derivation.rollups.queries import rollups_get, rollups_page
from domain.derivation.rollups.rules import RollupWish
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import AggregateEnum, EntityKindEnum, Node
from gql.base.ids import uuid_named, uuid_or_none
from gql.base.mutations import payload_of
from gql.base.scalars import DateTime, Duration
from gql.base.shown import shows
from gql.errors import UserError
from graph.change import GraphChange

RollupAggregateEnum = strawberry.enum(
    RollupAggregate,
    name="RollupAggregate",
    description="How the values of all descendants in a bucket become one. COUNT: how many have a value. "
    "WEIGHTED_MEAN: weighted by an attribute. WORST: the worst of their last values.",
)
WorstEnum = strawberry.enum(Worst, name="Worst", description="Which of two values is the worse.")


@strawberry.type
class RollupOf:
    """What a rollup is made of: a metric of the descendants of these kinds and types."""

    metric: str
    kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    types: list[str] | None = strawberry.field(description="Null: of any.")
    port: int | None = strawberry.field(description="Of devices; null: what they send without a port.")


@strawberry.type
class RollupAt:
    """Which entities have a rollup: those of these kinds and types that have such descendants."""

    kinds: list[EntityKindEnum]  # type: ignore[valid-type]
    types: list[str] | None = strawberry.field(description="Null: of any.")


@strawberry.type
class Rollup(Node):
    """One metric of what is below an entity in a hierarchy, made into a metric of that entity, bucket by bucket.

    A point counts where its time lies in the bucket and its entity was a descendant at that time; a descendant is
    counted once, however many ways lead to it. The point of a bucket stands at the bucket's start.
    """

    name: str
    metric: str = strawberry.field(description="The metric it writes.")
    relationship: str
    of: RollupOf
    at: RollupAt
    aggregate: RollupAggregateEnum  # type: ignore[valid-type]
    attribute: str | None = strawberry.field(
        description="The weight of WEIGHTED_MEAN, as it was recorded when a bucket began."
    )
    worst: WorstEnum | None  # type: ignore[valid-type]
    bucket: Duration
    timezone: str
    combine: AggregateEnum = strawberry.field(  # type: ignore[valid-type]
        description="How a descendant's own points within a bucket become one value."
    )
    unit: str | None
    created_at: DateTime
    updated_at: DateTime


@strawberry.type
class RollupEdge:
    """A rollup in a list."""

    cursor: str
    node: Rollup


@strawberry.type
class RollupConnection:
    """A page of rollups."""

    rows: strawberry.Private[Rows[RollupRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[Rollup]:
        """The rollups."""
        return [rollup_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[RollupEdge]:
        """The rollups, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [RollupEdge(cursor=cursor, node=rollup_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.input
class RollupOfInput:
    """What a rollup is made of. kinds: DEVICE, ASSET, SPACE; by default those the hierarchy leads to."""

    metric: str
    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None
    port: int | None = None


@strawberry.input
class RollupAtInput:
    """Which entities have it. kinds: ASSET, SPACE; by default those the hierarchy leads from."""

    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None


@strawberry.input
class RollupInput:
    """A rollup, all of it. bucket: a minute to a year, laid out in the time zone.

    attribute: with WEIGHTED_MEAN alone. worst: with WORST alone. combine: by default what suits the aggregate. Where
    descendants of these kinds cannot be part of the hierarchy, those located in it are meant.
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
    """The rollup as it now stands, or as it was where it was deleted; null if refused."""

    rollup: Rollup | None
    errors: list[UserError]


@strawberry.type
class RollupQuery:
    """Rollups."""

    @strawberry.field
    async def rollup(self, info: Info, id: strawberry.ID) -> Rollup | None:
        """One rollup, or null."""
        identity = uuid_or_none(id)
        if identity is None:
            return None
        found = await info.context.read(rollups_get, ids=[identity])
        return rollup_shown(found[identity]) if identity in found else None

    @strawberry.field
    async def rollups(self, info: Info, first: int = 50, after: str | None = None) -> RollupConnection:
        """All rollups, the oldest first."""
        request, count = page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[RollupRow]:
            return rows_of(rollups_page(session, organization_id=organization_id, page=request), count=count)

        rows = await info.context.read(read)
        return RollupConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class RollupMutation:
    """Mutations of rollups."""

    @strawberry.mutation
    async def create_rollup(self, info: Info, input: RollupInput) -> RollupPayload:
        """Create a rollup. It is computed for all time there are points of, and kept so whatever changes."""

        def work(session: Session, change: GraphChange) -> RollupRow:
            return rollup_create(session, change=change, wish=_wish(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def update_rollup(self, info: Info, id: strawberry.ID, input: RollupInput) -> RollupPayload:
        """Make a rollup what is described, all of it but the metric, which stays. All time is computed anew."""

        def work(session: Session, change: GraphChange) -> RollupRow:
            return rollup_update(session, change=change, rollup_id=uuid_named(id, "id"), wish=_wish(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def delete_rollup(self, info: Info, id: strawberry.ID) -> RollupPayload:
        """Delete a rollup. The points it wrote are taken away; it could be made again."""

        def work(session: Session, change: GraphChange) -> RollupRow:
            return rollup_delete(session, change=change, rollup_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, work, under=())


@shows(RollupRow)
def rollup_shown(row: RollupRow) -> Rollup:
    """Return a rollup as it is shown."""
    draft = row.draft
    return Rollup(
        id=strawberry.ID(str(row.id)),
        name=draft.name,
        metric=draft.metric,
        relationship=draft.relationship,
        of=RollupOf(metric=draft.of_metric, kinds=sorted(draft.of.kinds), types=_types(draft.of), port=draft.of_port),
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


def _types(chosen: EntitySelector) -> list[str] | None:
    return None if chosen.types is None else sorted(chosen.types)


def _wish(given: RollupInput) -> RollupWish:
    at = RollupAtInput() if given.at is None else given.at
    return RollupWish(
        name=given.name,
        metric=given.metric,
        relationship=given.relationship,
        of_metric=given.of.metric,
        of_kinds=given.of.kinds,
        of_types=given.of.types,
        of_port=given.of.port,
        at_kinds=at.kinds,
        at_types=at.types,
        aggregate=given.aggregate,
        attribute=given.attribute,
        worst=given.worst,
        bucket=BucketSize(given.bucket.text, given.bucket.months, given.bucket.length),
        timezone=given.timezone,
        combine=given.combine,
        unit=given.unit,
    )


def _payload(row: RollupRow | None, errors: list[UserError]) -> RollupPayload:
    return RollupPayload(rollup=None if row is None else rollup_shown(row), errors=errors)
