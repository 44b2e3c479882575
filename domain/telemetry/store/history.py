"""Read series: the points of entities over a range, as stored, thinned, or in buckets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import EPOCH, Aggregate, Instants, MetricType, Points, Series, micros_of, millis_of, type_of
from domain.telemetry.model.attribution import BEGIN_US, Segment, Source
from domain.telemetry.model.buckets import BUCKETS_MAX, Bucket, bucket_edges, bucket_of, zone_of
from domain.telemetry.model.fill import Fill, fill_linear, fill_previous, is_empty
from domain.telemetry.model.lookback import LOOKBACK
from domain.telemetry.model.thinning import POINTS_MAX, points_thin
from domain.telemetry.store.bucketed import Bucketed, BucketRequest, bucketed_read
from domain.telemetry.store.hourly_read import Missing, points_missing
from domain.telemetry.store.links import sources_list
from domain.telemetry.store.previous import buckets_before
from domain.telemetry.store.scan import POINTS_SCANNED_MAX, points_scan
from graph.errors import BadInputError, LimitExceededError

_NO_POINTS = Points(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64), np.empty(0, dtype=np.int8), None)


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Buckets that are asked for, how the points of each become one value, and what the empty ones are filled with."""

    edges: Instants
    bucket: Bucket
    zone: tzinfo
    aggregate: Aggregate
    fill: Fill

    @property
    def is_looking_back(self) -> bool:
        """Whether what lies before the range matters."""
        return self.aggregate in LOOKBACK or self.fill is Fill.PREVIOUS


class _Range(NamedTuple):
    """The event time that is asked for, [begins_us, ends_us), and the time of the call; in microseconds."""

    begins_us: int
    ends_us: int
    now_us: int


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
    fill: Fill = Fill.NONE,
    values_max: int | None = None,
    is_padded: bool = True,
    scan_limit: int = POINTS_SCANNED_MAX,
) -> Mapping[UUID, Sequence[Series]]:
    """Return the series of each entity over [from_, to), in few statements for any number of entities.

    A device: one per (metric, port). An asset or a space: one per metric, read through its links by event
    time (`domain/telemetry/model/attribution.py`). A person or an activity: none. metrics: None for all that are
    known; one asked for without any data is an empty series, unless `is_padded` is False. to: None for `now`.

    bucket None: the stored points, thinned to `max_points` (1 to 10,000) where there are more. Else (months,
    duration): one value per bucket of the IANA `timezone`, NaN where there is no data, the first bucket from
    its own start though its data begin at `from_`; at most 10,000 buckets x series for each entity, or `values_max`
    for all of them together, which bounds points, too.

    Aggregates that look at the point before a bucket find it before `from_`, too, however old it is; so does the fill
    PREVIOUS, which fills no bucket that begins after `now`. Statements: seven at most, ten with such an aggregate, and
    ten more with that fill.

    Raises BadInputError (path names the argument), NotFoundError for an unknown entity, LimitExceededError
    for too many buckets, before any point is read, or for more than `scan_limit` stored points in one call.
    """
    until = now if to is None else to
    _check(from_, until, to_is_given=to is not None, max_points=max_points)
    buckets = _buckets_of(from_, until, length=bucket, timezone=timezone, aggregate=aggregate, fill=fill)
    # Nothing is stored from before the epoch.
    span = _Range(micros_of(max(from_, EPOCH)), micros_of(max(until, EPOCH)), micros_of(now))
    sources_by_entity = sources_list(
        session,
        organization_id=organization_id,
        entity_ids=entity_ids,
        metrics=None if metrics is None else frozenset(metrics),
        begins_us=BEGIN_US if buckets is not None and buckets.is_looking_back else span.begins_us,
        ends_us=span.ends_us,
    )
    padding = metrics if is_padded else None
    by_entity = {entity_id: _requested(entity_id, known, padding) for entity_id, known in sources_by_entity.items()}
    sources, past = _overlapping([source for known in by_entity.values() for source in known], span, padding)
    missing = Missing()
    if buckets is None:
        answers = _points_read(
            session, organization_id, sources, span=span, max_points=max_points, limit=scan_limit, missing=missing
        )
        _check_points(answers, values_max)
    else:
        _check_buckets(len(buckets.edges) - 1, sources, values_max)
        requests = [
            BucketRequest(source, segments, buckets.edges, span.begins_us, span.ends_us)
            for source, segments in zip(sources, past, strict=True)
        ]
        answers = _buckets_read(
            session, organization_id, requests, buckets=buckets, now_us=span.now_us, limit=scan_limit, missing=missing
        )
    packed: dict[UUID, list[Series]] = {entity_id: [] for entity_id in entity_ids}
    for n, series in enumerate(answers):
        packed[series.entity_id].append(replace(series, incomplete=n in missing.places))
    return packed


def _points_read(
    session: Session,
    organization_id: int,
    sources: Sequence[Source],
    *,
    span: _Range,
    max_points: int,
    limit: int,
    missing: Missing,
) -> list[Series]:
    """Return the stored points of each source, thinned."""
    begins_us, ends_us, _ = span
    missing.places |= points_missing(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us
    ).places
    answers = [_series(source, _NO_POINTS) for source in sources]
    for n, points in points_scan(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us, limit=limit
    ):
        thinned = points_thin(points, max_points=max_points)
        type_ = type_of(points, declared=sources[n].declared)
        answers[n] = _series(sources[n], thinned, type_, truncated=len(thinned.at) < len(points.at))
    return answers


