"""Ingest accounting from counters, against counting the raw log: milliseconds a read.

    python -m benchmarks.ingest_accounting [readings, 1,000,000] [readings a batch, 100] [days, 30]

The log is filled by SQL, as the pipeline would have left it. Both ways are asked for the same ranges and must agree.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.plant.organizations.operations import organization_create
from domain.telemetry.ingest.accounting import IngestCounts, ingest_counts
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from testing.ingest_counts import COUNTED_SQL
from testing.servers import servers_open

RUNS = 9
COUNT = text(COUNTED_SQL)
BATCHES = """
    INSERT INTO raw_batches (organization_id, id, partition, transport, received_at, first_raw_id, last_raw_id,
        readings, bytes)
    SELECT :o, n, n % 4, 'http', cast(:begins AS timestamptz) + n * cast(:step AS interval), (n - 1) * :size + 1,
        n * :size, :size, 1 FROM generate_series(1, :batches) n
"""
READINGS = """
    INSERT INTO telemetry_raw (organization_id, id, batch_id, device_id, timestamp, received_at, key, metrics)
    SELECT :o, i, b.id, md5((i % 1000)::text)::uuid, b.received_at, b.received_at, md5(i::text)::uuid, '{"t"\\:1}'
    FROM raw_batches b CROSS JOIN LATERAL generate_series(b.first_raw_id, b.last_raw_id) i
"""
# One in twenty is dead.
KEYS = """
    INSERT INTO reading_keys (organization_id, device_id, key, raw_id, received_at, stored)
    SELECT organization_id, device_id, key, id, received_at, id % 20 > 0 FROM telemetry_raw
"""
FINISH = """
    UPDATE raw_batches SET normalized_at = received_at, stored = :size - (last_raw_id / 20 - (first_raw_id - 1) / 20),
        dead = last_raw_id / 20 - (first_raw_id - 1) / 20
    WHERE id <= :finished
"""


def fill(session: Session, organization_id: int, *, batches: int, size: int, begins: datetime, days: int) -> None:
    """Fill the log: `batches` of `size` readings each, evenly over the days; the last ten batches wait."""
    for day in range(days + 1):
        at = begins + timedelta(days=day)
        session.execute(
            text("SELECT ensure_partition('telemetry_raw', :at), ensure_partition('raw_batches', :at)"), {"at": at}
        )
    step = timedelta(days=days) / (batches + 1)
    session.execute(
        text(BATCHES), {"o": organization_id, "begins": begins, "step": step, "size": size, "batches": batches}
    )
    session.execute(text(READINGS), {"o": organization_id})
    session.execute(text(KEYS))
    session.execute(text(FINISH), {"size": size, "finished": batches - 10})


def ms(work: Callable[[], object], runs: int) -> float:
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken)


def main() -> None:
    total, size, days = (int(given) for given in (*sys.argv[1:], *("1000000", "100", "30")[len(sys.argv) - 1 :]))
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    with servers_open("argus-bench-") as servers:
        database = servers.database_create()
        owner = engine_create(database.url("owner"))
        with transaction(owner) as session:
            organization = organization_create(session, name="Account", public_id=new_id(), now=utc_now()).id
        began = time.perf_counter()
        with transaction(owner, organization) as session:
            fill(session, organization, batches=total // size, size=size, begins=begins, days=days)
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("telemetry_raw", "raw_batches", "reading_keys", "ingest_accounting"):
                connection.execute(text(f"VACUUM ANALYZE {table}"))
        print(
            f"{total} readings in {total // size} batches over {days} days;"
            f" filled in {time.perf_counter() - began:.0f} s"
        )
        api = engine_create(database.url("api"))
        cut = begins + timedelta(hours=7, minutes=11, seconds=13)
        for name, since, until in (
            ("all", begins, None),
            ("cut at both ends", cut, begins + timedelta(days=days) - (cut - begins)),
        ):
            ends = until or begins + timedelta(days=days + 1)

            def counters(since: datetime = since, until: datetime | None = until) -> IngestCounts:
                with transaction(api, organization) as session:
                    return ingest_counts(session, organization_id=organization, from_=since, to=until)

            def counted(since: datetime = since, ends: datetime = ends) -> IngestCounts:
                with transaction(owner, organization) as session:
                    row = session.execute(COUNT, {"o": organization, "begins": since, "ends": ends}).one()
                    return IngestCounts(row.received, row.stored, row.duplicate, row.dead, row.pending)

            began = time.perf_counter()
            expected = counted()
            slow = (time.perf_counter() - began) * 1_000
            assert counters() == expected
            fast = ms(counters, RUNS)
            print(f"{name:18} counters {fast:8.1f} ms   raw log {slow:10.1f} ms   ratio {slow / fast:8.0f}")
        for engine in (owner, api):
            engine.dispose()


if __name__ == "__main__":
    main()
