"""Merge updates of the live feed: without loss, or, for a slow client, to the latest of each series. Pure.

Of two points of a series at the same timestamp, the one that came later holds: it is what the first was corrected to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

import numpy as np

from domain.base.packed import Instants, Series, Values, instant_of
from domain.telemetry.feed.feed import InvalidatedRange

# Entity, metric, port.
Key = tuple[UUID, str, int | None]
RangeKey = tuple[UUID, str | None]


def series_merged(parts: Iterable[Series]) -> list[Series]:
    """Return each series once, in the order of their first parts: all points, ascending, one per timestamp."""
    by_key: dict[Key, list[Series]] = {}
    for part in parts:
        by_key.setdefault(_key(part), []).append(part)
    return [of_key[0] if len(of_key) == 1 else _joined(of_key) for of_key in by_key.values()]


def ranges_merged(ranges: Iterable[InvalidatedRange]) -> list[InvalidatedRange]:
    """Return the ranges, each once."""
    return list(dict.fromkeys(ranges))


@dataclass(frozen=True, slots=True)
class Thinned:
    """The updates that a client that fell behind is still sent.

    series: the latest point of each, `truncated` where others were left out. gaps: where those were.
    points_left_out: how many. dropped: updates from which they were left out.
    """

    series: Sequence[Series]
    invalidated: Sequence[InvalidatedRange]
    gaps: Sequence[InvalidatedRange]
    points_left_out: int
    dropped: int


@dataclass(slots=True)
class Backlog:
    """Updates that wait for a client, thinned: what it holds is bounded by the number of series, not of updates."""

    points_left_out: int = 0
    dropped: int = 0
    _latest: dict[Key, Series] = field(default_factory=dict)
    _gaps: dict[RangeKey, InvalidatedRange] = field(default_factory=dict)
    _invalidated: dict[RangeKey, InvalidatedRange] = field(default_factory=dict)

    def add(self, series: Iterable[Series], invalidated: Iterable[InvalidatedRange]) -> None:
        """Take an update in."""
        before = self.points_left_out
        for part in series:
            self._series_add(part)
        for range_ in invalidated:
            _range_add(self._invalidated, range_)
        self.dropped += self.points_left_out > before

    @property
    def is_empty(self) -> bool:
        """Whether the backlog is empty."""
        return not (self._latest or self._gaps or self._invalidated or self.dropped)

    def take(self, count: int) -> Thinned:
        """Remove and return the backlog of the first `count` series, entities and ranges."""
        latest = [self._latest.pop(key) for key in list(islice(self._latest, count))]
        thinned = Thinned(
            latest, _taken(self._invalidated, count), _taken(self._gaps, count), self.points_left_out, self.dropped
        )
        self.points_left_out = self.dropped = 0
        return thinned

    def _series_add(self, part: Series) -> None:
        key = _key(part)
        previous = self._latest.get(key)
        joined = part if previous is None else _joined([previous, part])
        count = len(joined.timestamps)
        if count > 1:
            self.points_left_out += count - 1
            begins, ends = _micros(joined.timestamps[[0, -2]])
            _range_add(
                self._gaps,
                InvalidatedRange(part.entity_id, part.metric, instant_of(int(begins)), instant_of(int(ends) + 1)),
            )
            texts = None if joined.texts is None else joined.texts[-1:]
            joined = replace(
                joined,
                timestamps=joined.timestamps[-1:].copy(),
                values=joined.values[-1:].copy(),
                texts=texts,
                truncated=True,
            )
        self._latest[key] = joined


def _key(series: Series) -> Key:
    return series.entity_id, series.metric, series.port


def _joined(parts: Sequence[Series]) -> Series:
    """Return the points of parts of one series; at one timestamp that of the last part."""
    at = np.concatenate([part.timestamps for part in parts])
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    order = order[np.append(ordered[1:] != ordered[:-1], True)] if len(ordered) else order
    texts: list[str | None] | None = None
    if any(part.texts is not None for part in parts):
        every: list[str | None] = []
        for part in parts:
            every += [None] * len(part.timestamps) if part.texts is None else part.texts
        texts = [every[n] for n in order]
    types: Counter[object] = Counter()
    for part in parts:
        types[part.type] += len(part.timestamps)
    most = types.most_common(1)[0][0]
    return replace(
        next(part for part in reversed(parts) if part.type is most),
        unit=next((part.unit for part in reversed(parts) if part.unit is not None), None),
        timestamps=at[order],
        values=np.concatenate([part.values for part in parts])[order],
        texts=texts,
        truncated=any(part.truncated for part in parts),
        incomplete=any(part.incomplete for part in parts),
    )


def _micros(at: Values) -> Instants:
    return np.rint(at * 1000.0).astype(np.int64)


def _range_add(ranges: dict[RangeKey, InvalidatedRange], other: InvalidatedRange) -> None:
    key = (other.entity_id, other.metric)
    previous = ranges.get(key)
    ranges[key] = (
        other
        if previous is None
        else replace(other, from_=min(previous.from_, other.from_), to=_later(previous, other))
    )


def _later(one: InvalidatedRange, other: InvalidatedRange) -> datetime:
    return max(one.to, other.to)


def _taken(ranges: dict[RangeKey, InvalidatedRange], count: int) -> list[InvalidatedRange]:
    return [ranges.pop(key) for key in list(islice(ranges, count))]
