"""One device that sends 90 days late costs itself and nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.pipeline.derive.work import DerivedEntities
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.model import EdgeVersion
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import SUM, DerivingPlant
from testing.line import NOW
from testing.transaction_work import TransactionWork, work_counted

DEVICES = 1_000
CALL = 100
LINKED_SINCE = NOW - timedelta(days=400)
LATE = timedelta(days=90)
# To read back: links, series, bounds, points, watermarks. To invalidate hours: two.
STATEMENTS_OF_LATENESS = 10
ROWS_OF_ONE = 100


def pairs_make(plant: DerivingPlant, number: int) -> tuple[list[UUID], list[UUID]]:
    """Make devices, each linked to a pump of its own, and derive what that dirtied."""
    world = plant.line.world
    devices: list[UUID] = list(world.entities(EntityKind.DEVICE, number))
    pumps: list[UUID] = list(world.entities(EntityKind.ASSET, number, "pump"))
    with transaction(plant.line.engine("owner")) as session:
        session.execute(
            text("INSERT INTO devices (organization_id, id) SELECT :o, unnest(:ids)"),
            {"o": plant.organization_id, "ids": devices},
        )
    drafts = [
        EdgeDraft(source_id=pump, target_id=device, relationship="MONITORED_BY", valid_from=LINKED_SINCE)
        for device, pump in zip(devices, pumps, strict=True)
    ]
    with world.changing() as (session, change):
        made = edges_create(session, change=change, drafts=drafts)
    assert all(isinstance(edge, EdgeVersion) for edge in made)
    plant.drain()
    return devices, pumps


def reading(device: UUID, at: datetime, value: float) -> dict[str, Any]:
    return {"device_id": device, "timestamp": at, "metrics": {"a": value, "b": 1}}


def round_run(
    plant: DerivingPlant, pumps: Sequence[UUID], calls: Sequence[Sequence[dict[str, Any]]]
) -> tuple[TransactionWork, DerivedEntities]:
    """Send calls and take them through all stages, as a partition task does; return what that took."""
    batches = [batch for call in calls for batch in plant.line.send(*call)]
    # So that no plan depends on when the statistics were taken.
    with transaction(plant.line.engine("owner")) as session:
        session.execute(text("ANALYZE"))
    with work_counted(plant.line.engine("pipeline")) as work:
        at_hand = plant.attribute(plant.line.normalize(batches).entries)
        done = plant.derive(pumps, at_hand)
    assert plant.windows() == []
    return work, done


def test_one_device_90_days_late_among_a_thousand_costs_the_others_nothing(plant: DerivingPlant) -> None:
    plant.formulas(SUM, since=LINKED_SINCE)
    devices, pumps = pairs_make(plant, DEVICES)
    [late, *others], [late_pump, *_] = devices, pumps
    begin = NOW - timedelta(hours=1)

    def at(n: int) -> datetime:
        return begin + timedelta(minutes=n)

    def live(n: int) -> list[list[dict[str, Any]]]:
        rows = [reading(device, at(n), n) for device in others]
        return [rows[i : i + CALL] for i in range(0, len(rows), CALL)]

    # Everybody is in time at first; then what the late one says is of 90 days ago.
    for n in range(3):
        round_run(plant, pumps, [*live(n), [reading(late, at(n), n)]])
    round_run(plant, pumps, [*live(3), [reading(late, at(3) - LATE, 3)]])
    for n in range(4, 10, 2):
        usual, done = round_run(plant, pumps, live(n))
        assert done.read_back == 0
        more, done = round_run(plant, pumps, [*live(n + 1), [reading(late, at(n + 1) - LATE, n + 1)]])
        assert done.read_back == 1
        # A fixed number of statements reads back what is late, of however many.
        assert 0 < more.statements - usual.statements <= STATEMENTS_OF_LATENESS
        # One batch, one key, one window made and let go, the device's two points and the derived one, and their hours.
        months = {f"telemetry_history_{at(0):%Y%m}", f"telemetry_history_{at(0) - LATE:%Y%m}"}
        assert {table for table in more.written if table.startswith("telemetry_history")} == months
        assert sum((more.written - usual.written).values()) == 1 + 1 + 2 + 3 + 3
        assert usual.written - more.written == Counter()
        # Nobody's points of now are read, and of the tables that all share no more than the late one's rows. How the
        # few batches are found depends on how many there are.
        read = {t: more.read[t] - usual.read[t] for t in more.read if not t.startswith("raw_batches")}
        assert read.get(f"telemetry_history_{at(0):%Y%m}", 0) == 0
        assert 0 < sum(read.values()) <= ROWS_OF_ONE

    derived = plant.derived()
    for n in range(10):
        assert {value for (pump, t), value in derived.items() if t == at(n) and pump != late_pump} == {n + 2.0}
    lates = [3, 5, 7, 9]
    of_late = {t: value for (pump, t), value in derived.items() if pump == late_pump}
    assert of_late == {at(n): n + 2.0 for n in range(3)} | {at(n) - LATE: n + 2.0 for n in lates}
    assert len(derived) == 10 * len(others) + len(of_late)
