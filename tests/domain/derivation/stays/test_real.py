"""Eight buses and a box: the same stays in any order of arrival, and a rule that opens and clears with them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
import shapely

from domain.derivation.stays.model import Stay
from domain.derivation.stays.queries import asset_stays_pages, space_stays_pages
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create
from graph.kinds import EntityKind
from graph.paging import PageRequest
from testing.deriving_plant import DerivingPlant
from testing.installation import SHARED_DATA
from testing.line import NOW
from testing.world import EPOCH
from tests.domain.derivation.stays.conftest import space_drawn

pytestmark = pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")

LONG_AGO = EPOCH - timedelta(days=3_650)
# One longer than the longest gap between fixes, and one that loses a bus that falls silent.
AGES = {"in_box": timedelta(hours=1), "in_box_lately": timedelta(minutes=10)}
BATCH = 400

Fix = tuple[str, datetime, float, float]
Span = tuple[datetime, datetime | None, bool]


def fixes() -> list[Fix]:
    with (SHARED_DATA / "geo" / "liverpool_bus_route14_outbound.csv").open() as file:
        return [
            (
                row["vehicle_id"],
                datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC),
                float(row["longitude"]),
                float(row["latitude"]),
            )
            for row in csv.DictReader(file)
        ]


def shuffled(all_fixes: Sequence[Fix]) -> list[Fix]:
    order = list(all_fixes)
    Random(7).shuffle(order)  # noqa: S311  (an order, no secret)
    return order


def half_late(all_fixes: Sequence[Fix]) -> list[Fix]:
    return [*all_fixes[::2], *all_fixes[1::2]]


ORDERS: dict[str, Callable[[Sequence[Fix]], list[Fix]]] = {
    "as in the file": list,
    "shuffled": shuffled,
    "one half late": half_late,
}


def expected(of_bus: Sequence[Fix], box: shapely.Geometry, age: timedelta) -> list[Span]:
    """Walk over the fixes of one bus, one by one."""
    spans: list[Span] = []
    entered: datetime | None = None
    last = NOW
    for _, at, longitude, latitude in sorted(of_bus):
        inside = bool(shapely.intersects(box, shapely.Point(longitude, latitude)))
        if entered is not None and at - last > age:
            spans.append((entered, last + age, True))
            entered = None
        if entered is not None and not inside:
            spans.append((entered, at, False))
            entered = None
        if inside:
            entered, last = entered or at, at
    if entered is not None:
        spans.append((entered, last + age, True))
    return spans


def spans(stays: Sequence[Stay], metric: str) -> list[Span]:
    return [(s.entered, s.left, s.is_lost) for s in stays if s.metric == metric and s.entered is not None]


def buses_of(plant: DerivingPlant, all_fixes: Sequence[Fix]) -> tuple[dict[str, UUID], dict[str, UUID]]:
    """Return the device and the asset of each bus."""
    devices = {bus: plant.line.device() for bus in sorted({fix[0] for fix in all_fixes})}
    assets = {bus: plant.pump() for bus in devices}
    for bus, device in devices.items():
        plant.link(device, assets[bus], valid_from=LONG_AGO)
    return devices, assets


def bring(plant: DerivingPlant, devices: dict[str, UUID], assets: dict[str, UUID], all_fixes: Sequence[Fix]) -> None:
    for first in range(0, len(all_fixes), BATCH):
        sent = [
            {"device_id": devices[bus], "timestamp": at, "metrics": {"longitude": x, "latitude": y}}
            for bus, at, x, y in all_fixes[first : first + BATCH]
        ]
        entries = plant.line.normalize(plant.line.send(*sent)).entries
        plant.derive(assets.values(), plant.attribute(entries))
    plant.drain()


def rule(plant: DerivingPlant, value: int) -> UUID:
    """Watch for buses outside (0) or inside (1)."""
    condition = {"threshold": {"metric": "in_box", "operator": "EQ", "value": value}}
    scope = Scope(kind=EntityKind.ASSET, type="pump")
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name=f"{value}", condition=condition, scope=scope, effective_from=LONG_AGO)
        return rule_create(session, change=change, draft=draft).id


def stays_at(
    plant: DerivingPlant, space: UUID, begins: datetime | None, ends: datetime, first: int = 500
) -> list[Stay]:
    """All pages."""
    stays: list[Stay] = []
    page = PageRequest(first)
    while True:
        with plant.line.world.session() as session:
            [got] = space_stays_pages(
                session, organization_id=plant.organization_id, entity_ids=[space], page=page,
                from_=begins, to=ends, now=NOW,
            ).values()  # fmt: skip
        stays += got.items
        if not got.has_next:
            assert got.total is not None
            assert got.total() == len(stays)
            return stays
        page = PageRequest(first, got.keys[-1])


@pytest.mark.parametrize("order", ORDERS)
def test_buses_have_the_published_stays_and_a_rule_evaluates_them(plant: DerivingPlant, order: str) -> None:
    published = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["geo/liverpool_bus"]
    box = shapely.box(*(published["box"][side] for side in "wsen"))
    all_fixes = fixes()
    plant.formulas(
        {
            metric: {"formula": 'inArea(longitude, latitude, "box")', "maxAge": f"PT{int(age.total_seconds())}S"}
            for metric, age in AGES.items()
        },
        since=LONG_AGO,
    )
    space = space_drawn(plant, "box", box)
    devices, assets = buses_of(plant, all_fixes)
    rules = {value: rule(plant, value) for value in (0, 1)}
    plant.drain()
    bring(plant, devices, assets, ORDERS[order](all_fixes))

    of_bus = {bus: [fix for fix in all_fixes if fix[0] == bus] for bus in assets}
    times = [at for _, at, _, _ in all_fixes]
    stays = stays_at(plant, space, min(times), max(times) + timedelta(days=1), first=7)
    assert [stay.entered for stay in stays] == sorted(stay.entered for stay in stays if stay.entered is not None)
    for bus, asset in assets.items():
        mine = [stay for stay in stays if stay.entity_id == asset]
        assert {stay.space_id for stay in mine} == {space}
        for metric, age in AGES.items():
            assert spans(mine, metric) == expected(of_bus[bus], box, age), (bus, metric)
        # What was computed elsewhere, of the fixes alone.
        expected_of_bus = published["per_vehicle"][bus]
        counted = spans(mine, "in_box")
        assert (len(counted), sum(not is_lost for _, _, is_lost in counted)) == (
            expected_of_bus["enters_time_order"],
            expected_of_bus["exits_time_order"],
        )
        with plant.line.world.session() as session:
            [page] = asset_stays_pages(
                session, organization_id=plant.organization_id, entity_ids=[asset], page=PageRequest(500),
                from_=min(times), to=NOW, now=NOW,
            ).values()  # fmt: skip
        assert list(page.items) == mine

    # Events open at the fix that entered and clear at that which left; where none left, they stay open.
    whole = [stay for stay in stays if stay.metric == "in_box"]
    assert sorted(events(plant, rules[1]), key=str) == sorted(
        ((stay.entity_id, stay.entered, None if stay.is_lost else stay.left) for stay in whole), key=str
    )
    # Of a rule about being outside they open at the fix that left.
    left = {(stay.entity_id, stay.left) for stay in whole if not stay.is_lost}
    assert len(left) == 12
    assert left <= {(entity, opened) for entity, opened, _ in events(plant, rules[0])}


def events(plant: DerivingPlant, rule_id: UUID) -> list[tuple[UUID, datetime, datetime | None]]:
    rows = plant.line.rows(
        "SELECT entity_id, opened_at, cleared_at FROM events"
        " WHERE organization_id = :o AND rule_id = :r AND withdrawn_at IS NULL",
        o=plant.organization_id,
        r=rule_id,
    )
    return [tuple(row) for row in rows]
