"""Events and rollups are correct though each stage has a cache of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.base.streams import ATTRIBUTE, DERIVE, NORMALIZE
from domain.derivation.rollups.model import BucketSize
from domain.derivation.rollups.operations import rollup_create
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import Line
from testing.rollup_plant import wish
from testing.shared_nothing import DATA, UNANNOUNCED, Processes, processes_open
from testing.world import EPOCH

T0 = datetime(2026, 4, 1, tzinfo=UTC)
HOT = {"threshold": {"metric": "t", "operator": "GT", "value": 80}}
# In the statement that reads what is above an entity.
WALK = "extract(epoch FROM lower(e.valid))"
SILENT = {"noData": {"metric": "t", "afterUs": 3_600_000_000}}


@pytest.fixture
def processes(engine: Callable[[str], Engine], bus_url: str, line: Line) -> Iterator[Processes]:
    with processes_open(
        engine=engine, url=bus_url, partitions=line.partitions, organization_id=line.organization_id, now=T0
    ) as made:
        yield made


def rule(line: Line, scope: Scope, condition: dict[str, Any]) -> UUID:
    with line.world.changing() as (session, change):
        draft = RuleDraft(name="rule", condition=condition, scope=scope, effective_from=EPOCH)
        return rule_create(session, change=change, draft=draft).id


def send(
    line: Line,
    processes: Processes,
    device: UUID,
    minute: int,
    value: float,
    port: int | None = None,
    *,
    fails: tuple[str, str] | None = None,
    after: int = 0,
) -> None:
    """Send one reading, which every stage takes up. fails: in a stage, a statement with this text, after so many."""
    processes.clock.now = T0 + timedelta(minutes=minute)
    reading = {"device_id": device, "timestamp": processes.clock.now, "port": port, "metrics": {"t": value}}
    processes.publish(line.send(reading, at=processes.clock.now))
    for stage in (NORMALIZE, ATTRIBUTE, DERIVE):
        for partition in range(processes.partitions):
            if fails is not None and fails[0] == stage:
                processes.faults.arm(DATA, after, of=fails[1])
            processes.poll(stage, partition)


def events(line: Line) -> dict[UUID, list[tuple[datetime, datetime | None]]]:
    """The current events, by entity: when they opened and cleared."""
    spans: dict[UUID, list[tuple[datetime, datetime | None]]] = {}
    for row in line.rows("SELECT * FROM events WHERE withdrawn_at IS NULL ORDER BY opened_at"):
        spans.setdefault(row.entity_id, []).append((row.opened_at, row.cleared_at))
    return spans


@pytest.mark.parametrize("port", [None, 3])
def test_a_device_is_evaluated_by_a_process_that_did_not_normalize_its_readings(
    line: Line, processes: Processes, port: int | None
) -> None:
    devices = [line.device() for _ in range(8)]
    for device in devices:
        rule(line, Scope(entity_id=device), HOT)
        rule(line, Scope(entity_id=device), SILENT)
    for minute, value in enumerate([10, 10, 90]):
        for device in devices:
            send(line, processes, device, minute, value, port)
    opened = T0 + timedelta(minutes=2)
    assert events(line) == {device: [(opened, None)] for device in devices}
    for minute, value in enumerate([90, 10], start=3):
        for device in devices:
            send(line, processes, device, minute, value, port)
    assert events(line) == {device: [(opened, T0 + timedelta(minutes=4))] for device in devices}


def test_a_device_with_points_at_hand_is_not_read_back(line: Line, processes: Processes) -> None:
    device = line.device()
    rule(line, Scope(entity_id=device), HOT)
    send(line, processes, device, 0, 10)
    processes.drain()
    with transaction(processes.owner, line.organization_id) as session:
        # Whoever read them back would find nothing to be evaluated.
        session.execute(text("CREATE RULE none AS ON INSERT TO latest_values DO INSTEAD NOTHING"))
    send(line, processes, device, 1, 90)
    assert events(line) == {device: [(T0 + timedelta(minutes=1), None)]}


def test_a_partly_read_statement_withdraws_no_event(line: Line, processes: Processes) -> None:
    asset, device = line.world.entity(EntityKind.ASSET), line.device()
    line.world.edge(asset, "MONITORED_BY", device)
    rule(line, Scope(entity_id=asset), HOT)
    send(line, processes, device, 0, 90)
    assert events(line) == {asset: [(T0, None)]}
    # An edit has what is remembered read again: the kinds of entities first, then what evaluates them, which fails.
    rule(line, Scope(entity_id=line.device()), HOT)
    for stage, minute in ((DERIVE, 1), (ATTRIBUTE, 2), (NORMALIZE, 3)):
        rule(line, Scope(entity_id=line.device()), HOT)
        send(line, processes, device, minute, 90, fails=(stage, "LEFT OUTER JOIN assets"), after=1)
        processes.drain()
        assert events(line) == {asset: [(T0, None)]}
    assert processes.faults.kind is None
    send(line, processes, device, 20, 10)
    assert events(line) == {asset: [(T0, T0 + timedelta(minutes=20))]}


def test_an_unannounced_commit_is_not_forgotten(line: Line, processes: Processes) -> None:
    asset, device = line.world.entity(EntityKind.ASSET), line.device()
    line.world.edge(asset, "MONITORED_BY", device)
    rule(line, Scope(entity_id=asset), HOT)
    send(line, processes, device, 0, 10)
    send(line, processes, device, 1, 10)
    processes.clock.now = T0 + timedelta(minutes=2)
    reading = {"device_id": device, "timestamp": processes.clock.now, "metrics": {"t": 90.0}}
    batches = line.send(reading, at=processes.clock.now)
    processes.publish(batches)
    for stage in (NORMALIZE, ATTRIBUTE):
        processes.poll(stage, batches[0].partition)
    for partition in range(processes.partitions):
        processes.stages[DERIVE, partition]._overdue_at_s = float("inf")  # type: ignore[union-attr]
        processes.faults.arm(UNANNOUNCED, 0)
        processes.poll(DERIVE, partition)
        processes.faults.kind = None
    assert processes.errors == 1
    assert events(line) == {asset: [(T0 + timedelta(minutes=2), None)]}
    send(line, processes, device, 3, 10)
    assert events(line) == {asset: [(T0 + timedelta(minutes=2), T0 + timedelta(minutes=3))]}


def test_a_failed_statement_is_not_cached_as_an_empty_result(line: Line, processes: Processes) -> None:
    asset, device, site = (
        line.world.entity(EntityKind.ASSET, "part"),
        line.device(),
        line.world.entity(EntityKind.ASSET),
    )
    line.world.edge(asset, "MONITORED_BY", device)
    line.world.edge(site, "HAS_PART", asset)
    with line.world.changing() as (session, change):
        bucket = BucketSize("PT10M", 0, timedelta(minutes=10))
        rollup_create(session, change=change, wish=wish(metric="all", of_metric="t", bucket=bucket))
    processes.drain()
    send(line, processes, device, 0, 1.0)
    # An edit has what is remembered read again.
    rule(line, Scope(entity_id=line.device()), HOT)
    send(line, processes, device, 10, 2.0, fails=(DERIVE, WALK))
    processes.faults.kind = None
    send(line, processes, device, 20, 3.0)
    processes.drain()
    rolled = {at: value for (of, _, metric, at), value in line.history().items() if (of, metric) == (site, "all")}
    assert rolled == {T0: 1.0, T0 + timedelta(minutes=10): 2.0, T0 + timedelta(minutes=20): 3.0}


def test_a_metric_both_measured_and_derived_is_evaluated_as_it_is_read(line: Line, processes: Processes) -> None:
    plant = DerivingPlant(line)
    plant.formulas({"t": {"formula": "a * 1.0", "maxAge": "PT1M"}}, since=EPOCH)
    pump, device = plant.pump(), line.device()
    line.world.edge(pump, "MONITORED_BY", device)
    rule(line, Scope(entity_id=pump), HOT)

    def readings_send(minute: int, metrics: dict[str, float]) -> None:
        processes.clock.now = T0 + timedelta(minutes=minute)
        processes.publish(
            line.send(
                {"device_id": device, "timestamp": processes.clock.now, "metrics": metrics}, at=processes.clock.now
            )
        )
        for stage in (NORMALIZE, ATTRIBUTE):
            for partition in range(processes.partitions):
                processes.poll(stage, partition)

    def derive() -> None:
        for partition in range(processes.partitions):
            processes.poll(DERIVE, partition)

    for minute in (0, 10):
        readings_send(minute, {"a": 10.0})
        derive()
    # Both come to one transaction: one gives a derived point, the other is measured only.
    readings_send(20, {"a": 10.0, "t": 10.0})
    readings_send(30, {"t": 90.0})
    derive()
    processes.drain()
    assert events(line) == {pump: [(T0 + timedelta(minutes=30), None)]}
