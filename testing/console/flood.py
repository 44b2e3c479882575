"""A flood of alarms that the server raises, and what a page does meanwhile: long tasks, rows that move, requests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from testing.console.browser import ConsolePage
from testing.console.plant import change, instant
from testing.installation import Client

_IMPORT: Final = "mutation I($r: [JSON!]!) { importGraph(records: $r) { errors { message } } }"
_INGEST: Final = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }"
_BATCH: Final = 1_000
_TICK_S: Final = 0.5
# Tasks above 50 ms are what a browser calls long; shorter ones it does not report.
WATCH: Final = """() => {
  window.tasks = [];
  window.taskObserver = new PerformanceObserver(list =>
    window.tasks.push(...list.getEntries().map(entry => entry.duration)));
  window.taskObserver.observe({type: 'longtask'});
  window.orders = [];
  window.looking = setInterval(() => window.orders.push(
    [...document.querySelectorAll('[role=grid] .grid-row')]
      .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
      .map(row => row.id)), 100);
}"""
UNWATCH: Final = "() => { window.taskObserver.disconnect(); clearInterval(window.looking); }"


@dataclass(frozen=True, slots=True)
class Watched:
    """What a page did while it was watched. tasks_ms: those of more than 50 ms. orders: of its rows, each once."""

    tasks_ms: list[float]
    orders: list[tuple[str, ...]]


def meters_make(client: Client, count: int) -> str:
    """Make meters and a rule over all of them; return the rule's id."""
    for start in range(0, count, _BATCH):
        records = [
            {"record": "entity", "kind": "DEVICE", "name": f"Meter {n:04}", "externalId": f"m-{n}", "type": "Meter"}
            for n in range(start, min(start + _BATCH, count))
        ]
        assert client.call(_IMPORT, {"r": records}).data["importGraph"]["errors"] == []
    rule = {
        "name": "Load too high",
        "severity": "HIGH",
        "scope": {"kind": "DEVICE", "type": "Meter"},
        "condition": {"threshold": {"metric": "load", "operator": "GT", "value": 80}},
        "effectiveFrom": "2026-01-01T00:00:00Z",
    }
    made = change(client, "createRule", "$i: RuleInput!|input: $i", "rule { id }", {"i": rule})
    rule_id: str = made["id"]
    return rule_id


def load_send(client: Client, first: int, last: int, value: float) -> None:
    """Send one reading of each of the meters [first, last)."""
    at = instant(datetime.now(tz=UTC))
    readings = [{"externalId": f"m-{n}", "timestamp": at, "metrics": {"load": value}} for n in range(first, last)]
    answer = client.call(_INGEST, {"r": readings}).data["ingestTelemetry"]
    assert answer == {"accepted": last - first, "errors": []}


def flood_send(client: Client, first: int, last: int, seconds: float) -> None:
    """Have an alarm open at each of the meters [first, last), spread evenly over so many seconds."""
    began, sent, count = time.monotonic(), first, last - first
    while sent < last:
        elapsed = time.monotonic() - began
        due = min(last, first + 1 + int(count * elapsed / seconds)) if seconds > 0 else last
        if due > sent:
            load_send(client, sent, min(due, sent + _BATCH), 95.0)
            sent = min(due, sent + _BATCH)
        time.sleep(_TICK_S if seconds > 0 else 0)


def alarms_open(client: Client) -> int:
    """Return how many alarms are open and not acknowledged."""
    count: int = client.call("{ events(filter: {states: [OPEN]}, first: 0) { totalCount } }").data["events"][
        "totalCount"
    ]
    return count


def watched(opened: ConsolePage) -> Watched:
    """Return what a page did since WATCH was run in it."""
    opened.page.evaluate(UNWATCH)
    orders = {tuple(order): None for order in opened.page.evaluate("window.orders")}
    return Watched(opened.page.evaluate("window.tasks"), list(orders))
