"""How much was sent: the same as counting the readings by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.telemetry import usage
from domain.telemetry.usage import Usage, UsageGroupBy, usage_read
from graph.errors import ArgusError
from runtime.database import transaction
from testing.line import Line
from testing.world import world_create

T0 = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="usage"), engine)


def read(line: Line, group_by: UsageGroupBy, **given: Any) -> Usage:
    arguments: dict[str, Any] = {
        "from_": T0, "to": T0 + 4 * HOUR, "bucket": (0, HOUR), "timezone": "UTC", "first": 10, "now": T0 + 24 * HOUR,
    }  # fmt: skip
    with transaction(line.engine("api"), line.organization_id) as session:
        return usage_read(session, organization_id=line.organization_id, group_by=group_by, **{**arguments, **given})


def sent(line: Line) -> tuple[UUID, UUID, list[tuple[int, UUID, str, dict[str, Any]]]]:
    """Send readings of two devices over two transports; return (hour, device, transport, metrics) of each."""
    one, two = line.device(), line.device()
    rows: list[tuple[int, UUID, str, dict[str, Any]]] = []
    for hour, device, transport, metrics in (
        (0, one, "graphql", {"a": 1}),
        (0, one, "http", {"a": 2, "b": "x"}),
        (2, one, "graphql", {"a": 3}),
        (2, two, "http", {"long": "y" * 50}),
        (2, two, "http", {"nul": "\0", "odd": "\\u0000", "b": 1}),
        (5, two, "http", {"later": 1}),
    ):
        at = T0 + hour * HOUR + timedelta(minutes=30)
        line.append(
            line.accept({"device_id": device, "timestamp": at, "metrics": metrics}, at=at), at=at, transport=transport
        )
        rows.append((hour, device, transport, metrics))
    return one, two, rows


def test_each_grouping_counts_what_was_sent(line: Line) -> None:
    _, _, rows = sent(line)
    keys: dict[UsageGroupBy, Callable[[tuple[int, UUID, str, Any]], str | None]] = {
        UsageGroupBy.NOTHING: lambda _: "all",
        UsageGroupBy.TRANSPORT: lambda row: row[2],
        UsageGroupBy.DEVICE: lambda row: str(row[1]),
        UsageGroupBy.TYPE: lambda _: None,
    }
    for group_by, key_of in keys.items():
        counts = read(line, group_by)
        readings: Counter[Any] = Counter()
        points: Counter[Any] = Counter()
        size: Counter[Any] = Counter()
        for row in rows:
            if row[0] < 4:
                readings[key_of(row), row[0]] += 1
                points[key_of(row), row[0]] += len(row[3])
                size[key_of(row), row[0]] += len(json.dumps(row[3], separators=(",", ":")))
        assert {group.key for group in counts.groups} == {key for key, _ in readings}
        for group in counts.groups:
            assert group.readings.tolist() == [readings[group.key, hour] for hour in range(4)]
            assert group.points.tolist() == [points[group.key, hour] for hour in range(4)]
            assert group.bytes.tolist() == [size[group.key, hour] for hour in range(4)]
        assert counts.starts.tolist() == [(T0 + hour * HOUR).timestamp() * 1000 for hour in range(4)]
        totals = [group.readings.sum() for group in counts.groups]
        assert totals == sorted(totals, reverse=True)


def test_uptime_is_the_share_of_buckets_begun_in_which_a_device_was_heard(line: Line) -> None:
    one, two, _ = sent(line)
    heard = {group.key: group.heard for group in read(line, UsageGroupBy.DEVICE).groups}
    assert heard == {str(one): 0.5, str(two): 0.25}
    heard = {group.key: group.heard for group in read(line, UsageGroupBy.DEVICE, now=T0 + 2.6 * HOUR).groups}
    assert heard == {str(one): pytest.approx(2 / 3), str(two): pytest.approx(1 / 3)}


def test_the_top_talkers_come_first_and_the_rest_is_reported(line: Line) -> None:
    one, _, _ = sent(line)
    counts = read(line, UsageGroupBy.DEVICE, first=1)
    assert ([group.key for group in counts.groups], counts.truncated) == ([str(one)], True)


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"to": T0}, "BAD_USER_INPUT", ("to",)),
        ({"first": 0}, "BAD_USER_INPUT", ("first",)),
        ({"timezone": "Mars"}, "BAD_USER_INPUT", ("timezone",)),
        ({"bucket": (0, timedelta(0))}, "BAD_USER_INPUT", ("bucket",)),
        ({"to": T0 + timedelta(days=400), "first": 500}, "LIMIT_EXCEEDED", ("bucket",)),
    ],
)
def test_invalid_arguments_are_reported(line: Line, given: dict[str, Any], code: str, path: tuple[str, ...]) -> None:
    with pytest.raises(ArgusError) as raised:
        read(line, UsageGroupBy.NOTHING, **given)
    assert (raised.value.code, raised.value.path) == (code, path)


def test_more_than_can_be_counted_is_an_error(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(line)
    monkeypatch.setattr(usage, "READINGS_MAX", 3)
    with pytest.raises(ArgusError) as raised:
        read(line, UsageGroupBy.NOTHING)
    assert (raised.value.code, raised.value.path) == ("LIMIT_EXCEEDED", ("from",))


def test_another_organizations_is_not_counted(line: Line, engine: Callable[[str], Engine]) -> None:
    sent(line)
    other = Line(world_create(owner=engine("owner"), api=engine("api"), slug="elsewhere"), engine)
    assert read(other, UsageGroupBy.NOTHING).groups == []
