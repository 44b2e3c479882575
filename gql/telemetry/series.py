"""Series of many entities at once, or across them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from domain.base.packed import Aggregate
from domain.nodes.names import NameKind
from domain.nodes.series import ENTITIES_MAX, SeriesSelection, series_read
from domain.telemetry.model.fill import Fill
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.entities import AggregateEnum, Entity, EntityKindEnum, FillEnum, clock, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load_many
from gql.base.named import entities_named
from gql.base.related import names_of
from gql.base.roots import queries, query
from gql.base.scalars import DateTime, Duration
from gql.telemetry.telemetry import TelemetrySeries, to_series
from graph.entities.queries import entities_get
from graph.errors import LimitExceededError


@queries
class SeriesQuery:
    """Series of many entities."""

    @query(VIEWERS, scoped=True)
    async def series(
        self,
        info: Info,
        metrics: list[str],
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        entity_ids: list[strawberry.ID] | None = None,
        under_id: strawberry.ID | None = None,
        group_id: strawberry.ID | None = None,
        kinds: list[EntityKindEnum] | None = None,  # type: ignore[valid-type]
        types: list[str] | None = None,
        to: DateTime | None = None,
        bucket: Duration | None = None,
        aggregate: AggregateEnum = Aggregate.MEAN,  # type: ignore[valid-type]
        across: AggregateEnum | None = None,  # type: ignore[valid-type]
        fill: FillEnum = Fill.NONE,  # type: ignore[valid-type]
        timezone: str = "UTC",
        max_points: int = 1000,
    ) -> list[TelemetrySeries]:
        """Series of many entities over [from, to): of those named, of all that are below one now, or of a group.

        Entities that have none of the metrics are left out. At most 100,000 values, with `across` 1,000,000 buckets x
        series; else LIMIT_EXCEEDED.

        Args:
            metrics: Names of the metrics, 1 to 100.
            from_: Start of the range of event time, inclusive.
            entity_ids: Ids of 1 to 1,000 entities; NOT_FOUND if one does not exist. Either this, `underId` or
                `groupId`.
            under_id: Id of an entity: series of it and of everything below it, at most 10,000 entities.
            group_id: Id of a group: series of those who are in it now, at most 10,000 entities.
            kinds: With `underId` or `groupId`, only entities of these kinds. What a device measures is a series of the
                device and of each asset that it is linked to: name the kind where it is to count once. Default: of all
                kinds.
            types: With `underId` or `groupId`, only entities of these types, by name. Default: of all types.
            to: End of the range of event time, exclusive. Default: now.
            bucket: Length of a bucket, e.g. PT15M, P1D or P1M. Default: stored points, not aggregated.
            across: One series per metric across the entities instead of one per entity: first the points of each bucket
                of each series are aggregated by `aggregate`, and empty ones are filled by `fill`, then the values of
                each bucket are aggregated across the series, of which those without a number do not count. By MEAN,
                MIN, MAX, SUM, COUNT, MEDIAN, P05, P95 or STDDEV, and with `bucket`. Its entity is that of `underId`, or
                the first of `entityIds` or of the group; its unit is null where units differ.
            fill: What a bucket without a value holds. Without `bucket`, another than NONE is BAD_USER_INPUT.
            max_points: Most stored points per series, 1 to 10,000. Where there are more, they are thinned so that the
                shape stays.
        """
        if entity_ids is not None and len(entity_ids) > ENTITIES_MAX:
            message = f"entityIds names {len(entity_ids)} entities; at most {ENTITIES_MAX} are read at once."
            raise LimitExceededError(message, path=("entityIds",))
        selection = SeriesSelection(
            entity_ids=None if entity_ids is None else await entities_named(info.context, entity_ids, "entityIds"),
            under_id=None if under_id is None else uuid_named(under_id, "underId"),
            group_id=None if group_id is None else uuid_named(group_id, "groupId"),
            kinds=kinds,
            types=names_of(types),
        )
        rows = await info.context.read(
            series_read,
            selection=selection,
            metrics=list(dict.fromkeys(names_of(metrics) or ())),
            from_=from_,
            to=to,
            bucket=None if bucket is None else (bucket.months, bucket.length),
            aggregate=aggregate,
            across=across,
            fill=fill,
            timezone=timezone,
            max_points=max_points,
            now=clock(info),
            offline_after=info.context.services.offline_after,
        )
        present = {series.metric for series in rows if not series.is_empty}
        for place, name in enumerate(names_of(metrics) or ()):
            if name not in present:
                info.context.unmatched_add(NameKind.METRIC, name, "metrics", str(place))
        ids = list(dict.fromkeys(series.entity_id for series in rows))
        loaded = await load_many(info.context, entities_get, ids)
        entities: dict[UUID, Entity] = {row.id: to_entity(row) for row in loaded if row is not None}
        # What a caller does not see any longer by now is left out.
        return [to_series(series, entities[series.entity_id]) for series in rows if series.entity_id in entities]
