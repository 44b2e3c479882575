"""How much was sent, by whom and how."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import strawberry

from domain.telemetry.usage import UsageGroup as UsageGroupRow
from domain.telemetry.usage import UsageGroupBy, usage_read
from gql.base.context import Info
from gql.base.entities import Entity, clock, entity_of
from gql.base.ids import uuid_or_none
from gql.base.loaders import load
from gql.base.scalars import DateTime, Duration
from graph.entities.queries import entities_get

UsageGroupByEnum = strawberry.enum(
    UsageGroupBy, name="UsageGroupBy", description="What usage is told apart by; NOTHING: all together."
)


@strawberry.type
class UsageGroup:
    """What one transport, type or device sent; a number per bucket."""

    row: strawberry.Private[UsageGroupRow]
    is_device: strawberry.Private[bool]
    key: str | None = strawberry.field(
        description="The transport, the name of the type (null: devices of no type) or the device's id."
    )
    readings: list[float]
    points: list[float] = strawberry.field(description="Metrics sent, repeats and dead letters included.")
    bytes: list[float] = strawberry.field(description="Of the metrics as JSON.")
    total_readings: float
    total_points: float
    total_bytes: float
    uptime: float = strawberry.field(
        description="Buckets in which anything was received, as a share of those begun by now: 0 to 1."
    )

    @strawberry.field
    async def device(self, info: Info) -> Entity | None:
        """The device, where usage is told apart by device."""
        identity = uuid_or_none(self.key or "") if self.is_device else None
        row = None if identity is None else await load(info.context, entities_get, identity)
        return None if row is None else entity_of(row)


@strawberry.type
class Usage:
    """What was received in a time, in buckets."""

    starts: list[float] = strawberry.field(description="Of the buckets, milliseconds since the Unix epoch.")
    groups: list[UsageGroup]
    truncated: bool = strawberry.field(description="True where there were more groups.")


@strawberry.type
class UsageQuery:
    """Usage."""

    @strawberry.field
    async def usage(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime | None = None,
        bucket: Duration | None = None,
        timezone: str = "UTC",
        group_by: UsageGroupByEnum = UsageGroupBy.NOTHING,  # type: ignore[valid-type]
        first: int = 50,
    ) -> Usage:
        """How much was received, by time of receipt: those that sent most first. bucket: P1D, if nothing is said."""
        found = await info.context.read(
            usage_read,
            from_=from_,
            to=clock(info) if to is None else to,
            bucket=(0, timedelta(days=1)) if bucket is None else (bucket.months, bucket.length),
            timezone=timezone,
            group_by=group_by,
            first=first,
            now=clock(info),
        )
        return Usage(
            starts=found.starts.tolist(),
            groups=[
                UsageGroup(
                    row=each,
                    is_device=group_by is UsageGroupBy.DEVICE,
                    key=each.key,
                    readings=each.readings.tolist(),
                    points=each.points.tolist(),
                    bytes=each.bytes.tolist(),
                    total_readings=float(each.readings.sum()),
                    total_points=float(each.points.sum()),
                    total_bytes=float(each.bytes.sum()),
                    uptime=each.heard,
                )
                for each in found.groups
            ],
            truncated=found.truncated,
        )
