"""Series, latest points, ingest accounting, and the live feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from enum import Enum
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from domain.base.packed import Series
from domain.telemetry.feed.feed import FeedUpdate
from domain.telemetry.feed.feed import InvalidatedRange as Range
from domain.telemetry.ingest.accounting import ingest_counts
from domain.telemetry.store.latest import LatestPoint as LatestRow
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Entity, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.named import entities_named, entity_named
from gql.base.roots import queries, query, subscription, subscriptions
from gql.base.scalars import DateTime, Duration
from gql.live.sharing import made, shared
from gql.live.topics import INTERVAL_S
from graph.entities.queries import entities_get
from graph.errors import BadInputError, LimitExceededError, NotFoundError

WATCHED_MAX = 1000
INTERVAL_MAX_S = 60


@strawberry.enum(description="What kind of values the points of a series have.")
class MetricType(Enum):
    """The type of a series or a point."""

    NUMBER = strawberry.enum_value("NUMBER", description="The values are numbers.")
    BOOLEAN = strawberry.enum_value("BOOLEAN", description="The values are true or false, shown as 1 and 0.")
    TEXT = strawberry.enum_value("TEXT", description="The values are texts.")


@strawberry.type
class TelemetrySeries:
    """One series, packed into arrays: timestamps[i] belongs to values[i] and texts[i].

    Attributes:
        entity: The entity of which it is a series.
        port: Port of the device; null: readings without a port, or a series of an asset or a space.
        unit: Unit as a UCUM code, as registered for the latest point; null: none.
        type: Type that the telemetry schema declares, else that of most points; points of another type may be among
            them.
        timestamps: Milliseconds since the Unix epoch, ascending. The timestamp of a bucket is its start.
        values: Values of the points; booleans are 0 and 1. Null: a text, or a bucket without data.
        texts: Texts at their places in the series; null where the series has none.
        truncated: True where the range holds more points than were returned.
        incomplete: True where points of the range are no longer kept and no hourly aggregate covers them exactly.
            Values may be missing, or be of fewer points than there were.
    """

    entity: Entity
    metric: str
    port: int | None
    unit: str | None
    type: MetricType
    timestamps: list[float]
    values: list[float | None]
    texts: list[str | None] | None
    truncated: bool
    incomplete: bool


@strawberry.type
class LatestPoint:
    """The latest point of a series.

    Attributes:
        port: Port of the device; null: readings without a port, or a series of an asset or a space.
        unit: Unit as a UCUM code; null: none.
        type: Type of this point.
        value: Value of the point; booleans are 0 and 1. Null: it is a text.
        text: Text of the point; null: it is no text.
        timestamp: Event time: when it was measured.
        received_at: When its reading was received; null: no longer known.
    """

    metric: str
    port: int | None
    unit: str | None
    type: MetricType
    value: float | None
    text: str | None
    timestamp: DateTime
    received_at: DateTime | None


@strawberry.type
class InvalidatedRange:
    """A range of event time, [from, to), whose points changed or were removed: fetch them again.

    Attributes:
        entity: The entity whose points are meant.
        metric: Name of the metric; null: all metrics.
        from_: Start of the range, inclusive.
        to: End of the range, exclusive; null: it has no end.
    """

    entity: Entity
    metric: str | None
    from_: DateTime = strawberry.field(name="from")
    to: DateTime | None


@strawberry.type
class TelemetryUpdate:
    """An update of the live feed: apply `series`, then read the ranges in `invalidated` again.

    It holds all that came within `interval` and while the client was busy. A client that falls too far behind is sent
    only the latest point of each series; `gaps` says what is missing.

    Attributes:
        series: New points, one entry per series. One that holds its latest point alone is `truncated`.
        invalidated: Ranges whose points changed or were removed, by a corrected link or a replay. Fetch them again.
        dropped: Number of updates that are missing here, or not whole, because the client was too slow.
        cursor: Cursor of this update: hand it back as `after` to continue behind it. It is good for a day.
        gaps: Ranges in which points were left out because the client was too slow. Fetch them where every point
            matters.
        points_left_out: Number of points left out, all of them in `gaps`.
    """

    series: list[TelemetrySeries]
    invalidated: list[InvalidatedRange]
    dropped: int
    cursor: str
    gaps: list[InvalidatedRange]
    points_left_out: int
    memo: strawberry.Private[dict[Any, Any]]


@strawberry.type
class IngestAccount:
    """Ingest accounting of the readings received in a range: received = stored + duplicate + dead + pending.

    Attributes:
        received: Number of readings received.
        stored: Readings of which at least one point was stored, even if a later reading has replaced it.
        duplicate: Readings that repeat an earlier one, and changed nothing.
        dead: Readings of which no point was stored, each with a dead letter.
        pending: Readings that wait to be processed.
    """

    received: float
    stored: float
    duplicate: float
    dead: float
    pending: float


@queries
class TelemetryQuery:
    """Queries about telemetry as a whole."""

    @query(VIEWERS)
    async def ingest_account(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime | None = None,
        device_id: strawberry.ID | None = None,
    ) -> IngestAccount:
        """Ingest accounting: count the readings received in a range, by outcome.

        Args:
            from_: Start of the range, by time of receipt, inclusive.
            to: End of the range, by time of receipt, exclusive. Default: no end.
            device_id: Only readings of this device; NOT_FOUND if there is no such entity. Default: of all.
        """
        device = None if device_id is None else uuid_named(device_id, "deviceId")
        if device is not None and await load(info.context, entities_get, device) is None:
            raise NotFoundError(f"There is no entity {device}.", path=("deviceId",))
        counts = await info.context.read(ingest_counts, from_=from_, to=to, device_id=device)
        return IngestAccount(
            received=counts.received,
            stored=counts.stored,
            duplicate=counts.duplicate,
            dead=counts.dead,
            pending=counts.pending,
        )


# In an update's memo: its object.
_SHOWN: Final = "shown"


@subscriptions
class TelemetrySubscription:
    """The live feed."""

    @subscription(VIEWERS, scoped=True)
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
        """Follow points as they are derived: of some entities, of all below one, or else of the whole organization.

        Args:
            entity_ids: Only series of these entities, at most 1,000; NOT_FOUND if one does not exist.
            under_id: Id of an entity: only series of it and of everything below it.
            since: First send what is stored from this event time on, at most 100,000 points; then continue live.
            after: Cursor of an earlier update: continue with what was committed after it, without a gap or a repeat.
            interval: Least time between two updates, at most PT1M; what comes meanwhile is one update. Default:
                PT0.25S.
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
            under=info.context.principal.under,
        )
        async for update in updates:
            yield made(update.memo, _SHOWN) or await shared(
                update.memo, _SHOWN, partial(_to_update, info, update), is_for_all=_is_for_all
            )


