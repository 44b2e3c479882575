"""Aggregate series across entities: per bucket, the values of all of them become one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np

from domain.base.packed import Aggregate, MetricType, Points, Series
from domain.telemetry.model.buckets import Counted, bucket_aggregate

# Aggregates that need no order of the values. The others say something of one value after another.
ACROSS: Final = (
    Aggregate.MEAN,
    Aggregate.MIN,
    Aggregate.MAX,
    Aggregate.SUM,
    Aggregate.COUNT,
    Aggregate.MEDIAN,
    Aggregate.P05,
    Aggregate.P95,
    Aggregate.STDDEV,
)


def series_across(series: Sequence[Series], *, entity_id: UUID, how: Aggregate) -> Series:
    """Return one series of at least one of the same metric and the same buckets.

    how: one of ACROSS. A series without a number in a bucket does not count there; where none has one, it is NaN. The
    unit is that of all, or None.
    """
    first = series[0]
    size = len(first.timestamps)
    values = np.concatenate([own.values for own in series])
    buckets = np.tile(np.arange(size, dtype=np.int64), len(series))
    order = np.argsort(buckets, kind="stable")
    is_number = ~np.isnan(values[order])
    numbers = Points(
        buckets[order][is_number],
        values[order][is_number],
        np.zeros(int(is_number.sum()), dtype=np.int8),
        None,
    )
    aggregated = bucket_aggregate(Counted(numbers, None), np.arange(size + 1, dtype=np.int64), how=how)
    units = {own.unit for own in series}
    return Series(
        entity_id=entity_id,
        metric=first.metric,
        port=None,
        unit=first.unit if len(units) == 1 else None,
        type=MetricType.NUMBER,
        timestamps=first.timestamps,
        values=aggregated.values,
        texts=None,
        truncated=False,
        incomplete=any(own.incomplete for own in series),
    )
