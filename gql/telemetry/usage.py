"""Usage: how much was sent, by whom and how."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import strawberry

from domain.telemetry.usage import UsageGroup as UsageGroupRow
from domain.telemetry.usage import UsageGroupBy, usage_read
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.descriptions import enum_described
from gql.base.entities import Entity, clock, to_entity
from gql.base.ids import uuid_or_none
from gql.base.loaders import load
from gql.base.roots import queries, query
from gql.base.scalars import DateTime, Duration
from graph.entities.queries import entities_get

UsageGroupByEnum = enum_described(
    UsageGroupBy,
    "What usage is grouped by.",
    NOTHING="All of the organization together.",
    TRANSPORT="By the transport over which readings were sent.",
    TYPE="By the type of the device.",
    DEVICE="By the single device.",
)


@strawberry.type
class UsageGroup:
    """The usage of one transport, type or device: one number per bucket.

    Attributes:
        key: Name of the transport or of the type (null: devices without a type), or id of the device; `all` if not
            grouped.
        readings: Number of readings received, per bucket.
        points: Number of metrics received, per bucket, repeats and dead letters included.
        bytes: Size of the metrics as JSON in bytes, per bucket.
        total_readings: Number of readings in all buckets.
        total_points: Number of metrics in all buckets.
        total_bytes: Size in bytes in all buckets.
        uptime: Share of the buckets begun by now in which anything was received, 0 to 1.
    """

    row: strawberry.Private[UsageGroupRow]
    is_device: strawberry.Private[bool]
    key: str | None
    readings: list[float]
    points: list[float]
    bytes: list[float]
    total_readings: float
    total_points: float
    total_bytes: float
    uptime: float

    @strawberry.field
    async def device(self, info: Info) -> Entity | None:
        """The device, where usage is grouped by device; else null."""
        identity = uuid_or_none(self.key or "") if self.is_device else None
        row = None if identity is None else await load(info.context, entities_get, identity)
        return None if row is None else to_entity(row)


@strawberry.type
class Usage:
    """How much was received in a range, in buckets.

    Attributes:
        starts: Start of each bucket, in milliseconds since the Unix epoch.
        groups: Usage of each group, those with the most readings first.
        truncated: True where there are more groups than `first`.
    """

    starts: list[float]
    groups: list[UsageGroup]
    truncated: bool


@queries
class UsageQuery:
    """Usage."""

    @query(VIEWERS)
    async def usage(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime | None = None,
        bucket: Duration | None = None,
        timezone: str = "UTC",
        group_by: UsageGroupByEnum = UsageGroupBy.NOTHING,  # type: ignore[valid-type]
        first: int = 50,
    ) -> Usage | None:
        """How much was received, by time of receipt.

        At most 100,000 numbers (buckets x groups) and 5,000,000 readings, else LIMIT_EXCEEDED.

        Args:
            from_: Start of the range, by time of receipt, inclusive.
            to: End of the range, by time of receipt, exclusive. Default: now.
            bucket: Length of a bucket. Default: P1D.
            group_by: What usage is grouped by.
            first: Most groups that are returned, 1 to 500.
        """
        result = await info.context.read(
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
            starts=result.starts.tolist(),
            groups=[
                UsageGroup(
                    row=group,
                    is_device=group_by is UsageGroupBy.DEVICE,
                    key=group.key,
                    readings=group.readings.tolist(),
                    points=group.points.tolist(),
                    bytes=group.bytes.tolist(),
                    total_readings=float(group.readings.sum()),
                    total_points=float(group.points.sum()),
                    total_bytes=float(group.bytes.sum()),
                    uptime=group.heard,
                )
                for group in result.groups
            ],
            truncated=result.truncated,
        )
