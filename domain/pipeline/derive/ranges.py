"""The ranges of time over which an entity is recomputed, of its dirty windows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.inputs import ComputeRange
from domain.derivation.invalidation.windows import Window


@dataclass(frozen=True, slots=True)
class RecomputeRange:
    """A range to be recomputed, and what of it this transaction takes.

    requested: what the windows ask for. retained: without what lies behind the retention bound. narrowed: of that,
    where there is any point. part: the first part of that, which is computed now. watermark_us: no input is later.
    """

    requested: ComputeRange
    retained: ComputeRange
    narrowed: ComputeRange
    part: ComputeRange
    watermark_us: int

    @property
    def is_beyond_retention(self) -> bool:
        """Whether anything of it lies behind the retention bound."""
        return self.retained.begins_us != self.requested.begins_us

    @property
    def is_last(self) -> bool:
        """Whether nothing of the range is left for later."""
        return self.part.ends_us == self.narrowed.ends_us

    @property
    def ends_us(self) -> int:
        """Up to when the entity is derived after this part. Where no point is, there is nothing to compute."""
        return self.retained.ends_us if self.is_last else self.part.ends_us


@dataclass(frozen=True, slots=True)
class WindowsProgress:
    """What a computed range means for its windows. done: their ids. begun: by id, from when on one is still to do."""

    done: Sequence[int]
    begun: Mapping[int, int]


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


def range_retain(compute_range: ComputeRange, retained_from_us: int) -> ComputeRange:
    """Return a range without the time that has, or could have had, inputs behind the retention bound."""
    begins = retained_from_us + compute_range.derivation.reach_us
    if compute_range.begins_us >= begins:
        return compute_range
    return replace(compute_range, begins_us=min(begins, compute_range.ends_us))


def range_cut(compute_range: ComputeRange, chunk_us: int) -> ComputeRange:
    """Return the first part of a range, of one chunk or of twice what any point reaches."""
    # Longer than what any point reaches: what is left of a window that was begun is then less than a chunk at last.
    chunk_us = max(chunk_us, 2 * compute_range.derivation.reach_us + 1)
    return replace(compute_range, ends_us=min(compute_range.ends_us, compute_range.begins_us + chunk_us))


def windows_progress(computed: RecomputeRange) -> WindowsProgress:
    """Return which windows the computed part of a range completes, and how far the others are."""
    part = computed.part
    if computed.is_last:
        return WindowsProgress([window.id for window in computed.narrowed.windows], {})
    done: list[int] = []
    begun: dict[int, int] = {}
    for window in part.windows:
        if window.ends_us + part.derivation.reach_us <= part.ends_us:
            done.append(window.id)
        elif window.begins_us < part.ends_us:
            # Its last microsecond stays, so that what it reaches is derived too.
            begun[window.id] = min(part.ends_us, window.ends_us - 1)
    return WindowsProgress(done, begun)
