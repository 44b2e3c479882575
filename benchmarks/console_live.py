"""The live part of `console.py`: 50 readings a second of four metrics reach the charts of a page."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from testing.console.browser import ConsolePage
from testing.console.plant import instant
from testing.installation import Client

INGEST = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
UPDATES_PER_S = 50
SERIES = 4
POINTS = "[...document.querySelectorAll('[data-points]')].reduce((sum, each) => sum + Number(each.dataset.points), 0)"
DRAWS = "[...document.querySelectorAll('[data-draws]')].reduce((sum, each) => sum + Number(each.dataset.draws), 0)"
PROFILE_LINES = 25


def row(name: str, value: str, reference: str = "") -> None:
    """Print one figure."""
    print(f"  {name:<58}{value:>18}  {reference}", flush=True)


class Meter:
    """The browser's own figures of a page, over one session: with each new one its clock begins again."""

    def __init__(self, opened: ConsolePage) -> None:
        self.session = opened.context.new_cdp_session(opened.page)
        self.session.send("Performance.enable", {"timeDomain": "timeTicks"})

    def read(self) -> dict[str, float]:
        """Return seconds of work so far, and the heap in bytes after garbage is collected."""
        self.session.send("HeapProfiler.collectGarbage")
        answer = self.session.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in answer["metrics"]}


def chromium_seconds() -> dict[str, float]:
    """Return the processor time of this process's Chromium so far, by the kind of its processes.

    Without a graphics processor "gpu-process" is what rasterizes and composes in software.
    """
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # Behind the name, which may hold anything: state, parent, ..., the ticks in user and in system mode.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)], ticks[int(entry.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    spent: dict[str, float] = collections.defaultdict(float)
    for process in parents:
        above = process
        while above not in {0, os.getpid()}:
            above = parents.get(above, 0)
        if above == 0:
            continue
        with contextlib.suppress(OSError):
            # A process that was forked from another has its arguments in one, with spaces between them.
            command = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").split()
            if command and "chrom" in command[0]:
                kind = next((part.split("=", 1)[1] for part in command if part.startswith("--type=")), "browser")
                spent[kind] += ticks[process] / os.sysconf("SC_CLK_TCK")
    return dict(spent)


@dataclass
class Sender:
    """Sends readings of the device "busy" at a steady rate from a thread of its own."""

    client: Client
    sent: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send while the context is open."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        next_at = time.perf_counter()
        while not self._stop.is_set():
            reading = {
                "externalId": "busy",
                "timestamp": instant(datetime.now(tz=UTC)),
                "metrics": {f"m{n}": float(self.sent % 97 + n) for n in range(SERIES)},
            }
            self.client.call(INGEST, {"r": [reading]})
            self.sent += 1
            next_at += 1 / UPDATES_PER_S
            time.sleep(max(0.0, next_at - time.perf_counter()))


def live(
    opened: ConsolePage, client: Client, device: str, seconds: float, empty_fps: float, *, profile: str | None
) -> None:
    """Measure draws, processor and heap while readings come; write the page's processor profile where one is wanted."""
    updates = _updates_counted(opened)
    opened.open(f"/devices/{device}?tab=telemetry")
    opened.wait_idle()
    before = opened.page.evaluate(POINTS)
    sender = Sender(client)
    with sender.running():
        opened.page.wait_for_timeout(3000)
        meter = Meter(opened)
        if profile is not None:
            meter.session.send("Profiler.enable")
            meter.session.send("Profiler.start")
        first, spent, draws, start = meter.read(), chromium_seconds(), opened.page.evaluate(DRAWS), time.perf_counter()
        sent, came = sender.sent, updates["next"]
        opened.page.wait_for_timeout(int(seconds * 1000))
        wall = time.perf_counter() - start
        drawn, rate = opened.page.evaluate(DRAWS) - draws, (sender.sent - sent) / wall
        came = updates["next"] - came
        spent = {kind: total - spent.get(kind, 0.0) for kind, total in chromium_seconds().items()}
        if profile is not None:
            _profile_show(meter.session.send("Profiler.stop")["profile"], Path(profile), wall)
        last = meter.read()
    _points_row(opened, before, sender.sent, f"live, {rate:.0f} readings/s of {SERIES} metrics: points shown of sent")
    row("  updates/s that came of them", f"{came / wall:.1f}")
    row("  draws/s of all charts", f"{drawn / wall:.1f}", f"{drawn / wall / empty_fps:.2f} x an empty page's frames")
    row("  a core of the page's main thread", f"{100 * (last['TaskDuration'] - first['TaskDuration']) / wall:.0f} %")
    for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration"):
        row(f"    of it {name}", f"{100 * (last[name] - first[name]) / wall:.1f} %")
    shares = {kind: 100 * total / wall for kind, total in spent.items()}
    row("  a core of the page's process", f"{shares.get('renderer', 0.0):.0f} %")
    others = ", ".join(f"{kind} {share:.0f} %" for kind, share in sorted(shares.items()) if kind != "renderer")
    row("  all of Chromium, rasterizing in software", f"{sum(shares.values()):.0f} %", others)
    grown = (last["JSHeapUsedSize"] - first["JSHeapUsedSize"]) / 2**20
    row("  heap", f"{last['JSHeapUsedSize'] / 2**20:.1f} MiB", f"{grown:+.1f} MiB in {wall:.0f} s")


