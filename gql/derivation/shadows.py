"""Versions of stages in shadow: what they have found, and the end of them."""

from __future__ import annotations

from typing import Annotated

import strawberry
from sqlalchemy.orm import Session

from domain.derivation.shadow.model import Shadow as ShadowRow
from domain.derivation.shadow.model import ShadowDifference as ShadowDifferenceRow
from domain.derivation.shadow.model import ShadowFilter as ShadowConditions
from domain.derivation.shadow.operations import shadow_compare, shadow_drop
from domain.derivation.shadow.queries import shadow_differences_page, shadow_get
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import Entity, entity_of
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.scalars import DateTime
from gql.errors import UserError, user_error
from graph.change import GraphChange
from graph.entities.queries import entities_get
from graph.errors import ArgusError


@strawberry.type
class Shadow:
    """A version of a stage that runs in shadow, and what it has done since it began."""

    stage: str
    version: int
    since: DateTime
    compared: float = strawberry.field(description="Points compared, each time they were derived.")
    different: float = strawberry.field(description="Points that differ, as far as they are kept: at most 100,000.")
    omitted: float = strawberry.field(description="Differences that were found when as many were kept as may be.")
    truncated: bool = strawberry.field(description="True where any was omitted: shadowDifferences is not whole then.")
    errors: float = strawberry.field(description="Entities that the version failed on, each time it did.")
    last_error: str | None


@strawberry.type
class ShadowDifference:
    """A point on which the version in shadow differs from the one in force at its time."""

    row: strawberry.Private[ShadowDifferenceRow]
    metric: str
    timestamp: DateTime
    version: int = strawberry.field(description="The one in force.")
    value: float | None = strawberry.field(description="What stands; null: no point.")
    shadow_version: int
    shadow_value: float | None = strawberry.field(description="What would stand; null: no point.")

    @strawberry.field
    async def entity(self, info: Info) -> Entity | None:
        """Whose point it is."""
        row = await load(info.context, entities_get, self.row.entity_id)
        return None if row is None else entity_of(row)


@strawberry.type
class ShadowDifferenceEdge:
    """A difference in a list."""

    cursor: str
    node: ShadowDifference


@strawberry.type
class ShadowDifferenceConnection:
    """A page of differences."""

    rows: strawberry.Private[Rows[ShadowDifferenceRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[ShadowDifference]:
        """The differences."""
        return [_difference(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[ShadowDifferenceEdge]:
        """The differences, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [ShadowDifferenceEdge(cursor=cursor, node=_difference(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.input
class ShadowDifferenceFilter:
    """Which differences; what is not given does not matter. from, to: of the points' own time, half-open."""

    entity_id: strawberry.ID | None = None
    metric: str | None = None
    from_: DateTime | None = strawberry.field(name="from", default=None)
    to: DateTime | None = None


@strawberry.type
class ShadowPayload:
    """The version in shadow: as it was, where it was dropped; null where refused."""

    shadow: Shadow | None
    errors: list[UserError]


@strawberry.type
class CompareShadowPayload:
    """The version in shadow, null where refused. entities: those that wait to be compared."""

    shadow: Shadow | None
    entities: int
    errors: list[UserError]


@strawberry.type
class ShadowQuery:
    """Versions in shadow."""

    @strawberry.field
    async def shadow(self, info: Info, stage: str) -> Shadow | None:
        """The version of a stage that runs in shadow, or null."""
        row = await info.context.read(shadow_get, stage=stage)
        return None if row is None else _shown(row)

    @strawberry.field
    async def shadow_differences(
        self,
        info: Info,
        stage: str,
        filter: ShadowDifferenceFilter | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> ShadowDifferenceConnection:
        """Where the version of a stage that runs in shadow differs from what stands, the newest points first."""
        where, request, count = _conditions(filter), page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[ShadowDifferenceRow]:
            page = shadow_differences_page(
                session, organization_id=organization_id, stage=stage, where=where, page=request
            )
            return rows_of(page, count=count)

        rows = await info.context.read(read)
        return ShadowDifferenceConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class ShadowMutation:
    """Mutations of versions in shadow."""

    @strawberry.mutation
    async def compare_shadow(
        self,
        info: Info,
        stage: str,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime,
    ) -> CompareShadowPayload:
        """Have the version in shadow compared over [from, to) of event time, which was processed before it began.

        All of it is processed again, beside live readings; nothing of the series changes.
        """
        try:
            row, entities = await info.context.read(shadow_compare, stage=stage, begins=from_, ends=to)
        except ArgusError as error:
            return CompareShadowPayload(shadow=None, entities=0, errors=[user_error(error)])
        return CompareShadowPayload(shadow=_shown(row), entities=entities, errors=[])

    @strawberry.mutation
    async def drop_shadow(self, info: Info, stage: str) -> ShadowPayload:
        """End what runs in shadow, with all the differences it has found. The flag of the stage is null then."""

        def work(session: Session, change: GraphChange) -> ShadowRow:
            return shadow_drop(session, change=change, stage=stage)

        return await payload_of(info, _payload, work, under=())


def _payload(row: ShadowRow | None, errors: list[UserError]) -> ShadowPayload:
    return ShadowPayload(shadow=None if row is None else _shown(row), errors=errors)


def _shown(row: ShadowRow) -> Shadow:
    return Shadow(
        stage=row.stage,
        version=row.version,
        since=DateTime(row.since),
        compared=row.compared,
        different=row.different,
        omitted=row.omitted,
        truncated=row.omitted > 0,
        errors=row.errors,
        last_error=row.last_error,
    )


def _difference(row: ShadowDifferenceRow) -> ShadowDifference:
    return ShadowDifference(
        row=row,
        metric=row.metric,
        timestamp=DateTime(row.timestamp),
        version=row.version,
        value=row.value,
        shadow_version=row.shadow_version,
        shadow_value=row.shadow_value,
    )


def _conditions(given: ShadowDifferenceFilter | None) -> ShadowConditions:
    asked = given or ShadowDifferenceFilter()
    return ShadowConditions(
        entity_id=None if asked.entity_id is None else uuid_named(asked.entity_id, "filter", "entityId"),
        metric=asked.metric,
        begins=asked.from_,
        ends=asked.to,
    )
