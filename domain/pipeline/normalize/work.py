"""Data of the normalize stage: its run, the work of one transaction, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.base.leases import Lease
from domain.derivation.dependencies.index import DependencyCache
from domain.pipeline.normalize.outcomes import DEAD, STORED
from domain.pipeline.normalize.retract import NormalizationContext
from domain.telemetry.feed.entries import NormEntry
from domain.telemetry.model.columns import DeadLetterDraft, Normalized, Readings
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache


@dataclass(frozen=True, slots=True)
class StageRun:
    """Parameters and caches of a run of the stage.

    stage_cache, dependency_cache: the process's own. future_tolerance: see `readings_normalize`. lease_ttl: for how
    long each transaction keeps the lease.
    """

    lease: Lease
    lease_ttl: timedelta
    future_tolerance: timedelta
    stage_cache: StageCache
    dependency_cache: DependencyCache


@dataclass(frozen=True, slots=True)
class NormalizedBatches:
    """The result of a transaction; void unless it commits.

    entries: for the live feed, in the order of their positions. done: batches that had been normalized before.
    notes: for the stage cache, once committed. dead_letters: for their stream. traces: the ids of the calls whose
    readings these were.
    """

    entries: list[NormEntry]
    done: list[RawBatch]
    notes: PendingCacheUpdates
    readings: int = 0
    points: int = 0
    dead_letters: Sequence[bytes] = ()
    traces: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NormalizeInput:
    """The readings of a transaction, normalized.

    again: those that were processed before, but for those that retention has made final. places: of the readings to
    process. normalized: of all readings, whether they are to be processed or not.
    """

    organization_id: int
    run: StageRun
    now: datetime
    context: NormalizationContext
    readings: Readings
    again: NDArray[np.bool_]
    places: NDArray[np.intp]
    normalized: Normalized


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of writing some readings of a transaction.

    outcomes: of the readings at `places`; of a place that is there twice, the last. stored: places of the points
    that are in history. superseded: readings that turned out to repeat these, and had been written before.
    """

    places: NDArray[np.intp]
    outcomes: NDArray[np.int8]
    stored: NDArray[np.intp]
    dead_letters: Sequence[DeadLetterDraft]
    superseded: Sequence[Readings]
    notes: PendingCacheUpdates


class NormalizeResult:
    """The outcome of a transaction's readings, put together from what was written of them.

    outcome: by reading. is_stored: by point. The others are as in `Written`.
    """

    def __init__(self, inputs: NormalizeInput) -> None:
        # What is not processed was stored before its time was dropped.
        self.outcome = np.full(len(inputs.readings), STORED, dtype=np.int8)
        self.outcome[inputs.places] = DEAD
        self.is_stored = np.zeros(len(inputs.normalized.readings), dtype=np.bool_)
        self.dead_letters: list[DeadLetterDraft] = []
        self.superseded: list[Readings] = []
        self.notes = PendingCacheUpdates()

    def add(self, written: Written) -> None:
        """Add what was written of some of the readings."""
        self.outcome[written.places] = written.outcomes
        self.is_stored[written.stored] = True
        self.dead_letters += written.dead_letters
        self.superseded += written.superseded
        self.notes.add(written.notes)