def live_heap(opened: ConsolePage, client: Client, device: str, minutes: int) -> None:
    """Measure the heap at each minute, after garbage is collected, while readings come."""
    opened.open(f"/devices/{device}?tab=telemetry")
    opened.wait_idle()
    # The shortest window is full after fifteen minutes: what the points themselves take is said beside the heap.
    before = opened.page.evaluate(POINTS)
    sender = Sender(client)
    with sender.running():
        opened.page.wait_for_timeout(5000)
        meter = Meter(opened)
        draws, start = opened.page.evaluate(DRAWS), time.perf_counter()
        task = meter.read()["TaskDuration"]
        for minute in range(minutes + 1):
            figures = meter.read()
            now = time.perf_counter()
            drawn, points = opened.page.evaluate(DRAWS), opened.page.evaluate(POINTS)
            wall = max(now - start, 1e-9)
            share = 100 * (figures["TaskDuration"] - task) / wall
            row(
                f"live for {minute} min: heap",
                f"{figures['JSHeapUsedSize'] / 2**20:.1f} MiB",
                f"{points:,} points, {(drawn - draws) / wall:.1f} draws/s, {share:.0f} % of a core",
            )
            draws, start, task = drawn, now, figures["TaskDuration"]
            if minute < minutes:
                opened.page.wait_for_timeout(60_000)
    _points_row(opened, before, sender.sent, f"live for {minutes} min: points shown of sent")


def _updates_counted(opened: ConsolePage) -> collections.Counter[str]:
    """Count the messages of the page's sockets from now on, by their type."""
    counted: collections.Counter[str] = collections.Counter()

    def received(payload: str | bytes) -> None:
        counted[json.loads(payload)["type"]] += 1

    opened.page.on("websocket", lambda socket: socket.on("framereceived", received))
    return counted


def _points_row(opened: ConsolePage, before: int, sent: int, name: str) -> None:
    deadline = time.perf_counter() + 30
    while opened.page.evaluate(POINTS) - before < sent * SERIES and time.perf_counter() < deadline:
        opened.page.wait_for_timeout(100)
    row(name, f"{opened.page.evaluate(POINTS) - before:,} of {sent * SERIES:,}")


def _profile_show(profile: Mapping[str, Any], path: Path, wall: float) -> None:
    """Write a profile as Chromium's tools open it, and print what took most."""
    path.write_text(json.dumps(profile))
    nodes = {node["id"]: node for node in profile["nodes"]}
    spent: collections.Counter[str] = collections.Counter()
    for sample, delta in zip(profile["samples"], profile["timeDeltas"], strict=True):
        frame = nodes[sample]["callFrame"]
        place = f"{frame['url'].rsplit('/', 1)[-1]}:{frame['lineNumber'] + 1}" if frame["url"] else ""
        spent[f"{frame['functionName'] or '(anonymous)'} {place}"] += delta
    for name, micros in spent.most_common(PROFILE_LINES):
        row(f"    {name}", f"{micros / wall / 1e4:.2f} %")
