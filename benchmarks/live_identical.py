"""One update to thousands of identical subscriptions: who has it when, what each costs, and ingest beside them.

A whole `argus up` on this machine, and a client in a process of its own that does next to nothing: it opens sockets,
subscribes a hundred times on each, and notes when each message came, by its length alone. A reading is sent once the
update before it has come everywhere. Meanwhile another device's readings are sent at a steady rate; the reference is
the same without any subscription.

    python -m benchmarks.live_identical [--subscriptions N] [--sockets N] [--updates N]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from argus.client import ArgusClient
from benchmarks.feed_latency import percentile
from benchmarks.live import cpu_s, rss_mib
from testing.installation import Client, Installation

SUBSCRIPTION = """subscription S($ids: [ID!]) { telemetry(entityIds: $ids, interval: "PT0S") {
    series { entity { id name kind } metric port unit type timestamps values texts } dropped cursor } }"""
INGEST_PER_S = 20
INGEST_S = 10.0
OPEN_PAUSE_S = 0.1
SETTINGS = {
    "ARGUS_CONNECTIONS_MAX": "20000",
    "ARGUS_CONNECTIONS_ADDRESS_MAX": "20000",
    "ARGUS_RATE_TOKEN_PER_S": "0",
    "ARGUS_RATE_ADDRESS_PER_S": "0",
    "ARGUS_WORK_TOKEN_PER_S": "0",
}
# Where an update is longer than any other message.
_SHORT_BYTES = 126
_LENGTH_16, _LENGTH_64 = 126, 127


class Socket(asyncio.Protocol):
    """One WebSocket that subscribes and counts what comes, without parsing JSON."""

    def __init__(self, client: Subscribers, token: str, messages: Sequence[bytes]) -> None:
        self._client, self._token, self._messages = client, token, messages
        self._buffer = bytearray()
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take whole frames off what came."""
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self._buffer.startswith(b"HTTP/1.1 101"), bytes(self._buffer[:200])
            del self._buffer[: end + 4]
            self._is_open = True
            self._send({"type": "connection_init", "payload": {"token": self._token}})
            for message in self._messages:
                self._transport.write(message)
        self._frames()

    def _frames(self) -> None:
        at, buffer, updates = 0, self._buffer, 0
        while len(buffer) - at >= 2:
            length, head = buffer[at + 1] & 127, 2
            if length == _LENGTH_16:
                length, head = int.from_bytes(buffer[at + 2 : at + 4]), 4
            elif length == _LENGTH_64:
                length, head = int.from_bytes(buffer[at + 2 : at + 10]), 10
            if len(buffer) - at < head + length:
                break
            if length > _SHORT_BYTES:
                updates += 1
            elif buffer[at + head : at + head + length].startswith(b'{"type":"ping"'):
                self._send({"type": "pong"})
            elif buffer[at] & 15 == 9:
                payload = bytes(buffer[at + head : at + head + length])
                self._transport.write(bytes((0x8A, 0x80 | length)) + bytes(4) + payload)
            at += head + length
        del buffer[:at]
        if updates:
            self._client.took(updates)

    def _send(self, message: dict[str, Any]) -> None:
        self._transport.write(frame(message))


class Subscribers:
    """All subscriptions, in a process of their own."""

    def __init__(self, commands: Connection) -> None:
        self._commands = commands
        self._came: list[tuple[float, int]] = []
        self._missing = 0
        self._done = asyncio.Event()

    def took(self, updates: int) -> None:
        """Note messages that came."""
        self._came.append((time.perf_counter(), updates))
        self._missing -= updates
        if self._missing <= 0:
            self._done.set()

    async def open(self, port: int, token: str, ids: list[str], subscriptions: int, sockets: int) -> None:
        """Open all sockets, each with its part of the subscriptions."""
        loop = asyncio.get_running_loop()
        per_socket = subscriptions // sockets
        payload = {"query": SUBSCRIPTION, "variables": {"ids": ids}}
        messages = [frame({"id": str(n), "type": "subscribe", "payload": payload}) for n in range(per_socket)]
        for _ in range(sockets):
            await loop.create_connection(lambda: Socket(self, token, messages), "127.0.0.1", port)

    async def updates(self, count: int) -> list[float]:
        """Say that it is ready, and return when each of so many messages came."""
        self._came, self._missing = [], count
        self._done.clear()
        self._commands.send("ready")
        await self._done.wait()
        return [at for at, updates in self._came for _ in range(updates)]


def frame(message: dict[str, Any]) -> bytes:
    """Return a client's frame, masked with zeros."""
    body = json.dumps(message).encode()
    if len(body) < _LENGTH_16:
        return bytes((0x81, 0x80 | len(body))) + bytes(4) + body
    return b"\x81\xfe" + len(body).to_bytes(2) + bytes(4) + body


def subscribers_run(commands: Connection) -> None:
    """Do what the benchmark says."""

    async def main() -> None:
        subscribers = Subscribers(commands)
        while (command := await asyncio.to_thread(commands.recv)) is not None:
            name, *arguments = command
            commands.send(await getattr(subscribers, name)(*arguments))

    asyncio.run(main())


def ingest_run(url: str, token: str, taken_ms: list[float], stop: threading.Event) -> None:
    """Send a reading of another device at a steady rate."""
    client = ArgusClient(url, token)
    due_s = time.perf_counter()
    while not stop.is_set():
        begun_s = time.perf_counter()
        client.ingest([{"externalId": "other", "metrics": {"m": 1}}])
        taken_ms.append((time.perf_counter() - begun_s) * 1e3)
        due_s = max(due_s + 1 / INGEST_PER_S, time.perf_counter() - 1)
        time.sleep(max(due_s - time.perf_counter(), 0.0))


