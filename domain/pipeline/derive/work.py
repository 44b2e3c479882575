"""Data of the derive stage: its run, what a transaction reads, what it decides to write, and the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.base.leases import Lease
from domain.base.packed import Column
from domain.derivation.dependencies.index import DependencyCache, DependencyIndex
from domain.derivation.formulas.changes import PointChanges
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.faults import EntityFault
from domain.derivation.formulas.inputs import ReadBack
from domain.derivation.formulas.outputs import DerivedCommit
from domain.derivation.health.read import Plan
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.invalidation.windows import Window
from domain.derivation.rollups.topology import RollupCache
from domain.derivation.shadow.shadow import ShadowComparison
from domain.pipeline.attribute.stage import AssetEntry, Place
from domain.pipeline.derive.changed import ChangedSpans, Span
from domain.pipeline.derive.checkpoints import Checkpoint, Checkpoints, EntityRuleState
from domain.pipeline.derive.ranges import RecomputeRange
from domain.rules.reconcile import EventsDone
from domain.telemetry.model.stage_cache import PendingCacheUpdates, StageCache
from graph.ids import NewId


@dataclass(frozen=True, slots=True)
class DeriveRun:
    """Parameters and caches of a run of the stage. lease_ttl: for how long each transaction keeps the lease.

    dependency_cache, stage_cache, rollups: the process's own. new_id: draws the ids of events.
    """

    lease: Lease
    lease_ttl: timedelta
    dependency_cache: DependencyCache
    checkpoints: Checkpoints
    stage_cache: StageCache
    new_id: NewId
    rollups: RollupCache = field(default_factory=RollupCache)


@dataclass(frozen=True, slots=True)
class DeriveInput:
    """The dirty windows of a transaction's entities, and what is known of these.

    index: the dependents of each of them are loaded. entries: of the bus, one of each commit, attributed at the index's
    revision. checkpoints, rule_states: of these entities, as cached.
    """

    organization_id: int
    now: datetime
    index: DependencyIndex
    windows: Mapping[bytes, Sequence[Window]]
    entries: Sequence[AssetEntry]
    checkpoints: Mapping[bytes, Checkpoint]
    rule_states: Mapping[bytes, EntityRuleState]


@dataclass(frozen=True, slots=True)
class StoredRanges:
    """The stored points of ranges of entities of one derivation, by the ranges' places."""

    derivation: Derivation
    ranges: Sequence[RecomputeRange]
    points: ReadBack


@dataclass(frozen=True, slots=True)
class PointsAtHand:
    """All points at hand of places, measured and derived, by metric. The columns' owners are those places."""

    places: Sequence[Place]
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """What is to be written of one derived metric.

    entities: whose series are to exist: those with any point, wanted or stored. is_recompute: the unit may be another
    than the stored one.
    """

    metric: str
    unit: str | None
    entities: frozenset[bytes]
    is_recompute: bool
    changes: Sequence[PointChanges]


@dataclass(frozen=True, slots=True)
class DerivePlan:
    """What is to be written of some entities, and what follows from it. Nothing has been written yet.

    entities: whose windows these are. done: the ids of windows that go; begun: by id, from when on one is still to do.
    checkpoints: to be cached once committed; None: to be forgotten. changed: over which points may have changed.
    recomputed: over which entities were derived from stored points. at_hand: for the rules. beyond_retention: entities
    of which anything lies behind the retention bound: there, and as far after it as a value counts, all stays stored.
    """

    entities: Sequence[bytes] = ()
    metrics: Sequence[MetricPlan] = ()
    done: Sequence[int] = ()
    begun: Mapping[int, int] = field(default_factory=dict)
    checkpoints: Mapping[bytes, Checkpoint | None] = field(default_factory=dict)
    changed: Sequence[EntitySpan] = ()
    recomputed: Sequence[EntitySpan] = ()
    faults: Sequence[EntityFault] = ()
    at_hand: Sequence[PointsAtHand] = ()
    beyond_retention: frozenset[bytes] = frozenset()
    shadow: ShadowComparison = field(default_factory=ShadowComparison)


@dataclass(frozen=True, slots=True)
class IncrementalEvaluation:
    """Rules to evaluate on points at hand. columns: of these places. watermarks_us: of each, after all its points."""

    places: Sequence[Place]
    columns: Mapping[str, Column]
    watermarks_us: Sequence[int]
    side_effects_disabled: bool


@dataclass(frozen=True, slots=True)
class RuleRecomputation:
    """Rules to recompute from stored points. spans: by entity."""

    spans: Mapping[bytes, Sequence[Span]]
    side_effects_disabled: bool


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """How the rules of the changed entities are to be evaluated."""

    incremental: Sequence[IncrementalEvaluation] = ()
    recomputations: Sequence[RuleRecomputation] = ()


@dataclass(frozen=True, slots=True)
class PropagationPlan:
    """What follows from the changes of a transaction: for rules, rollups, health, and what lies below an entity.

    memberships: over which rules about what is below something are to be evaluated, by the next transactions.
    beyond_retention: entities that changed behind the retention bound, from where nothing follows.
    """

    changed: ChangedSpans
    memberships: Sequence[EntitySpan]
    evaluation: EvaluationPlan
    beyond_retention: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class HealthChanges:
    """Spans over which the health of assets is invalid. plans: of those that have one."""

    spans: Mapping[bytes, Sequence[Span]]
    plans: Mapping[bytes, Plan]


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of a transaction; void unless it commits. rule_states: to be cached; None: to be dropped."""

    done: Sequence[EventsDone] = ()
    rule_states: Mapping[tuple[int, bytes], EntityRuleState | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DerivedEntities:
    """The result of a transaction; void unless it commits. commit: None where nothing changed.

    windows, read_back, beyond_retention: how many windows there were, how many entities were recomputed from stored
    points, and how many reach behind the retention bound. checkpoints, notes, evaluations: to be cached once committed.
    revision: of the organization's graph, at which all of it was derived.
    """

    commit: DerivedCommit | None
    checkpoints: Mapping[tuple[int, bytes], Checkpoint | None]
    notes: PendingCacheUpdates
    revision: int
    windows: int = 0
    read_back: int = 0
    beyond_retention: int = 0
    evaluations: Evaluations = field(default_factory=Evaluations)
