"""A flood of alarms in the console: a rule over 2,000 devices opens one at each within a minute.

A whole `argus up` on this machine, which the browser shares. Says how long the longest task was of each page that
follows alarms, whether a row moved under the focus, and how many requests acknowledging all of them took.

    python -m benchmarks.console_flood [--alarms N] [--seconds N] [--only TEXT]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testing.console.browser import Browser, ConsolePage, browser_open
from testing.console.flood import WATCH, alarms_open, flood_send, load_send, meters_make, watched
from testing.installation import Client, Installation

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SETTINGS = {"ARGUS_RATE_TOKEN_PER_S": "0", "ARGUS_RATE_ADDRESS_PER_S": "0", "ARGUS_WORK_TOKEN_PER_S": "0"}
LONGEST_MS = 200


@dataclass(frozen=True, slots=True)
class Scene:
    """A page that is open during the flood. has_focus: its list has the focus, and may not move then."""

    name: str
    route: str
    has_focus: bool = True


SCENES = (
    Scene("alarms in one list, nobody at it", "/alarms?group=none", has_focus=False),
    Scene("alarms in one list, with the focus in it", "/alarms?group=none"),
    Scene("alarms by asset, nobody at the list", "/alarms", has_focus=False),
    Scene("alarms by rule, with the focus in the list", "/alarms?group=rule"),
    Scene("alarms by space, nobody at the list", "/alarms?group=space", has_focus=False),
    Scene("overview", "/", has_focus=False),
)


def row(name: str, value: str, reference: str = "") -> None:
    """Print one figure."""
    print(f"  {name:<58}{value:>22}  {reference}", flush=True)


def said(longest_ms: float) -> str:
    """Return the longest task in words: a browser reports none of up to 50 ms."""
    return f"{longest_ms:.0f} ms" if longest_ms > 0 else "at most 50 ms"


def wait_open(client: Client, count: int) -> float:
    """Wait until so many alarms are open; return for how long."""
    began = time.monotonic()
    while alarms_open(client) < count:
        time.sleep(0.2)
    return time.monotonic() - began


def clear(client: Client, alarms: int) -> None:
    """Let the alarms clear, so that the next flood opens others."""
    for first in range(0, alarms, 1_000):
        load_send(client, first, min(alarms, first + 1_000), 20.0)
    while alarms_open(client) > 0:
        time.sleep(0.2)


def flood(client: Client, opened: ConsolePage, scene: Scene, alarms: int, seconds: float) -> None:
    """Open a page, have the alarms open, and print what the page did."""
    load_send(client, 0, 20, 95.0)
    wait_open(client, 20)
    opened.open(scene.route)
    opened.wait_idle()
    if scene.has_focus:
        opened.page.locator("[role=grid]").focus()
    opened.page.evaluate(WATCH)
    requested = len(opened.operations())
    sender = threading.Thread(target=flood_send, args=(client, 20, alarms, seconds))
    sender.start()
    while sender.is_alive():
        # Playwright's events are handled while it waits.
        opened.page.wait_for_timeout(250)
    delay = wait_open(client, alarms)
    opened.page.wait_for_timeout(2_500)
    during = len(opened.operations()) - requested
    seen = watched(opened)
    longest = max(seen.tasks_ms, default=0.0)
    row(f"{scene.name}: longest task", said(longest), f"goal: at most {LONGEST_MS} ms")
    row("  tasks above 50 ms, above 200 ms", f"{len(seen.tasks_ms)}, {sum(t > LONGEST_MS for t in seen.tasks_ms)}")
    row("  requests meanwhile", f"{during}", f"all alarms were open {delay:.1f} s after the last reading")
    if scene.has_focus:
        row("  orders of the rows under the focus", f"{len(seen.orders)}")
        opened.page.evaluate("document.activeElement.blur()")
        opened.page.mouse.move(2, 2)
        opened.page.evaluate(WATCH)
        opened.page.wait_for_timeout(2_000)
        row("  letting go: longest task", said(max(watched(opened).tasks_ms, default=0.0)))


def acknowledge_all(client: Client, opened: ConsolePage, alarms: int) -> None:
    """Acknowledge all alarms by the list's button, and print what that took."""
    opened.open("/alarms")
    opened.wait_idle()
    opened.page.get_by_role("button", name="Acknowledge all …").click()
    opened.page.get_by_role("button", name=f"Acknowledge {alarms:,} alarms").wait_for()
    opened.page.evaluate(WATCH)
    requested = len(opened.operations())
    began = time.monotonic()
    opened.page.get_by_role("button", name=f"Acknowledge {alarms:,} alarms").click()
    opened.page.get_by_text(f"{alarms:,} alarms acknowledged.").wait_for(timeout=60_000)
    took = time.monotonic() - began
    opened.page.wait_for_timeout(3_000)
    marks = opened.operations()[requested:].count("AcknowledgeAlarms")
    row(f"acknowledging all {alarms:,}: requests, until it is said", f"{marks}, {1000 * took:.0f} ms")
    row("  longest task", said(max(watched(opened).tasks_ms, default=0.0)), f"{alarms_open(client)} left open")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="", help="measure only the pages whose name has this text, e.g. overview")
    arguments = parser.parse_args()
    if CHROMIUM is None:
        print("Chromium is not installed.")
        return
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as home:
        installation = Installation(Path(home) / "home", settings=SETTINGS)
        installation.start("--no-demo")
        try:
            with browser_open(CHROMIUM) as browser:
                scenes = [scene for scene in SCENES if arguments.only in scene.name]
                _run(installation, browser, scenes, arguments.alarms, arguments.seconds)
        finally:
            installation.stop()


def _run(installation: Installation, browser: Browser, scenes: Sequence[Scene], alarms: int, seconds: float) -> None:
    client = installation.organization("Flooded")
    meters_make(client, alarms)
    print(f"The console, {alarms:,} alarms in {seconds:.0f} s", flush=True)
    with browser.page(installation, client) as opened:
        for number, scene in enumerate(scenes):
            if number > 0:
                clear(client, alarms)
            flood(client, opened, scene, alarms, seconds)
        acknowledge_all(client, opened, alarms)


if __name__ == "__main__":
    main()
