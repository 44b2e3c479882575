"""Read series: the points of entities over a range, as stored, thinned, or in buckets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import EPOCH, Aggregate, Instants, MetricType, Points, Series, micros_of, millis_of, type_of
from domain.telemetry.model.attribution import Source
from domain.telemetry.model.buckets import BUCKETS_MAX, Counted, bucket_aggregate, bucket_edges, bucket_of, zone_of
from domain.telemetry.model.thinning import POINTS_MAX, points_thin
from domain.telemetry.store.hourly_read import Missing, counted_scan, hours_suffice, points_missing
from domain.telemetry.store.hourly_summary import HOUR_US
from domain.telemetry.store.links import sources_list
from domain.telemetry.store.scan import POINTS_SCANNED_MAX, points_scan
from graph.errors import BadInputError, LimitExceededError

_NO_POINTS = Counted(
    Points(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64), np.empty(0, dtype=np.int8), None), None
)


class _Shape(NamedTuple):
    """The shape of a result: one point per bucket where there are edges, else at most `max_points`."""

    edges: Instants | None
    aggregate: Aggregate
    max_points: int


def telemetry_read(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Collection[UUID],
    metrics: Sequence[str] | None,
    from_: datetime,
    to: datetime | None,
    bucket: tuple[int, timedelta] | None,
    aggregate: Aggregate,
    timezone: str,
    max_points: int,
    now: datetime,
    scan_limit: int = POINTS_SCANNED_MAX,
) -> Mapping[UUID, Sequence[Series]]:
    """Return the series of each entity over [from_, to), in seven statements at most for any number of entities.

    A device: one per (metric, port). An asset or a space: one per metric, read through its links by event
    time (`domain/telemetry/model/attribution.py`). A person or an activity: none. metrics: None for all that are
    known; one asked for without any data is an empty series. to: None for `now`.

    bucket None: the stored points, thinned to `max_points` (1 to 10,000) where there are more. Else (months,
    duration): one value per bucket of the IANA `timezone`, NaN where there is no data, the first bucket from
    its own start though its data begin at `from_`; at most 10,000 buckets x series for each entity.

    Raises BadInputError (path names the argument), NotFoundError for an unknown entity, LimitExceededError
    for too many buckets, before any point is read, or for more than `scan_limit` stored points in one call.
    """
    until = now if to is None else to
    _check(from_, until, to_is_given=to is not None, max_points=max_points)
    zone = zone_of(timezone)
    edges = None
    if bucket is not None:
        edges = bucket_edges(from_, until, bucket=bucket_of(bucket), zone=zone)
    # Nothing is stored from before the epoch.
    begins_us, ends_us = micros_of(max(from_, EPOCH)), micros_of(max(until, EPOCH))
    sources_by_entity = sources_list(
        session,
        organization_id=organization_id,
        entity_ids=entity_ids,
        metrics=None if metrics is None else frozenset(metrics),
        begins_us=begins_us,
        ends_us=ends_us,
    )
    sources = {entity_id: _requested(entity_id, known, metrics) for entity_id, known in sources_by_entity.items()}
    if edges is not None:
        _check_buckets(len(edges) - 1, sources)
    shape = _Shape(edges, aggregate, max_points)
    flat = [source for of_entity in sources.values() for source in of_entity]
    missing = Missing()
    answers = {
        n: _pack(flat[n], counted, shape)
        for n, counted in _scan(
            session,
            organization_id=organization_id,
            sources=flat,
            begins_us=begins_us,
            ends_us=ends_us,
            shape=shape,
            limit=scan_limit,
            missing=missing,
        )
    }
    packed: dict[UUID, list[Series]] = {entity_id: [] for entity_id in entity_ids}
    for n, source in enumerate(flat):
        series = answers.get(n) or _pack(source, _NO_POINTS, shape)
        packed[source.entity_id].append(replace(series, incomplete=n in missing.places))
    return packed


def _scan(
    session: Session,
    *,
    organization_id: int,
    sources: Sequence[Source],
    begins_us: int,
    ends_us: int,
    shape: _Shape,
    limit: int,
    missing: Missing,
) -> Iterator[tuple[int, Counted]]:
    if shape.edges is not None and hours_suffice(shape.edges):
        yield from counted_scan(
            session,
            organization_id=organization_id,
            sources=sources,
            begins_us=begins_us,
            ends_us=ends_us,
            how=shape.aggregate,
            limit=limit,
            is_hourly=bool((shape.edges % HOUR_US == 0).all()),
            missing=missing,
        )
        return
    missing.places |= points_missing(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us
    ).places
    for n, points in points_scan(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us, limit=limit
    ):
        yield n, Counted(points, None)


def _check(from_: datetime, until: datetime, *, to_is_given: bool, max_points: int) -> None:
    if not 1 <= max_points <= POINTS_MAX:
        msg = f"maxPoints must lie between 1 and {POINTS_MAX}; it was {max_points}."
        raise BadInputError(msg, path=("maxPoints",))
    if from_ >= until:
        end = "to" if to_is_given else "now, where to is not given"
        msg = f"from must be earlier than {end}."
        raise BadInputError(msg, path=("from",))


def _check_buckets(buckets: int, sources: Mapping[UUID, Sequence[Source]]) -> None:
    most = max((len(of_entity) for of_entity in sources.values()), default=0)
    if buckets * most > BUCKETS_MAX:
        msg = (
            f"{buckets} buckets x {most} series are {buckets * most} values;"
            f" at most {BUCKETS_MAX} are answered at once."
        )
        raise LimitExceededError(msg, path=("bucket",))


def _requested(entity_id: UUID, known: Sequence[Source], metrics: Sequence[str] | None) -> Sequence[Source]:
    """Add requested metrics without data, as sources without segments."""
    if metrics is None:
        return known
    names = {source.metric for source in known}
    unknown = [metric for metric in dict.fromkeys(metrics) if metric not in names]
    return [*known, *(Source(entity_id, metric, None, ()) for metric in unknown)]


def _pack(source: Source, counted: Counted, shape: _Shape) -> Series:
    points = counted.points
    type_ = _type_known(source)
    if len(points.types):
        type_ = type_of(points, declared=source.declared, counts=counted.counts)
    if shape.edges is not None:
        thinned, truncated = bucket_aggregate(counted, shape.edges, how=shape.aggregate), False
    else:
        thinned = points_thin(points, max_points=shape.max_points)
        truncated = len(thinned.at) < len(points.at)
    return Series(
        entity_id=source.entity_id,
        metric=source.metric,
        port=source.port,
        unit=source.unit,
        type=type_,
        timestamps=millis_of(thinned.at),
        values=thinned.values,
        texts=None if thinned.texts is None else thinned.texts.tolist(),
        truncated=truncated,
    )


def _type_known(source: Source) -> MetricType:
    """Return the type that is declared, or that of the latest point, where the range itself has none."""
    if source.declared is not None:
        return MetricType(source.declared)
    known = next((s.series.type for s in source.segments if s.series.type is not None), None)
    return MetricType.NUMBER if known is None else MetricType(known)
