"""Events of devices that were judged wrongly are put right by migrating, and nobody is sent after what is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import Engine, text

from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create
from migrations.run import ROLES, migrate
from runtime.database import engine_create, transaction
from testing.installation import PROJECT
from testing.line import Line
from testing.servers import PASSWORD, TestDatabase, TestServers
from testing.shared_nothing import Processes, processes_open
from testing.world import EPOCH, new_id, world_create

T0 = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# An alarm that is over, and one that is open.
READINGS = [(0, 10.0), (1, 90.0), (2, 10.0), (30, 10.0), (50, 10.0), (72, 90.0), (73, 91.0)]
HOT = {"threshold": {"metric": "t", "operator": "GT", "value": 80}}
SILENT = {"noData": {"metric": "t", "afterUs": 30 * 86_400_000_000}}


@pytest.fixture
def before(servers: TestServers) -> Iterator[tuple[TestDatabase, Callable[[str], Engine]]]:
    """A database as it was before devices were judged anew, and engines for its roles."""
    made = servers.database_create(template="template0")
    [own] = (PROJECT / "migrations" / "versions").glob("*_devices_judged.py")
    migrate(made.url("owner"), dict.fromkeys(ROLES, PASSWORD), revision=f"{int(own.name[:4]) - 1:04}")
    engines = {role: engine_create(made.url(role)) for role in ("owner", "api", "ingest", "pipeline")}
    yield made, engines.__getitem__
    for engine in engines.values():
        engine.dispose()
    servers.database_drop(made)


def events(line: Line) -> set[tuple[Any, ...]]:
    rows = line.rows("SELECT entity_id, rule_id, opened_at, cleared_at FROM events WHERE withdrawn_at IS NULL")
    return {tuple(row) for row in rows}


def spoil(line: Line, devices: list[UUID], silent: UUID) -> None:
    """Leave what readings that nobody saw have left: events stuck, missing or of silence, and states that say so."""
    with transaction(line.engine("owner"), line.organization_id) as session:
        session.execute(text("DELETE FROM event_changes"))
        # One opened and stays open for ever, so that no other opens; of another nothing ever opened.
        session.execute(
            text(
                "UPDATE events SET cleared_at = NULL, cleared_reason = NULL, followed_at = now() WHERE entity_id = :d"
            ),
            {"d": devices[0]},
        )
        session.execute(
            text("DELETE FROM events WHERE entity_id = :d AND opened_at > :at"), {"d": devices[0], "at": T0 + 9 * HOUR}
        )
        session.execute(text("DELETE FROM events WHERE entity_id = :d"), {"d": devices[1]})
        session.execute(
            text(
                "INSERT INTO events (organization_id, id, rule_id, version_id, entity_id, key, began_at, opened_at,"
                " severity, flaps, detected_at) SELECT v.organization_id, :id, v.rule_id, v.id, :d, '', :at, :at,"
                " v.severity, 0, :at FROM rule_versions v WHERE v.rule_id = :r"
            ),
            {"id": new_id(), "d": devices[2], "at": T0 + 40 * HOUR, "r": silent},
        )
        states = session.execute(text("SELECT * FROM rule_states WHERE state <> 'null'")).all()
        assert states
        for row in states:
            segment, _, _ = orjson.loads(row.state)
            at = int((T0 + HOUR).timestamp() * 1_000_000)
            wrong = [segment, ["O", at, at, 90.0, None], [[at], [at, at, None, 90.0, 0], at]]
            session.execute(
                text("UPDATE rule_states SET state = :s WHERE entity_id = :e AND rule_id = :r AND at = :at"),
                {"s": orjson.dumps(wrong).decode(), "e": row.entity_id, "r": row.rule_id, "at": row.at},
            )


def test_a_database_with_wrong_states(before: tuple[TestDatabase, Callable[[str], Engine]], bus_url: str) -> None:
    database, engine = before
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine, partitions=2)
    devices = [line.device(type_name="meter") for _ in range(3)]
    made = []
    for condition, scope in ((HOT, Scope()), (SILENT, Scope(kind="DEVICE", type="meter"))):
        with line.world.changing() as (session, change):
            draft = RuleDraft(name="rule", condition=condition, scope=scope, effective_from=EPOCH)
            made.append(rule_create(session, change=change, draft=draft).id)
    with processes_open(
        engine=engine, url=bus_url, partitions=2, organization_id=line.organization_id, now=T0
    ) as processes:
        _readings(line, processes, devices)
        right = events(line)
        spans = {(T0 + HOUR, T0 + 2 * HOUR), (T0 + 72 * HOUR, None)}
        assert right == {(device, made[0], *span) for device in devices for span in spans}
        spoil(line, devices, made[1])
        migrate(database.url("owner"), {})
        assert line.rows("SELECT FROM rule_states") == []
        assert {row.entity_id for row in line.rows("SELECT * FROM dirty_windows WHERE reason = 'rejudge'")} == {
            *devices
        }
        for partition in range(2):
            processes.restart("derive", partition)
        processes.settle()
    assert events(line) == right
    told = line.rows(
        "SELECT e.entity_id, e.opened_at, c.kind, c.fenced FROM event_changes c JOIN events e ON e.id = c.event_id"
    )
    over, opened = T0 + HOUR, T0 + 72 * HOUR
    assert {tuple(row) for row in told} == {
        # Of what was told to be open it is told that it is over; of what nobody knew of, only what is open now.
        (devices[0], over, "CLEARED", False),
        (devices[0], opened, "OPENED", False),
        (devices[1], over, "OPENED", True),
        (devices[1], over, "CLEARED", True),
        (devices[1], opened, "OPENED", False),
        (devices[2], T0 + 40 * HOUR, "WITHDRAWN", False),
    }


def _readings(line: Line, processes: Processes, devices: list[UUID]) -> None:
    for hour, value in READINGS:
        processes.clock.now = T0 + hour * HOUR
        for device in devices:
            reading = {"device_id": device, "timestamp": processes.clock.now, "metrics": {"t": value}}
            processes.publish(line.send(reading, at=processes.clock.now))
        processes.settle()
