"""Read a value per bucket of sources: from hours where these are exact, else from points; with what precedes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import Aggregate, Instants, MetricType, Points, Values, type_of
from domain.telemetry.model.attribution import Segment, Source
from domain.telemetry.model.buckets import Counted, bucket_aggregate
from domain.telemetry.model.lookback import (
    LOOKBACK,
    Preceding,
    Span,
    Track,
    delta,
    increase,
    rate,
    time_weighted_mean,
)
from domain.telemetry.store.hourly_read import HOURLY, Missing, counted_scan, hours_suffice, points_missing
from domain.telemetry.store.hourly_summary import HOUR_US
from domain.telemetry.store.preceding import LastPoint, Lookback, preceding_read
from domain.telemetry.store.scan import points_scan

_FIRST_US: Final = 0
# Of these, each link's numbers count by themselves.
_BY_SEGMENT: Final = frozenset({Aggregate.INCREASE, Aggregate.RATE, Aggregate.TIME_WEIGHTED_MEAN})
_NO_POINTS: Final = Points(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64), np.empty(0, dtype=np.int8), None)


@dataclass(frozen=True, slots=True)
class BucketRequest:
    """The buckets between `edges` of a source, of its points within [begins_us, ends_us); microseconds.

    edges: shape (buckets + 1,), ascending; the first at or before begins_us, the last at or after ends_us.
    past: the segments of the source that begin before begins_us, also those that ended before.
    """

    source: Source
    past: Sequence[Segment]
    edges: Instants
    begins_us: int
    ends_us: int


class Bucketed(NamedTuple):
    """The buckets of a source: one point each, NaN where there is no data. type: that of its points; None: has none."""

    points: Points
    type: MetricType | None


def bucketed_read(
    session: Session,
    *,
    organization_id: int,
    requests: Sequence[BucketRequest],
    how: Aggregate,
    now_us: int,
    limit: int,
    missing: Missing,
) -> dict[int, Bucketed]:
    """Return the buckets of each request by its index, without those that have no value at all.

    Seven statements at most, for any number of requests. missing: filled with the requests of which points are no
    longer kept. Raises LimitExceededError where more than `limit` rows would have to be read.
    """
    preceding: dict[int, dict[int, LastPoint]] = {}
    if how in LOOKBACK:
        preceding = _preceding(session, organization_id, requests, how=how, missing=missing)
    if how in _BY_SEGMENT:
        return _by_segment(
            session,
            organization_id,
            requests,
            how=how,
            preceding=preceding,
            now_us=now_us,
            limit=limit,
            missing=missing,
        )
    buckets: dict[int, Bucketed] = {}
    for n, counted in _counted(session, organization_id, requests, how=how, limit=limit, missing=missing):
        request = requests[n]
        type_ = type_of(counted.points, declared=request.source.declared, counts=counted.counts)
        if how is Aggregate.DELTA:
            changes = delta(counted, request.edges, preceding=_last(preceding.get(n, {})))
            buckets[n] = Bucketed(_packed(request.edges, changes), type_)
        else:
            buckets[n] = Bucketed(bucket_aggregate(counted, request.edges, how=how), type_)
    return buckets


def last_points(
    session: Session, *, organization_id: int, requests: Sequence[BucketRequest], missing: Missing
) -> list[LastPoint]:
    """Return the last point of each request before its range, over all of its past. Three statements at most.

    missing: filled with the requests of which it is no longer known.
    """
    lasts = _preceding(session, organization_id, requests, how=Aggregate.LAST, missing=missing)
    answers = []
    for n in range(len(requests)):
        points = [answer.point for answer in lasts.get(n, {}).values()]
        answers.append(LastPoint(_latest(points), _last(lasts.get(n, {}))))
    return answers


def _preceding(
    session: Session,
    organization_id: int,
    requests: Sequence[BucketRequest],
    *,
    how: Aggregate,
    missing: Missing,
) -> dict[int, dict[int, LastPoint]]:
    """Return what precedes each request, by the place of the segment: of its source where these count by themselves."""
    places: list[tuple[int, int]] = []
    lookbacks: list[Lookback] = []
    for n, request in enumerate(requests):
        segments = request.source.segments if how in _BY_SEGMENT else request.past
        for place, segment in enumerate(segments):
            begins_us, ends_us = max(segment.begins_us, _FIRST_US), min(segment.ends_us, request.begins_us)
            if begins_us < ends_us:
                places.append((n, place))
                lookbacks.append(Lookback(segment.series.id, begins_us, ends_us))
    answers: dict[int, dict[int, LastPoint]] = {}
    for (n, place), last in zip(
        places, preceding_read(session, organization_id=organization_id, lookbacks=lookbacks), strict=True
    ):
        answers.setdefault(n, {})[place] = last
        if not last.is_known:
            missing.places.add(n)
    return answers


def _last(answers: dict[int, LastPoint]) -> Preceding | None:
    return _latest([answer.number for answer in answers.values()])


def _latest(points: Sequence[Preceding | None]) -> Preceding | None:
    """Return the latest of these; of two at one time the first, whose segment goes before."""
    return max((point for point in points if point is not None), key=lambda point: point.at, default=None)


def _counted(
    session: Session,
    organization_id: int,
    requests: Sequence[BucketRequest],
    *,
    how: Aggregate,
    limit: int,
    missing: Missing,
) -> Iterator[tuple[int, Counted]]:
    if not requests:
        return
    sources = [_clipped(request) for request in requests]
    begins_us = min(request.begins_us for request in requests)
    ends_us = max(request.ends_us for request in requests)
    # Most requests share their edges.
    edges = list({id(request.edges): request.edges for request in requests}.values())
    if how in HOURLY and all(map(hours_suffice, edges)):
        yield from counted_scan(
            session,
            organization_id=organization_id,
            sources=sources,
            begins_us=begins_us,
            ends_us=ends_us,
            how=how,
            limit=limit,
            is_hourly=all(bool((own % HOUR_US == 0).all()) for own in edges),
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


def _clipped(request: BucketRequest) -> Source:
    """Return the source within the request's range: requests may be of different ones."""
    segments = [
        replace(
            segment,
            begins_us=max(segment.begins_us, request.begins_us),
            ends_us=min(segment.ends_us, request.ends_us),
        )
        for segment in request.source.segments
        if segment.begins_us < request.ends_us and segment.ends_us > request.begins_us
    ]
    return replace(request.source, segments=segments)


