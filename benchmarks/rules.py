"""What rules, formulas and rollups cost the pipeline, and how fast an event comes. All on the same two cores.

The plant of `pipeline.py`: 1,000 devices, 10 metrics a reading, calls of 100 readings, each device linked to an asset
with one derived metric. The reference, in the same run: that plant, at the rate asked for. Then another with 1,000
rules, one for each asset, two formulas for each asset and a rollup up three levels (line, hall, site). Then, at a
quarter of what went through with all of that, readings that pass a threshold: from the call to its evaluating, to the
event at the subscriber, and to the activity in the database.

    python -m benchmarks.rules [--points-per-s 50000] [--seconds 30] [--only load|latency]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks.pipeline_load.bench import CORES, DEVICES, Bench, bench_open, load, machines, percentile
from benchmarks.pipeline_load.bodies import METRICS

PLAIN = {"derived": {"total": {"sum": {"metric_0": 1, "metric_1": 2}, "maxAge": "PT15M"}}}
RICH = {
    "derived": {
        "total": {"formula": "metric_0 + metric_1 * 2"},
        "balance": {"formula": "total > 0 ? (metric_2 - metric_3) / total : 0"},
    }
}
LINES, HALLS = 100, 10
# No reading of the load is as great; those that are sent for it are.
LIMIT, BEYOND = 1e9, 2e9
ROUNDS = 200
ROUND_S = 0.1
# The first results do not count: nothing is cached of any device yet.
WARM_S = 8.0


def levels() -> list[dict[str, Any]]:
    """Return the records of ten machines a line, ten lines a hall, ten halls on the site."""
    records: list[dict[str, Any]] = [{"record": "entity", "kind": "ASSET", "externalId": "site", "name": "Site"}]
    for prefix, number, above, of in (("hall", HALLS, "site", HALLS), ("line", LINES, "hall", HALLS)):
        for n in range(number):
            upper = above if above == "site" else f"{above}{n // of}"
            records += [
                {"record": "entity", "kind": "ASSET", "externalId": f"{prefix}{n}", "name": f"{prefix} {n}"},
                _part(upper, f"{prefix}{n}"),
            ]
    return records + [_part(f"line{n // (DEVICES // LINES)}", f"a{n}") for n in range(DEVICES)]


def _part(upper: str, lower: str) -> dict[str, Any]:
    since = "2020-01-01T00:00:00Z"
    return {"record": "edge", "source": upper, "relationship": "HAS_PART", "target": lower, "validFrom": since}


def configure(bench: Bench) -> None:
    """Make the rules, the template their action names, and the rollup."""
    template = bench.client.call(
        'mutation { createActivityTemplate(input: {name: "Look"}) { activityTemplate { id } errors { message } } }'
    ).data["createActivityTemplate"]["activityTemplate"]["id"]
    with psycopg.connect(bench.dsn) as connection:
        ids: dict[str, str] = dict(
            connection.execute("SELECT external_id, id::text FROM entities WHERE kind = 'ASSET'").fetchall()
        )
    create = "mutation R($i: RuleInput!) { createRule(input: $i) { errors { code message path } } }"
    for n in range(DEVICES):
        rule = {
            "name": f"Rule {n}",
            "scope": {"entityId": ids[f"a{n}"]},
            "condition": {"threshold": {"metric": "metric_0", "operator": "GT", "value": LIMIT}},
            "action": {"createActivityFromTemplateId": template},
        }
        done = bench.client.call(create, {"i": rule}).data["createRule"]
        assert done["errors"] == [], done
    rollup = bench.client.call(
        """mutation { createRollup(input: {name: "Total", metric: "total_sum", relationship: "HAS_PART",
           bucket: "PT1H", aggregate: SUM, of: {metric: "total", kinds: [ASSET], types: ["machine"]}})
           { errors { code message path } } }"""
    ).data["createRollup"]
    assert rollup["errors"] == [], rollup


class Watcher:
    """Subscribed to events; notes when an entity's event first arrives, even if it has ended by then."""

    def __init__(self, bench: Bench) -> None:
        self.remarks: dict[str, float] = {}
        url = bench.client.url.replace("http", "ws", 1)
        self._socket = connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None, legacy=True)
        self._socket.send(
            json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {bench.client.token}"}})
        )
        self._socket.recv()
        query = "subscription { events { id openedAt entity { externalId } } }"
        self._socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        time.sleep(1.0)

    def _run(self) -> None:
        while True:
            try:
                message = json.loads(self._socket.recv(timeout=10.0))
            except TimeoutError:
                return
            if message["type"] == "ping":
                self._socket.send('{"type": "pong"}')
                continue
            event = message["payload"]["data"]["events"]
            self.remarks.setdefault(event["entity"]["externalId"], time.time())

    def close(self) -> None:
        """Stop listening once no more messages arrive."""
        self._thread.join()
        self._socket.close()


