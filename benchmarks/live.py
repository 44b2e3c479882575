"""How far subscribers fall behind: 300 readings a second of 200 devices, six of them, three that take everything.

A whole `argus up` on this machine, a client that sends, and subscribers over graphql-transport-ws, each on a
socket of its own; one of them reads a message and then nothing for a second. Each reading has several metrics and
comes to its device and to an asset. The lag of an update is the time from the answer to the newest reading in it
until it is read. What the API process uses is printed ten times.

    python -m benchmarks.live [--seconds N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from argus.client import ArgusClient
from benchmarks.feed_latency import percentile, plant_make
from testing.installation import Client, Installation

DEVICES = 200
CALLS_PER_S = 10
READINGS_PER_CALL = 30
SUBSCRIBERS_ALL, SUBSCRIBERS_SOME = 2, 3
DEVICES_OF_SOME = 20
METRICS = 5
# What the slow subscriber sleeps after each message.
PAUSE_S = 1.0
SUBSCRIPTION = """
subscription S($ids: [ID!]) { telemetry(entityIds: $ids) {
    series { entity { id name kind } metric port unit type timestamps values texts truncated } dropped cursor } }
"""


@dataclass(slots=True)
class Taken:
    """What one subscriber was sent. lags: of its updates, in seconds, with when they came."""

    lags: list[tuple[float, float]] = field(default_factory=list)
    updates: int = 0
    points: int = 0
    dropped: int = 0


class Sender(threading.Thread):
    """Sends at a steady rate, one number after the other; notes when each call was answered."""

    def __init__(self, url: str, token: str, seconds: float) -> None:
        super().__init__()
        self.client = ArgusClient(url, token)
        self.answered: dict[int, float] = {}
        self.seconds = seconds

    def run(self) -> None:
        """Send all calls, one every 1 / CALLS_PER_S seconds."""
        begin = time.perf_counter()
        for call in range(int(CALLS_PER_S * self.seconds)):
            time.sleep(max(begin + call / CALLS_PER_S - time.perf_counter(), 0.0))
            numbers = range(call * READINGS_PER_CALL, (call + 1) * READINGS_PER_CALL)
            self.client.ingest([reading(n) for n in numbers])
            self.answered[call] = time.perf_counter()


def reading(n: int) -> dict[str, Any]:
    """Return the n-th reading: its number under each metric."""
    return {"externalId": f"d{n % DEVICES}", "metrics": {f"m{metric}": n for metric in range(METRICS)}}


async def subscribe(
    installation: Installation,
    token: str,
    ids: list[str] | None,
    *,
    taken: Taken,
    answered: dict[int, float],
    pause_s: float,
) -> None:
    """Take what comes, until cancelled. A client that pauses buffers next to nothing itself."""
    protocols = [Subprotocol("graphql-transport-ws")]
    options: dict[str, Any] = {"max_queue": 1, "ping_interval": None} if pause_s else {}
    async with connect(installation.websocket_url, subprotocols=protocols, max_size=None, **options) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        await socket.recv()
        payload = {"query": SUBSCRIPTION, "variables": {"ids": ids}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == "ping":
                await socket.send('{"type": "pong"}')
                continue
            now = time.perf_counter()
            update = message["payload"]["data"]["telemetry"]
            taken.updates += 1
            taken.dropped += update["dropped"]
            taken.points += sum(len(series["values"]) for series in update["series"])
            newest = max((int(v) for series in update["series"] for v in series["values"]), default=None)
            if newest is not None:
                at = answered.get(newest // READINGS_PER_CALL)
                taken.lags.append((now, max(now - at, 0.0) if at is not None else 0.0))
            await asyncio.sleep(pause_s)


def rss_mib(pid: int) -> float:
    """Return the memory that a process has resident, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """Return the processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(installation: Installation, client: Client, ids: list[str], seconds: float) -> None:
    """Send and take for so long, and print."""
    assert client.token is not None
    sender = Sender(installation.url, client.token, seconds)
    some = [ids[n * DEVICES_OF_SOME :][:DEVICES_OF_SOME] for n in range(SUBSCRIBERS_SOME)]
    wanted: list[tuple[list[str] | None, float]] = [(None, 0.0) for _ in range(SUBSCRIBERS_ALL)]
    wanted += [(device_ids, 0.0) for device_ids in some]
    wanted.append((None, PAUSE_S))
    takers = [Taken() for _ in wanted]
    tasks = [
        asyncio.create_task(
            subscribe(installation, client.token, device_ids, taken=taken, answered=sender.answered, pause_s=pause_s)
        )
        for (device_ids, pause_s), taken in zip(wanted, takers, strict=True)
    ]
    await asyncio.sleep(2.0)
    pids = installation.children(" api")
    before, begun = sum(map(cpu_s, pids)), time.perf_counter()
    sender.start()
    for _ in range(10):
        await asyncio.sleep(seconds / 10)
        print(f"{time.perf_counter() - begun:6.0f} s  API {sum(map(rss_mib, pids)):7.1f} MiB", flush=True)
    busy = (sum(map(cpu_s, pids)) - before) / (time.perf_counter() - begun)
    await asyncio.to_thread(sender.join)
    ended = time.perf_counter()
    await asyncio.sleep(5.0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [result for result in results if not isinstance(result, asyncio.CancelledError)]
    print(f"API busy {busy:.2f} cores; sending took {ended - begun:.0f} s of {seconds:.0f}; failed: {failed}")
    print(f"{'':<12} {'updates':>8} {'points':>8} {'dropped':>8} {'median':>8} {'p99':>8} {'max':>8}  lag in s")
    for (device_ids, pause_s), taken in zip(wanted, takers, strict=True):
        lags = [lag for at, lag in taken.lags if at < ended]
        name = ("slow, " if pause_s else "") + ("all" if device_ids is None else f"{len(device_ids)} devices")
        shown = [statistics.median(lags), percentile(lags, 0.99), max(lags)]
        print(
            f"{name:<12} {taken.updates:>8} {taken.points:>8} {taken.dropped:>8} "
            + " ".join(f"{lag:8.2f}" for lag in shown)
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
        installation = Installation(Path(directory) / "home")
        installation.start("--no-demo")
        try:
            client = installation.organization("Bench")
            ids = [device for device, _ in plant_make(client, DEVICES)]
            asyncio.run(run(installation, client, ids, seconds))
        finally:
            installation.stop()
    print(
        f"{DEVICES} devices, {CALLS_PER_S * READINGS_PER_CALL} readings a second; {len(os.sched_getaffinity(0))} cores"
    )


if __name__ == "__main__":
    main()
