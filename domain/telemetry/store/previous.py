"""Read what the last bucket before a range holds, where the range itself begins with empty ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import cache
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import MICROSECOND, Aggregate, Instants, instant_of
from domain.telemetry.model.buckets import Bucket, bucket_edges
from domain.telemetry.model.fill import Known
from domain.telemetry.store.bucketed import BucketRequest, bucketed_read, last_points
from domain.telemetry.store.hourly_read import Missing

# Of the others, a bucket of texts alone is empty.
_OF_TEXTS: Final = frozenset({Aggregate.COUNT, Aggregate.FIRST, Aggregate.LAST})


def buckets_before(
    session: Session,
    *,
    organization_id: int,
    requests: Sequence[BucketRequest],
    bucket: Bucket,
    zone: tzinfo,
    how: Aggregate,
    limit: int,
    missing: Missing,
) -> Mapping[int, Known]:
    """Return what the bucket of the last point before each request's range holds, of the points before the range.

    By the index of the request; those without such a point are left out. So an answer does not depend on where a range
    begins. Ten statements at most. missing: filled with the requests of which it is no longer known. Raises
    LimitExceededError where more than `limit` rows would have to be read.
    """
    if not requests or how is Aggregate.TIME_WEIGHTED_MEAN:
        # A mean over time carries the last value itself.
        return {}

    @cache
    def edges_of(at_us: int) -> Instants:
        at = instant_of(at_us)
        edges = bucket_edges(at, at + MICROSECOND, bucket=bucket, zone=zone)
        return edges[:2]

    places: list[int] = []
    earlier: list[BucketRequest] = []
    lasts = last_points(session, organization_id=organization_id, requests=requests, missing=missing)
    for n, (request, last) in enumerate(zip(requests, lasts, strict=True)):
        point = last.point if how in _OF_TEXTS else last.number
        if point is not None:
            edges = edges_of(point.at)
            begins_us, ends_us = max(0, int(edges[0])), min(int(edges[1]), request.begins_us)
            places.append(n)
            earlier.append(
                BucketRequest(
                    replace(request.source, segments=[s for s in request.past if s.ends_us > begins_us]),
                    [s for s in request.past if s.begins_us < begins_us],
                    edges,
                    begins_us,
                    ends_us,
                )
            )
    unknown = Missing()
    read = bucketed_read(
        session,
        organization_id=organization_id,
        requests=earlier,
        how=how,
        now_us=max((request.ends_us for request in earlier), default=0),
        limit=limit,
        missing=unknown,
    )
    missing.places |= {places[k] for k in unknown.places}
    known: dict[int, Known] = {}
    for k, answer in read.items():
        text = None if answer.points.texts is None else answer.points.texts[0]
        value = float(answer.points.values[0])
        if text is not None or not np.isnan(value):
            known[places[k]] = Known(value, text)
    return known
