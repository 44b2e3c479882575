"""Processor versions of stages, and their promotion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry

from domain.definitions.processors.model import Processor as ProcessorRow
from domain.definitions.processors.operations import processor_promote
from domain.definitions.processors.queries import processors_list
from gql.access.principal import ADMINS, VIEWERS
from gql.base.context import Info
from gql.base.entities import clock
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime
from gql.errors import UserError


@strawberry.type
class ProcessorVersion:
    """A version of a stage that exists, in force or not.

    Attributes:
        number: Number of the version, from 1.
        changes: What it does otherwise than the version before it.
    """

    number: int
    changes: str


@strawberry.type
class Promotion:
    """A version of a stage that is in force from an instant of event time until the next promotion.

    Attributes:
        version: Number of the version.
    """

    version: int
    effective_from: DateTime
    recorded_at: DateTime
    actor: str


@strawberry.type
class Processor:
    """A stage that has versions, with those in force for the organization.

    Attributes:
        stage: Name of the stage, e.g. derive.
        versions: Versions that exist, ascending.
        promotions: Promotions of the organization, by event time, ascending. Before the first one version 1 is in
            force.
    """

    row: strawberry.Private[ProcessorRow]
    stage: str
    versions: list[ProcessorVersion]
    promotions: list[Promotion]

    @strawberry.field
    def version(self, info: Info, at: DateTime | None = None) -> int:
        """Number of the version that is in force at an instant of event time.

        Args:
            at: Instant of event time. Default: now.
        """
        return self.row.in_force(clock(info) if at is None else at)


@strawberry.type
class ProcessorPayload:
    """Result of promoting a version of a stage.

    Attributes:
        processor: The stage after the change; null if it was refused.
    """

    processor: Processor | None
    errors: list[UserError]


@queries
class ProcessorQuery:
    """Versions of stages."""

    @query(VIEWERS)
    async def processors(self, info: Info) -> list[Processor] | None:
        """The stages that have versions."""
        return [to_processor(row) for row in await info.context.read(processors_list)]


@mutations
class ProcessorMutation:
    """Mutations of versions of stages."""

    @mutation(ADMINS)
    async def promote_processor(
        self, info: Info, stage: str, version: int, effective_from: DateTime | None = None
    ) -> ProcessorPayload:
        """Put a version of a stage in force for event time from `effectiveFrom` on, until the next promotion.

        What was already processed after that instant is recomputed, beside live readings. To undo a promotion, promote
        version 1 for the same instant. An organization may have 100 promotions of a stage.

        Args:
            version: Number of the version, as listed by `processors`.
            effective_from: Event time from which it is in force. A promotion at the same instant is replaced. Default:
                now.
        """

        def prepare() -> Callable[..., ProcessorRow]:
            return partial(processor_promote, stage=stage, version=version, effective_from=effective_from)

        return await payload_of(info, _payload, prepare, under=())


def to_processor(row: ProcessorRow) -> Processor:
    """Convert a stage to its GraphQL object."""
    return Processor(
        row=row,
        stage=row.stage,
        versions=[ProcessorVersion(number=version.number, changes=version.changes) for version in row.versions],
        promotions=[
            Promotion(
                version=promotion.version,
                effective_from=DateTime(promotion.effective_from),
                recorded_at=DateTime(promotion.recorded_at),
                actor=promotion.actor,
            )
            for promotion in row.promotions
        ],
    )


def _payload(row: ProcessorRow | None, errors: list[UserError]) -> ProcessorPayload:
    return ProcessorPayload(processor=None if row is None else to_processor(row), errors=errors)
