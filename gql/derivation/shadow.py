"""Shadows: versions of stages that run beside the one in force."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import strawberry

from domain.derivation.shadow.model import Shadow as ShadowRow
from domain.derivation.shadow.model import ShadowDifference as ShadowDifferenceRow
from domain.derivation.shadow.model import ShadowFilter as ShadowConditions
from domain.derivation.shadow.operations import shadow_compare, shadow_drop
from domain.derivation.shadow.queries import shadow_differences_page, shadow_get
from gql.access.principal import ADMINS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.entities import Entity, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime
from gql.errors import UserError, user_error
from graph.entities.queries import entities_get
from graph.errors import ArgusError
from graph.paging import PageRequest


@strawberry.type
class Shadow:
    """A version of a stage that runs in shadow: beside the one in force, and only its differences are kept.

    Attributes:
        stage: Name of the stage, e.g. derive.
        version: Number of the version that runs in shadow.
        since: When it began to run (system time).
        compared: Number of points compared; one that is derived twice counts twice.
        different: Number of differences that are kept, at most 100,000.
        omitted: Number of differences found while the bound was reached, which are not kept.
        truncated: True where any was omitted: `shadowDifferences` is not complete then.
        errors: Number of times that the version failed on an entity.
        last_error: Message of the last failure; null: none.
    """

    stage: str
    version: int
    since: DateTime
    compared: float
    different: float
    omitted: float
    truncated: bool
    errors: float
    last_error: str | None


@strawberry.type
class ShadowDifference:
    """A point at which the version in shadow differs from the version in force at its time.

    Attributes:
        timestamp: Event time of the point.
        version: Number of the version in force.
        value: Value by the version in force; null: no point.
        shadow_version: Number of the version in shadow.
        shadow_value: Value by the version in shadow; null: no point.
    """

    row: strawberry.Private[ShadowDifferenceRow]
    metric: str
    timestamp: DateTime
    version: int
    value: float | None
    shadow_version: int
    shadow_value: float | None

    @strawberry.field
    async def entity(self, info: Info) -> Entity | None:
        """The entity whose point it is."""
        row = await load(info.context, entities_get, self.row.entity_id)
        return None if row is None else to_entity(row)


ShadowDifferenceConnection = Connection[ShadowDifference]


@strawberry.input
class ShadowDifferenceFilter:
    """Conditions on differences, all of which must hold. A condition left out does not matter.

    Attributes:
        entity_id: Only differences at this entity.
        metric: Only differences of this metric, by name.
        from_: Start of the range of event time, inclusive. Default: no start.
        to: End of the range of event time, exclusive. Default: no end.
    """

    entity_id: strawberry.ID | None = None
    metric: str | None = None
    from_: DateTime | None = strawberry.field(name="from", default=None)
    to: DateTime | None = None


@strawberry.type
class ShadowPayload:
    """Result of dropping a version in shadow.

    Attributes:
        shadow: The version in shadow as it was when it was dropped; null if the change was refused.
    """

    shadow: Shadow | None
    errors: list[UserError]


@strawberry.type
class CompareShadowPayload:
    """Result of ordering a comparison with a version in shadow.

    Attributes:
        shadow: The version in shadow; null if the change was refused.
        entities: Number of entities that wait to be compared.
    """

    shadow: Shadow | None
    entities: int
    errors: list[UserError]


@queries
class ShadowQuery:
    """Versions in shadow."""

    @query(VIEWERS)
    async def shadow(self, info: Info, stage: str) -> Shadow | None:
        """The version of a stage that runs in shadow; null: none does."""
        row = await info.context.read(shadow_get, stage=stage)
        return None if row is None else _to_shadow(row)

    @query(VIEWERS)
    @paged()
    async def shadow_differences(
        self,
        info: Info,
        stage: str,
        *,
        page: PageRequest,
        filter: ShadowDifferenceFilter | None = None,
    ) -> ShadowDifferenceConnection | None:
        """Differences of the version of a stage that runs in shadow, the newest points first."""
        rows = await page_read(info, shadow_differences_page, page, stage=stage, where=_conditions(filter))
        return ShadowDifferenceConnection(rows=rows, show=_difference)


@mutations
class ShadowMutation:
    """Mutations of versions in shadow."""

    @mutation(ADMINS)
    async def compare_shadow(
        self,
        info: Info,
        stage: str,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime,
    ) -> CompareShadowPayload:
        """Compare the version in shadow over a range that was processed before it began.

        The range is derived again, beside live readings; no series changes. CONFLICT while an earlier comparison waits.

        Args:
            from_: Start of the range of event time, inclusive.
            to: End of the range of event time, exclusive.
        """
        try:
            row, entities = await info.context.read(shadow_compare, stage=stage, begins=from_, ends=to)
        except ArgusError as error:
            return CompareShadowPayload(shadow=None, entities=0, errors=[user_error(error)])
        return CompareShadowPayload(shadow=_to_shadow(row), entities=entities, errors=[])

    @mutation(ADMINS)
    async def drop_shadow(self, info: Info, stage: str) -> ShadowPayload:
        """Drop the version that runs in shadow, with its differences. The feature flag of the stage becomes null."""

        def prepare() -> Callable[..., ShadowRow]:
            return partial(shadow_drop, stage=stage)

        return await payload_of(info, _payload, prepare, under=())


def _payload(row: ShadowRow | None, errors: list[UserError]) -> ShadowPayload:
    return ShadowPayload(shadow=None if row is None else _to_shadow(row), errors=errors)


def _to_shadow(row: ShadowRow) -> Shadow:
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


def _conditions(filter_: ShadowDifferenceFilter | None) -> ShadowConditions:
    conditions = filter_ or ShadowDifferenceFilter()
    return ShadowConditions(
        entity_id=None if conditions.entity_id is None else uuid_named(conditions.entity_id, "filter", "entityId"),
        metric=conditions.metric,
        begins=conditions.from_,
        ends=conditions.to,
    )