def _buckets_read(
    session: Session,
    organization_id: int,
    requests: Sequence[BucketRequest],
    *,
    buckets: _Buckets,
    now_us: int,
    limit: int,
    missing: Missing,
) -> list[Series]:
    """Return the buckets of each request, filled."""
    read = bucketed_read(
        session,
        organization_id=organization_id,
        requests=requests,
        how=buckets.aggregate,
        now_us=now_us,
        limit=limit,
        missing=missing,
    )
    size = len(buckets.edges) - 1
    nothing = Points(buckets.edges[:size], np.full(size, np.nan), np.zeros(size, dtype=np.int8), None)
    answers = [read.get(n) or Bucketed(nothing, None) for n in range(len(requests))]
    if buckets.fill is Fill.LINEAR:
        answers = [answer._replace(points=fill_linear(answer.points)) for answer in answers]
    elif buckets.fill is Fill.PREVIOUS:
        # What a bucket holds that begins the range is not needed from before.
        led = [n for n, answer in enumerate(answers) if bool(is_empty(answer.points)[:1].any())]
        unknown = Missing()
        before = buckets_before(
            session,
            organization_id=organization_id,
            requests=[requests[n] for n in led],
            bucket=buckets.bucket,
            zone=buckets.zone,
            how=buckets.aggregate,
            limit=limit,
            missing=unknown,
        )
        missing.places |= {led[k] for k in unknown.places}
        known = {led[k]: value for k, value in before.items()}
        answers = [
            answer._replace(points=fill_previous(answer.points, before=known.get(n), until_us=now_us))
            for n, answer in enumerate(answers)
        ]
    return [
        _series(request.source, answer.points, answer.type) for request, answer in zip(requests, answers, strict=True)
    ]


def _check(from_: datetime, until: datetime, *, to_is_given: bool, max_points: int) -> None:
    if not 1 <= max_points <= POINTS_MAX:
        msg = f"maxPoints must lie between 1 and {POINTS_MAX}; it was {max_points}."
        raise BadInputError(msg, path=("maxPoints",))
    if from_ >= until:
        end = "to" if to_is_given else "now, where to is not given"
        msg = f"from must be earlier than {end}."
        raise BadInputError(msg, path=("from",))


def _buckets_of(
    from_: datetime,
    until: datetime,
    *,
    length: tuple[int, timedelta] | None,
    timezone: str,
    aggregate: Aggregate,
    fill: Fill,
) -> _Buckets | None:
    zone = zone_of(timezone)
    if length is None:
        if fill is not Fill.NONE:
            raise BadInputError("fill fills buckets: give a bucket.", path=("fill",))
        return None
    bucket = bucket_of(length)
    return _Buckets(bucket_edges(from_, until, bucket=bucket, zone=zone), bucket, zone, aggregate, fill)


def _check_points(series: Sequence[Series], values_max: int | None) -> None:
    values = sum(len(own.values) for own in series)
    if values_max is not None and values > values_max:
        msg = f"{len(series)} series hold {values} points; at most {values_max} are answered: ask for fewer of each."
        raise LimitExceededError(msg, path=("maxPoints",))


def _check_buckets(buckets: int, sources: Sequence[Source], values_max: int | None) -> None:
    if values_max is not None:
        _check_values(buckets, len(sources), values_max)
        return
    of_entity: dict[UUID, int] = {}
    for source in sources:
        of_entity[source.entity_id] = of_entity.get(source.entity_id, 0) + 1
    _check_values(buckets, max(of_entity.values(), default=0), BUCKETS_MAX)


def _check_values(buckets: int, series: int, limit: int) -> None:
    values = buckets * series
    if values > limit:
        msg = f"{buckets} buckets x {series} series are {values} values; at most {limit} are answered at once."
        raise LimitExceededError(msg, path=("bucket",))


def _requested(entity_id: UUID, known: Sequence[Source], metrics: Sequence[str] | None) -> Sequence[Source]:
    """Add requested metrics without data, as sources without segments."""
    if metrics is None:
        return known
    names = {source.metric for source in known}
    unknown = [metric for metric in dict.fromkeys(metrics) if metric not in names]
    return [*known, *(Source(entity_id, metric, None, ()) for metric in unknown)]


def _overlapping(
    sources: Sequence[Source], span: _Range, metrics: Sequence[str] | None
) -> tuple[list[Source], list[Sequence[Segment]]]:
    """Return the sources by their segments that overlap the range, and the segments of each that begin before it.

    A source that has ended before is left out, unless its metric is requested.
    """
    overlapping: list[Source] = []
    past: list[Sequence[Segment]] = []
    for source in sources:
        segments = [s for s in source.segments if s.begins_us < span.ends_us and s.ends_us > span.begins_us]
        if segments or metrics is not None:
            overlapping.append(replace(source, segments=segments))
            past.append([s for s in source.segments if s.begins_us < span.begins_us])
    return overlapping, past


def _series(source: Source, points: Points, type_: MetricType | None = None, *, truncated: bool = False) -> Series:
    return Series(
        entity_id=source.entity_id,
        metric=source.metric,
        port=source.port,
        unit=source.unit,
        type=_type_known(source) if type_ is None else type_,
        timestamps=millis_of(points.at),
        values=points.values,
        texts=None if points.texts is None else points.texts.tolist(),
        truncated=truncated,
    )


def _type_known(source: Source) -> MetricType:
    """Return the type that is declared, or that of the latest point, where the range itself has none."""
    if source.declared is not None:
        return MetricType(source.declared)
    known = next((s.series.type for s in source.segments if s.series.type is not None), None)
    return MetricType.NUMBER if known is None else MetricType(known)
