"""Ingest, health and live lag while 30 clients read without pause and 50 subscribe, as ratios to without.

A whole `argus up` on this machine. Turns with and without readers alternate, so that what else runs here falls on
both: in each round a device sends ten readings a second by GraphQL and another by plain HTTP, `/healthz` is asked
ten times a second, and a subscriber notes when each reading arrives. In every other round 30 clients, of three tokens,
repeat a query that takes most of a second by itself, and 50 more subscribe: from a process of their own, so that who
measures does not wait for them. The reference is the rounds without.

    python -m benchmarks.api_under_load [seconds of a round] [pairs of rounds]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.feed_latency import percentile
from testing.installation import Client, Installation

READERS = 30
SUBSCRIBERS = 50
DEVICES = 50
EVERY_S = 0.1
SUBSCRIPTION = "subscription S($ids: [ID!]!) { telemetry(entityIds: $ids) { series { entity { kind } values } } }"
PAGE_INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
NODE = (
    "id kind name externalId type status attributes createdAt updatedAt deletedAt"
    ' latest(metrics: ["sent"]) { metric value timestamp }'
    f" edges(first: 9) {{ edges {{ node {{ id }} }} {PAGE_INFO} }}"
)
HEAVY = "{ " + " ".join(f"a{n}: devices(first: 50) {{ edges {{ node {{ {NODE} }} }} }}" for n in range(50)) + " }"


@dataclass(slots=True)
class Measured:
    """Times of one kind of round, in milliseconds, and how reads were answered, by status."""

    ingest: list[float] = field(default_factory=list)
    user: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    reads: dict[int, int] = field(default_factory=dict)


def repeated(stop: threading.Event, times: list[float], ask: Callable[[], None]) -> threading.Thread:
    """Ask at a steady rate until stopped; note how long each answer took since it was due."""

    def run() -> None:
        due = time.perf_counter()
        while not stop.is_set():
            ask()
            times.append((time.perf_counter() - due) * 1000)
            # One that comes late has made the next ones wait.
            due += EVERY_S
            time.sleep(max(due - time.perf_counter(), 0.0))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def asking(port: int, path: str, token: str | None, body: Callable[[], bytes] | None) -> Callable[[], None]:
    """Return a function that sends one request on a persistent connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})

    def ask() -> None:
        connection.request("GET" if body is None else "POST", path, None if body is None else body(), headers)
        answer = connection.getresponse()
        answer_body = answer.read()
        assert answer.status == 200, answer_body

    return ask


