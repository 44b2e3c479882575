"""From a mutation's answer to the subscriber: 200 readings a second for 20 seconds.

A whole `argus up` (API, three workers, PostgreSQL, Valkey) on this machine, a client that sends, and a client that is
subscribed over graphql-transport-ws to 20 devices and the 20 assets they are linked to. The reference, in the same
run, is a bare hop over the same Valkey: XADD on one connection, XREAD on another, the same number of messages.

    python -m benchmarks.feed_latency
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from argus.client import ArgusClient
from runtime.embedded.home import Home
from testing.installation import Client, Installation

DEVICES = 20
CALLS_PER_S = 20
READINGS_PER_CALL = 10
SECONDS = 20
READINGS = CALLS_PER_S * READINGS_PER_CALL * SECONDS
SUBSCRIPTION = "subscription S($ids: [ID!]!) { telemetry(entityIds: $ids) { series { entity { kind } values } } }"


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of the values."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def row(name: str, values: Sequence[float]) -> None:
    """Print one row, in milliseconds."""
    p99 = percentile(values, 0.99)
    print(f"{name:<44} {statistics.median(values):8.1f} {p99:8.1f} {max(values):8.1f}   n={len(values)}")


def plant_make(client: Client, devices: int) -> list[tuple[str, str]]:
    """Make devices, each linked to an asset of its own; return the ids of device and asset."""
    ids: list[tuple[str, str]] = []
    for n in range(devices):
        made = client.call(
            f'mutation {{ d: createDevice(input: {{name: "d{n}", externalId: "d{n}"}}) {{ device {{ id }} }}'
            f' a: createAsset(input: {{name: "a{n}"}}) {{ asset {{ id }} }} }}'
        ).data
        device, asset = made["d"]["device"]["id"], made["a"]["asset"]["id"]
        client.call(
            "mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,"
            ' validFrom: "2020-01-01T00:00:00Z"}) { errors { code } } }',
            {"d": device, "a": asset},
        )
        ids.append((device, asset))
    return ids


class Sender(threading.Thread):
    """Sends at a steady rate; notes when each reading was called and answered."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__()
        self.client = ArgusClient(url, token)
        self.called: dict[int, float] = {}
        self.answered: dict[int, float] = {}

    def run(self) -> None:
        """Send all calls, one every 1 / CALLS_PER_S seconds."""
        begin = time.perf_counter()
        for call in range(CALLS_PER_S * SECONDS):
            time.sleep(max(begin + call / CALLS_PER_S - time.perf_counter(), 0.0))
            numbers = range(call * READINGS_PER_CALL, (call + 1) * READINGS_PER_CALL)
            readings = [{"externalId": f"d{n % DEVICES}", "metrics": {"number": n}} for n in numbers]
            called = time.perf_counter()
            assert self.client.ingest(readings)["accepted"] == READINGS_PER_CALL
            answered = time.perf_counter()
            self.called |= dict.fromkeys(numbers, called)
            self.answered |= dict.fromkeys(numbers, answered)


async def subscribe(
    url: str, token: str, ids: list[str], arrivals: dict[tuple[str, int], float], ready: threading.Event
) -> None:
    """Note when each reading arrives at its device and at its asset."""
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        await socket.recv()
        payload = {"query": SUBSCRIPTION, "variables": {"ids": ids}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        await asyncio.sleep(1.0)
        ready.set()
        while len(arrivals) < 2 * READINGS:
            message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), timeout=30))
            if message["type"] == "ping":
                await socket.send('{"type": "pong"}')
                continue
            now = time.perf_counter()
            for series in message["payload"]["data"]["telemetry"]["series"]:
                for value in series["values"]:
                    key = (series["entity"]["kind"], int(value))
                    assert key not in arrivals, "a reading came twice"
                    arrivals[key] = now


def valkey_hops(url: str) -> list[float]:
    """Return the time of each message from XADD's call to XREAD's return, in milliseconds."""
    sent: dict[bytes, float] = {}
    hops: list[float] = []
    count = READINGS // 10

    def read() -> None:
        with redis.Redis.from_url(url) as client:
            last: bytes | str = "0-0"
            while len(hops) < count:
                reply: Any = client.xread({"hop": last}, count=100, block=1000)
                now = time.perf_counter()
                for _, entries in reply:
                    for last, fields in entries:  # noqa: B007  (where to read on from)
                        hops.append((now - sent[fields[b"n"]]) * 1000)

    reader = threading.Thread(target=read)
    with redis.Redis.from_url(url) as client:
        client.delete("hop")
        reader.start()
        for n in range(count):
            time.sleep(1 / 400)
            name = str(n).encode()
            sent[name] = time.perf_counter()
            client.xadd("hop", {"n": name})
        reader.join(timeout=30)
        client.delete("hop")
    return hops


def main() -> None:
    """Run the benchmark."""
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
        installation = Installation(Path(directory) / "home")
        installation.start("--no-demo")
        try:
            client = installation.organization("Bench")
            ids = [device_id for pair in plant_make(client, DEVICES) for device_id in pair]
            assert client.token is not None
            arrivals: dict[tuple[str, int], float] = {}
            ready = threading.Event()
            work = subscribe(installation.websocket_url, client.token, ids, arrivals, ready)
            listener = threading.Thread(target=lambda: asyncio.run(work))
            listener.start()
            ready.wait(timeout=30)
            sender = Sender(installation.url, client.token)
            sender.start()
            sender.join()
            listener.join(timeout=60)
            home = Home.read(installation.home)
            hops = valkey_hops(f"redis://:{home.valkey_password}@127.0.0.1:{home.valkey_port}/0")
        finally:
            installation.stop()
    rate, cores = CALLS_PER_S * READINGS_PER_CALL, len(os.sched_getaffinity(0))
    print(f"{READINGS} readings, {rate} a second, {DEVICES} devices; {cores} cores; ms")
    print(f"{'':<44} {'median':>8} {'p99':>8} {'max':>8}")
    row("call to answer (durable)", [(sender.answered[n] - sender.called[n]) * 1000 for n in sender.called])
    after: list[float] = []
    for kind in ("DEVICE", "ASSET"):
        times = [(arrivals[kind, n] - sender.answered[n]) * 1000 for n in range(READINGS)]
        after += times
        row(f"answer to subscriber, at the {kind.lower()}", times)
    row("call to subscriber", [(at - sender.called[n]) * 1000 for (_, n), at in arrivals.items()])
    row("reference: one hop over Valkey (XADD, XREAD)", hops)
    print(f"ratio of medians, answer to subscriber / hop: {statistics.median(after) / statistics.median(hops):.1f}")


if __name__ == "__main__":
    main()
