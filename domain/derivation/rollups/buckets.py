"""Bucket bounds of a rollup, with the last bucket cached, for live data stays in it. Pure; hot path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from domain.base.packed import Instants, instant_of
from domain.derivation.rollups.model import RollupDraft
from domain.telemetry.model.buckets import bucket_edges

# There are no readings before 1970, and buckets end before the calendar does.
FIRST_US: Final = 0
LAST_US: Final = 253_370_764_800_000_000
# A span of more buckets is one coarse bucket, processed in parts.
BUCKETS_FINE: Final = 64
_DAY_US: Final = 86_400_000_000
_MONTH_DAYS: Final = 28
_EDGES_MAX: Final = 1_000_000


@dataclass(slots=True)
class Grid:
    """The buckets of one rollup."""

    draft: RollupDraft
    last: tuple[int, int] = field(default=(0, 0))

    @property
    def length_us(self) -> int:
        """The nominal length of a bucket, clock changes aside."""
        if self.draft.bucket.months:
            return self.draft.bucket.months * _MONTH_DAYS * _DAY_US
        return self.draft.bucket.length // timedelta(microseconds=1)

    def edges(self, begins_us: int, ends_us: int) -> Instants:
        """Return the edges of all buckets that overlap [begins_us, ends_us), which is not empty."""
        if self.last[0] <= begins_us and ends_us <= self.last[1]:
            return np.array(self.last, dtype=np.int64)
        edges = bucket_edges(
            instant_of(begins_us),
            instant_of(ends_us),
            bucket=self.draft.bucket.bucket,
            zone=self.draft.zone,
            limit=_EDGES_MAX,
        )
        self.last = (int(edges[-2]), int(edges[-1]))
        return edges

    def is_long(self, begins_us: int, ends_us: int) -> bool:
        """Return whether a span holds so many buckets that they are not invalidated one by one."""
        return ends_us - begins_us > BUCKETS_FINE * self.length_us

    def cut(self, begins_us: int, ends_us: int, buckets: int) -> int:
        """Return the end of a span from `begins_us` that holds about so many buckets at most."""
        return min(ends_us, begins_us + buckets * self.length_us)

    def overlapping(self, begins_us: int, ends_us: int) -> Iterator[tuple[int, int]]:
        """Yield (begin, end) of the buckets that a time overlaps.

        A long time is yielded as one, from the edge before it to its own end.
        """
        begins_us, ends_us = max(begins_us, FIRST_US), min(ends_us, LAST_US)
        if begins_us >= ends_us:
            return
        if self.last[0] <= begins_us and ends_us <= self.last[1]:
            yield self.last
            return
        if self.is_long(begins_us, ends_us):
            yield int(self.edges(begins_us, begins_us + 1)[0]), ends_us
            return
        yield from pairwise(self.edges(begins_us, ends_us).tolist())
