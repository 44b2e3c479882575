"""Versions of stages: which there are, and which is in force from when on."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.definitions.processors.model import Processor as ProcessorRow
from domain.definitions.processors.operations import processor_promote
from domain.definitions.processors.queries import processors_list
from gql.base.context import Info
from gql.base.entities import clock
from gql.base.mutations import payload_of
from gql.base.scalars import DateTime
from gql.errors import UserError
from graph.change import GraphChange


@strawberry.type
class ProcessorVersion:
    """A version of a stage that there is, in force or not."""

    number: int
    changes: str = strawberry.field(description="What it does otherwise than the one before it.")


@strawberry.type
class Promotion:
    """A version that is in force from an instant of event time until that of the next promotion."""

    version: int
    effective_from: DateTime
    recorded_at: DateTime
    actor: str


@strawberry.type
class Processor:
    """A stage that has versions, as the organization has it."""

    row: strawberry.Private[ProcessorRow]
    stage: str
    versions: list[ProcessorVersion]
    promotions: list[Promotion] = strawberry.field(description="Ascending. Before the first, version 1 is in force.")

    @strawberry.field
    def version(self, info: Info, at: DateTime | None = None) -> int:
        """The version with which an instant of event time is processed; now, if nothing is said."""
        return self.row.in_force(clock(info) if at is None else at)


@strawberry.type
class ProcessorPayload:
    """The stage as it now stands; null if refused."""

    processor: Processor | None
    errors: list[UserError]


@strawberry.type
class ProcessorQuery:
    """Versions of stages."""

    @strawberry.field
    async def processors(self, info: Info) -> list[Processor]:
        """The stages that have versions."""
        return [processor_shown(row) for row in await info.context.read(processors_list)]


@strawberry.type
class ProcessorMutation:
    """Mutations of versions of stages."""

    @strawberry.mutation
    async def promote_processor(
        self, info: Info, stage: str, version: int, effective_from: DateTime | None = None
    ) -> ProcessorPayload:
        """Process event time from effectiveFrom (default: now) on with a version, until the next promotion.

        What was processed before and lies after it is put right by itself, beside live readings. Version 1 for the
        same instant takes a promotion back.
        """

        def work(session: Session, change: GraphChange) -> ProcessorRow:
            return processor_promote(
                session, change=change, stage=stage, version=version, effective_from=effective_from
            )

        return await payload_of(info, _payload, work, under=())


def processor_shown(row: ProcessorRow) -> Processor:
    """Return a stage as it is shown."""
    return Processor(
        row=row,
        stage=row.stage,
        versions=[ProcessorVersion(number=each.number, changes=each.changes) for each in row.versions],
        promotions=[
            Promotion(
                version=each.version,
                effective_from=DateTime(each.effective_from),
                recorded_at=DateTime(each.recorded_at),
                actor=each.actor,
            )
            for each in row.promotions
        ],
    )


def _payload(row: ProcessorRow | None, errors: list[UserError]) -> ProcessorPayload:
    return ProcessorPayload(processor=None if row is None else processor_shown(row), errors=errors)
