"""Raw readings: outcomes that agree with the accounting, pages in both directions, and who sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.nodes.operations import entity_delete
from domain.nodes.queries import nodes_get
from domain.telemetry.raw_readings import Outcome, RawReading, dead_letters_of, raw_readings_get, raw_readings_pages
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from graph.walk.scopes import scope_bind
from testing.faults import fault_of
from testing.line import NOW, Line
from testing.world import World


@pytest.fixture
def line(world: World, engine: Callable[[str], Engine]) -> Line:
    return Line(world, engine)


def pages(
    world: World, ids: Sequence[UUID], page: PageRequest, *, under: Sequence[UUID] | None = None
) -> tuple[dict[UUID, Page[RawReading]], list[int]]:
    """Return the pages with their totals."""
    with world.session() as session:
        if under is not None:
            scope_bind(session, organization_id=world.organization_id, under=under)
        read = raw_readings_pages(session, organization_id=world.organization_id, entity_ids=ids, page=page)
        return dict(read), [of_one.total() for of_one in read.values() if of_one.total is not None]


def readings(world: World, device_id: UUID, **arguments: Any) -> list[RawReading]:
    return list(pages(world, [device_id], PageRequest(500), **arguments)[0][device_id].items)


def test_each_reading_has_what_became_of_it(line: Line) -> None:
    device = line.device()
    first = {"device_id": device, "port": 3, "timestamp": NOW, "metrics": {"t": 1, "label": "x"}}
    line.normalize(line.send(first))
    line.normalize(line.send(first, at=NOW + timedelta(seconds=1)))
    broken = {"device_id": device, "timestamp": NOW - timedelta(hours=1), "metrics": {"t": {"a": 1}}}
    line.normalize(line.send(broken, at=NOW + timedelta(seconds=2)))
    partly = {
        "device_id": device,
        "timestamp": NOW - timedelta(hours=2),
        "metrics": {"t": 2, "b": {}, "a": [1], "nothing": None},
    }
    line.normalize(line.send(partly, at=NOW + timedelta(seconds=3)))
    accepted = line.accept({"device_id": device, "metrics": {"t": 3}}, at=NOW + timedelta(seconds=4))
    line.append(accepted, at=NOW + timedelta(seconds=4), transport="http")

    rows = readings(line.world, device)
    assert [
        (row.received_at, row.timestamp, row.port, row.transport, row.payload, row.outcome) for row in rows
    ] == [
        (NOW + timedelta(seconds=4), NOW + timedelta(seconds=4), None, "http", {"t": 3}, Outcome.PENDING),
        (NOW + timedelta(seconds=3), NOW - timedelta(hours=2), None, "graphql", {"a": [1], "b": {}, "t": 2}, Outcome.STORED),
        (NOW + timedelta(seconds=2), NOW - timedelta(hours=1), None, "graphql", {"t": {"a": 1}}, Outcome.DEAD),
        (NOW + timedelta(seconds=1), NOW, 3, "graphql", first["metrics"], Outcome.DUPLICATE),
        (NOW, NOW, 3, "graphql", first["metrics"], Outcome.STORED),
    ]  # fmt: skip
    counts = line.ingest_counts(device_id=device)
    outcomes = Counter(row.outcome.value for row in rows)
    assert outcomes == {name: getattr(counts, name) for name in ("stored", "duplicate", "dead", "pending")}

    with line.world.session() as session:
        of = dead_letters_of(session, organization_id=line.organization_id, ids=[row.id for row in rows])
    assert [[(letter.metric, letter.stage) for letter in of[row.id]] for row in rows] == [
        [], [("a", "normalize"), ("b", "normalize")], [("t", "normalize")], [], [],
    ]  # fmt: skip


def test_a_reading_is_a_node(line: Line, other: World) -> None:
    device = line.device()
    line.normalize(line.send(*({"device_id": device, "timestamp": NOW, "metrics": {"t": n}} for n in range(3))))
    rows = readings(line.world, device)
    ids = [row.id for row in rows]
    assert len(set(ids)) == 3
    assert {node_id.version for node_id in ids} == {8}
    beyond = [UUID(int=ids[0].int ^ 1 << 40), UUID(int=(1 << 128) - 1 & ~(0xF << 76) | 8 << 76)]
    with line.world.session() as session:
        arguments = {"organization_id": line.organization_id}
        assert nodes_get(session, ids=[*ids, *beyond], **arguments) == dict(zip(ids, rows, strict=True))
        assert raw_readings_get(session, ids=[device], **arguments) == {}
    with other.session() as session:
        assert raw_readings_get(session, organization_id=other.organization_id, ids=ids) == {}
        # Nor by the other's number.
        assert raw_readings_get(session, ids=ids, **arguments) == {}


# Days before NOW on which the readings were received: several at a time, next to each other, and after long silence.
DAYS = (0, 0, 0, 0.4, 0.9, 1.1, 3, 3, 15.9, 16.5, 17, 40, 40, 90)


@pytest.mark.parametrize("is_normalized", [True, False])
def test_pages_in_both_directions_have_every_reading_once(line: Line, *, is_normalized: bool) -> None:
    devices = [line.device() for _ in range(3)]
    for number, days in enumerate(DAYS):
        sent = [
            {"device_id": device, "timestamp": NOW - timedelta(days=200), "metrics": {"n": number, "d": place}}
            for place, device in enumerate(devices)
            # One has sent nothing for long, one nothing at all.
            if place == 0 or (place == 1 and days >= 17)
        ]
        batches = line.send(*sent, at=NOW - timedelta(days=days))
        if is_normalized:
            line.normalize(batches)
    everything, totals = pages(line.world, devices, PageRequest(500))
    assert totals == [14, 4, 0]
    for device in devices:
        of_device = everything[device].items
        keys = [(row.received_at, row.raw_id) for row in of_device]
        assert keys == sorted(keys, reverse=True)
    assert [len(everything[device].items) for device in devices] == totals
    for size in (1, 2, 3, 5, 13, 14, 15):
        for device in devices:
            whole = list(everything[device].items)
            assert paged(line.world, device, size) == whole, (size, device)
            assert paged(line.world, device, size, is_backward=True) == whole, (size, device)


def paged(world: World, device_id: UUID, size: int, *, is_backward: bool = False) -> list[RawReading]:
    """Read page by page; each page knows whether more follow."""
    rows: list[RawReading] = []
    key = None
    while True:
        request = PageRequest(50, None, size, key) if is_backward else PageRequest(size, key)
        page = pages(world, [device_id], request)[0][device_id]
        rows = [*page.items, *rows] if is_backward else [*rows, *page.items]
        if not (page.has_previous if is_backward else page.has_next):
            return rows
        assert len(page.items) == size
        key = page.keys[0 if is_backward else -1]


def test_a_page_lies_between_its_cursors(line: Line) -> None:
    device = line.device()
    for days in DAYS:
        line.normalize(
            line.send({"device_id": device, "timestamp": NOW, "metrics": {"d": days}}, at=NOW - timedelta(days=days))
        )
    whole = pages(line.world, [device], PageRequest(500))[0][device]
    for first, last in ((0, 13), (0, 2), (2, 5), (5, 12), (3, 4), (5, 3)):
        after, before = whole.keys[first], whole.keys[last]
        for request in (PageRequest(500, after, None, before), PageRequest(50, after, 500, before)):
            assert pages(line.world, [device], request)[0][device].items == whole.items[first + 1 : last]


def test_readings_of_a_deleted_device_are_shown_and_others_see_none(
    line: Line, other: World, engine: Callable[[str], Engine]
) -> None:
    device, theirs = line.device(), line.device()
    pump = line.world.entity(EntityKind.ASSET)
    line.world.edge(pump, "MONITORED_BY", device)
    for device_id in (device, theirs):
        line.normalize(line.send({"device_id": device_id, "timestamp": NOW, "metrics": {"t": None}}))
    assert pages(other, [device], PageRequest(50))[1] == [0]
    assert readings(other, device) == []
    [row] = readings(line.world, device)
    [their_row] = readings(line.world, theirs)
    # A confined caller sees those of its devices, with what became of them.
    assert readings(line.world, device, under=[pump]) == [row]
    assert row.outcome is Outcome.DEAD
    assert readings(line.world, theirs, under=[pump]) == []
    with line.world.session() as session:
        scope_bind(session, organization_id=line.organization_id, under=[pump])
        ids = [row.id, their_row.id]
        assert raw_readings_get(session, organization_id=line.organization_id, ids=ids) == {row.id: row}
        of = dead_letters_of(session, organization_id=line.organization_id, ids=ids)
        assert [len(of[node_id]) for node_id in ids] == [1, 0]
        # The function of the owner knows the wall, too.
        seen = session.execute(
            text("SELECT id FROM readings_outcome(:o, CAST(:ids AS bigint[]), CAST(:at AS timestamptz[]))"),
            {"o": line.organization_id, "ids": [row.raw_id, their_row.raw_id], "at": [row.received_at] * 2},
        )
        assert list(seen.scalars()) == [row.raw_id]
    with line.world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=device)
    assert readings(line.world, device) == [row]


@pytest.mark.parametrize(
    "key",
    [
        ("entities", 0, 0),
        ("rawReadings", 0),
        ("rawReadings", "0", 0),
        ("rawReadings", -1, 0),
        ("rawReadings", 0, 2**63),
        ("rawReadings", 10**20, 0),
        ("rawReadings", 0.5, 0),
    ],
)
def test_a_cursor_of_another_list_is_refused(line: Line, key: tuple[Any, ...]) -> None:
    device = line.device()
    for name, request in (("after", PageRequest(50, after=key)), ("before", PageRequest(50, before=key))):
        assert fault_of(lambda: pages(line.world, [device], request)) == ("BAD_USER_INPUT", (name,))  # noqa: B023


def test_many_devices_take_the_statements_of_one(line: Line, statements: Any) -> None:
    devices = [line.device() for _ in range(20)]
    line.normalize(line.send(*({"device_id": device, "timestamp": NOW, "metrics": {"t": 1}} for device in devices)))
    counts = []
    for ids in (devices[:1], devices):
        with statements(line.world.api) as seen:
            pages(line.world, ids, PageRequest(5))
        counts.append(len([statement for statement in seen if "set_config" not in statement]))
    assert counts == [6, 6]


def test_times_of_all_ages_have_ids() -> None:
    for at in (datetime(1970, 1, 1, tzinfo=UTC), NOW, datetime(9999, 12, 29, tzinfo=UTC)):
        for raw_id in (0, 1, 2**62 - 1):
            row = RawReading(raw_id, UUID(int=1), at, at, None, "graphql", {}, Outcome.STORED)
            assert row.id.version == 8
            assert row.id.variant == "specified in RFC 4122"