def _by_segment(
    session: Session,
    organization_id: int,
    requests: Sequence[BucketRequest],
    *,
    how: Aggregate,
    preceding: dict[int, dict[int, LastPoint]],
    now_us: int,
    limit: int,
    missing: Missing,
) -> dict[int, Bucketed]:
    buckets: dict[int, Bucketed] = {}
    is_hiding = how is Aggregate.TIME_WEIGHTED_MEAN
    scanned = _segments_scan(session, organization_id, requests, is_hiding=is_hiding, limit=limit, missing=missing)
    following = next(scanned, None)
    for n, request in enumerate(requests):
        points, segments = _NO_POINTS, np.empty(0, dtype=np.int64)
        if following is not None and following[0] == n:
            _, points, segments = following
            following = next(scanned, None)
        numbers = {place: last.number for place, last in preceding.get(n, {}).items() if last.number is not None}
        type_ = type_of(points, declared=request.source.declared) if len(points.at) else None
        is_number = ~np.isnan(points.values)
        track = Track(
            points.at[is_number],
            points.values[is_number],
            segments[is_number],
            [segment.ends_us for segment in request.source.segments],
            numbers,
        )
        if len(track.at) or numbers:
            values = _by_track(track, request, how=how, now_us=now_us)
            buckets[n] = Bucketed(_packed(request.edges, values), type_)
        elif type_ is not None:
            buckets[n] = Bucketed(_packed(request.edges, np.full(len(request.edges) - 1, np.nan)), type_)
    return buckets


def _segments_scan(
    session: Session,
    organization_id: int,
    requests: Sequence[BucketRequest],
    *,
    is_hiding: bool,
    limit: int,
    missing: Missing,
) -> Iterator[tuple[int, Points, Instants]]:
    """Yield (index of the request, its points, the place of each point's segment); those without points are left out.

    is_hiding: each time once, with the point of the segment that goes first; else with that of each segment.
    """
    if not requests:
        return
    owners: list[tuple[int, int]] = []
    sources: list[Source] = []
    for n, request in enumerate(requests):
        for place, segment in enumerate(request.source.segments):
            clipped = _clipped(replace(request, source=replace(request.source, segments=(segment,))))
            if clipped.segments:
                owners.append((n, place))
                sources.append(clipped)
    begins_us = min(request.begins_us for request in requests)
    ends_us = max(request.ends_us for request in requests)
    lost = points_missing(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us
    )
    missing.places |= {owners[k][0] for k in lost.places}
    parts: list[tuple[int, Points]] = []
    current = 0
    for k, points in points_scan(
        session, organization_id=organization_id, sources=sources, begins_us=begins_us, ends_us=ends_us, limit=limit
    ):
        n, place = owners[k]
        if n != current and parts:
            yield current, *_merged(parts, is_hiding=is_hiding)
            parts = []
        current = n
        parts.append((place, points))
    if parts:
        yield current, *_merged(parts, is_hiding=is_hiding)


def _merged(parts: Sequence[tuple[int, Points]], *, is_hiding: bool) -> tuple[Points, Instants]:
    """Put the points of segments in order of time; is_hiding: of several at one time the first segment's stays."""
    at = np.concatenate([points.at for _, points in parts])
    segments = np.concatenate([np.full(len(points.at), place, dtype=np.int64) for place, points in parts])
    joined = Points(
        at,
        np.concatenate([points.values for _, points in parts]),
        np.concatenate([points.types for _, points in parts]),
        None,
    )
    # np.unique returns the first of equals.
    order = np.unique(at, return_index=True)[1] if is_hiding else np.argsort(at, kind="stable")
    return joined.take(order), segments[order]


def _by_track(track: Track, request: BucketRequest, *, how: Aggregate, now_us: int) -> Values:
    span = Span(request.begins_us, request.ends_us, now_us)
    if how is Aggregate.INCREASE:
        return increase(track, request.edges)
    if how is Aggregate.RATE:
        return rate(track, request.edges, span=span)
    return time_weighted_mean(track, request.edges, span=span)


def _packed(edges: Instants, values: Values) -> Points:
    return Points(edges[:-1], values, np.full(len(values), MetricType.NUMBER, dtype=np.int8), None)