def answered(taken_ms: Sequence[float]) -> str:
    """Return the summary of calls."""
    return f"{statistics.median(taken_ms):.1f} and {percentile(list(taken_ms), 0.99):.1f} ms"


def beside(url: str, token: str, work: Callable[[], None]) -> str:
    """Return how long calls of ingest took while something was done."""
    taken_ms: list[float] = []
    stop = threading.Event()
    thread = threading.Thread(target=ingest_run, args=(url, token, taken_ms, stop))
    thread.start()
    try:
        work()
    finally:
        stop.set()
        thread.join()
    return answered(taken_ms)


class Updates:
    """Sends updates one after the other, and notes when subscriptions have them and what that takes."""

    def __init__(self, sender: ArgusClient, commands: Connection, pids: Sequence[int], client_pid: int) -> None:
        self._sender, self._commands, self._pids, self._client_pid = sender, commands, pids, client_pid
        self.firsts_ms: list[float] = []
        self.lasts_ms: list[float] = []
        self.server_ms: list[float] = []
        self.client_ms: list[float] = []

    def run(self, updates: int, subscriptions: int) -> None:
        """Send so many updates."""
        for _ in range(updates):
            self._commands.send(("updates", subscriptions))
            assert self._commands.recv() == "ready"
            spent_s, own_s, sent = sum(map(cpu_s, self._pids)), cpu_s(self._client_pid), time.perf_counter()
            self._sender.ingest([{"externalId": "watched", "metrics": {"m": 1, "n": 2}}])
            came = self._commands.recv()
            self.firsts_ms.append((min(came) - sent) * 1e3)
            self.lasts_ms.append((max(came) - sent) * 1e3)
            time.sleep(0.5)
            self.server_ms.append((sum(map(cpu_s, self._pids)) - spent_s) * 1e3)
            self.client_ms.append((cpu_s(self._client_pid) - own_s) * 1e3)

    def show(self) -> None:
        """Print the medians."""
        first, last, spread = (
            statistics.median(values)
            for values in (
                self.firsts_ms,
                self.lasts_ms,
                [last - first for first, last in zip(self.firsts_ms, self.lasts_ms, strict=True)],
            )
        )
        print(f"call to first {first:.0f} ms, to last {last:.0f} ms, between them {spread:.0f} ms; medians")
        print(
            f"processor time around an update: API {statistics.mean(self.server_ms):.0f} ms,"
            f" client {statistics.mean(self.client_ms):.0f} ms"
        )


def run(installation: Installation, client: Client, ids: list[str], arguments: argparse.Namespace) -> None:
    """Open, send and print."""
    token = client.token
    assert token is not None
    pids = installation.children(" api")
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=subscribers_run, args=(theirs,))
    process.start()
    assert process.pid is not None
    without = beside(installation.url, token, lambda: time.sleep(INGEST_S))
    before_mib, before_s, begun = sum(map(rss_mib, pids)), sum(map(cpu_s, pids)), time.perf_counter()
    ours.send(("open", installation.port, token, ids, arguments.subscriptions, arguments.sockets))
    ours.recv()
    opening_s = _open_wait(installation, arguments.subscriptions) - begun
    opening_cpu_s = sum(map(cpu_s, pids)) - before_s
    time.sleep(2.0)
    each_kib = (sum(map(rss_mib, pids)) - before_mib) * 1024 / arguments.subscriptions
    print(f"{arguments.subscriptions} subscriptions on {arguments.sockets} sockets", flush=True)
    print(f"open after {opening_s:.1f} s, {opening_cpu_s:.1f} s of the API's processor time", flush=True)
    updates = Updates(ArgusClient(installation.url, token), ours, pids, process.pid)
    among = beside(installation.url, token, lambda: updates.run(arguments.updates, arguments.subscriptions))
    updates.show()
    after_kib = (sum(map(rss_mib, pids)) - before_mib) * 1024 / arguments.subscriptions
    print(f"memory: {each_kib:.1f} KiB each, {after_kib:.1f} after the updates")
    print(f"ingest, median and 99th percentile: {among}; before, without subscriptions: {without}")
    ours.send(None)
    process.join()


def _open_wait(installation: Installation, subscriptions: int) -> float:
    """Return when the API says that all subscriptions are open."""
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{installation.port}/metrics", timeout=30) as response:
            lines = response.read().decode().splitlines()
        counts = [float(line.split()[-1]) for line in lines if line.startswith("argus_subscriptions_open")]
        if sum(counts) == subscriptions:
            return time.perf_counter()
        time.sleep(OPEN_PAUSE_S)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscriptions", type=int, default=5_000)
    parser.add_argument("--sockets", type=int, default=50)
    parser.add_argument("--updates", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
        installation = Installation(Path(directory) / "home", settings=SETTINGS)
        installation.start("--no-demo")
        try:
            client = installation.organization("Bench")
            made = client.call(
                """mutation { watched: createDevice(input: {name: "W", externalId: "watched"}) { device { id } }
                   other: createDevice(input: {name: "O", externalId: "other"}) { device { id } } }"""
            ).data
            run(installation, client, [made["watched"]["device"]["id"]], arguments)
        finally:
            installation.stop()
    print(f"{len(os.sched_getaffinity(0))} cores")


if __name__ == "__main__":
    main()
