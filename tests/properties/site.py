"""An organization whose stages each have a memory of their own per partition, as processes have, driven by hand.

Nothing is shared between stages or partitions but the database and what entries bring, encoded and decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from domain.base.leases import Lease, lease_acquire
from domain.base.streams import DERIVE, NORMALIZE
from domain.derivation.dependencies.index import DependencyCache, dependency_devices
from domain.derivation.health.compute import health_buckets_compute
from domain.derivation.invalidation.windows import entity_slot
from domain.derivation.rollups.compute import BucketRun, buckets_compute
from domain.derivation.rollups.topology import RollupCache
from domain.pipeline.act.suppressed import suppression_refresh
from domain.pipeline.attribute.stage import AssetEntry, asset_decode, asset_encode, entries_route, entries_whole
from domain.pipeline.derive.checkpoints import Checkpoints
from domain.pipeline.derive.stage import entities_derive
from domain.pipeline.derive.work import DeriveRun
from domain.pipeline.normalize.stage import batches_normalize
from domain.pipeline.normalize.work import StageRun
from domain.rules.timers import timers_fire
from domain.telemetry.feed.entries import NormEntry, norm_decode, norm_encode
from domain.telemetry.model.stage_cache import StageCache
from graph.change import graph_hold
from runtime.database import transaction
from testing.line import TOLERANCE, TTL, Line
from testing.world import new_id, world_create

PARTITIONS = 2
# Of work that leaves other work: what is above, what follows.
ROUNDS_MAX = 30
_STATEMENT_WAITS = """
    SELECT EXISTS (SELECT FROM dirty_windows WHERE organization_id = :o)
        OR EXISTS (SELECT FROM dirty_buckets WHERE organization_id = :o)
        OR EXISTS (SELECT FROM suppression_invalidations WHERE organization_id = :o)
        OR EXISTS (SELECT FROM rule_timers WHERE organization_id = :o AND due_at < :now)
        OR EXISTS (SELECT FROM health_timers WHERE organization_id = :o AND due_at <= :now)
"""
_ALL_TIME = """
    INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT organization_id, id, '1970-01-01Z', '9999-01-01Z', r.reason FROM entities
    CROSS JOIN (VALUES ('link'), ('hierarchy'), ('rule'), ('profile')) r (reason)
    WHERE organization_id = :o AND kind IN ('DEVICE', 'ASSET', 'SPACE') RETURNING 1
