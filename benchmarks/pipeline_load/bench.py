"""A running Argus under load, and what it takes to measure it: load generator, CPU of each part, percentiles."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks.pipeline_load.bodies import Device
from runtime.settings.load import settings_load
from testing.installation import PROJECT, Client, Installation

DEVICES = 1_000
CORES = (0, 1)
KINDS = {
    "API": "argus api",
    "workers": "argus worker",
    "PostgreSQL": "postgres",
    "Valkey": "valkey",
    "load generator": "pipeline_load",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A running plant with its devices."""

    installation: Installation
    client: Client
    devices: list[Device]
    dsn: str

    def value(self, statement: str) -> Any:
        """Return one value, read as the owner of the tables."""
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]

    def waiting(self) -> int:
        """Return how many batches and dirty windows wait."""
        return int(
            self.value(
                "SELECT (SELECT count(*) FROM raw_batches WHERE normalized_at IS NULL)"
                " + (SELECT count(*) FROM dirty_windows)"
            )
        )

    def points(self) -> tuple[int, int]:
        """Return how many points are stored: of devices, and derived."""
        return (
            int(self.value("SELECT count(*) FROM telemetry_history WHERE raw_id > 0")),
            int(self.value("SELECT count(*) FROM telemetry_history WHERE raw_id = 0")),
        )


def machines(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of an asset for each device, linked to it, of a type with this telemetry schema."""
    records: list[dict[str, Any]] = [
        {"record": "entityType", "kind": "ASSET", "name": "machine", "telemetrySchema": schema}
    ]
    for n in range(DEVICES):
        records += [
            {"record": "entity", "kind": "ASSET", "externalId": f"a{n}", "name": f"A {n}", "type": "machine"},
            {"record": "edge", "source": f"a{n}", "relationship": "MONITORED_BY", "target": f"d{n}",
             "validFrom": "2020-01-01T00:00:00Z"},
        ]  # fmt: skip
    return records


@contextmanager
def bench_open(records: Sequence[dict[str, Any]]) -> Iterator[Bench]:
    """Start a plant with DEVICES devices and the records of an import."""
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
        installation = Installation(Path(directory) / "home")
        installation.start("--no-demo")
        try:
            client = installation.organization("Bench")
            graph = Path(directory) / "graph.ndjson"
            devices = [
                {"record": "entity", "kind": "DEVICE", "externalId": f"d{n}", "name": f"Device {n}"}
                for n in range(DEVICES)
            ]
            graph.write_text("\n".join(map(json.dumps, [*devices, *records])))
            installation.run("import", "graph", str(graph), "--organization", "bench")
            url = make_url(settings_load(installation.home).database_url("owner")).set(drivername="postgresql")
            dsn = url.render_as_string(hide_password=False)
            with psycopg.connect(dsn) as connection:
                rows = connection.execute("SELECT id::text, external_id FROM entities WHERE kind = 'DEVICE'").fetchall()
            assert len(rows) == DEVICES
            yield Bench(installation, client, [(row[0], row[1]) for row in rows], dsn)
        finally:
            installation.stop()


def load(bench: Bench, *, transport: str, points_per_s: float, seconds: float, watched: int = 0) -> dict[str, Any]:
    """Run the load generator, wait until all is derived; return its results, with the lag and the CPU used."""
    order = {
        "url": f"http://127.0.0.1:{bench.installation.port}",
        "token": bench.client.token,
        "devices": bench.devices,
        "transport": transport,
        "points_per_s": points_per_s,
        "seconds": seconds,
        # Of every call some.
        "watched": [device for device, _ in bench.devices[:: DEVICES // watched]] if watched else [],
    }
    before = bench.points()
    began = cpu(bench.installation)
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.pipeline_load.generator", json.dumps(order)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    most = 0
    while process.poll() is None and process.stdout is not None and not _has_output(process):
        most = max(most, bench.waiting())
        time.sleep(0.5)
    ended_s = time.perf_counter()
    results: dict[str, Any] = json.loads(process.communicate()[0])
    while bench.waiting():
        time.sleep(0.02)
    lag_s = time.perf_counter() - ended_s
    spent_s = time.perf_counter() - began_s
    after = bench.points()
    used = cpu(bench.installation)
    return {
        **results,
        "lag_s": lag_s,
        "waiting_most": most,
        "stored": after[0] - before[0],
        "derived": after[1] - before[1],
        "spent_s": results["seconds"] + lag_s,
        "cpu": {kind: (used[kind] - began[kind]) / spent_s for kind in KINDS if kind != "load generator"},
    }


def _has_output(process: subprocess.Popen[str]) -> bool:
    """Return whether the generator has written its answer: it waits in the pipe, which may hold less than all of it."""
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], 0)[0])


def cpu(installation: Installation) -> dict[str, float]:
    """Return the seconds of CPU that the processes of each kind have used; of children that ended, too."""
    tick = os.sysconf("SC_CLK_TCK")
    used = dict.fromkeys(KINDS, 0.0)
    for kind, marker in KINDS.items():
        for pid in installation.children(marker):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            used[kind] += sum(map(int, fields[11:15])) / tick
    return used


def percentile(values: list[float], share: float) -> float:
    """Return a percentile of the values."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
