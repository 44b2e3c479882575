"""Bodies of ingest calls, built beforehand: only the time of the readings is put in when a call is made."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

TIME = b"1234567890123"
MUTATION = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted rejected } }"
METRICS = 10


# (id, external id)
Device = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Transport:
    """One way in. body: of one reading of each of some devices, with TIME in it; in_seconds: or its seconds."""

    path: str
    content_type: str
    body: Callable[[list[Device]], bytes]
    is_packed: bool = False
    in_seconds: bool = False

    def at(self, template: bytes, at_ms: int) -> bytes:
        """Return the body of a call at a time, in milliseconds since the Unix epoch."""
        shown = b"%.3f" % (at_ms / 1000) if self.in_seconds else b"%d" % at_ms
        body = template.replace(TIME, shown)
        return gzip.compress(body, 1) if self.is_packed else body


def _values() -> dict[str, float]:
    return {f"metric_{n}": round(random.uniform(0, 100), 3) for n in range(METRICS)}


def _rows(devices: list[Device]) -> list[dict[str, object]]:
    return [{"deviceId": device, "timestamp": int(TIME), "metrics": _values()} for device, _ in devices]


def _mutation(devices: list[Device]) -> bytes:
    return json.dumps({"query": MUTATION, "variables": {"r": _rows(devices)}}).encode()


def _array(devices: list[Device]) -> bytes:
    return json.dumps(_rows(devices)).encode()


def _lines(devices: list[Device]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in _rows(devices))


def _gateway(devices: list[Device]) -> bytes:
    return json.dumps({name: [{"ts": int(TIME), "values": _values()}] for _, name in devices}).encode()


def _senml(devices: list[Device]) -> bytes:
    records: list[dict[str, object]] = []
    for _, device in devices:
        base: dict[str, object] = {"bn": f"{device}:"}
        for name, value in _values().items():
            records.append({**base, "n": name, "v": value, "t": int(TIME)})
            base = {}
    return json.dumps(records).encode()


INGEST = "/api/v1/telemetry/ingest"
TRANSPORTS = {
    "typed mutation": Transport("/graphql", "application/json", _mutation),
    "HTTP, JSON array": Transport(INGEST, "application/json", _array),
    "HTTP, NDJSON": Transport(INGEST, "application/x-ndjson", _lines),
    "HTTP, JSON array, gzip": Transport(INGEST, "application/json", _array, is_packed=True),
    "HTTP, ThingsBoard gateway": Transport(INGEST + "?format=thingsboard", "application/json", _gateway),
    "HTTP, SenML": Transport(INGEST, "application/senml+json", _senml, in_seconds=True),
}
