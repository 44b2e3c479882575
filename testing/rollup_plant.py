"""A plant with rollups: telemetry is written past the pipeline, invalidation and computing are run by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.base.packed import micros_of
from domain.derivation.rollups.compute import BucketRun, ComputedBuckets, buckets_compute
from domain.derivation.rollups.invalidate import rollups_invalidate, rollups_invalidate_at
from domain.derivation.rollups.model import BucketSize, Rollup, RollupAggregate
from domain.derivation.rollups.operations import rollup_create, rollup_delete, rollup_update
from domain.derivation.rollups.rules import RollupWish
from domain.derivation.rollups.topology import RollupCache
from domain.telemetry.model.stage_cache import StageCache
from graph.change import graph_hold
from graph.entities.model import EntityPatch
from graph.entities.operations import entity_update
from graph.entities.queries import entity_get
from graph.kinds import EntityKind
from testing.line import NOW, Line

HOUR = timedelta(hours=1)
ALL = (-(2**62), 2**62)


def wish(**arguments: Any) -> RollupWish:
    """Describe a rollup: by default the hourly one of `power` of parts."""
    return RollupWish(
        **{
            "name": "Power",
            "metric": "power_total",
            "relationship": "HAS_PART",
            "of_metric": "power",
            "of_types": ["part"],
            "aggregate": RollupAggregate.SUM,
            "bucket": BucketSize("PT1H", 0, HOUR),
            **arguments,
        }
    )


@dataclass(slots=True)
class RollupPlant:
    """An organization with rollups."""

    line: Line
    cache: RollupCache = field(default_factory=RollupCache)
    run: BucketRun = field(default_factory=lambda: BucketRun(StageCache(), RollupCache()))

    @property
    def organization_id(self) -> int:
        return self.line.organization_id

    def create(self, **arguments: Any) -> Rollup:
        with self.line.world.changing() as (session, change):
            return rollup_create(session, change=change, wish=wish(**arguments))

    def update(self, rollup: Rollup, **arguments: Any) -> Rollup:
        with self.line.world.changing() as (session, change):
            return rollup_update(session, change=change, rollup_id=rollup.id, wish=wish(**arguments))

    def delete(self, rollup: Rollup) -> Rollup:
        with self.line.world.changing() as (session, change):
            return rollup_delete(session, change=change, rollup_id=rollup.id)

    def asset(self, type_name: str | None = None) -> UUID:
        return self.line.world.entity(EntityKind.ASSET, type_name)

    def measured(self, type_name: str = "part") -> tuple[UUID, UUID]:
        """Make an asset with a device that measures it; return both."""
        asset, device = self.asset(type_name), self.line.device()
        self.line.world.edge(asset, "MONITORED_BY", device)
        return asset, device

    def weigh(self, entity_id: UUID, weight: Any, *, at: datetime | None = None) -> datetime:
        """Have the attribute `size` of an entity recorded, just after an instant or now; return when it was."""
        if at is not None:
            self.line.rows(
                "UPDATE graph_clocks SET last_recorded = greatest(last_recorded, :at) WHERE organization_id = :o"
                " RETURNING revision",
                at=at,
                o=self.organization_id,
            )
        with self.line.world.changing() as (session, change):
            before = entity_get(session, organization_id=self.organization_id, entity_id=entity_id)
            entity_update(session, change=change, before=before, patch=EntityPatch(attributes={"size": weight}))
            return change.recorded

    def follow(self, entity_id: UUID) -> list[tuple[datetime, datetime]]:
        """Invalidate at an entity and above it over the windows left by triggers, as the derive stage does."""
        rows = self.line.rows(
            "DELETE FROM dirty_windows WHERE organization_id = :o AND entity_id = :e AND reason = 'hierarchy'"
            " RETURNING begins, ends",
            o=self.organization_id,
            e=entity_id,
        )
        spans = [(row.begins, row.ends) for row in rows]
        if spans:
            self._invalidate(rollups_invalidate_at, {entity_id: [_span(*span) for span in spans]})
        return spans

    def send(
        self, device: UUID, metric: str, points: Iterable[tuple[datetime, Any]], *, received: datetime = NOW
    ) -> None:
        """Have readings of a device stored."""
        readings = [{"device_id": device, "timestamp": at, "metrics": {metric: value}} for at, value in points]
        batches = self.line.send(*readings, at=received)
        self.line.normalize(batches)

    def invalidate(
        self,
        changed: Mapping[UUID, Sequence[tuple[datetime, datetime]]],
        metrics: Mapping[UUID, Sequence[str]] | None = None,
    ) -> int:
        """Invalidate above entities, as the derive stage does."""
        names = None if metrics is None else {entity.bytes: of_entity for entity, of_entity in metrics.items()}
        spans = {entity: [_span(*span) for span in of_entity] for entity, of_entity in changed.items()}
        return self._invalidate(partial(rollups_invalidate, metrics=names), spans)

    def invalidate_all(self, *entities: UUID) -> int:
        """Mark all time above entities."""
        return self._invalidate(rollups_invalidate, {entity_id: [ALL] for entity_id in entities})

    def invalidate_at(self, *entities: UUID) -> int:
        """Invalidate all time at entities and above, as changes of their descendants do."""
        return self._invalidate(rollups_invalidate_at, {entity_id: [ALL] for entity_id in entities})

    def compute(self, **arguments: Any) -> ComputedBuckets:
        """Compute dirty buckets in one transaction."""
        with self.line.pipeline() as session:
            done = buckets_compute(session, organization_id=self.organization_id, run=self.run, now=NOW, **arguments)
        self.run.stage_cache.keep(done.notes)
        return done

    def crash(self, error: type[Exception]) -> None:
        """Compute, and lose it before it is committed."""
        with suppress(error), self.line.pipeline() as session:
            buckets_compute(session, organization_id=self.organization_id, run=self.run, now=NOW)
            raise error

    def drain(self, **arguments: Any) -> None:
        """Compute until nothing is dirty."""
        while not self.compute(**arguments).is_done:
            pass

    def stored(self, metric: str = "power_total") -> dict[tuple[UUID, datetime], float]:
        """Return the stored aggregates, by entity and bucket."""
        return {
            (entity_id, at): float(value)
            for (entity_id, _, name, at), value in self.line.history().items()
            if name == metric and value is not None
        }

    def owned(self, *entities: UUID) -> set[tuple[UUID, str]]:
        """Which metrics of these entities rollups write."""
        with self.line.pipeline() as session:
            rows = session.execute(
                text(
                    "SELECT e.entity_id, r.metric FROM rollup_entities e JOIN rollups r ON r.id = e.rollup_id"
                    " AND r.organization_id = e.organization_id WHERE e.entity_id = ANY (:ids)"
                ),
                {"ids": list(entities)},
            )
            return {(row.entity_id, row.metric) for row in rows}

    def dirty(self) -> list[tuple[UUID, UUID, datetime, datetime]]:
        rows = self.line.rows(
            "SELECT entity_id, computation_id, begins, ends FROM dirty_buckets WHERE organization_id = :o"
            " ORDER BY 1, 2, 3",
            o=self.organization_id,
        )
        return [tuple(row) for row in rows]

    def windows(self) -> list[tuple[UUID, datetime, datetime, str]]:
        rows = self.line.rows(
            "SELECT entity_id, begins, ends, reason FROM dirty_windows WHERE organization_id = :o ORDER BY id",
            o=self.organization_id,
        )
        return [tuple(row) for row in rows]

    def _invalidate(self, invalidation: Any, changed: Mapping[UUID, Sequence[tuple[int, int]]]) -> int:
        with self.line.pipeline() as session:
            graph_hold(session, organization_id=self.organization_id)
            invalidated: int = invalidation(
                session,
                organization_id=self.organization_id,
                changed={entity.bytes: spans for entity, spans in changed.items()},
                cache=self.cache,
            )
        return invalidated


def _span(begins: datetime, ends: datetime) -> tuple[int, int]:
    return micros_of(begins), micros_of(ends)
