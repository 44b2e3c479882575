"""A production line whose assets have derived metrics; the stages behind normalize are run by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.base.leases import Lease, lease_acquire
from domain.base.streams import DERIVE
from domain.configuration.entity_types.operations import entity_type_create, entity_type_update
from domain.definitions.feature_flags.names import DERIVE_SHADOW
from domain.definitions.feature_flags.operations import feature_flag_set
from domain.definitions.processors.operations import processor_promote
from domain.derivation.dependencies.index import DependencyCache, dependency_devices
from domain.derivation.shadow.model import Shadow, ShadowFilter
from domain.derivation.shadow.operations import shadow_compare
from domain.derivation.shadow.queries import shadow_differences_page, shadow_get
from domain.pipeline.attribute.stage import AssetEntry, entries_route, entries_whole
from domain.pipeline.derive.checkpoints import Checkpoints
from domain.pipeline.derive.stage import CHUNK, READ_BACK_POINTS_MAX, entities_derive
from domain.pipeline.derive.work import DerivedEntities, DeriveRun
from domain.plant.devices.links import device_link
from domain.telemetry.feed.entries import NormEntry
from domain.telemetry.model.stage_cache import StageCache
from graph.change import graph_hold
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_end, edge_retract
from graph.kinds import EntityKind
from graph.paging import PageRequest
from runtime.database import transaction
from testing.line import NOW, TTL, Line
from testing.world import new_id

SUM = {"total": {"sum": {"a": 1, "b": 2}, "maxAge": "PT10M", "unit": "kW"}}


@dataclass(slots=True)
class DerivingPlant:
    """An organization whose assets of the type `pump` derive."""

    line: Line
    dependency_cache: DependencyCache = field(default_factory=DependencyCache)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    stage_cache: StageCache = field(default_factory=StageCache)
    lease: Lease | None = None
    type_id: UUID | None = None

    @property
    def organization_id(self) -> int:
        return self.line.organization_id

    def formulas(self, derived: Mapping[str, Any], *, since: datetime) -> None:
        """Put formulas in force for pumps from an instant of event time on."""
        schema = {"derived": derived}
        with self.line.world.changing() as (session, change):
            if self.type_id is None:
                self.type_id = entity_type_create(
                    session,
                    change=change,
                    kind=EntityKind.ASSET,
                    name="pump",
                    telemetry_schema=schema,
                    effective_from=since,
                ).id
            else:
                entity_type_update(
                    session, change=change, entity_type_id=self.type_id, telemetry_schema=schema, effective_from=since
                )

    def promote(self, version: int, *, since: datetime) -> None:
        """Put a version of the stage in force from an instant of event time on."""
        with self.line.world.changing() as (session, change):
            processor_promote(session, change=change, stage=DERIVE, version=version, effective_from=since)

    def try_out(self, version: int | None) -> None:
        """Let a version run in shadow, or none."""
        with self.line.world.changing() as (session, change):
            feature_flag_set(session, change=change, name=DERIVE_SHADOW, value=version)

    def compare(self, begins: datetime, ends: datetime) -> int:
        """Have the version in shadow compared over a time; return for how many entities."""
        with self.line.world.session() as session:
            return shadow_compare(
                session, organization_id=self.organization_id, stage=DERIVE, begins=begins, ends=ends
            )[1]

    def shadow(self) -> Shadow | None:
        with self.line.world.session() as session:
            return shadow_get(session, organization_id=self.organization_id, stage=DERIVE)

    def differences(self) -> dict[tuple[UUID, str, datetime], tuple[int, float | None, int, float | None]]:
        """Return where the shadow version differs: version and value in force, version and value in shadow."""
        with self.line.world.session() as session:
            page = shadow_differences_page(
                session,
                organization_id=self.organization_id,
                stage=DERIVE,
                where=ShadowFilter(),
                page=PageRequest(first=500),
            )
            assert page.total is not None
            assert page.total() == len(page.items)
        return {
            (point.entity_id, point.metric, point.timestamp): (
                point.version,
                point.value,
                point.shadow_version,
                point.shadow_value,
            )
            for point in page.items
        }

    def pump(self) -> UUID:
        return self.line.world.entity(EntityKind.ASSET, "pump")

    def link(self, device_id: UUID, asset_id: UUID, **arguments: Any) -> EdgeVersion:
        with self.line.world.changing() as (session, change):
            return device_link(session, change=change, device_id=device_id, asset_id=asset_id, **arguments)

    def correct(self, edge: EdgeVersion, **arguments: Any) -> EdgeVersion:
        with self.line.world.changing() as (session, change):
            return edge_correct(session, change=change, edge_id=edge.edge_id, **arguments)

    def retract(self, edge: EdgeVersion) -> EdgeVersion:
        with self.line.world.changing() as (session, change):
            return edge_retract(session, change=change, edge_id=edge.edge_id)

    def end(self, edge: EdgeVersion, at: datetime) -> EdgeVersion:
        with self.line.world.changing() as (session, change):
            return edge_end(session, change=change, edge_id=edge.edge_id, at=at)

    def attribute(self, entries: Sequence[NormEntry]) -> list[AssetEntry]:
        """Route what normalize stored, as the stage does."""
        devices = {entry.devices[i : i + 16] for entry in entries for i in range(0, len(entry.devices), 16)}
        with self.line.pipeline() as session:
            graph_hold(session, organization_id=self.organization_id)
            index = self.dependency_cache.get(session, organization_id=self.organization_id)
            dependency_devices(session, organization_id=self.organization_id, index=index, devices=devices)
        return [
            routed
            for whole in entries_whole(entries)
            for routed in entries_route(whole, index=index, partitions=1).values()
        ]

    def run(self) -> DeriveRun:
        if self.lease is None:
            with transaction(self.line.engine("pipeline")) as session:
                self.lease = lease_acquire(session, stage=DERIVE, partition=0, holder="test", ttl=TTL)
        assert self.lease is not None
        return DeriveRun(self.lease, TTL, self.dependency_cache, self.checkpoints, self.stage_cache, new_id)

    def derive(
        self,
        entities: Iterable[UUID],
        at_hand: Sequence[AssetEntry] = (),
        *,
        chunk: timedelta = CHUNK,
        points_max: int = READ_BACK_POINTS_MAX,
    ) -> DerivedEntities:
        """Derive the dirty windows of entities in one transaction."""
        run = self.run()
        with self.line.pipeline() as session:
            done = entities_derive(
                session,
                organization_id=self.organization_id,
                entities=[entity_id.bytes for entity_id in entities],
                at_hand=at_hand,
                run=run,
                now=NOW,
                chunk=chunk,
                points_max=points_max,
            )
        self.keep(done)
        return done

    def keep(self, done: DerivedEntities) -> None:
        self.stage_cache.keep(done.notes)
        self.checkpoints.keep(done.checkpoints)
        self.checkpoints.rule_states_update(done.evaluations.rule_states)

    def windows(self) -> list[tuple[UUID, datetime, datetime, str]]:
        rows = self.line.rows(
            "SELECT entity_id, begins, ends, reason FROM dirty_windows WHERE organization_id = :o ORDER BY id",
            o=self.organization_id,
        )
        return [tuple(row) for row in rows]

    def drain(self, *, chunk: timedelta = CHUNK) -> None:
        """Derive until nothing is dirty."""
        while windows := self.windows():
            self.derive({entity_id for entity_id, *_ in windows}, chunk=chunk)

    def derived(self, metric: str = "total") -> dict[tuple[UUID, datetime], float]:
        """Return the stored values, by entity and time."""
        return {
            (entity_id, at): float(value)
            for (entity_id, _, name, at), value in self.line.history().items()
            if name == metric and value is not None
        }
