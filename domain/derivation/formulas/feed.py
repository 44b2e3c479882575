"""Live feed entries of the derive stage's commits."""

from __future__ import annotations

from typing import Final

import numpy as np

from domain.base.packed import MetricType, micros_of
from domain.base.streams import DERIVED_PARTITION
from domain.derivation.formulas.outputs import DerivedCommit
from domain.telemetry.feed.entries import NormEntry
from domain.telemetry.model.readings import NO_PORT

# Of a larger commit only the time ranges are sent: subscribers read them again.
POINTS_MAX: Final = 10_000


def commit_entry(commit: DerivedCommit, *, revision: int) -> NormEntry:
    """Return the feed's entry of a commit. revision: of the graph, at the commit."""
    all_changes = [change.points for change in commit.changes]
    total = sum(len(change.at) for change in all_changes)
    changes = all_changes if total <= POINTS_MAX else []
    invalidated = [change for change in all_changes if change.corrects or not changes]
    sizes = [len(change.at) for change in changes]
    names = {metric: n for n, metric in enumerate(dict.fromkeys(change.metric for change in changes))}
    points = sum(sizes)
    at = np.concatenate([change.at for change in changes]) if changes else np.empty(0, dtype=np.int64)
    values = np.concatenate([change.values for change in changes]) if changes else np.empty(0)
    return NormEntry(
        organization_id=commit.organization_id,
        batch_id=0,
        partition=DERIVED_PARTITION + commit.partition,
        position=commit.position,
        revision=revision,
        received_us=micros_of(commit.committed_at),
        # Each point is a separate reading: an entity and a time.
        devices=b"".join(change.entity * size for change, size in zip(changes, sizes, strict=True)),
        ports=np.full(points, NO_PORT, dtype=np.int32),
        timestamps=at,
        names=list(names),
        readings=np.arange(points, dtype=np.int32),
        metrics=np.repeat(np.array([names[change.metric] for change in changes], dtype=np.int32), sizes),
        types=np.full(points, MetricType.NUMBER, dtype=np.int8),
        values=values,
        texts={},
        invalidated=[(change.entity, change.metric, change.begins_us, change.ends_us) for change in invalidated],
    )
