"""Which readings of a call are accepted, and the errors of the others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.metrics import METRICS_BYTES_MAX, MetricsError, NumberBeyond, metrics_canonical, reading_key
from domain.base.timestamps import reading_time
from domain.telemetry.ingest.accept import readings_accept
from domain.telemetry.model.readings import NO_PORT, READINGS_MAX, Devices, KnownDevice, ReadingDraft
from graph.errors import LimitExceededError

ONE = KnownDevice(UUID(int=1), 0)
TWO = KnownDevice(UUID(int=2), 1)
DEVICES = Devices({"1": ONE, "2": TWO}, {"one": ONE, "two": TWO})
NOW_US = 1_700_000_000_000_000


def accept(*readings: dict[str, Any], own: KnownDevice | None = None) -> Any:
    return readings_accept([ReadingDraft(**reading) for reading in readings], devices=DEVICES, own=own, now_us=NOW_US)


GOOD = {"device_id": "1", "timestamp": 1, "metrics": {"t": 1}}


@pytest.mark.parametrize(
    ("bad", "code", "argument"),
    [
        ({"device_id": "3"}, "UNKNOWN_DEVICE", "deviceId"),
        ({"device_id": None}, "UNKNOWN_DEVICE", "deviceId"),
        ({"device_id": None, "external_id": "three"}, "UNKNOWN_DEVICE", "externalId"),
        ({"device_id": "1", "external_id": "two"}, "UNKNOWN_DEVICE", "externalId"),
        ({"port": -1}, "BAD_USER_INPUT", "port"),
        ({"port": 65_536}, "BAD_USER_INPUT", "port"),
        ({"port": True}, "BAD_USER_INPUT", "port"),
        ({"port": 1.0}, "BAD_USER_INPUT", "port"),
        ({"timestamp": "2026-01-01T00:00:00"}, "INVALID_TIMESTAMP", "timestamp"),
        ({"timestamp": False}, "INVALID_TIMESTAMP", "timestamp"),
        ({"timestamp": float("inf")}, "INVALID_TIMESTAMP", "timestamp"),
        ({"timestamp": 10**18}, "INVALID_TIMESTAMP", "timestamp"),
        ({"timestamp": 1_769_860_800}, "INVALID_TIMESTAMP", "timestamp"),
        ({"timestamp": 1_769_860_800.5}, "INVALID_TIMESTAMP", "timestamp"),
        ({"message_id": ""}, "BAD_USER_INPUT", "messageId"),
        ({"message_id": "x" * 201}, "BAD_USER_INPUT", "messageId"),
        ({"message_id": 5}, "BAD_USER_INPUT", "messageId"),
        ({"message_id": "\ud800"}, "BAD_USER_INPUT", "messageId"),
        ({"message_id": "\0"}, "BAD_USER_INPUT", "messageId"),
        ({"metrics": None}, "INVALID_METRICS", "metrics"),
        ({"metrics": [1]}, "INVALID_METRICS", "metrics"),
        ({"metrics": {"": 1}}, "INVALID_METRICS", "metrics"),
        ({"metrics": {"x" * 201: 1}}, "INVALID_METRICS", "metrics"),
        ({"metrics": {"a\0": 1}}, "INVALID_METRICS", "metrics"),
        ({"metrics": {"\ud800": 1}}, "INVALID_METRICS", "metrics"),
        ({"metrics": dict.fromkeys(map(str, range(1001)), 1)}, "INVALID_METRICS", "metrics"),
        ({"metrics": {"t": "x" * METRICS_BYTES_MAX}}, "INVALID_METRICS", "metrics"),
    ],
)  # fmt: skip
def test_one_bad_reading_is_reported_and_the_others_are_taken(bad: dict[str, Any], code: str, argument: str) -> None:
    result = accept(GOOD, {**GOOD, **bad}, {**GOOD, "device_id": "2"})
    assert (result.accepted, result.rejected, result.duplicates) == (2, 1, 0)
    [error] = result.errors
    assert (error.code, error.path) == (code, ("readings", "1", argument))
    assert {partition: columns.devices for partition, columns in result.by_partition.items()} == {
        0: [ONE.id.bytes],
        1: [TWO.id.bytes],
    }


def test_a_reading_without_a_timestamp_is_of_the_time_of_receipt() -> None:
    [columns] = accept({"device_id": "1", "metrics": {"t": 1}}).by_partition.values()
    assert (columns.timestamps, columns.ports) == ([NOW_US], [NO_PORT])


def test_a_device_sends_for_itself_alone() -> None:
    result = accept(
        {"metrics": {"t": 1}}, {"external_id": "one", "metrics": {"t": 1}}, GOOD, {**GOOD, "device_id": "2"}, own=ONE
    )
    assert (result.accepted, result.rejected) == (3, 1)
    assert [(error.code, error.path) for error in result.errors] == [("UNKNOWN_DEVICE", ("readings", "3", "deviceId"))]


def test_repeats_within_a_call_are_counted_and_taken() -> None:
    result = accept(
        GOOD,
        {**GOOD, "external_id": "one", "metrics": {"t": 1.0, "none": None}},
        {**GOOD, "metrics": {"t": True}},
        {**GOOD, "message_id": "m"},
        {**GOOD, "message_id": "m", "port": 3, "timestamp": 2},
    )
    assert (result.accepted, result.duplicates) == (5, 2)


def test_more_than_1000_readings_refuse_the_call() -> None:
    assert accept(*[GOOD] * READINGS_MAX).accepted == READINGS_MAX
    with pytest.raises(LimitExceededError) as raised:
        accept(*[GOOD] * (READINGS_MAX + 1))
    assert raised.value.path == ("readings",)


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.25z", 250_000),
        ("1970-01-01T00:00:00.1234569Z", 123_456),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T23:59:60Z", 0),
        ("1969-12-31T23:59:59-00:00", -1_000_000),
        (1.5, 1_500),
        (-1, -1_000),
        ("2026-01-01", None),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01T00:00Z", None),
        ("2026-01-01 00:00:00Z", 1_767_225_600_000_000),
        ("2026-W01-1T00:00:00Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:00:00+0200", None),
        ("\u0662026-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("", None),
        (None, None),
        ([], None),
        (10**400, None),
    ],
)
def test_the_time_of_a_reading(value: Any, micros: int | None) -> None:
    assert reading_time(value) == micros


@pytest.mark.parametrize(
    ("metrics", "canonical"),
    [
        ({"b": 1.0, "a": True, "c": None}, b'{"a":true,"b":1}'),
        ({"z": -0.0}, b'{"z":0}'),
        ({"n": float("nan"), "i": float("-inf")}, b'{"i":["-inf"],"n":["nan"]}'),
        ({"n": 2**53 + 1, "f": 2.0**60}, b'{"f":1.152921504606847e+18,"n":9007199254740993}'),
        ({"n": 2**64}, b'{"n":1.8446744073709552e+19}'),
        ({"n": 10**400}, b'{"n":["an integer of 1329 bits"]}'),
        ({"n": NumberBeyond("-1e400")}, b'{"n":["-1e400"]}'),
        ({"n": [1, {"a": NumberBeyond("1e400")}]}, b'{"n":[1,{"a":["1e400"]}]}'),
        ({"W\u00e4rme": 2, "Wa\u0308rme": 2.0, "t": None}, '{"W\u00e4rme":2}'.encode()),
        ({"W\u00e4rme": None, "Wa\u0308rme": 3}, '{"W\u00e4rme":3}'.encode()),
        ({"W\u00e4rme": 2, "Wa\u0308rme": 3}, '{"W\u00e4rme":[["Wa\u0308rme",3],["W\u00e4rme",2]]}'.encode()),
        ({"Wa\u0308rme": 3, "W\u00e4rme": 2}, '{"W\u00e4rme":[["Wa\u0308rme",3],["W\u00e4rme",2]]}'.encode()),
        ({"K": 1, "\u212a": 2}, '{"K":[["K",1],["\u212a",2]]}'.encode()),
        ({"\u00e4": 1, "a\u0308": True}, '{"\u00e4":[["a\u0308",true],["\u00e4",1]]}'.encode()),
        (
            {"\u00e4": NumberBeyond("1e400"), "a\u0308": "\ud800"},
            '{"\u00e4":[["a\u0308",["\\\\ud800"]],["\u00e4",["1e400"]]]}'.encode(),
        ),
        ({"t": "\ud800"}, b'{"t":["\\\\ud800"]}'),
        ({"t": "\0"}, b'{"t":"\\u0000"}'),
        ({}, b"{}"),
    ],
)
def test_the_canonical_form(metrics: dict[str, Any], canonical: bytes) -> None:
    assert metrics_canonical(metrics) == canonical


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(st.characters(codec=None), max_size=3), JSON, max_size=4))
def test_the_canonical_form_is_its_own(metrics: dict[str, Any]) -> None:
    import orjson

    try:
        once = metrics_canonical(metrics)
    except MetricsError:
        return
    assert metrics_canonical(orjson.loads(once)) == once
    assert metrics_canonical(dict(reversed(metrics.items()))) == once


def test_equality_of_readings() -> None:
    def key(**changed: Any) -> bytes:
        return reading_key(**{"port": 1, "timestamp_us": 2, "message_id": None, "metrics": b"{}", **changed})

    keys = [key(), key(port=2), key(timestamp_us=3), key(metrics=b'{"a":1}'), key(message_id="1 2 {}")]
    assert len(set(keys)) == len(keys)
    assert {len(k) for k in keys} == {16}
    assert key(message_id="m") == key(message_id="m", port=5, timestamp_us=6, metrics=b"")
