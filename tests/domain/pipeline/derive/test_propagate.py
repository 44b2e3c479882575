"""Propagation of derived points within the stage: to rules and rollups, live, late and before retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.derivation.rollups.compute import BucketRun, buckets_compute
from domain.derivation.rollups.operations import rollup_create
from domain.derivation.rollups.topology import RollupCache
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create
from domain.telemetry.model.stage_cache import StageCache
from domain.telemetry.store.retention import RetentionPolicy, partition_drop, partitions_outdated
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from testing.rollup_plant import wish
from testing.world import EPOCH

MINUTE = timedelta(minutes=1)


def rule(plant: DerivingPlant, metric: str, limit: float, scope: Scope) -> None:
    condition = {"threshold": {"metric": metric, "operator": "GT", "value": limit}}
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="much", condition=condition, scope=scope, effective_from=EPOCH)
        rule_create(session, change=change, draft=draft)


def rollup(plant: DerivingPlant) -> None:
    with plant.line.world.changing() as (session, change):
        rollup_create(session, change=change, wish=wish(metric="all", of_metric="total", of_types=["pump"]))


def compute(plant: DerivingPlant) -> None:
    run = BucketRun(StageCache(), RollupCache())
    while True:
        with plant.line.pipeline() as session:
            done = buckets_compute(session, organization_id=plant.organization_id, run=run, now=NOW)
        plant.drain()
        if done.is_done:
            return


def send(plant: DerivingPlant, device: UUID, readings: dict[datetime, dict[str, Any]]) -> None:
    sent = [{"device_id": device, "timestamp": t, "metrics": metrics} for t, metrics in readings.items()]
    plant.line.normalize(plant.line.send(*sent))


def events(plant: DerivingPlant) -> list[tuple[UUID, datetime, datetime | None, bool]]:
    rows = plant.line.rows(
        "SELECT entity_id, opened_at, cleared_at, withdrawn_at IS NOT NULL AS gone FROM events"
        " WHERE organization_id = :o ORDER BY opened_at, entity_id",
        o=plant.organization_id,
    )
    return [tuple(row) for row in rows]


def test_live_readings_are_evaluated_without_reading_back(plant: DerivingPlant) -> None:
    plant.formulas({"total": {"formula": "a + 1"}}, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=EPOCH)
    rule(plant, "total", 5, Scope(entity_id=pump))
    plant.drain()
    counts = []
    for n, value in enumerate([1, 9, 9, 1, 9]):
        sent = {"device_id": device, "timestamp": NOW + (n - 9) * MINUTE, "metrics": {"a": value}}
        entries = plant.line.normalize(plant.line.send(sent)).entries
        done = plant.derive([pump], plant.attribute(entries))
        counts.append((done.read_back, sum(len(pair.changes) for pair in done.evaluations.done)))
        assert plant.checkpoints.rule_states[plant.organization_id, pump.bytes].states
    assert counts == [(0, 0), (0, 1), (0, 0), (0, 1), (0, 1)]
    assert events(plant) == [(pump, NOW - 8 * MINUTE, NOW - 6 * MINUTE, False), (pump, NOW - 5 * MINUTE, None, False)]


def test_a_device_is_evaluated_by_its_own_readings_at_every_port(plant: DerivingPlant) -> None:
    device = plant.line.device()
    rule(plant, "a", 5, Scope(entity_id=device))
    plant.drain()
    readings = [
        {"device_id": device, "timestamp": NOW - MINUTE, "metrics": {"a": 7}},
        {"device_id": device, "port": 2, "timestamp": NOW, "metrics": {"a": 8}},
        {"device_id": device, "port": 3, "timestamp": NOW, "metrics": {"a": 1}},
    ]
    plant.line.normalize(plant.line.send(*readings))
    assert {entity for entity, *_ in plant.windows()} == {device}
    plant.drain()
    assert [(entity, at) for entity, at, _, _ in events(plant)] == [(device, NOW - MINUTE), (device, NOW)]


def test_a_part_that_moves_takes_its_events_along(plant: DerivingPlant) -> None:
    device, pump = plant.line.device(), plant.line.world.entity(EntityKind.ASSET)
    sites = [plant.line.world.entity(EntityKind.ASSET) for _ in range(2)]
    plant.link(device, pump, valid_from=EPOCH)
    part = plant.line.world.edge(sites[0], "HAS_PART", pump)
    rule(plant, "a", 5, Scope(under_id=sites[1]))
    plant.drain()
    send(plant, device, {NOW - 9 * MINUTE: {"a": 7}, NOW - 3 * MINUTE: {"a": 8}})
    plant.drain()
    assert events(plant) == []
    plant.end(part, NOW - 5 * MINUTE)
    plant.line.world.edge(sites[1], "HAS_PART", pump, valid_from=NOW - 5 * MINUTE)
    plant.drain()
    # The last readings are evaluated where it comes. What it is measured by lies below the site with it, and is evaluated by itself.
    assert sorted(events(plant)) == sorted((entity, NOW - 5 * MINUTE, None, False) for entity in (pump, device))


def test_events_and_rollups_before_retention_stay(plant: DerivingPlant) -> None:
    border = datetime(2026, 4, 1, tzinfo=UTC)
    plant.formulas({"total": {"formula": "a + 1"}}, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    site = plant.line.world.entity(EntityKind.ASSET)
    plant.line.world.edge(site, "HAS_PART", pump)
    link = plant.link(device, pump, valid_from=EPOCH)
    rule(plant, "total", 5, Scope(type="pump", kind=EntityKind.ASSET))
    rollup(plant)
    plant.drain()
    send(plant, device, {border + n * MINUTE: {"a": v} for n, v in [(-50, 9), (-40, 1), (30, 9), (40, 1)]})
    plant.drain()
    compute(plant)
    before = [
        (pump, border - 50 * MINUTE, border - 40 * MINUTE, False),
        (pump, border + 30 * MINUTE, border + 40 * MINUTE, False),
    ]
    assert events(plant) == before
    stood = {at: value for (entity, at), value in plant.derived("all").items() if entity == site}
    assert stood == {border - 60 * MINUTE: 12.0, border: 12.0}
    plant.line.summarize()
    with transaction(plant.line.engine("pipeline")) as session:
        retention = RetentionPolicy(None, timedelta(days=200))
        for month in partitions_outdated(session, retention=retention, now=border + timedelta(days=200, hours=1)):
            partition_drop(session, month)
    plant.line.stage_cache.forget()
    plant.stage_cache.forget()
    # All of it is in question; of what is still kept, nothing is left.
    plant.retract(link)
    plant.drain()
    compute(plant)
    assert events(plant) == [before[0], (*before[1][:3], True)]
    # Its points went with their month, as all points do.
    assert {at for (entity, at), _ in plant.derived("all").items() if entity == site} == set()
