"""Ingest: readings on their way in."""

from __future__ import annotations

import strawberry

from domain.telemetry.accept import READINGS_MAX
from domain.telemetry.readings import ReadingDraft
from gql.context import Info
from gql.errors import UserError
from gql.scalars import JSON, ReadingTime
from graph.errors import LimitExceededError


@strawberry.input
class ReadingInput:
    """What a device measured at one instant.

    deviceId or externalId; a device token needs neither. timestamp defaults to the time of receipt.
    metrics: {name: number | boolean | string}. messageId: a repeat with the same one changes nothing.
    """

    device_id: strawberry.ID | None = None
    external_id: str | None = None
    port: int | None = None
    timestamp: ReadingTime | None = None
    metrics: JSON
    message_id: str | None = None


@strawberry.type
class IngestPayload:
    """accepted: durable. rejected: told in errors, not stored.

    duplicates: those of accepted recognised as repeats at once; informative, the account counts them all.
    """

    accepted: int
    rejected: int
    duplicates: int
    errors: list[UserError]


@strawberry.type
class IngestMutation:
    """Ingest by mutation."""

    @strawberry.mutation
    async def ingest_telemetry(self, info: Info, readings: list[ReadingInput]) -> IngestPayload:
        """Take readings: at most 1000. Answers after they are durable. One bad reading does not refuse the others."""
        if len(readings) > READINGS_MAX:
            message = f"The call holds {len(readings)} readings; at most {READINGS_MAX} are taken at once."
            raise LimitExceededError(message, path=("readings",))
        principal = info.context.principal
        done = await info.context.services.acceptor.accept(
            readings=[
                ReadingDraft(
                    metrics=reading.metrics,
                    device_id=reading.device_id,
                    external_id=reading.external_id,
                    port=reading.port,
                    timestamp=reading.timestamp,
                    message_id=reading.message_id,
                )
                for reading in readings
            ],
            organization_id=principal.organization_id,
            own_device_id=principal.device_id,
            transport=info.context.transport,
        )
        return IngestPayload(
            accepted=done.accepted,
            rejected=done.rejected,
            duplicates=done.duplicates,
            errors=[UserError(code=error.code, message=error.message, path=list(error.path)) for error in done.errors],
        )
