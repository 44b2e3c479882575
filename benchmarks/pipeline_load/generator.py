"""The load generator: a separate process that calls at a steady rate, or as fast as it is answered.

    python -m benchmarks.pipeline_load.generator '{"url": ..., "token": ..., ...}'

It prints one line of JSON: calls, readings accepted, seconds, the times of answer, and of arrival at a subscriber.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks.pipeline_load.bodies import METRICS, TRANSPORTS, Device

VARIANTS = 4
SUBSCRIPTION = "subscription S($ids: [ID!]!) { telemetry(entityIds: $ids) { series { entity { kind } timestamps } } }"


@dataclass(slots=True)
class Order:
    """What to send: `readings_per_call` of as many devices, at `points_per_s`, for so long, over some connections."""

    url: str
    token: str
    devices: list[Device]
    transport: str
    points_per_s: float
    seconds: float
    readings_per_call: int = 100
    connections: int = 4
    watched: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """The results of a run."""

    accepted: int = 0
    calls: int = 0
    seconds: float = 0.0
    answer_ms: list[float] = field(default_factory=list)
    arrival_ms: list[float] = field(default_factory=list)


class Generator:
    """Shares the calls among connections: each takes the next, and waits until it is due."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.remarks = Results()
        self._transport = TRANSPORTS[order.transport]
        size = order.readings_per_call
        groups = [order.devices[n : n + size] for n in range(0, len(order.devices) - size + 1, size)]
        self._templates = [[self._transport.body(group) for _ in range(VARIANTS)] for group in groups]
        self._gap_s = size * METRICS / order.points_per_s
        self._lock = threading.Lock()
        self._next = 0
        self._last_ms = 0

    def run(self) -> Results:
        """Send everything."""
        began_s = time.perf_counter()
        threads = [threading.Thread(target=self._send, args=(began_s,)) for _ in range(self.order.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.remarks.seconds = time.perf_counter() - began_s
        return self.remarks

    def _take(self, began_s: float) -> tuple[int, float] | None:
        with self._lock:
            due_s = began_s + self._next * self._gap_s
            # Who is behind does not catch up: what was not sent in its time was not sent at that rate.
            if due_s - began_s > self.order.seconds or time.perf_counter() - began_s > self.order.seconds:
                return None
            self._next += 1
            return self._next - 1, due_s

    def _send(self, began_s: float) -> None:
        address = urlsplit(self.order.url)
        assert address.hostname is not None
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.order.token}",
            "Content-Type": self._transport.content_type,
            "Accept": "application/json",
        }
        if self._transport.is_packed:
            headers["Content-Encoding"] = "gzip"
        while (taken := self._take(began_s)) is not None:
            number, due_s = taken
            time.sleep(max(due_s - time.perf_counter(), 0.0))
            templates = self._templates[number % len(self._templates)]
            with self._lock:
                # No two calls of one time, so that none of their readings repeats another.
                self._last_ms = at_ms = max(int(time.time() * 1000), self._last_ms + 1)
            body = self._transport.at(templates[number // len(self._templates) % VARIANTS], at_ms)
            called_s = time.perf_counter()
            connection.request("POST", self._transport.path, body, headers)
            answer = json.loads(connection.getresponse().read())
            spent_ms = (time.perf_counter() - called_s) * 1000
            done = answer["data"]["ingestTelemetry"] if "data" in answer else answer
            assert done["accepted"] == self.order.readings_per_call, answer
            with self._lock:
                self.remarks.accepted += done["accepted"]
                self.remarks.calls += 1
                self.remarks.answer_ms.append(spent_ms)


def watch(order: Order, results: Results, ready: threading.Event) -> None:
    """Note how long after its own time each point arrives; a point's time is that of its call."""
    url = order.url.replace("http", "ws", 1) + "/graphql"
    with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {order.token}"}}))
        socket.recv()
        payload = {"query": SUBSCRIPTION, "variables": {"ids": order.watched}}
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        time.sleep(1.0)
        ready.set()
        while True:
            try:
                message: dict[str, Any] = json.loads(socket.recv(timeout=3.0))
            except TimeoutError:
                return
            if message["type"] == "ping":
                socket.send('{"type": "pong"}')
                continue
            now_ms = time.time() * 1000
            for series in message["payload"]["data"]["telemetry"]["series"]:
                results.arrival_ms += [now_ms - at for at in series["timestamps"]]


def main() -> None:
    """Carry out the order given as JSON."""
    given = json.loads(sys.argv[1])
    order = Order(**{**given, "devices": [tuple(device) for device in given["devices"]]})
    generator = Generator(order)
    watcher = None
    if order.watched:
        ready = threading.Event()
        watcher = threading.Thread(target=watch, args=(order, generator.remarks, ready))
        watcher.start()
        ready.wait(timeout=30)
    results = generator.run()
    if watcher is not None:
        watcher.join()
    print(
        json.dumps(
            {
                "accepted": results.accepted,
                "calls": results.calls,
                "seconds": results.seconds,
                "answer_ms": results.answer_ms,
                "arrival_ms": results.arrival_ms,
            }
        )
    )


if __name__ == "__main__":
    main()
