"""Series and points in packed columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Instants = NDArray[np.int64]
Places = NDArray[np.int64]
Values = NDArray[np.float64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class MetricType(IntEnum):
    """Type of a point, as `telemetry_history.type` stores it; its name is the contract's."""

    NUMBER = 0
    BOOLEAN = 1
    TEXT = 2


class Aggregate(StrEnum):
    """Aggregate functions of the points of a bucket; the last four also look at the point before it."""

    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"
    SUM = "SUM"
    COUNT = "COUNT"
    FIRST = "FIRST"
    LAST = "LAST"
    MEDIAN = "MEDIAN"
    P05 = "P05"
    P95 = "P95"
    STDDEV = "STDDEV"
    TIME_WEIGHTED_MEAN = "TIME_WEIGHTED_MEAN"
    DELTA = "DELTA"
    INCREASE = "INCREASE"
    RATE = "RATE"


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one metric of one entity: timestamps[i] belongs to values[i] and texts[i].

    timestamps: float64, milliseconds since the Unix epoch, ascending; a bucket's is its start.
    values: float64, same length; booleans are 0 and 1; NaN says null (no data in the bucket, or a text).
    texts: same length, or None where the series holds no text.
    type: see `type_of`; points of another type may be among them.
    truncated: the range held more points than are here. incomplete: points of the range are no longer kept, and what is
    known of their hours does not answer what was asked.
    """

    entity_id: UUID
    metric: str
    port: int | None
    unit: str | None
    type: MetricType
    timestamps: Values
    values: Values
    texts: Sequence[str | None] | None
    truncated: bool
    incomplete: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it has neither a value nor a text."""
        return self.texts is None and bool(np.isnan(self.values).all())


@dataclass(frozen=True, slots=True)
class Points:
    """Unpacked working columns of one series: `at` in microseconds since the epoch, ascending.

    values: NaN at a text. texts: the strings at the positions where there are any, or None.
    types: the `MetricType` of each point.
    """

    at: Instants
    values: Values
    types: NDArray[np.int8]
    texts: NDArray[np.object_] | None

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Points:
        """Return the points at these positions, in this order."""
        texts = None if self.texts is None else self.texts[index]
        return Points(self.at[index], self.values[index], self.types[index], texts)


def micros_of(instant: datetime) -> int:
    """Return whole microseconds since the Unix epoch, exactly. `instant` bears an offset."""
    return (instant - EPOCH) // MICROSECOND


def instant_of(micros: int) -> datetime:
    """Return the instant `micros` microseconds after the Unix epoch, in UTC."""
    return EPOCH + micros * MICROSECOND


def millis_of(at: Instants) -> Values:
    """Turn microseconds into the float64 milliseconds that clients are given."""
    return at.astype(np.float64) / 1000.0


def type_of(points: Points, *, declared: int | None, counts: Values | None = None) -> MetricType:
    """Return the type of a series of points, at least one: what its schema declares, else what most points are.

    TEXT where at least as many points are texts as are not; else BOOLEAN where all that are not are booleans, else
    NUMBER: a boolean is a number, 0 or 1, and there may be a few texts. counts: how many points each
    stands.
    """
    if declared is not None:
        return MetricType(declared)
    if counts is None and bool((points.types == points.types[0]).all()):
        return MetricType(int(points.types[0]))
    weights = np.ones(len(points.at)) if counts is None else counts
    is_text = points.types == MetricType.TEXT
    texts = float(weights[is_text].sum())
    if texts >= float(weights.sum()) - texts:
        return MetricType.TEXT
    is_boolean = points.types == MetricType.BOOLEAN
    return MetricType.BOOLEAN if bool((is_boolean | is_text).all()) else MetricType.NUMBER


def points_merge(parts: Sequence[Points]) -> Points:
    """Put points in order of time; of several at one timestamp the one of the earliest part stays.

    parts: at least one, each with at most one point per timestamp, in any order of time.
    """
    joined = parts[0] if len(parts) == 1 else _points_join(parts)
    if bool((joined.at[1:] > joined.at[:-1]).all()):
        return joined
    # np.unique returns the first of equals, and the parts are in order.
    _, first = np.unique(joined.at, return_index=True)
    return joined.take(first)


def _points_join(parts: Sequence[Points]) -> Points:
    texts = None
    if any(part.texts is not None for part in parts):
        columns = [np.full(len(part.at), None, object) if part.texts is None else part.texts for part in parts]
        texts = np.concatenate(columns)
    return Points(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.types for part in parts]),
        texts,
    )


@dataclass(frozen=True, slots=True)
class Column:
    """Points of one metric of several entities, ascending by entity, then in time.

    of: the entity's place among those derived together. at: microseconds since the Unix epoch. values: NaN where it is
    no number.
    """

    owner: Places
    at: Instants
    values: Values

    def __len__(self) -> int:
        return len(self.at)

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Column:
        """Return the points at these places, in their order."""
        return Column(self.owner[index], self.at[index], self.values[index])

    def doubled(self) -> list[int]:
        """Return the places of entities that have two points of one time, once for each."""
        same = (self.owner[1:] == self.owner[:-1]) & (self.at[1:] == self.at[:-1])
        doubled: list[int] = self.owner[1:][same].tolist() if bool(same.any()) else []
        return doubled

    def sorted(self) -> Column:
        """Return the points in their order."""
        return self.take(np.lexsort((self.at, self.owner)))