def reading(port: int, token: str, reads: dict[int, int], stop: threading.Event) -> threading.Thread:
    """Read without pause; a refused client asks again once it may, or the round ends."""

    def run() -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        body = json.dumps({"query": HEAVY})
        while not stop.is_set():
            connection = HTTPConnection("127.0.0.1", port, timeout=120)
            try:
                connection.request("POST", "/graphql", body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                continue
            finally:
                connection.close()
            reads[answer.status] = reads.get(answer.status, 0) + 1
            if answer.status != 200:
                stop.wait(float(answer.headers.get("Retry-After", "1")))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


async def subscribed(port: int, token: str, ids: list[str]) -> ClientConnection:
    """Return a socket with a subscription on it."""
    address = f"ws://127.0.0.1:{port}/graphql"
    socket = await connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None)
    await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
    await asyncio.wait_for(socket.recv(), 120)
    payload = {"query": SUBSCRIPTION, "variables": {"ids": ids}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    return socket


class Subscribers(threading.Thread):
    """So many subscribers; the first notes how long after its sending each reading came."""

    def __init__(self, port: int, token: str, ids: list[str], count: int, lag: list[float]) -> None:
        super().__init__()
        self._port, self._token, self._ids, self._count, self._lag = port, token, ids, count, lag
        self.stop, self.ready = threading.Event(), threading.Event()

    def run(self) -> None:
        """Subscribe until stopped."""
        asyncio.run(self._main())

    async def _main(self) -> None:
        sockets = [await subscribed(self._port, self._token, self._ids) for _ in range(self._count)]
        self.ready.set()
        tasks = [asyncio.create_task(self._receive(socket, is_first=n == 0)) for n, socket in enumerate(sockets)]
        await asyncio.to_thread(self.stop.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)

    async def _receive(self, socket: ClientConnection, *, is_first: bool) -> None:
        async for text in socket:
            if is_first:
                now = time.time()
                message: dict[str, Any] = json.loads(text)
                for series in message["payload"]["data"]["telemetry"]["series"]:
                    self._lag += [(now - float(value)) * 1000 for value in series["values"]]


@dataclass(frozen=True, slots=True)
class Site:
    """What is measured. tokens: of the two devices that send; readers: of those who read."""

    installation: Installation
    user: str
    ids: list[str]
    tokens: list[str]
    readers: list[str]

    @staticmethod
    def make(installation: Installation) -> Site:
        """Make devices and tokens."""
        client = installation.organization("Bench")
        assert client.token is not None
        ids = []
        for n in range(DEVICES):
            made = client.call(
                f'mutation {{ createDevice(input: {{name: "d{n}", externalId: "d{n}"}}) {{ device {{ id }} }} }}'
            ).data
            ids.append(made["createDevice"]["device"]["id"])
        issue = "mutation T($d: ID!) { issueDeviceToken(deviceId: $d) { token } }"
        tokens = [client.call(issue, {"d": device_id}).data["issueDeviceToken"]["token"] for device_id in ids[:2]]
        readers = [Site.reader(installation, f"reader {n}") for n in range(3)]
        return Site(installation, client.token, ids[:2], tokens, readers)

    @staticmethod
    def reader(installation: Installation, subject: str) -> str:
        """Return a token for reads."""
        arguments = ("--organization", "Bench", "--role", "viewer", "--subject", subject)
        return installation.run("token", "create", *arguments).stdout.strip()

    @contextlib.contextmanager
    def load(self, measured: Measured) -> Iterator[None]:
        """Have 30 read and 50 subscribe until the block ends."""
        site = json.dumps({"port": self.installation.port, "user": self.user, "ids": self.ids, "readers": self.readers})
        command = [sys.executable, "-m", "benchmarks.api_under_load", "load", site]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            # Whoever measures begins when all have begun.
            assert process.stdout.readline() == "ready\n"
            try:
                yield
            finally:
                output, _ = process.communicate()
        for status, count in json.loads(output).items():
            measured.reads[int(status)] = measured.reads.get(int(status), 0) + count

    def round(self, measured: Measured, seconds: float) -> None:
        """Measure for a while."""
        port, stop = self.installation.port, threading.Event()
        subscriber = Subscribers(port, self.user, self.ids, 1, measured.lag)
        subscriber.start()
        time.sleep(1.0)
        metrics = [
            ("/graphql", self.tokens[0], _mutation, measured.ingest),
            ("/graphql", self.user, _users_mutation, measured.user),
            ("/api/v1/telemetry/ingest", self.tokens[1], _plain, measured.plain),
            ("/healthz", None, None, measured.health),
        ]
        threads = [repeated(stop, times, asking(port, path, token, body)) for path, token, body, times in metrics]
        time.sleep(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        time.sleep(1.0)
        subscriber.stop.set()
        subscriber.join()


def _mutation() -> bytes:
    query = f"mutation {{ ingestTelemetry(readings: [{{metrics: {{sent: {time.time()!r}}}}}]) {{ accepted }} }}"
    return json.dumps({"query": query}).encode()


def _users_mutation() -> bytes:
    query = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    # Of a device that nobody subscribes to.
    readings = [{"externalId": f"d{DEVICES - 1}", "metrics": {"sent": time.time()}}]
    return json.dumps({"query": query, "variables": {"r": readings}}).encode()


def _plain() -> bytes:
    return json.dumps([{"metrics": {"sent": time.time()}}]).encode()


def load_run(site_json: str) -> None:
    """Read and subscribe until the standard input ends; say how reads were answered."""
    site: dict[str, Any] = json.loads(site_json)
    stop, reads = threading.Event(), dict[int, int]()
    others = Subscribers(site["port"], site["user"], site["ids"], SUBSCRIBERS, [])
    others.start()
    threads = [reading(site["port"], site["readers"][n % 3], reads, stop) for n in range(READERS)]
    others.ready.wait()
    print("ready", flush=True)
    sys.stdin.read()
    stop.set()
    others.stop.set()
    for thread in (*threads, others):
        thread.join()
    json.dump(reads, sys.stdout)


def main() -> None:
    """Run the benchmark."""
    if sys.argv[1:2] == ["load"]:
        load_run(sys.argv[2])
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    without, beside = Measured(), Measured()
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
        installation = Installation(Path(directory) / "home", settings=dict(os.environ))
        installation.start("--no-demo")
        try:
            site = Site.make(installation)
            alone = min(_took(Client(installation.url, site.readers[0])) for _ in range(3))
            site.round(Measured(), 2.0)
            for _ in range(pairs):
                site.round(without, seconds)
                with site.load(beside):
                    site.round(beside, seconds)
        finally:
            installation.stop()
    print(f"{READERS} readers of a query that takes {alone:.2f} s alone, {SUBSCRIBERS} subscribers;", end=" ")
    print(
        f"{pairs} times {seconds:g} s each; {len(os.sched_getaffinity(0))} cores; ms; reads by status: {beside.reads}"
    )
    print(f"{'99th percentile':<34} {'without':>9} {'beside':>9} {'ratio':>7}   (medians)")
    for name in ("ingest", "user", "plain", "health", "lag"):
        one, other = getattr(without, name), getattr(beside, name)
        p99 = [percentile(times, 0.99) for times in (one, other)]
        median = [percentile(times, 0.5) for times in (one, other)]
        print(
            f"{_NAMES[name]:<34} {p99[0]:9.1f} {p99[1]:9.1f} {p99[1] / p99[0]:7.2f}"
            f"   ({median[0]:.1f}, {median[1]:.1f}) n={len(one)}, {len(other)}"
        )


_NAMES = {
    "ingest": "ingest by mutation, device's token",
    "user": "ingest by mutation, user's token",
    "plain": "ingest by plain HTTP",
    "health": "/healthz",
    "lag": "sending to a subscriber",
}


def _took(client: Client) -> float:
    began = time.perf_counter()
    reply = client.call(HEAVY)
    assert reply.error_codes == [], reply.body
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
