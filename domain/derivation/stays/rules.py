"""Turn the points of a derived metric into stays: spans in which it was true, each point counting until the next.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from domain.base.packed import Instants, Values


@dataclass(frozen=True, slots=True)
class Watch:
    """Over [begins_us, ends_us) a metric tells whether something is in an area; a point counts for max_age_us."""

    begins_us: int
    ends_us: int
    max_age_us: int


@dataclass(frozen=True, slots=True)
class Presence:
    """A span [begins_us, ends_us) in which a metric was true. is_lost: it ended because no further point came."""

    begins_us: int
    ends_us: int
    is_lost: bool


def presences_of(at: Instants, values: Values, watches: Sequence[Watch]) -> list[Presence]:
    """Return when a metric was true, ascending. watches: ascending, without overlap. at: ascending, microseconds.

    A point other than 0 counts from its own instant until that of the next point, no longer than max_age_us, and not
    beyond its watch. Adjacent times are one.
    """
    spans: list[tuple[int, int]] = []
    following = np.append(at[1:], np.iinfo(np.int64).max)
    for watch in watches:
        chosen = (values != 0) & (at >= watch.begins_us) & (at < watch.ends_us)
        begins = at[chosen]
        ends = np.minimum(following[chosen], np.minimum(begins + watch.max_age_us, watch.ends_us))
        if not len(begins):
            continue
        has_gap = begins[1:] > ends[:-1]
        firsts = begins[np.append(True, has_gap)].tolist()
        lasts = ends[np.append(has_gap, True)].tolist()
        spans += zip(firsts, lasts, strict=True)
    joined = spans[:1]
    for (_, before), (begins_us, ends_us) in pairwise(spans):
        if begins_us == before:
            joined[-1] = joined[-1][0], ends_us
        else:
            joined.append((begins_us, ends_us))
    ends_at_point = np.isin([ends_us for _, ends_us in joined], at).tolist()
    return [
        Presence(begins_us, ends_us, not is_point)
        for (begins_us, ends_us), is_point in zip(joined, ends_at_point, strict=True)
    ]