def latency(bench: Bench, *, points_per_s: float) -> None:
    """Print how long after the call an event arrives and its activity exists."""
    watcher = Watcher(bench)
    seconds = ROUNDS * ROUND_S + WARM_S + 2
    loaded: list[dict[str, Any]] = []

    def run() -> None:
        loaded.append(load(bench, transport="typed mutation", points_per_s=points_per_s, seconds=seconds))

    background = threading.Thread(target=run)
    background.start()
    time.sleep(WARM_S)
    mutation = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    called: dict[str, float] = {}
    answered: list[float] = []
    for n in range(ROUNDS):
        device = n * (DEVICES // ROUNDS)
        called[f"a{device}"] = began = time.time()
        at = datetime.fromtimestamp(began, UTC).isoformat()
        reading = {"externalId": f"d{device}", "timestamp": at, "metrics": {"metric_0": BEYOND}}
        assert bench.client.call(mutation, {"r": [reading]}).data["ingestTelemetry"]["accepted"] == 1
        answered.append((time.time() - began) * 1000)
        time.sleep(max(0.0, began + ROUND_S - time.time()))
    background.join()
    watcher.close()
    print(f"  beside {points_per_s:,.0f} points/s; cores: {_shares(loaded[0])}", flush=True)
    with psycopg.connect(bench.dsn) as connection:
        first = connection.execute(
            "SELECT t.external_id, min(extract(epoch FROM e.detected_at))::float FROM events e JOIN entities t"
            " ON t.organization_id = e.organization_id AND t.id = e.entity_id GROUP BY 1"
        ).fetchall()
    to_detection = [(detected_s - called[name]) * 1000 for name, detected_s in first if name in called]
    to_event = [(watcher.remarks[name] - began) * 1000 for name, began in called.items() if name in watcher.remarks]
    with psycopg.connect(bench.dsn) as connection:
        rows = connection.execute(
            "SELECT t.external_id, extract(epoch FROM lower(e.recorded))::float FROM entity_edges e"
            " JOIN entities t ON t.organization_id = e.organization_id AND t.id = e.target_id"
            " WHERE e.relationship = 'TARGETS'"
        ).fetchall()
    to_activity = [(created_s - called[name]) * 1000 for name, created_s in rows if name in called]
    every = {
        "answer": answered,
        "detection": to_detection,
        "event at the subscriber": to_event,
        "activity": to_activity,
    }
    for what, delays_ms in every.items():
        print(
            f"call to {what:<24} p50 {statistics.median(delays_ms):.0f} ms, p99 {percentile(delays_ms, 0.99):.0f} ms,"
            f" max {max(delays_ms):.0f} ms ({len(delays_ms)} of {len(called)})",
            flush=True,
        )


def through(bench: Bench, *, points_per_s: float, seconds: float) -> float:
    """Return the points/s that go all the way at the rate asked for."""
    load(bench, transport="typed mutation", points_per_s=points_per_s, seconds=3)
    done = load(bench, transport="typed mutation", points_per_s=points_per_s, seconds=seconds)
    through_per_s: float = done["stored"] / done["spent_s"]
    acknowledged = done["accepted"] * METRICS / done["seconds"]
    print(
        f"  acknowledged {acknowledged:,.0f} points/s, end to end {through_per_s:,.0f}; lag {done['lag_s']:.2f} s;"
        f" derived {done['derived']:,}; cores: {_shares(done)}",
        flush=True,
    )
    return through_per_s


def _shares(done: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {share:.2f}" for kind, share in done["cpu"].items())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points-per-s", type=float, default=50_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", choices=("load", "latency"))
    given = parser.parse_args()
    os.sched_setaffinity(0, CORES)
    print(f"{DEVICES} devices, {METRICS} metrics a reading, calls of 100 readings; cores {CORES}", flush=True)
    plain = 0.0
    if given.only != "latency":
        print("reference: one derived metric an asset, no rules, no rollup")
        with bench_open(machines(PLAIN)) as bench:
            plain = through(bench, points_per_s=given.points_per_s, seconds=given.seconds)
    print("two formulas an asset, a rule an asset, a rollup of three levels")
    with bench_open([*machines(RICH), *levels()]) as bench:
        configure(bench)
        rich = given.points_per_s
        if given.only != "latency":
            rich = through(bench, points_per_s=given.points_per_s, seconds=given.seconds)
            print(f"ratio {rich / plain:.2f}", flush=True)
        if given.only != "load":
            latency(bench, points_per_s=rich / 4)


if __name__ == "__main__":
    main()
