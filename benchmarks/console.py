"""The console in headless Chromium: a long list, live points, the time bar, from a reading to its pixel.

A whole `argus up` on this machine, which the browser shares. References, measured in the same run: an empty page's
frames per second, and a subscriber in Python that gets the same points. Prints each figure with its ratio.

    python -m benchmarks.console [--devices N] [--seconds N] [--lighthouse]
    python -m benchmarks.console --live [--profile FILE] [--heap-minutes 10]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argus.console.node import node_find
from benchmarks.console_live import INGEST, Meter, live, live_heap, row
from benchmarks.feed_latency import percentile
from testing.console.browser import ConsolePage, browser_open
from testing.console.plant import Plant, instant, plant_make
from testing.installation import PROJECT, Client, Installation

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IMPORT = "mutation I($r: [JSON!]!) { importGraph(records: $r) { errors { message } } }"
BATCH = 1_000
PIXEL_READINGS = 100
SETTINGS = {"ARGUS_RATE_TOKEN_PER_S": "0", "ARGUS_RATE_ADDRESS_PER_S": "0", "ARGUS_WORK_TOKEN_PER_S": "0"}
FRAMES = """ms => new Promise(done => {
  let frames = 0; const start = performance.now();
  const next = () => { frames++;
    performance.now() - start < ms ? requestAnimationFrame(next) : done(frames * 1000 / ms); };
  requestAnimationFrame(next);
})"""


def first_load(opened: ConsolePage) -> None:
    session = opened.context.new_cdp_session(opened.page)
    session.send("Network.enable")
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    start = time.perf_counter()
    opened.open("/")
    shown_s = time.perf_counter() - start
    opened.wait_idle()
    row("first load: bytes, requests", f"{sum(received):,}, {len(received)}")
    row("first load: until the heading", f"{1000 * shown_s:.0f} ms")


def long_list(opened: ConsolePage, devices: int, empty_fps: float) -> None:
    opened.open("/changes")
    opened.wait_idle()
    opened.page.evaluate(
        """() => { window.seen = {};
        new PerformanceObserver(list => list.getEntries().forEach(entry => {
          if (entry.name.endsWith('/graphql')) window.seen.answer ??= entry.responseEnd;
        })).observe({type: 'resource'});
        new MutationObserver(() => { if (document.querySelector('[role=row][aria-rowindex="2"]'))
          window.seen.rows ??= performance.now(); }).observe(document.body, {childList: true, subtree: true}); }"""
    )
    opened.page.evaluate("location.hash = '#/devices'")
    opened.page.locator('[role=row][aria-rowindex="2"]').wait_for()
    opened.wait_idle()
    seen = opened.page.evaluate("window.seen")
    row(f"{devices:,} devices: first rows after their data", f"{seen['rows'] - seen['answer']:.0f} ms")
    opened.page.evaluate(
        "() => { const grid = document.querySelector('[role=grid]'); let down = 1;"
        " window.scrolling = setInterval(() => { grid.scrollTop += 40 * down;"
        " if (grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 4) down = -1;"
        " if (grid.scrollTop <= 0) down = 1;"
        " }, 8); }"
    )
    fps = opened.page.evaluate(FRAMES, 5000)
    row("  scrolling: frames/s", f"{fps:.1f}", f"{fps / empty_fps:.2f} x an empty page's {empty_fps:.1f}")
    opened.page.evaluate("clearInterval(window.scrolling)")
    elements = opened.page.evaluate("document.querySelectorAll('[role=grid] *').length")
    row("  elements of the grid", f"{elements}")
    while opened.page.evaluate(LOADED) < min(20_000, devices):
        opened.page.evaluate("(grid => { grid.scrollTop = grid.scrollHeight; })(document.querySelector('[role=grid]'))")
        opened.page.wait_for_timeout(100)
    heap = Meter(opened).read()["JSHeapUsedSize"]
    row(f"  heap with {opened.page.evaluate(LOADED):,} rows loaded", f"{heap / 2**20:.0f} MiB")


# The height of all rows that are loaded, in rows.
LOADED = "Math.round(document.querySelector('[role=grid] .grid-body').clientHeight / 34)"


def time_bar(opened: ConsolePage, plant: Plant) -> None:
    opened.open(f"/assets/{plant.boiler_a}?tab=telemetry")
    opened.wait_idle()
    opened.page.evaluate(
        "() => { window.slow = []; new PerformanceObserver(list => list.getEntries().forEach("
        "entry => window.slow.push(entry.duration))).observe({type: 'event', durationThreshold: 16}); }"
    )
    slider = opened.page.get_by_role("slider", name="Moment")
    box = slider.bounding_box()
    assert box is not None
    requested = len(opened.operations())
    opened.page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    opened.page.mouse.down()
    for step in range(120):
        share = 0.98 - 0.9 * step / 120
        opened.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    during = len(opened.operations()) - requested
    opened.page.mouse.up()
    opened.page.wait_for_timeout(600)
    slow: list[float] = opened.page.evaluate("window.slow")
    p98 = percentile(sorted(slow), 0.98) if slow else 16.0
    row("time bar: requests while the thumb moves", f"{during}")
    row("  interactions, 98 of 100 within", f"{p98:.0f} ms", "at most 16 ms where none was slower")


def reading_to_pixel(
    opened: ConsolePage, client: Client, device: str, subscribe: Callable[[], Sequence[float]]
) -> None:
    opened.open(f"/devices/{device}?tab=telemetry")
    opened.wait_idle()
    opened.page.evaluate(
        "() => { window.changed = []; new MutationObserver(() => window.changed.push(Date.now())).observe("
        "document.querySelector('main'), {attributes: true, attributeFilter: ['data-points'], subtree: true}); }"
    )
    sent: list[float] = []
    for number in range(PIXEL_READINGS):
        at = datetime.now(tz=UTC)
        sent.append(at.timestamp() * 1000)
        client.call(
            INGEST, {"r": [{"externalId": "quiet", "timestamp": instant(at), "metrics": {"level": float(number)}}]}
        )
        opened.page.wait_for_timeout(250)
    changed: list[float] = opened.page.evaluate("window.changed")
    delays = sorted(min((at - start for at in changed if at >= start), default=float("inf")) for start in sent)
    reference = sorted(subscribe())
    p50, p99 = statistics.median(delays), percentile(delays, 0.99)
    row("reading to pixel: median, 99 of 100", f"{p50:.0f}, {p99:.0f} ms")
    ratio = p50 / statistics.median(reference)
    row(
        "",
        "",
        f"{ratio:.2f} x a subscriber's {statistics.median(reference):.0f} ms ({percentile(reference, 0.99):.0f} ms)",
    )


def subscriber_delays(installation: Installation, client: Client, device: str) -> list[float]:
    """Return how long the same readings take to a subscriber in Python, in ms: the reference."""
    from websockets.sync.client import connect

    query = "subscription S($ids: [ID!]) { telemetry(entityIds: $ids) { series { metric values timestamps } cursor } }"
    came: list[float] = []
    with connect(
        installation.websocket_url,
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Bearer {client.token}"},
    ) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        socket.recv()
        payload = {"query": query, "variables": {"ids": [device]}}
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        time.sleep(1)
        for number in range(PIXEL_READINGS):
            at = datetime.now(tz=UTC)
            client.call(
                INGEST, {"r": [{"externalId": "quiet", "timestamp": instant(at), "metrics": {"level": float(number)}}]}
            )
            while json.loads(socket.recv())["type"] != "next":
                pass
            came.append(time.time() * 1000 - at.timestamp() * 1000)
            time.sleep(0.25)
    return came


def lighthouse(installation: Installation, opened: ConsolePage) -> None:
    """Run Lighthouse, installed into a temporary directory, signed in by the cookie."""
    node = node_find(PROJECT, path=os.environ.get("PATH"), say=print)
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in opened.context.cookies())
    with tempfile.TemporaryDirectory() as directory:
        environment = node.environment({**os.environ, "CHROME_PATH": str(CHROMIUM)})
        install = [*node.npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, "lighthouse@13"]
        subprocess.run(install, check=True, env=environment, timeout=300)
        for preset in ("desktop", "mobile"):
            command = [
                str(node.programs / "node"),
                str(Path(directory) / "node_modules" / "lighthouse" / "cli" / "index.js"),
                f"http://127.0.0.1:{installation.port}/",
                "--quiet",
                "--output=json",
                "--chrome-flags=--headless --no-sandbox",
                "--only-categories=performance,accessibility,best-practices",
                f"--extra-headers={json.dumps({'Cookie': cookies})}",
                *(["--preset=desktop"] if preset == "desktop" else []),
            ]
            done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True, timeout=300)
            scores = {name: category["score"] for name, category in json.loads(done.stdout)["categories"].items()}
            row(
                f"Lighthouse, {preset}", ", ".join(f"{100 * score:.0f}" for score in scores.values()), ", ".join(scores)
            )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--lighthouse", action="store_true", help="install Lighthouse and run it, too")
    parser.add_argument("--live", action="store_true", help="measure the live charts alone")
    parser.add_argument("--profile", help="write the processor profile of the live charts to this file, as .cpuprofile")
    parser.add_argument("--heap-minutes", type=int, default=0, help="then follow the heap for so many minutes, too")
    arguments = parser.parse_args()
    if CHROMIUM is None:
        print("Chromium is not installed.")
        return
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as home:
        installation = Installation(Path(home) / "home", settings=SETTINGS)
        installation.start("--no-demo")
        try:
            _run(installation, arguments, CHROMIUM)
        finally:
            installation.stop()


def _run(installation: Installation, arguments: Any, chromium: str) -> None:
    client = installation.organization("Works")
    devices = {}
    for name in ("busy", "quiet"):
        made = client.call(
            f'mutation {{ createDevice(input: {{name: "{name}", externalId: "{name}"}}) {{ device {{ id }} }} }}'
        )
        devices[name] = made.data["createDevice"]["device"]["id"]
    if arguments.live:
        _run_live(installation, client, devices["busy"], arguments, chromium)
        return
    plant = plant_make(client)
    at = instant(datetime.now(tz=UTC) - timedelta(minutes=1))
    client.call(INGEST, {"r": [{"externalId": "quiet", "timestamp": at, "metrics": {"level": 0.0}}]})
    large = installation.organization("Large")
    for start in range(0, arguments.devices, BATCH):
        records = [
            {"record": "entity", "kind": "DEVICE", "name": f"Meter {n:06}", "externalId": f"m-{n:06}", "type": "Meter"}
            for n in range(start, min(start + BATCH, arguments.devices))
        ]
        large.call(IMPORT, {"r": records})
    installation.wait_processed(client)
    print(f"The console, {arguments.devices:,} devices", flush=True)
    with browser_open(chromium) as browser:
        with browser.page(installation, client) as opened:
            opened.page.goto("about:blank")
            empty_fps = opened.page.evaluate(FRAMES, 3000)
            first_load(opened)
            if arguments.lighthouse:
                lighthouse(installation, opened)
            time_bar(opened, plant)
            reading_to_pixel(
                opened, client, devices["quiet"], lambda: subscriber_delays(installation, client, devices["quiet"])
            )
            live(opened, client, devices["busy"], arguments.seconds, empty_fps, profile=arguments.profile)
        with browser.page(installation, large) as opened:
            long_list(opened, arguments.devices, empty_fps)


def _run_live(installation: Installation, client: Client, device: str, arguments: Any, chromium: str) -> None:
    with browser_open(chromium) as browser, browser.page(installation, client) as opened:
        opened.page.goto("about:blank")
        empty_fps = opened.page.evaluate(FRAMES, 3000)
        live(opened, client, device, arguments.seconds, empty_fps, profile=arguments.profile)
        if arguments.heap_minutes > 0:
            live_heap(opened, client, device, arguments.heap_minutes)


if __name__ == "__main__":
    main()
