"""The ranges of time over which an entity is recomputed, of its dirty windows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.inputs import ComputeRange
from domain.derivation.invalidation.windows import Window


def ranges_of(windows: Sequence[Window], derivation: Derivation) -> list[ComputeRange]:
    """Return the ranges over which an entity is recomputed, ascending: windows, extended by how long a value counts."""
    joined: list[tuple[int, int, list[Window]]] = []
    for window in sorted(windows, key=lambda w: w.begins_us):
        # A point counts up to maxAge after its time, that instant included.
        ends = window.ends_us + derivation.reach_us
        if joined and window.begins_us <= joined[-1][1]:
            begins, before, covered = joined[-1]
            joined[-1] = begins, max(before, ends), [*covered, window]
        else:
            joined.append((window.begins_us, ends, [window]))
    return [ComputeRange(windows[0].entity, derivation, begins, ends, covered) for begins, ends, covered in joined]


def range_cut(compute_range: ComputeRange, chunk_us: int) -> ComputeRange:
    """Return the first part of a range, of one chunk or of twice what any point reaches."""
    # Longer than what any point reaches: what is left of a window that was begun is then less than a chunk at last.
    chunk_us = max(chunk_us, 2 * compute_range.derivation.reach_us + 1)
    ends = min(compute_range.ends_us, compute_range.begins_us + chunk_us)
    return ComputeRange(
        compute_range.entity, compute_range.derivation, compute_range.begins_us, ends, compute_range.windows
    )
