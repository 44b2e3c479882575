"""The floor of the pipeline: points/s of accept and append, and of normalize, in one process and without a bus.

1,000 devices, 10 metrics a reading, calls of 100 readings. The reference is COPY of the same points into an empty
table with the columns and the index of telemetry_history, in the same run. PostgreSQL without fsync.
--schema: the devices' type has a telemetry schema of all metrics, with type, range and conversion of units.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, text

from domain.base.leases import lease_acquire
from domain.base.packed import micros_of
from domain.configuration.entity_types.operations import entity_type_create
from domain.derivation.dependencies.index import DependencyCache
from domain.pipeline.normalize.stage import batches_normalize
from domain.pipeline.normalize.work import StageRun
from domain.telemetry.ingest.accept import readings_accept
from domain.telemetry.model.readings import Devices, KnownDevice, RawBatch, ReadingDraft
from domain.telemetry.model.stage_cache import StageCache
from domain.telemetry.store.raw_log import ReadingGroup, raw_append, raw_partition_ensure
from graph.kinds import EntityKind
from runtime.database import engine_create, transaction
from testing.servers import TestDatabase, servers_open
from testing.world import world_create

DEVICES = 1_000
METRICS = [f"metric_{n}" for n in range(10)]
CALL = 100
CALLS = 400
BATCHES_PER_TRANSACTION = 32
TTL = timedelta(minutes=10)


def devices_make(owner: Engine, api: Engine, *, has_schema: bool) -> tuple[int, list[UUID]]:
    world = world_create(owner=owner, api=api, slug="bench")
    if has_schema:
        metric = {"type": "NUMBER", "unit": "Pa", "sentUnit": "kPa", "min": 0, "max": 1e6}
        schema = {"metrics": dict.fromkeys(METRICS, metric)}
        with world.changing() as (session, change):
            entity_type_create(
                session,
                change=change,
                kind=EntityKind.DEVICE,
                name="Probe",
                telemetry_schema=schema,
                effective_from=datetime(2020, 1, 1, tzinfo=UTC),
            )
    ids = world.entities(EntityKind.DEVICE, DEVICES, "Probe" if has_schema else None)
    with transaction(owner) as session:
        session.execute(text("INSERT INTO devices (organization_id, id) SELECT organization_id, id FROM entities"))
    return world.organization_id, list(ids)


def ingest(
    engine: Engine, organization_id: int, ids: list[UUID], now: datetime, calls: list[list[ReadingDraft]]
) -> list[RawBatch]:
    """Accept and append each call in a separate transaction."""
    devices = Devices({str(device_id): KnownDevice(device_id, 0) for device_id in ids}, {})
    batches: list[RawBatch] = []
    for call in calls:
        accepted = readings_accept(call, devices=devices, own=None, now_us=micros_of(now))
        groups = [ReadingGroup(organization_id, p, "bench", columns) for p, columns in accepted.by_partition.items()]
        with transaction(engine) as session:
            batches += raw_append(session, groups=groups, received_us=micros_of(now))
    return batches


def normalize(engine: Engine, organization_id: int, batches: list[RawBatch], run: StageRun, now: datetime) -> int:
    points = 0
    for first in range(0, len(batches), BATCHES_PER_TRANSACTION):
        with transaction(engine, organization_id) as session:
            done = batches_normalize(
                session,
                organization_id=organization_id,
                batches=batches[first : first + BATCHES_PER_TRANSACTION],
                run=run,
                now=now,
            )
        run.stage_cache.keep(done.notes)
        points += done.points
    return points


def copy(engine: Engine) -> float:
    """Return the seconds COPY takes for the points that are in history."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE reference (LIKE telemetry_history)")
        connection.exec_driver_sql("CREATE UNIQUE INDEX ON reference (organization_id, series_id, timestamp)")
        cursor = connection.connection.cursor()
        with cursor.copy(
            "COPY telemetry_history_x TO STDOUT (FORMAT binary)".replace(
                "telemetry_history_x", "(SELECT * FROM telemetry_history ORDER BY raw_id)"
            )
        ) as reader:
            data = b"".join(bytes(block) for block in reader)
        began_s = time.perf_counter()
        with cursor.copy("COPY reference FROM STDIN (FORMAT binary)") as writer:
            writer.write(data)
    return time.perf_counter() - began_s


def calls_make(ids: list[UUID], now: datetime) -> list[list[ReadingDraft]]:
    random.seed(1)
    begin = now - timedelta(hours=1)
    return [
        [
            ReadingDraft(
                device_id=str(ids[(call * CALL + n) % DEVICES]),
                timestamp=(begin + timedelta(milliseconds=call * CALL + n)).isoformat(),
                metrics={name: random.random() * 100 for name in METRICS},
            )
            for n in range(CALL)
        ]
        for call in range(CALLS)
    ]


def main() -> None:
    with servers_open("argus-bench-") as servers:
        measure(servers.database_create(), is_profiled="--profile" in sys.argv)


def measure(database: TestDatabase, *, is_profiled: bool) -> None:
    engines = {role: engine_create(database.url(role)) for role in ("owner", "api", "ingest", "pipeline")}
    organization_id, ids = devices_make(engines["owner"], engines["api"], has_schema="--schema" in sys.argv)
    now = datetime.now(UTC)
    with transaction(engines["ingest"]) as session:
        raw_partition_ensure(session, at=now)
    calls = calls_make(ids, now)
    total = CALLS * CALL * len(METRICS)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    batches = ingest(engines["ingest"], organization_id, ids, now, calls)
    report("accept and append", total, time.perf_counter() - began_s, time.process_time() - began_cpu_s)
    with transaction(engines["pipeline"]) as session:
        lease = lease_acquire(session, stage="normalize", partition=0, holder="bench", ttl=TTL)
    assert lease is not None
    run = StageRun(lease, TTL, timedelta(minutes=5), StageCache(), DependencyCache())
    profile = cProfile.Profile()
    if is_profiled:
        profile.enable()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    points = normalize(engines["pipeline"], organization_id, batches, run, now)
    spent_s = time.perf_counter() - began_s
    profile.disable()
    report("normalize", points, spent_s, time.process_time() - began_cpu_s)
    copied_s = copy(engines["owner"])
    report("COPY (reference)", points, copied_s, 0.0)
    print(f"normalize is {copied_s / spent_s:.2f} of COPY")
    if is_profiled:
        out = io.StringIO()
        pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(25)
        print(out.getvalue())
    for engine in engines.values():
        engine.dispose()


def report(what: str, points: int, spent_s: float, cpu_s: float) -> None:
    print(f"{what:20} {points:8} points {spent_s:7.2f} s {points / spent_s:10,.0f} points/s; Python {cpu_s:.2f} s")


if __name__ == "__main__":
    main()