def _interval_s(interval: Duration) -> float:
    length_s = interval.exact().total_seconds()
    if not 0 <= length_s <= INTERVAL_MAX_S:
        raise BadInputError(f"interval is at most PT{INTERVAL_MAX_S}S.", path=("interval",))
    return length_s


@converts(Series)
def to_series(series: Series, entity: Entity) -> TelemetrySeries:
    """Convert a series to its GraphQL object."""
    # Answered as they are: NaN is null (gql/server/completion.py).
    timestamps: Any = series.timestamps
    values: Any = series.values
    return TelemetrySeries(
        entity=entity,
        metric=series.metric,
        port=series.port,
        unit=series.unit,
        type=MetricType[series.type.name],
        timestamps=timestamps,
        values=values,
        texts=None if series.texts is None else list(series.texts),
        truncated=series.truncated,
        incomplete=series.incomplete,
    )


@converts(LatestRow)
def to_latest_point(point: LatestRow) -> LatestPoint:
    """Convert a latest point to its GraphQL object."""
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


def _is_for_all(_: TelemetryUpdate) -> bool:
    return True


async def _to_update(info: Info, update: FeedUpdate) -> TelemetryUpdate:
    # A loader remembers; an entity in a later update may have changed.
    info.context.loaders.clear()
    ids = {series.entity_id for series in update.series}
    ids |= {compute_range.entity_id for ranges in (update.invalidated, update.gaps) for compute_range in ranges}
    rows = await asyncio.gather(*(load(info.context, entities_get, entity_id) for entity_id in ids))
    entities: dict[UUID, Entity] = {row.id: to_entity(row) for row in rows if row is not None}
    return TelemetryUpdate(
        # What a confined caller does not see any longer is left out.
        series=[to_series(item, entities[item.entity_id]) for item in update.series if item.entity_id in entities],
        invalidated=[_to_range(item, entities) for item in update.invalidated if item.entity_id in entities],
        dropped=update.dropped,
        cursor=update.cursor,
        gaps=[_to_range(gap, entities) for gap in update.gaps if gap.entity_id in entities],
        points_left_out=update.points_left_out,
        # One of its own: in the update's it would hold itself.
        memo={},
    )


def _to_range(invalidated: Range, entities: Mapping[UUID, Entity]) -> InvalidatedRange:
    return InvalidatedRange(
        entity=entities[invalidated.entity_id],
        metric=invalidated.metric,
        from_=DateTime(invalidated.from_),
        to=DateTime(invalidated.to),
    )
