"""A replay's readings come page by page: each once, those of one device and instant together, no page far too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.base.packed import micros_of
from domain.exchange.replays import readings as paging
from domain.exchange.replays.readings import Scope, readings_next
from domain.telemetry.model.columns import Normalized, Readings
from domain.telemetry.store.points import points_stored
from domain.telemetry.store.stored import stored_read
from testing.line import NOW, Line
from testing.world import world_create

T0 = datetime(2026, 4, 1, tzinfo=UTC)
_SLUGS = count()


@pytest.fixture
def lines(engine: Callable[[str], Engine]) -> Callable[[], Line]:
    made: list[Line] = []

    def make() -> Line:
        line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"replay{next(_SLUGS)}"), engine)
        # One lease for all: no two work at once.
        line.lease = made[0].run().lease if made else None
        made.append(line)
        return line

    return make


# By device: the second after T0 of each reading.
histories = st.lists(
    st.one_of(st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(0, 30), max_size=25), st.just([1] * 9)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories,
    limit=st.integers(1, 12),
    at_once=st.integers(2, 4),
    span=st.tuples(st.integers(0, 10), st.integers(11, 31)),
)
def test_each_reading_comes_once_and_an_instant_whole(
    lines: Callable[[], Line],
    monkeypatch: pytest.MonkeyPatch,
    history: list[list[int]],
    limit: int,
    at_once: int,
    span: tuple[int, int],
) -> None:
    line = lines()
    devices = [line.device() for _ in history]
    sent = [
        {"device_id": device, "timestamp": T0 + timedelta(seconds=second), "metrics": {"t": n}}
        for device, seconds in zip(devices, history, strict=True)
        for n, second in enumerate(seconds)
    ]
    if sent:
        line.normalize(line.send(*sent))
    # One that no stage has processed.
    line.send({"device_id": devices[0], "timestamp": T0 + timedelta(seconds=5), "metrics": {"t": 1}})
    begins, ends = (T0 + timedelta(seconds=second) for second in span)
    monkeypatch.setattr(paging, "DEVICES_AT_ONCE", at_once)
    scope = Scope(line.organization_id, begins, ends, None)
    pages: list[Readings] = []
    after: paging.Place = (None, None)
    while True:
        with line.pipeline() as session:
            page, after = readings_next(session, scope=scope, after=after, limit=limit)
        pages.append(page)
        if after == (None, None):
            break
        assert len(pages) < 500
    seen = [raw_id for page in pages for raw_id in page.raw_ids.tolist()]
    expected = line.rows(
        "SELECT r.id FROM telemetry_raw r JOIN raw_batches b ON b.organization_id = r.organization_id"
        " AND b.id = r.batch_id AND b.normalized_at IS NOT NULL"
        ' WHERE r.organization_id = :o AND r."timestamp" >= :b AND r."timestamp" < :e',
        o=line.organization_id,
        b=begins,
        e=ends,
    )
    assert sorted(seen) == sorted(row.id for row in expected)
    instants: Counter[tuple[bytes, int]] = Counter()
    for page in pages:
        own = list(zip(page.devices, page.timestamps.tolist(), strict=True))
        assert own == sorted(own)
        instants.update(set(own))
        assert len(page) <= limit or len(set(own)) == 1
    assert set(instants.values()) <= {1}


def test_columns_belong_together(lines: Callable[[], Line]) -> None:
    line = lines()
    device = line.device()
    line.normalize(
        line.send(
            {"device_id": device, "port": 3, "timestamp": T0, "metrics": {"a": 1, "b": "x"}},
            {"device_id": device, "timestamp": T0, "metrics": {"c": True}},
        )
    )
    with line.pipeline() as session:
        scope = Scope(line.organization_id, T0, T0 + timedelta(days=1), [device])
        page, _ = readings_next(session, scope=scope, after=(None, None), limit=10)
    rows = line.rows("SELECT id, port, key, received_at FROM telemetry_raw ORDER BY id")
    assert page.raw_ids.tolist() == [row.id for row in rows]
    assert page.ports.tolist() == [3, -1]
    assert page.keys == [row.key.bytes for row in rows]
    assert page.received.tolist() == [micros_of(NOW)] * 2
    assert page.devices == [device.bytes] * 2
    assert page.metrics == [{"a": 1, "b": "x"}, {"c": True}]


def shown(points: Normalized) -> dict[tuple[int, str], tuple[int, float | str]]:
    points_by_reading: dict[tuple[int, str], tuple[int, float | str]] = {}
    for place, (of, metric) in enumerate(zip(points.readings.tolist(), points.metrics.tolist(), strict=True)):
        value = points.texts.get(place, float(points.values[place]))
        points_by_reading[of, points.names[metric]] = (int(points.types[place]), value)
    assert len(points_by_reading) == len(points.readings)
    assert points.readings.tolist() == sorted(points.readings.tolist())
    return points_by_reading


def test_stored_points_read_by_range_are_those_read_by_the_point(lines: Callable[[], Line]) -> None:
    line = lines()
    one, two = line.device(), line.device()

    def reading(device: UUID, second: int, port: int | None = None, **metrics: float | str | bool) -> dict[str, object]:
        return {"device_id": device, "timestamp": T0 + timedelta(seconds=second), "port": port, "metrics": metrics}

    line.normalize(
        line.send(
            reading(one, 0, a=1, b="x"),
            reading(one, 5, a="y", c=True),
            reading(one, 5, 2, a=7),
            reading(two, 1, a=0.5),
            # The second of these wins, and the first says one thing more.
            reading(two, 3, a=1, b=1),
            reading(two, 3, a=2),
        )
    )
    with line.engine("owner").begin() as connection:
        connection.execute(text("DELETE FROM telemetry_history WHERE value = 0.5"))
    with line.pipeline() as session:
        scope = Scope(line.organization_id, T0, T0 + timedelta(days=1), None)
        page, _ = readings_next(session, scope=scope, after=(None, None), limit=100)
        for readings in (page, page.take([5, 3, 0]), page.take([])):  # type: ignore[arg-type]
            by_range = stored_read(session, organization_id=line.organization_id, readings=readings)
            by_point = points_stored(session, organization_id=line.organization_id, readings=readings)
            assert shown(by_range) == shown(by_point)
    assert len(shown(by_range)) == 0
