"""Readings accepted by column: the same as one by one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.quotas import Allowance, Buckets, Quota
from domain.telemetry.ingest.accept import readings_accept, readings_accept_singly
from domain.telemetry.ingest.accept_columns import READINGS_MIN, columns_accept
from domain.telemetry.model.readings import Devices, KnownDevice, ReadingDraft

ONE = KnownDevice(UUID(int=1), 0)
TWO = KnownDevice(UUID(int=2), 1)
THREE = KnownDevice(UUID(int=3), 1)
DEVICES = Devices(
    {"1": ONE, "2": TWO, "3": THREE}, {"one": ONE, "two": TWO, "three": THREE, "fünf": KnownDevice(UUID(int=5), 4)}
)
NOW_US = 1_700_000_000_000_000

NUMBERS = st.one_of(
    st.floats(),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 2)),
    st.integers(-10, 10),
    st.integers(-10, 10).map(float),
    st.booleans(),
)
USUAL = st.dictionaries(st.sampled_from(["a", "b", "power", "z-1", ""]), NUMBERS, max_size=4)
METRICS = USUAL | st.dictionaries(
    st.sampled_from(["a", "W\u00e4rme", "Wa\u0308rme", "\ud800", "n\0", "x" * 201]),
    st.one_of(
        NUMBERS,
        st.none(),
        st.text(max_size=3),
        st.sampled_from([2**63 - 1, 2**63, -(2**63), 2**64, 2**53, 2.0**53, 2.0**60, -0.0, 1e300, [1], {"a": 1}]),
    ),
    max_size=4,
)
TIMES = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt W][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,8})?(Z|z|[+-][0-2][0-9]:?[0-7][0-9])",
        fullmatch=True,
    ),
    st.sampled_from(
        [
            "2026-03-01T00:00:00Z\n2026-03-01T00:00:00Z",
            "2026-03-01T00:00:00",
            "2026-03-01",
            "2026-W09-1T00:00:00Z",
            "20260301T000000Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T00:00:00+00:75",
            "2026-03-01T00:00:00+24:00",
            "2026-03-01T00:00:00,5Z",
            "2026-03-01T00:00:60Z",
            "\u0662026-03-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00",
            "",
        ]
    ),
)
ONE_TIME = st.one_of(
    TIMES,
    st.none(),
    st.integers(-(10**18), 10**18),
    st.integers(999_999_999, 10_000_000_001),
    st.floats(),
    st.booleans(),
)
MESSAGE_IDS = st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["m", "x" * 201, "\ud800", "a\0", 5]))
PORTS = st.one_of(st.none(), st.integers(-2, 3), st.integers(65_534, 65_537), st.booleans(), st.just(1.0))


def column(values: st.SearchStrategy[Any], usual: st.SearchStrategy[Any], size: int) -> st.SearchStrategy[list[Any]]:
    """Return values of a column: mostly of one kind, as those of a call are."""
    alike = st.lists(usual, min_size=size, max_size=size)
    return st.one_of(alike, alike, alike, st.lists(values, min_size=size, max_size=size))


@st.composite
def calls(draw: st.DrawFn) -> list[ReadingDraft]:
    size = draw(st.integers(READINGS_MIN, READINGS_MIN + 4))
    none = st.none()
    by_id = draw(st.booleans())
    ids, names = st.sampled_from(["1", "2", "3"]), st.sampled_from(["one", "two", "three", "fu\u0308nf"])
    columns = {
        "metrics": draw(column(METRICS | st.just([1]), USUAL, size)),
        "device_id": draw(column(none | ids | st.just("4"), ids if by_id else none, size)),
        "external_id": draw(column(none | names | st.just("four"), none if by_id else names, size)),
        "port": draw(column(PORTS, st.integers(0, 65_535) | none, size)),
        "timestamp": draw(
            column(
                ONE_TIME,
                draw(st.sampled_from([TIMES, none, st.integers(1_600_000_000_000, 1_800_000_000_000)])),
                size,
            )
        ),
        "message_id": draw(column(MESSAGE_IDS, none | st.sampled_from(["m", "n"]), size)),
    }
    return [ReadingDraft(**{name: values[n] for name, values in columns.items()}) for n in range(size)]


@given(calls(), st.sampled_from([None, None, ONE]), st.none() | st.integers(1, 14))
def test_readings_are_accepted_by_column_as_one_by_one(
    readings: list[ReadingDraft], own: KnownDevice | None, burst: int | None
) -> None:
    results: list[Any] = []
    for accept in (readings_accept, readings_accept_singly):
        buckets: Buckets[bytes] = Buckets(Quota(1.0, burst or 1))
        allowance = None if burst is None else Allowance(buckets, now_s=5.0)
        results.append(accept(readings, devices=DEVICES, own=own, now_us=NOW_US, allowance=allowance))
        if allowance is not None:
            allowance.take()
            results.append({device.id: buckets.full_at_s(device.id.bytes, now_s=5.0) for device in (ONE, TWO, THREE)})
    half = len(results) // 2
    assert results[:half] == results[half:]


@pytest.mark.parametrize("timestamp", [None, 1_700_000_000_000, "2026-03-01T00:00:00.5+01:00", "2026-03-01 00:00:00Z"])
@pytest.mark.parametrize("name", [{"device_id": "1"}, {"external_id": "one"}])
@pytest.mark.parametrize("message_id", [None, "m"])
@pytest.mark.parametrize("port", [None, 7])
def test_usual_readings_are_accepted_by_column(
    timestamp: Any, name: dict[str, str], message_id: Any, port: Any
) -> None:
    draft = ReadingDraft(metrics={"a": 1.5, "b": 2.0, "c": True}, timestamp=timestamp, message_id=message_id, port=port)
    for attribute, value in name.items():
        setattr(draft, attribute, value)
    readings = [draft] * READINGS_MIN
    accepted = columns_accept(readings, devices=DEVICES, own=None, now_us=NOW_US)
    assert accepted is not None
    assert accepted == readings_accept_singly(readings, devices=DEVICES, own=None, now_us=NOW_US).by_partition
