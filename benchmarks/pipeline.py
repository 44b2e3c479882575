"""The whole pipeline under load, all of it on the same two cores: API, workers, PostgreSQL, Valkey, load generator.

1,000 devices, 10 metrics a reading, calls of 100 readings; each device is linked to an asset that derives one metric.
A steady rate for a minute, by the typed mutation; then each transport for a while; then latency at a quarter of the
rate; then a replay of all that was received. The reference, in the same run, is COPY of the same points into an
identical partitioned and indexed table of the same server.

    python -m benchmarks.pipeline [--points-per-s 50000] [--seconds 60] [--only typed|transports|latency|replay]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

import psycopg

from benchmarks.pipeline_load.bench import CORES, DEVICES, Bench, bench_open, load, machines, percentile
from benchmarks.pipeline_load.bodies import METRICS, TRANSPORTS

WATCHED = 20
DERIVED = {"total": {"sum": {"metric_0": 1, "metric_1": 2}, "maxAge": "PT15M"}}


def copy_reference(bench: Bench) -> tuple[int, float]:
    """Return how many of the stored points COPY takes into an identical table, and in how many seconds."""
    with psycopg.connect(bench.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE reference (LIKE telemetry_history) PARTITION BY RANGE (timestamp)")
        connection.execute("ALTER TABLE reference ADD PRIMARY KEY (organization_id, series_id, timestamp)")
        connection.execute("CREATE TABLE reference_all PARTITION OF reference FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")
        rows = "(SELECT * FROM telemetry_history WHERE raw_id > 0 ORDER BY raw_id LIMIT 2000000)"
        with connection.cursor() as cursor, cursor.copy(f"COPY {rows} TO STDOUT (FORMAT binary)") as reader:
            data = b"".join(bytes(block) for block in reader)
        began_s = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("COPY reference FROM STDIN (FORMAT binary)") as writer:
            writer.write(data)
        spent_s = time.perf_counter() - began_s
        row = connection.execute("SELECT count(*) FROM reference").fetchone()
        connection.execute("DROP TABLE reference")
    assert row is not None
    return int(row[0]), spent_s


def replay(bench: Bench) -> tuple[int, float, int]:
    """Replay everything; return how many points it looked at, the seconds, and the differences."""
    ordered = bench.client.call(
        'mutation { replayTelemetry(input: {from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z"}) '
        "{ replay { id } errors { message } } }"
    ).data["replayTelemetry"]
    query = "query R($id: ID!) { replay(id: $id) { state done changes startedAt finishedAt } }"
    while True:
        row = bench.client.call(query, {"id": ordered["replay"]["id"]}).data["replay"]
        if row["finishedAt"]:
            break
        time.sleep(0.2)
    assert row["state"] == "FINISHED", row
    spent = bench.value(
        "SELECT extract(epoch FROM finished_at - started_at)::float FROM replays ORDER BY created_at DESC LIMIT 1"
    )
    return int(row["done"]) * METRICS, float(spent), int(row["changes"]["points"])


def report(name: str, done: dict[str, Any], copied_per_s: float) -> None:
    """Print one row of a load."""
    offered = done["accepted"] * METRICS / done["seconds"]
    through = done["stored"] / done["spent_s"]
    shares = ", ".join(f"{kind} {share:.2f}" for kind, share in done["cpu"].items())
    answer = done["answer_ms"]
    print(
        f"{name:<28} acknowledged {offered:8,.0f} points/s, end to end {through:8,.0f}"
        f" ({through / copied_per_s:.3f} of COPY); lag {done['lag_s']:.2f} s; derived {done['derived']:,};"
        f" most waiting {done['waiting_most']};"
        f" answer median {statistics.median(answer):.1f} ms, p99 {percentile(answer, 0.99):.1f} ms"
    )
    print(f"{'':<28} cores: {shares}")
    assert done["stored"] == done["accepted"] * METRICS
    assert done["derived"] == done["accepted"]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points-per-s", type=float, default=50_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=("typed", "transports", "latency", "replay"))
    given = parser.parse_args()
    os.sched_setaffinity(0, CORES)
    print(f"{DEVICES} devices, {METRICS} metrics a reading, calls of 100 readings; cores {CORES}", flush=True)
    with bench_open(machines({"derived": DERIVED})) as bench:
        load(bench, transport="typed mutation", points_per_s=given.points_per_s, seconds=3)
        runs: dict[str, dict[str, Any]] = {}
        if given.only in (None, "typed", "replay"):
            seconds = given.seconds
            runs["typed mutation"] = load(
                bench, transport="typed mutation", points_per_s=given.points_per_s, seconds=seconds
            )
        if given.only in (None, "transports"):
            for name in list(TRANSPORTS)[1:]:
                runs[name] = load(bench, transport=name, points_per_s=given.points_per_s, seconds=10)
        rows, copied_s = copy_reference(bench)
        copied_per_s = rows / copied_s
        print(f"{'reference: COPY':<28} {copied_per_s:8,.0f} points/s ({rows:,} points)")
        for name, done in runs.items():
            report(name, done, copied_per_s)
        if given.only in (None, "latency"):
            quarter = load(
                bench,
                transport="typed mutation",
                points_per_s=given.points_per_s / 4,
                seconds=min(given.seconds, 20),
                watched=WATCHED,
            )
            arrivals = quarter["arrival_ms"]
            print(
                f"{'latency at a quarter':<28} call to subscriber: median {statistics.median(arrivals):.0f} ms, p99 "
                f"{percentile(arrivals, 0.99):.0f} ms, max {max(arrivals):.0f} ms (n={len(arrivals)})"
            )
        if given.only in (None, "replay"):
            points, spent_s, differences = replay(bench)
            assert differences == 0
            live = runs.get("typed mutation")
            multiple = "" if live is None else f", {points / spent_s / (live['stored'] / live['spent_s']):.1f} x live"
            print(
                f"{'replay':<28} {points / spent_s:8,.0f} points/s ({points:,} points, 0 differences), "
                f"{points / spent_s / copied_per_s:.2f} of COPY{multiple}"
            )


if __name__ == "__main__":
    main()
