"""Readings as they were received, with what became of each."""

from __future__ import annotations

import strawberry

from domain.telemetry.raw_readings import RawReading as RawReadingRow
from domain.telemetry.raw_readings import dead_letters_of
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Node
from gql.base.loaders import load
from gql.base.scalars import JSON, DateTime
from gql.telemetry.dead_letters import DeadLetter, to_dead_letter


@strawberry.type
class RawReading(Node):
    """A reading as it was received, and what became of it.

    Attributes:
        received_at: When it was received.
        timestamp: When it was measured, as the reading says; the time of receipt where it says nothing.
        port: Port of the device; null: none.
        transport: Transport over which it came, e.g. graphql, http or mqtt.
        payload: Its metrics as they were received, {name: value}; those that were null are left out.
        outcome: What became of it, in the words of `ingestAccount`: `stored` (at least one metric is a point), `dead`
            (none is), `duplicate` (it repeats an earlier reading), `pending` (it is not yet processed).
    """

    row: strawberry.Private[RawReadingRow]
    received_at: DateTime
    timestamp: DateTime | None
    port: int | None
    transport: str
    payload: JSON
    outcome: str

    @strawberry.field
    async def dead_letters(self, info: Info) -> list[DeadLetter]:
        """What of it could not be processed, in whatever state: also single metrics of a reading that is stored."""
        rows = await load(info.context, dead_letters_of, self.row.id)
        return [to_dead_letter(row) for row in rows or ()]


@converts(RawReadingRow)
def to_raw_reading(row: RawReadingRow) -> RawReading:
    """Convert a reading of the raw log to its GraphQL object."""
    return RawReading(
        id=strawberry.ID(str(row.id)),
        row=row,
        received_at=DateTime(row.received_at),
        timestamp=DateTime(row.timestamp),
        port=row.port,
        transport=row.transport,
        payload=JSON(row.payload),
        outcome=row.outcome.value,
    )
