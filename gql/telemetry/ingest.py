"""Ingest: send readings."""

from __future__ import annotations

from typing import Any

import msgspec
import strawberry
import structlog
from graphql import GraphQLResolveInfo

from domain.telemetry.model.readings import ReadingDraft, readings_count_check
from gql.access.principal import DEVICES, OPERATORS
from gql.base.context import Context, Info
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, ReadingTime
from gql.errors import UserError

_log = structlog.get_logger(__name__)


@strawberry.input
class ReadingInput:
    """A reading: the measurements of a device at one instant.

    Attributes:
        device_id: Id of the device. One of `deviceId` and `externalId` is needed, except with a device's own token.
        external_id: External id of the device.
        port: Port of the device, 0 to 65,535. Default: none.
        timestamp: When it was measured. Default: the time of receipt.
        metrics: Measured values, {name: number | boolean | string}: at most 1,000 metrics and 262,144 bytes.
        message_id: Name of the reading, 1 to 200 characters: a repeat with the same one changes nothing.
    """

    device_id: strawberry.ID | None = None
    external_id: str | None = None
    port: int | None = None
    timestamp: ReadingTime | None = None
    metrics: JSON
    message_id: str | None = None


@strawberry.type
class IngestPayload:
    """Result of an ingest.

    Attributes:
        accepted: Number of readings that are stored durably.
        rejected: Number of readings that were refused, each with an error, and are not stored.
        duplicates: How many of `accepted` repeat another reading of this call. `ingestAccount` counts all repeats.
        errors: One error per refused reading; its path holds the reading's place.
    """

    accepted: int
    rejected: int
    duplicates: int
    errors: list[UserError]


@mutations
class IngestMutation:
    """Ingest by mutation."""

    @mutation(OPERATORS | DEVICES, scoped=True)
    async def ingest_telemetry(self, info: Info, readings: list[ReadingInput]) -> IngestPayload:  # noqa: ARG002
        """Take in readings. Answered once they are stored durably; a bad reading does not refuse the others.

        Args:
            readings: The readings, at most 1,000, else LIMIT_EXCEEDED.
        """
        raise AssertionError("ingest_resolve answers it.")


async def ingest_resolve(_source: object, info: GraphQLResolveInfo[Context], *, readings: list[Any]) -> IngestPayload:
    """Answer ingestTelemetry. readings: as graphql-core has coerced them to ReadingInput. Hot path.

    Strawberry would make an object of every reading by looking up every field's type: four times the work of all
    the rest of the call.
    """
    readings_count_check(len(readings))
    context: Context = info.context
    principal = context.principal
    done = await context.services.acceptor.accept(
        readings=msgspec.convert(readings, list[ReadingDraft]),
        organization_id=principal.organization_id,
        own_device_id=principal.device_id,
        under=principal.under,
        transport=context.transport,
        trace_id=context.trace_id,
    )
    _log.debug("readings_accepted", trace_id=context.trace_id, accepted=done.accepted, rejected=done.rejected)
    return IngestPayload(
        accepted=done.accepted,
        rejected=done.rejected,
        duplicates=done.duplicates,
        errors=[UserError(code=error.code, message=error.message, path=list(error.path)) for error in done.errors],
    )
