"""Data of the normalize stage: its run, the work of one transaction, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.base.leases import Lease
from domain.derivation.dependencies.index import DependencyCache
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


@dataclass(slots=True)
class Work:
    """The readings of a transaction and their outcome so far. again: those processed before."""

    organization_id: int
    run: StageRun
    now: datetime
    context: NormalizationContext
    readings: Readings
    again: NDArray[np.bool_]
    normalized: Normalized
    outcome: NDArray[np.int8]
    is_kept: NDArray[np.bool_]
    notes: PendingCacheUpdates = field(default_factory=PendingCacheUpdates)
    dead_letters: list[DeadLetterDraft] = field(default_factory=list)
    superseded: list[Readings] = field(default_factory=list)
