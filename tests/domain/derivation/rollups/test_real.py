"""Rollups of real buildings: two heating systems under one site, and rooms that have two parents."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from domain.base.packed import Aggregate, Column, micros_of
from domain.derivation.formulas.changes import points_diff, series_changes
from domain.derivation.formulas.derive import NOTHING
from domain.derivation.formulas.outputs import changes_write, series_ensure
from domain.derivation.rollups.model import BucketSize, RollupAggregate
from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.brick import Model, brick_read
from domain.telemetry.model.stage_cache import PendingCacheUpdates
from domain.telemetry.store.history import telemetry_read
from graph.edges.operations import edge_correct
from graph.edges.queries import edges_of
from graph.entities.queries import entities_by_external_id
from graph.ids import EntityId
from graph.kinds import EntityKind
from testing.installation import SHARED_DATA
from testing.rollup_plant import HOUR, RollupPlant

pytestmark = pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")

START = datetime(2020, 1, 1, tzinfo=UTC)
ZONE = "America/Los_Angeles"
LOOP = "https://hhws.example.org#building{}.hws.secondary_loop"
DAY = BucketSize("P1D", 0, timedelta(days=1))


def bring(plant: RollupPlant, model: Model) -> None:
    def run(work: Any) -> Any:
        with plant.line.world.changing() as (session, change):
            return work(session, change)

    assert records_apply(model.records(), run=run, valid_from=START).refused == []


def entity_ids(plant: RollupPlant, kind: EntityKind, names: Sequence[str]) -> dict[str, UUID]:
    with plant.line.world.session() as session:
        rows = entities_by_external_id(
            session, organization_id=plant.organization_id, kind=kind, external_ids=list(names)
        )
    return {name: row.id for name, row in rows.items()}


def readings_of(building: str) -> list[tuple[datetime, float]]:
    with (SHARED_DATA / "hhw" / "timeseries" / f"{building}hhw_system_data.csv").open() as file:
        return [
            (datetime.fromisoformat(row["datetime_UTC"]), float(row["hw"]))
            for row in csv.DictReader(file)
            if row["hw"] not in ("", "NA")
        ]


def buckets_of(plant: RollupPlant, entity: UUID, bucket: BucketSize, zone: str) -> dict[datetime, float]:
    """What a reader gets for the sums of buckets, month after month."""
    answer: dict[datetime, float] = {}
    # Quarters of the zone's own, so that no day is cut in two.
    quarters = [datetime(y, m, 1, tzinfo=ZoneInfo(ZONE)) for y in range(2020, 2024) for m in (1, 4, 7, 10)]
    for begins, ends in pairwise(quarters):
        with plant.line.world.session() as session:
            [series] = telemetry_read(
                session,
                organization_id=plant.organization_id,
                entity_ids=[entity],
                metrics=["hw"],
                from_=begins,
                to=ends,
                now=ends,
                bucket=(bucket.months, bucket.length),
                aggregate=Aggregate.SUM,
                timezone=zone,
                max_points=10_000,
            )[entity]
        for at, value in zip(series.timestamps.tolist(), series.values.tolist(), strict=True):
            if not math.isnan(value):
                instant = datetime.fromtimestamp(at / 1000, UTC)
                answer[instant] = answer.get(instant, 0.0) + value
    return answer


def added(*series: dict[datetime, float]) -> dict[datetime, float]:
    total: dict[datetime, float] = {}
    for series_ in series:
        for at, value in series_.items():
            total[at] = total[at] + value if at in total else value
    return total


@pytest.mark.slow
def test_two_buildings_under_one_site(plant: RollupPlant) -> None:
    loops, devices = {}, {}
    for building in ("53", "55"):
        path = SHARED_DATA / "hhw" / "models" / f"building_{building}_condensing_x.ttl"
        if not path.exists():
            [path] = (SHARED_DATA / "hhw" / "models").glob(f"building_{building}_*.ttl")
        bring(plant, brick_read(path.read_text()))
        name = LOOP.format(building)
        loops[building] = entity_ids(plant, EntityKind.ASSET, [name])[name]
        devices[building] = entity_ids(plant, EntityKind.DEVICE, [f"{name}.hw"])[f"{name}.hw"]
    site = plant.line.world.entity(EntityKind.SPACE, "Site")
    for loop in loops.values():
        plant.line.world.edge(loop, "LOCATED_IN", site, valid_from=START)
    common: dict[str, Any] = {
        "relationship": "CONTAINS",
        "of_metric": "hw",
        "of_kinds": [EntityKind.ASSET],
        "of_types": None,
        "at_types": ["Site"],
    }
    plant.create(name="hourly", metric="hw_hourly", **common)
    plant.create(name="daily", metric="hw_daily", bucket=DAY, timezone=ZONE, **common)
    for building, device in devices.items():
        points = readings_of(building)
        for first in range(0, len(points), 1_000):
            part = points[first : first + 1_000]
            plant.send(device, "hw", part)
            plant.invalidate({loops[building]: [(part[0][0], part[-1][0] + HOUR)]})
            plant.compute()
    plant.drain()
    hourly = {at: value for (_, at), value in plant.stored("hw_hourly").items()}
    daily = {at: value for (_, at), value in plant.stored("hw_daily").items()}
    assert {entity for entity, _ in plant.stored("hw_hourly")} == {site}
    assert hourly == added(*(buckets_of(plant, loop, BucketSize("PT1H", 0, HOUR), "UTC") for loop in loops.values()))
    assert daily == added(*(buckets_of(plant, loop, DAY, ZONE) for loop in loops.values()))
    expected = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["hhw"]
    assert round(daily[datetime(2020, 11, 1, 7, tzinfo=UTC)], 3) == expected["53"]["local_day_2020-11-01"]["hw_sum"]
    whole = expected["53"]["hw_sum"] + expected["55"]["hw_sum"]
    assert math.isclose(math.fsum(daily.values()), whole, abs_tol=0.01)
    # From 2020-12-01 on building 53's meter belonged to a thing that is below another site: its points go with it.
    moved = datetime(2020, 12, 1, tzinfo=UTC)
    with plant.line.world.session() as session:
        edges = edges_of(session, organization_id=plant.organization_id, entity_ids=[devices["53"]])
    [link] = [edge for edge in edges[EntityId(devices["53"])] if edge.relationship == "MONITORED_BY"]
    elsewhere, thing = plant.line.world.entity(EntityKind.SPACE, "Site"), plant.asset()
    plant.line.world.edge(thing, "LOCATED_IN", elsewhere, valid_from=START)
    before = plant.stored("hw_daily")
    with plant.line.world.changing() as (session, change):
        edge_correct(session, change=change, edge_id=link.edge_id, valid_until=moved)
    plant.line.world.edge(thing, "MONITORED_BY", devices["53"], valid_from=moved)
    plant.invalidate_all(loops["53"], thing)
    plant.drain()
    for metric, bucket, zone in (("hw_hourly", BucketSize("PT1H", 0, HOUR), "UTC"), ("hw_daily", DAY, ZONE)):
        sides = {site: loops.values(), elsewhere: (thing,)}
        stored = plant.stored(metric)
        assert {entity for entity, _ in stored} == set(sides)
        for place, of_place in sides.items():
            expected = added(*(buckets_of(plant, device, bucket, zone) for device in of_place))
            assert {at: value for (entity, at), value in stored.items() if entity == place} == expected
    assert plant.stored("hw_daily") != before
    assert_known_from_the_start(plant, common)


def assert_known_from_the_start(plant: RollupPlant, common: dict[str, Any]) -> None:
    """Rollups that never saw it otherwise come to the same, point for point."""
    stored = {metric: plant.stored(metric) for metric in ("hw_hourly", "hw_daily")}
    plant.create(name="hourly again", metric="hw_hourly_again", **common)
    plant.create(name="daily again", metric="hw_daily_again", bucket=DAY, timezone=ZONE, **common)
    plant.drain()
    assert stored == {metric: plant.stored(f"{metric}_again") for metric in stored}


def test_each_room_is_counted_once_though_it_has_two_parents(plant: RollupPlant) -> None:
    model = brick_read((SHARED_DATA / "brick" / "soda_brick.ttl").read_text())
    bring(plant, model)
    types = {name: record.type for name, record in model.entities.items()}
    inside = [(e.source.external_id, e.target.external_id) for e in model.edges if e.relationship == "CONTAINS"]
    parents = Counter(room for _, room in inside if types.get(str(room)) == "Room")
    assert sum(1 for number in parents.values() if number == 2) == 241
    names = [name for name, type_ in types.items() if type_ in ("Room", "Floor", "Building", "HVAC_Zone")]
    ids = entity_ids(plant, EntityKind.SPACE, names)
    rooms = [ids[name] for name in names if types[name] == "Room"]
    [building] = [ids[name] for name in names if types[name] == "Building"]
    # The building's own ways to a room are two, by its floor and by its zone.
    zones = [ids[name] for name in names if types[name] == "HVAC_Zone"]
    for zone in zones[:100]:
        plant.line.world.edge(building, "CONTAINS", zone, valid_from=START)
    at = datetime(2021, 1, 1, tzinfo=UTC)
    measure(plant, rooms, at)
    common: dict[str, Any] = {"relationship": "CONTAINS", "of_metric": "warmth", "of_types": ["Room"]}
    plant.create(name="rooms", metric="rooms", aggregate=RollupAggregate.COUNT, bucket=DAY, **common)
    plant.create(name="sum", metric="warmth_sum", bucket=DAY, **common)
    plant.drain()
    floors = Counter(ids[str(s)] for s, t in inside if types.get(str(s)) == "Floor" and types.get(str(t)) == "Room")
    counted = {entity: value for (entity, _), value in plant.stored("rooms").items()}
    assert {floor: counted[floor] for floor in floors} == floors
    assert sum(floors.values()) == 241
    by_zone = {str(t) for s, t in inside if types.get(str(s)) == "HVAC_Zone" and ids[str(s)] in set(zones[:100])}
    by_floor = {str(t) for s, t in inside if types.get(str(s)) == "Floor"}
    assert counted[building] == len(by_zone | by_floor)
    assert plant.stored("warmth_sum") == {key: 20 * value for key, value in plant.stored("rooms").items()}


def measure(plant: RollupPlant, rooms: Sequence[UUID], at: datetime) -> None:
    """Give each room a point of its own, as a formula would."""
    notes = PendingCacheUpdates()
    entities = sorted(room.bytes for room in rooms)
    number = len(entities)
    column = Column(np.arange(number), np.full(number, micros_of(at)), np.full(number, 20.0))
    with plant.line.pipeline() as session:
        common: dict[str, Any] = {
            "organization_id": plant.organization_id,
            "stage_cache": plant.line.stage_cache,
            "notes": notes,
        }
        series = series_ensure(session, metric="warmth", unit=None, entities=entities, is_recompute=True, **common)
        points = points_diff(metric="warmth", entities=entities, wanted=column, stored=NOTHING)
        changes_write(session, changes=series_changes(points, series=series), **common)