"""


@dataclass(slots=True)
class Leases:
    """The leases of all stages and partitions, held by this process."""

    engine: Engine
    leases: dict[tuple[str, int], Lease] = field(default_factory=dict)

    def of(self, stage: str, partition: int) -> Lease:
        if (stage, partition) not in self.leases:
            with transaction(self.engine) as session:
                lease = lease_acquire(session, stage=stage, partition=partition, holder="test", ttl=TTL)
            assert lease is not None
            self.leases[stage, partition] = lease
        return self.leases[stage, partition]


@dataclass(slots=True)
class Memory:
    """What processes remember. Lists: by partition."""

    normalize: list[tuple[StageCache, DependencyCache]] = field(
        default_factory=lambda: [(StageCache(), DependencyCache()) for _ in range(PARTITIONS)]
    )
    attribute: list[DependencyCache] = field(default_factory=lambda: [DependencyCache() for _ in range(PARTITIONS)])
    derive: list[tuple[StageCache, DependencyCache, Checkpoints, RollupCache]] = field(
        default_factory=lambda: [
            (StageCache(), DependencyCache(), Checkpoints(), RollupCache()) for _ in range(PARTITIONS)
        ]
    )
    rollups: BucketRun = field(default_factory=lambda: BucketRun(StageCache(), RollupCache()))
    health: StageCache = field(default_factory=StageCache)


class Site:
    """One organization."""

    def __init__(self, engine: Callable[[str], Engine], leases: Leases, slug: str) -> None:
        world = world_create(owner=engine("owner"), api=engine("api"), slug=slug)
        self.line = Line(world, engine, partitions=PARTITIONS)
        self.leases = leases
        self.stage_cache = Memory()

    @property
    def organization_id(self) -> int:
        return self.line.organization_id

    def deliver(self, readings: Sequence[dict[str, Any]], *, now: datetime) -> None:
        """Accept readings in one call, and run the stages that entries wake."""
        line = self.line
        batches = line.append(line.accept(*readings, at=now), at=now)
        stored: list[tuple[int, NormEntry]] = []
        for batch in batches:
            stage_cache, dependency_cache = self.stage_cache.normalize[batch.partition]
            run = StageRun(self.leases.of(NORMALIZE, batch.partition), TTL, TOLERANCE, stage_cache, dependency_cache)
            with line.pipeline() as session:
                done = batches_normalize(
                    session, organization_id=line.organization_id, batches=[batch], run=run, now=now
                )
            stage_cache.keep(done.notes)
            stored += [(batch.partition, norm_decode(norm_encode(entry))) for entry in done.entries]
        for partition in range(PARTITIONS):
            for target, entry in self._attribute(partition, [entry for p, entry in stored if p == partition]):
                self._derive(target, entry.entities, [entry], now)

    def drain(self, now: datetime) -> None:
        """Run all jobs until nothing is left to do as of now."""
        for _ in range(ROUNDS_MAX):
            if not self._waits(now):
                return
            for partition in range(PARTITIONS):
                with self.line.pipeline() as session:
                    timers_fire(
                        session,
                        organization_id=self.organization_id,
                        now=now,
                        partition=partition,
                        partitions=PARTITIONS,
                    )
            rows = self.line.rows(
                "SELECT DISTINCT entity_id FROM dirty_windows WHERE organization_id = :o", o=self.organization_id
            )
            for partition in range(PARTITIONS):
                entities = [
                    row.entity_id.bytes for row in rows if entity_slot(row.entity_id.bytes) % PARTITIONS == partition
                ]
                if entities:
                    self._derive(partition, sorted(entities), [], now)
            self._buckets(now)
            is_left = True
            while is_left:
                with self.line.pipeline() as session:
                    is_left = suppression_refresh(session, organization_id=self.organization_id).is_pending
        raise AssertionError(f"It does not come to rest: {self._what_waits(now)}")

    def recompute(self, now: datetime) -> None:
        """Have everything computed again by processes that remember nothing."""
        self.stage_cache = Memory()
        self.line.rows(_ALL_TIME, o=self.organization_id)
        self.drain(now)

    def events(self, now: datetime, names: dict[UUID, str]) -> list[tuple[Any, ...]]:
        """The current events, with every field that is a function of the data."""
        rows = self.line.rows(
            """SELECT r.name, e.entity_id, e.key, e.began_at, e.opened_at, e.cleared_at, e.cleared_reason, e.severity,
                e.value, e.flaps, e.suppressed_until FROM events e JOIN rules r
                ON r.organization_id = e.organization_id AND r.id = e.rule_id
            WHERE e.organization_id = :o AND e.withdrawn_at IS NULL ORDER BY 1, 2, 3, e.opened_at""",
            o=self.organization_id,
        )
        return sorted(
            (row.name, names[row.entity_id], *(str(value) for value in tuple(row)[2:]),
             str(row.suppressed_until is not None and (now < row.suppressed_until or (row.cleared_at or now) <= row.suppressed_until)))
            for row in rows
        )  # fmt: skip

    def points(self, names: dict[UUID, str]) -> dict[tuple[str, str, str], Any]:
        """Every point that is derived, by entity, metric and time."""
        rows = self.line.rows(
            """SELECT s.entity_id, s.metric, h."timestamp" AS at, h.value FROM telemetry_history h JOIN series s
                ON s.organization_id = h.organization_id AND s.id = h.series_id
            WHERE h.organization_id = :o AND s.origin IS NOT NULL""",
            o=self.organization_id,
        )
        return {(names[row.entity_id], row.metric, str(row.at)): row.value for row in rows}

    def _waits(self, now: datetime) -> bool:
        [[waits]] = self.line.rows(_STATEMENT_WAITS, o=self.organization_id, now=now)
        return bool(waits)

    def _what_waits(self, now: datetime) -> list[tuple[Any, ...]]:
        rows = self.line.rows(
            """SELECT 'window', entity_id, begins, reason FROM dirty_windows WHERE organization_id = :o
            UNION ALL SELECT 'bucket', entity_id, begins, computation FROM dirty_buckets WHERE organization_id = :o
            UNION ALL SELECT 'rule', entity_id, due_at, key FROM rule_timers WHERE organization_id = :o
            UNION ALL SELECT 'health', entity_id, due_at, '' FROM health_timers WHERE organization_id = :o""",
            o=self.organization_id,
        )
        return [(now,), *(tuple(row) for row in rows)]

    def _attribute(self, partition: int, entries: Sequence[NormEntry]) -> list[tuple[int, AssetEntry]]:
        if not entries:
            return []
        dependency_cache = self.stage_cache.attribute[partition]
        devices = {entry.devices[i : i + 16] for entry in entries for i in range(0, len(entry.devices), 16)}
        with self.line.pipeline() as session:
            graph_hold(session, organization_id=self.organization_id)
            index = dependency_cache.get(session, organization_id=self.organization_id)
            dependency_devices(session, organization_id=self.organization_id, index=index, devices=devices)
        return [
            (target, asset_decode(asset_encode(routed)))
            for whole in entries_whole(entries)
            for target, routed in entries_route(whole, index=index, partitions=PARTITIONS).items()
        ]

    def _derive(self, partition: int, entities: Sequence[bytes], at_hand: Sequence[AssetEntry], now: datetime) -> None:
        stage_cache, dependency_cache, checkpoints, rollups = self.stage_cache.derive[partition]
        run = DeriveRun(
            self.leases.of(DERIVE, partition), TTL, dependency_cache, checkpoints, stage_cache, new_id, rollups
        )
        with self.line.pipeline() as session:
            done = entities_derive(
                session,
                organization_id=self.organization_id,
                entities=entities,
                at_hand=at_hand,
                run=run,
                now=now,
            )
        stage_cache.keep(done.notes)
        checkpoints.keep(done.checkpoints)
        checkpoints.rule_states_update(done.evaluations.rule_states)

    def _buckets(self, now: datetime) -> None:
        is_done = False
        while not is_done:
            with self.line.pipeline() as session:
                done = buckets_compute(
                    session, organization_id=self.organization_id, run=self.stage_cache.rollups, now=now
                )
            self.stage_cache.rollups.stage_cache.keep(done.notes)
            is_done = done.is_done
        is_done = False
        while not is_done:
            with self.line.pipeline() as session:
                done = health_buckets_compute(
                    session, organization_id=self.organization_id, stage_cache=self.stage_cache.health, now=now
                )
            self.stage_cache.health.keep(done.notes)
            is_done = done.is_done
