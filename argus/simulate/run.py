"""Keep simulated devices sending over the public API, with the faults real ones have."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final

from argus.client import ArgusClient, ClientError
from argus.simulate.signals import Faults, SimulatedDevice

CALL_READINGS: Final = 500
LATE_MAX_S: Final = 600.0
HISTORY: Final = timedelta(hours=24)
HISTORY_STEP: Final = timedelta(minutes=5)
_CREATE = """mutation Create($input: CreateDeviceInput!) {
  createDevice(input: $input) { device { id } errors { code message } } }"""
_LATEST = "query Latest($x: String!) { entity(kind: DEVICE, externalId: $x) { latest { timestamp } } }"


@dataclass(slots=True)
class Progress:
    """Counts of what was sent."""

    readings: int = 0
    accepted: int = 0
    rejected: int = 0
    late: int = 0
    repeated: int = 0
    left_out: int = 0
    calls_failed: int = 0


@dataclass(slots=True)
class Simulation:
    """A running simulation. stopping: set to end it. clock: the time, in UTC."""

    client: ArgusClient
    devices: Sequence[SimulatedDevice]
    faults: Faults
    random: Random
    clock: Callable[[], datetime]
    stopping: threading.Event
    progress: Progress = field(default_factory=Progress)
    _delayed: list[tuple[datetime, int, dict[str, Any]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def history(self) -> None:
        """Send the last day, coarsely, unless the first device has sent before."""
        if not self.devices or self._has_sent(self.devices[0]):
            return
        now = self.clock()
        at = now - HISTORY
        readings: list[dict[str, Any]] = []
        while at < now and not self.stopping.is_set():
            readings += [reading for device in self.devices for reading in device.readings(at, self.random)]
            at += HISTORY_STEP
            while len(readings) >= CALL_READINGS:
                self._send(readings[:CALL_READINGS])
                del readings[:CALL_READINGS]
        self._send(readings)

    def run(self, *, interval: timedelta, until: datetime | None) -> None:
        """Send one round of readings per interval, until stopped or until a time."""
        while not self.stopping.is_set() and (until is None or self.clock() < until):
            began = self.clock()
            readings = self.round(began)
            for begin in range(0, len(readings), CALL_READINGS):
                self._send(readings[begin : begin + CALL_READINGS])
            spent = (self.clock() - began).total_seconds()
            self.stopping.wait(max(interval.total_seconds() - spent, 0.0))

    def round(self, at: datetime) -> list[dict[str, Any]]:
        """Return the readings to send at an instant: this round's, and late ones whose time has come."""
        due: list[dict[str, Any]] = []
        for device in self.devices:
            for reading in device.readings(at, self.random):
                if self.random.random() < self.faults.gaps:
                    self.progress.left_out += 1
                elif self.random.random() < self.faults.late:
                    self.progress.late += 1
                    arrives = at + timedelta(seconds=self.random.uniform(1.0, LATE_MAX_S))
                    heapq.heappush(self._delayed, (arrives, next(self._numbers), reading))
                else:
                    due.append(reading)
                    if self.random.random() < self.faults.duplicates:
                        self.progress.repeated += 1
                        due.append(reading)
        while self._delayed and self._delayed[0][0] <= at:
            due.append(heapq.heappop(self._delayed)[2])
        return due

    def _has_sent(self, device: SimulatedDevice) -> bool:
        entity = self.client.call(_LATEST, {"x": device.external_id})["entity"]
        return bool(entity and entity["latest"])

    def _send(self, readings: Sequence[dict[str, Any]]) -> None:
        if not readings:
            return
        self.progress.readings += len(readings)
        try:
            payload = self.client.ingest(readings)
        except ClientError as error:
            if error.code == "UNAUTHENTICATED":
                # The token has run out; whoever started this starts it again with a new one.
                raise
            self.progress.calls_failed += 1
            return
        self.progress.accepted += payload["accepted"]
        self.progress.rejected += payload["rejected"]


def devices_find(client: ArgusClient) -> list[SimulatedDevice]:
    """Return the devices whose attributes say what they measure (`simulation`)."""
    return [
        SimulatedDevice(device["externalId"], device["attributes"]["simulation"])
        for device in client.devices()
        if device["externalId"] and isinstance(device["attributes"].get("simulation"), dict)
    ]


def devices_make(client: ArgusClient, number: int) -> list[SimulatedDevice]:
    """Return so many devices, sim-0001 and on, made where they are missing. Raises ClientError."""
    there = {device["externalId"] for device in client.devices(search="sim-")}
    devices = []
    for n in range(1, number + 1):
        external_id = f"sim-{n:04}"
        signals = {"": {"temperature": [20.0 + n % 7, 3.0, 0.2], "power": [5.0, 2.0, 0.3], "level": [50.0, 10.0, 1.0]}}
        if external_id not in there:
            device_rows = {
                "name": f"Simulated device {n}",
                "externalId": external_id,
                "type": "Simulated",
                "attributes": {"simulation": signals},
            }
            payload = client.call(_CREATE, {"input": device_rows})["createDevice"]
            if payload["errors"]:
                raise ClientError(payload["errors"][0]["message"], code=payload["errors"][0]["code"])
        devices.append(SimulatedDevice(external_id, signals))
    return devices
