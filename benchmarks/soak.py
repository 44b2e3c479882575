"""The memory of each process of an installation while a small plant's days are sent to it.

50 devices, each linked to an asset, send a reading of three metrics a minute: 72,000 readings a day. With --days, so
many days (at most 60) are spread evenly over the time; without, up to 60 are sent as fast as they are processed. No
more than 5,000 readings wait. Two subscribers take everything all the time, one of them slowly; others come, take a
little and go, some without a word; callers read the latest points on separate connections. At each tenth of the
time the memory of each process is printed: what it has alone and its share of what it has together with others (PSS).
At the end: its ratio, last tenth to third. The third, since caches fill at first; of the database and the bus it
grows until the buffers it was given are full.

    python -m benchmarks.soak --minutes 60 --days 30
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from argus.client import ArgusClient
from benchmarks.feed_latency import plant_make
from testing.installation import Client, Installation
from testing.processes import descendants

DEVICES = 50
DAYS_MAX = 60.0
METRICS = 3
READINGS_A_DAY = DEVICES * 24 * 60
READINGS_PER_CALL = 500
PENDING_MAX = 5_000
TENTHS = 10
VISITORS = 4
# How long a visitor stays, and how long the slow subscriber does nothing after each update.
STAY_S = 2.0
PAUSE_S = 1.0
SUBSCRIPTION = """
subscription S($ids: [ID!]) { telemetry(entityIds: $ids) {
    series { entity { id name } metric timestamps values truncated } dropped pointsLeftOut gaps { metric from to } } }
