"""Readings of devices that were erased, which somebody appends all the same."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.nodes.erasures.operations import Erasure, entity_erase, erasure_finish, erasure_page
from graph.change import graph_change_begin
from testing.line import Line
from testing.world import new_id, world_create


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


def begin(line: Line, device: UUID) -> Erasure:
    [(name,)] = line.rows("SELECT name FROM entities WHERE id = :d", d=device)
    with line.world.changing() as (session, change):
        return entity_erase(session, change=change, entity_id=device, name=name, readings=0)


def finish(line: Line, erasure: Erasure) -> bool:
    with line.pipeline() as session:
        while erasure_page(session, erasure=erasure, most=2):
            pass
    with line.pipeline() as session:
        graph_change_begin(session, organization_id=line.organization_id, actor="test", new_id=new_id)
        return erasure_finish(session, erasure=erasure)


@pytest.mark.parametrize("others", [True, False])
def test_readings_that_come_after_the_erasure_leave_nothing(line: Line, others: bool) -> None:
    gone, stays = line.device(), line.device()
    line.normalize(line.send(*({"device_id": gone, "metrics": {"t": n}, "message_id": f"{n}"} for n in range(5))))
    assert len(line.history()) == 1
    # Accepted by a process that knew the device, and appended when it was erased.
    late = [{"device_id": gone, "metrics": {"t": 7, "bad": []}}]
    acceptance = line.accept(*late, *([{"device_id": stays, "metrics": {"t": 8}}] if others else []))
    assert finish(line, begin(line, gone))
    batches = line.append(acceptance)
    result = line.normalize(batches)
    assert list(result.dead_letters) == []
    assert {key[0] for key in line.history()} == ({stays} if others else set())
    for table in ("telemetry_raw", "reading_keys", "dead_letters", "device_presence"):
        assert line.rows(f"SELECT FROM {table} WHERE device_id = :d", d=gone) == [], table
    [(stored, dead, done)] = line.rows(
        "SELECT stored, dead, normalized_at IS NOT NULL FROM raw_batches WHERE id = :b", b=batches[0].id
    )
    assert (stored, dead, done) == (int(others), 1, True)
    assert line.normalize(batches).entries == []


def test_an_erasure_waits_for_readings_that_wait(line: Line) -> None:
    device = line.device()
    batches = line.send({"device_id": device, "metrics": {"t": 1}})
    erasure = begin(line, device)
    assert not finish(line, erasure)
    assert len(line.rows("SELECT FROM telemetry_raw WHERE device_id = :d", d=device)) == 1
    line.normalize(batches)
    assert finish(line, erasure)
    assert finish(line, erasure)
    for statement in (
        "SELECT FROM telemetry_raw WHERE device_id = :d",
        "SELECT FROM entities WHERE id = :d",
        "SELECT FROM erasures WHERE entity_id = :d OR finished_at IS NULL",
    ):
        assert line.rows(statement, d=device) == [], statement
    assert line.history() == {}
