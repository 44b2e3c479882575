"""Simulated devices: values that move, readings late, twice or missing, at the requested rates."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

from argus.client import ArgusClient
from argus.importing.columns import by_timeseries_id
from argus.simulate.run import Simulation
from argus.simulate.signals import Faults, SimulatedDevice

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def simulation(faults: Faults, devices: int = 20) -> Simulation:
    made = [
        SimulatedDevice(f"d{n}", {"": {"t": [20.0, 3.0, 0.2]}, "2": {"u": [1.0, 0.0, 0.0]}}) for n in range(devices)
    ]
    nobody = cast("ArgusClient", None)
    return Simulation(nobody, made, faults, Random(7), lambda: BEGIN, threading.Event())  # noqa: S311


def rounds(running: Simulation, count: int) -> list[tuple[datetime, dict[str, Any]]]:
    return [
        (at, reading) for at in (BEGIN + timedelta(seconds=n) for n in range(count)) for reading in running.round(at)
    ]


def test_without_faults_each_port_sends_once_a_round() -> None:
    sent = rounds(simulation(Faults(0, 0, 0)), 50)
    assert len(sent) == 50 * 20 * 2
    assert all(reading["timestamp"] == at.isoformat(timespec="milliseconds") for at, reading in sent)
    assert {reading.get("port") for _, reading in sent} == {None, 2}
    values = [reading["metrics"]["t"] for _, reading in sent if "t" in reading["metrics"]]
    assert len(set(values)) > 500
    assert all(5 < value < 35 for value in values)


def test_faults_occur_about_as_often_as_requested() -> None:
    running = simulation(Faults(late=0.2, duplicates=0.1, gaps=0.3))
    sent = rounds(running, 200)
    total = 200 * 20 * 2
    assert 0.25 < running.progress.left_out / total < 0.35
    assert 0.1 < running.progress.late / total < 0.2
    repeats = len(sent) - len({str(reading) + str(at) for at, reading in sent})
    assert repeats == running.progress.repeated > 0
    late = [at - datetime.fromisoformat(reading["timestamp"]) for at, reading in sent]
    assert max(late) > timedelta(seconds=60)
    assert min(late) == timedelta(0)


def test_a_series_named_by_two_devices_is_assigned_to_neither() -> None:
    devices: list[dict[str, object]] = [
        {"externalId": "a", "attributes": {"timeseriesId": "hw"}},
        {"externalId": "b", "attributes": {"timeseriesId": "sup"}},
        {"externalId": "c", "attributes": {"timeseriesId": "sup"}},
        {"externalId": None, "attributes": {"timeseriesId": "x"}},
        {"externalId": "d", "attributes": {}},
    ]
    assert by_timeseries_id(devices) == {"hw": "a"}
