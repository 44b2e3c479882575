"""Rules over whole series, through the stages: a real machine's episodes in any order of arrival; readings that flap."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from domain.pipeline.act.operations import event_actions_apply
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create
from domain.work.activity_templates.operations import activity_template_create
from testing.deriving_plant import DerivingPlant
from testing.installation import SHARED_DATA
from testing.line import NOW
from testing.world import EPOCH, new_id

BATCH = 1_000
MINUTE_US = 60_000_000
RULES = {
    "value < 60 for PT25M": {"operator": "LT", "value": 60, "forUs": 25 * MINUTE_US},
    "value > 105 for PT10M": {"operator": "GT", "value": 105, "forUs": 10 * MINUTE_US},
}

Reading = tuple[datetime, float]


def rule(plant: DerivingPlant, name: str, threshold: dict[str, Any], entity: UUID, **action: str) -> UUID:
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(
            name=name,
            condition={"threshold": {"metric": "value", **threshold}},
            scope=Scope(entity_id=entity),
            action=action,
            effective_from=EPOCH - timedelta(days=3_650),
        )
        return rule_create(session, change=change, draft=draft).id


def bring(plant: DerivingPlant, device: UUID, asset: UUID, readings: Sequence[Reading]) -> None:
    """Send readings batch by batch, each through all stages."""
    for first in range(0, len(readings), BATCH):
        sent = [
            {"device_id": device, "timestamp": at, "metrics": {"value": value}}
            for at, value in readings[first : first + BATCH]
        ]
        entries = plant.line.normalize(plant.line.send(*sent)).entries
        plant.derive([asset], plant.attribute(entries))
    plant.drain()


def shuffled(readings: Sequence[Reading]) -> list[Reading]:
    """Return readings in a drawn order in which those of one instant keep theirs: the later one counts."""
    order = list(range(len(readings)))
    Random(7).shuffle(order)  # noqa: S311  (an order, no secret)
    places: dict[datetime, list[int]] = {}
    for place, n in enumerate(order):
        places.setdefault(readings[n][0], []).append(place)
    result = [readings[n] for n in order]
    for at, of_instant in places.items():
        own = [reading for reading in readings if reading[0] == at] if len(of_instant) > 1 else []
        for place, reading in zip(of_instant, own, strict=False):
            result[place] = reading
    return result


def half_late(readings: Sequence[Reading]) -> list[Reading]:
    """Return readings so that every second hundred comes a day after its time."""
    day = timedelta(days=1)
    arrivals = [(at + day if n // 100 % 2 else at, n) for n, (at, _) in enumerate(readings)]
    return [readings[n] for _, n in sorted(arrivals)]


ORDERS: dict[str, Callable[[Sequence[Reading]], list[Reading]]] = {
    "as in the file": list,
    "shuffled": shuffled,
    "doubled": lambda readings: [*readings, *readings],
    "one half a day late": half_late,
}


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")
@pytest.mark.parametrize("order", ORDERS)
def test_a_real_machine_has_these_episodes(plant: DerivingPlant, order: str) -> None:
    expected = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["nab/machine_temperature_events"]
    with (SHARED_DATA / "series" / "machine_temperature_system_failure.csv").open() as file:
        rows = [(row["timestamp"], float(row["value"])) for row in csv.DictReader(file)]
    readings = [(datetime.fromisoformat(at).replace(tzinfo=UTC), value) for at, value in rows]
    device, asset = plant.line.device(), plant.pump()
    plant.link(device, asset, valid_from=EPOCH - timedelta(days=3_650))
    ids = {rule(plant, name, threshold, asset): name for name, threshold in RULES.items()}
    plant.drain()
    bring(plant, device, asset, ORDERS[order](readings))
    episodes: dict[str, list[list[str | None]]] = {name: [] for name in RULES}
    for row in plant.line.rows(
        "SELECT rule_id, began_at, opened_at, cleared_at FROM events WHERE organization_id = :o AND withdrawn_at IS NULL"
        " ORDER BY opened_at",
        o=plant.organization_id,
    ):
        times = [None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for at in row[1:]]
        episodes[ids[row.rule_id]].append(times)
    assert episodes == {name: expected[name] for name in RULES}


def test_readings_that_flap_make_few_events_and_one_activity(plant: DerivingPlant) -> None:
    device, asset = plant.line.device(), plant.pump()
    plant.link(device, asset, valid_from=EPOCH)
    with plant.line.world.changing() as (session, change):
        template = activity_template_create(session, change=change, name="Look")
    rule(plant, "flaps", {"operator": "GT", "value": 80}, asset, createActivityFromTemplateId=str(template.id))
    plant.drain()
    count = 100_000
    readings = [(NOW - timedelta(seconds=count - n), 81.0 if n % 2 else 79.0) for n in range(count)]
    bring(plant, device, asset, readings)
    [row] = plant.line.rows(
        "SELECT count(*) AS events, sum(flaps) AS flaps FROM events WHERE organization_id = :o AND withdrawn_at IS NULL",
        o=plant.organization_id,
    )
    # Twelve an hour, whatever the hour begins with.
    assert 12 <= row.events <= 12 * (count // 3_600 + 1)
    # Every time above the threshold is in one of them.
    assert row.events + row.flaps == count // 2
    while True:
        with plant.line.pipeline() as session:
            done = event_actions_apply(session, organization_id=plant.organization_id, now=NOW, new_id=new_id)
        if not done.changes:
            break
    activities = plant.line.rows("SELECT id FROM activities WHERE organization_id = :o", o=plant.organization_id)
    assert len(activities) == 1