"""
LATEST = "{ devices(first: 50) { nodes { id name latest { metric value timestamp } } } }"


@dataclass(slots=True)
class Course:
    """The course of a run. memory: by tenth, process and its number, in MiB."""

    ends_s: float
    readings: int = 0
    updates: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    visits: int = 0
    queries: int = 0
    memory: list[Mapping[tuple[str, int], float]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.ends_s


class Sender(threading.Thread):
    """Sends the days one after the other, up to this one. per_s: readings a second; None: as fast as they are taken."""

    def __init__(self, url: str, token: str, course: Course, per_s: float | None) -> None:
        super().__init__()
        self._client = ArgusClient(url, token)
        self._course = course
        self._per_s = per_s
        self._begin = datetime.now(UTC) - timedelta(days=DAYS_MAX)

    def run(self) -> None:
        """Send until the time is over."""
        query = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { pending } }'
        begun_s = time.monotonic()
        while not self._course.is_over and self._course.readings < DAYS_MAX * READINGS_A_DAY:
            first = self._course.readings
            if self._per_s is not None:
                time.sleep(max(begun_s + first / self._per_s - time.monotonic(), 0.0))
            self._client.ingest([self._reading(n) for n in range(first, first + READINGS_PER_CALL)])
            self._course.readings += READINGS_PER_CALL
            while self._client.call(query)["ingestAccount"]["pending"] > PENDING_MAX and not self._course.is_over:
                time.sleep(0.05)

    def _reading(self, n: int) -> dict[str, Any]:
        minute, device = divmod(n, DEVICES)
        at = (self._begin + timedelta(minutes=minute)).isoformat()
        return {"externalId": f"d{device}", "timestamp": at, "metrics": {f"m{m}": (n + m) % 97 for m in range(METRICS)}}


class Asker(threading.Thread):
    """Asks for the latest points, on a separate connection each time."""

    def __init__(self, client: Client, course: Course) -> None:
        super().__init__()
        self._client, self._course = client, course

    def run(self) -> None:
        """Ask until the time is over."""
        while not self._course.is_over:
            assert self._client.call(LATEST).data["devices"]["nodes"]
            self._course.queries += 1
            time.sleep(0.2)


async def subscribe(installation: Installation, token: str, course: Course, name: str, pause_s: float) -> None:
    """Take everything until the time is over."""
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(installation.websocket_url, subprotocols=protocols, max_size=None) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        await socket.recv()
        payload = {"query": SUBSCRIPTION, "variables": {"ids": None}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        while not course.is_over:
            with suppress(TimeoutError):
                message = json.loads(await asyncio.wait_for(socket.recv(), timeout=5))
                if message["type"] == "ping":
                    await socket.send('{"type": "pong"}')
                    continue
                update = message["payload"]["data"]["telemetry"]
                course.updates[name] += 1
                course.left_out[name] += update["pointsLeftOut"]
                await asyncio.sleep(pause_s)


async def visit(installation: Installation, token: str, course: Course, ids: list[str]) -> None:
    """Subscribe for a while, over and over; leave without a word every other time."""
    while not course.is_over:
        socket = await connect(
            installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None
        )
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        await socket.recv()
        payload = {"query": SUBSCRIPTION, "variables": {"ids": ids[course.visits % DEVICES :][:10]}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        with suppress(TimeoutError):
            async with asyncio.timeout(STAY_S):
                while True:
                    await socket.recv()
        course.visits += 1
        if course.visits % 2:
            socket.transport.abort()
        else:
            await socket.close()


def memory_mib(root: int) -> dict[tuple[str, int], float]:
    """Return the memory of each child process, by kind and number."""
    mib_by_process: dict[tuple[str, int], float] = {}
    for pid, line in descendants(root).items():
        words = line.split()
        if words[:1] == ["postgres:"] or "bin/postgres" in line:
            name, number = "postgres", 0
        elif "valkey" in line:
            name, number = "valkey", 0
        else:
            name, number = (words[words.index("argus") + 1] if "argus" in words else words[0]), pid
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            mib = int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
            mib_by_process[name, number] = mib_by_process.get((name, number), 0.0) + mib
    return mib_by_process


async def run(installation: Installation, client: Client, ids: list[str], seconds: float, days: float | None) -> Course:
    """Let everybody do their part, and note the memory at each tenth."""
    assert client.token is not None
    assert installation.process is not None
    begun = time.monotonic()
    course = Course(begun + seconds)
    per_s = None if days is None else days * READINGS_A_DAY / seconds
    threads: list[threading.Thread] = [Sender(installation.url, client.token, course, per_s), Asker(client, course)]
    for thread in threads:
        thread.start()
    tasks = [asyncio.create_task(subscribe(installation, client.token, course, "fast", 0.0))]
    tasks.append(asyncio.create_task(subscribe(installation, client.token, course, "slow", PAUSE_S)))
    tasks += [asyncio.create_task(visit(installation, client.token, course, ids)) for _ in range(VISITORS)]
    for tenth in range(1, TENTHS + 1):
        await asyncio.sleep(max(begun + seconds * tenth / TENTHS - time.monotonic(), 0))
        course.memory.append(await asyncio.to_thread(memory_mib, installation.process.pid))
        by_name: Counter[str] = Counter()
        for (name, _), mib in course.memory[-1].items():
            by_name[name] += mib  # type: ignore[assignment]
        line = "  ".join(f"{name} {mib:.1f}" for name, mib in sorted(by_name.items()))
        print(f"{tenth:>2}/{TENTHS}  {course.readings:>9} readings  MiB: {line}", flush=True)
    await asyncio.gather(*tasks)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    return course


def report(course: Course, seconds: float) -> None:
    """Print the memory of each process, and its growth."""
    days = course.readings / READINGS_A_DAY
    print(f"{course.readings} readings in {seconds:.0f} s: {days:.2f} days of {DEVICES} devices")
    print(f"updates {dict(course.updates)}, points left out {dict(course.left_out)}")
    print(f"{course.visits} visits, {course.queries} queries")
    print(f"{'process':<20} {'3rd tenth':>10} {'last':>10} {'ratio':>7}  MiB")
    third, last = course.memory[2], course.memory[-1]
    for name, number in sorted(third.keys() & last.keys()):
        key = (name, number)
        shown = f"{name} {number}" if number else f"{name} (all)"
        print(f"{shown:<20} {third[key]:>10.1f} {last[key]:>10.1f} {last[key] / third[key]:>7.2f}")
    ended, come = len(third.keys() - last.keys()), len(last.keys() - third.keys())
    print(f"processes that have gone since the third tenth: {ended}; that have come: {come}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0, help="for how long to send (default: 5)")
    parser.add_argument(
        "--days", type=float, help="days to spread over that time; without it, 60 at most as fast as they are processed"
    )
    arguments = parser.parse_args()
    seconds = 60.0 * arguments.minutes
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
        installation = Installation(Path(directory) / "home")
        installation.start("--no-demo")
        try:
            client = installation.organization("Bench")
            ids = [device for device, _ in plant_make(client, DEVICES)]
            report(asyncio.run(run(installation, client, ids, seconds, arguments.days)), seconds)
        finally:
            installation.stop()


if __name__ == "__main__":
    main()
