"""Series, latest points, the account, and the live feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from enum import Enum
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import strawberry

from domain.base.packed import Series
from domain.telemetry.feed.feed import FeedUpdate
from domain.telemetry.feed.feed import InvalidatedRange as Range
from domain.telemetry.ingest.account import ingest_account
from domain.telemetry.store.latest import LatestPoint as LatestRow
from gql.base.context import Info
from gql.base.entities import Entity, entity_of
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.named import entities_named, entity_named
from gql.base.scalars import DateTime, Duration
from gql.base.shown import shows
from gql.live.sharing import shared
from gql.live.topics import INTERVAL_S
from graph.entities.queries import entities_get
from graph.errors import BadInputError, LimitExceededError, NotFoundError

WATCHED_MAX = 1000
INTERVAL_MAX_S = 60


@strawberry.enum
class MetricType(Enum):
    """What the points of a series are."""

    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    TEXT = "TEXT"


@strawberry.type
class TelemetrySeries:
    """One series, packed: timestamps[i] belongs to values[i]."""

    entity: Entity
    metric: str
    port: int | None
    unit: str | None
    type: MetricType = strawberry.field(
        description="As the telemetry schema declares it, else what most points are; others may be among them."
    )
    timestamps: list[float] = strawberry.field(
        description="Milliseconds since the Unix epoch; a bucket's is its start."
    )
    values: list[float | None] = strawberry.field(
        description="Booleans are 0 and 1. Null: no data in the bucket, or a text."
    )
    texts: list[str | None] | None = strawberry.field(
        description="The texts at their places, whatever the type; null where there is none."
    )
    truncated: bool = strawberry.field(description="True where the range held more than was returned.")
    incomplete: bool = strawberry.field(
        description="True where points of the range are no longer kept and no aggregate stands for them exactly:"
        " values may be missing, or of fewer points than there were."
    )


@strawberry.type
class LatestPoint:
    """The latest point of a series."""

    metric: str
    port: int | None
    unit: str | None
    type: MetricType = strawberry.field(description="What this point is.")
    value: float | None
    text: str | None
    timestamp: DateTime
    received_at: DateTime | None


@strawberry.type
class InvalidatedRange:
    """A range whose points changed or went: fetch them again. metric null: of all metrics."""

    entity: Entity
    metric: str | None
    from_: DateTime = strawberry.field(name="from")
    to: DateTime | None


@strawberry.type
class TelemetryUpdate:
    """Points as they were derived.

    All that came within `interval`, and while the client was busy. A client too slow for that is sent the latest point
    of each series (`truncated`), and told what it was not sent. dropped: updates that are not here, or not whole, for
    it. invalidated: ranges whose points changed or went (a corrected link, a replay): fetch them again, after series
    was applied. cursor: hand it back as `after`.
    """

    series: list[TelemetrySeries]
    invalidated: list[InvalidatedRange]
    dropped: int
    cursor: str
    gaps: list[InvalidatedRange] = strawberry.field(
        description="Ranges of which points were left out because the client was too slow: fetch them, where every"
        " point matters."
    )
    points_left_out: int = strawberry.field(description="How many points were left out, all of them in `gaps`.")
    memo: strawberry.Private[dict[Any, Any]]


@strawberry.type
class IngestAccount:
    """What became of the readings received in a time; received = stored + duplicate + dead + pending."""

    received: float
    stored: float
    duplicate: float
    dead: float
    pending: float


@strawberry.type
class TelemetryQuery:
    """Queries about telemetry as a whole."""

    @strawberry.field
    async def ingest_account(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime | None = None,
        device_id: strawberry.ID | None = None,
    ) -> IngestAccount:
        """By time of receipt; received = stored + duplicate + dead + pending."""
        device = None if device_id is None else uuid_named(device_id, "deviceId")
        if device is not None and await load(info.context, entities_get, device) is None:
            raise NotFoundError(f"There is no entity {device}.", path=("deviceId",))
        found = await info.context.read(ingest_account, from_=from_, to=to, device_id=device)
        return IngestAccount(
            received=found.received,
            stored=found.stored,
            duplicate=found.duplicate,
            dead=found.dead,
            pending=found.pending,
        )


@strawberry.type
class TelemetrySubscription:
    """The live feed."""

    @strawberry.subscription
    async def telemetry(
        self,
        info: Info,
        entity_ids: list[strawberry.ID] | None = None,
        under_id: strawberry.ID | None = None,
        metrics: list[str] | None = None,
        since: DateTime | None = None,
        after: str | None = None,
        interval: Duration | None = None,
    ) -> AsyncIterator[TelemetryUpdate]:
        """Points as they are derived. `underId`: everything below that entity.

        `since`: first what was stored from then on, then live. `after`: a cursor of an earlier update; everything
        committed after it, late points too, without a gap or a repeat. `interval`: at least so long between two
        updates, a quarter of a second where it is not given, a minute at most; what comes meanwhile is one update.
        """
        if entity_ids is not None and len(entity_ids) > WATCHED_MAX:
            message = f"entityIds names {len(entity_ids)} entities; at most {WATCHED_MAX} can be watched at once."
            raise LimitExceededError(message, path=("entityIds",))
        updates = info.context.services.feed.subscribe(
            organization_id=info.context.organization_id,
            entity_ids=None if entity_ids is None else await entities_named(info.context, entity_ids, "entityIds"),
            under_id=None if under_id is None else await entity_named(info.context, under_id, "underId"),
            metrics=metrics,
            since=since,
            after=after,
            interval_s=INTERVAL_S if interval is None else _interval_s(interval),
        )
        async for update in updates:
            # A loader remembers; an entity in a later update may have changed.
            info.context.loaders.clear()
            yield await shared(update.memo, "shown", partial(_update_of, info, update), is_for_all=lambda _: True)


def _interval_s(interval: Duration) -> float:
    length_s = interval.exact().total_seconds()
    if not 0 <= length_s <= INTERVAL_MAX_S:
        raise BadInputError(f"interval is at most PT{INTERVAL_MAX_S}S.", path=("interval",))
    return length_s


@shows(Series)
def series_of(series: Series, entity: Entity) -> TelemetrySeries:
    """Return a series as it is shown."""
    values: list[Any] = series.values.tolist()
    if bool(np.isnan(series.values).any()):
        values = [None if value != value else value for value in values]  # noqa: PLR0124  (NaN alone differs from itself)
    return TelemetrySeries(
        entity=entity,
        metric=series.metric,
        port=series.port,
        unit=series.unit,
        type=MetricType[series.type.name],
        timestamps=series.timestamps.tolist(),
        values=values,
        texts=None if series.texts is None else list(series.texts),
        truncated=series.truncated,
        incomplete=series.incomplete,
    )


@shows(LatestRow)
def latest_of(point: LatestRow) -> LatestPoint:
    """Return a latest point as it is shown."""
    return LatestPoint(
        metric=point.metric,
        port=point.port,
        unit=point.unit,
        type=MetricType[point.type.name],
        value=point.value,
        text=point.text,
        timestamp=DateTime(point.timestamp),
        received_at=None if point.received_at is None else DateTime(point.received_at),
    )


async def _update_of(info: Info, update: FeedUpdate) -> TelemetryUpdate:
    ids = {series.entity_id for series in update.series}
    ids |= {each.entity_id for ranges in (update.invalidated, update.gaps) for each in ranges}
    rows = await asyncio.gather(*(load(info.context, entities_get, each) for each in ids))
    entities: dict[UUID, Entity] = {row.id: entity_of(row) for row in rows if row is not None}
    return TelemetryUpdate(
        series=[series_of(series, entities[series.entity_id]) for series in update.series],
        invalidated=[_range_of(each, entities) for each in update.invalidated],
        dropped=update.dropped,
        cursor=update.cursor,
        gaps=[_range_of(each, entities) for each in update.gaps],
        points_left_out=update.points_left_out,
        # One of its own: in the update's it would hold itself.
        memo={},
    )


def _range_of(each: Range, entities: Mapping[UUID, Entity]) -> InvalidatedRange:
    return InvalidatedRange(
        entity=entities[each.entity_id], metric=each.metric, from_=DateTime(each.from_), to=DateTime(each.to)
    )
