"""An asset's year over 12 swaps of its device, against one device's own year.

Size: 525,600 points (one a minute) each. Reference: the same read at a device that has the whole year itself, in
the same database, alternately. Prints the median of each and the ratio; the aim is at most 1.5. First point by point;
then, for what is read in buckets, once the hours have been summarized, as they are by running workers.

    python -m benchmarks.asset_year
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from domain.base.packed import Aggregate
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.hourly_build import hours_aggregate, hours_complete_until
from runtime.database import engine_create, transaction
from testing.rows import Plant
from testing.servers import servers_open

BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
SWAPS = 12
ROUNDS = 7

READS: dict[str, dict[str, Any]] = {
    "points, thinned to 1000": {"bucket": None},
    "PT1H means": {"bucket": (0, timedelta(hours=1))},
    "P1D means": {"bucket": (0, timedelta(days=1))},
    "P1M sums": {"bucket": (1, timedelta(0)), "aggregate": Aggregate.SUM},
    "P1D increases": {"bucket": (0, timedelta(days=1)), "aggregate": Aggregate.INCREASE},
    "P1D means over time": {"bucket": (0, timedelta(days=1)), "aggregate": Aggregate.TIME_WEIGHTED_MEAN},
    "P1D medians": {"bucket": (0, timedelta(days=1)), "aggregate": Aggregate.MEDIAN},
}


def minutes_store(engine: Engine, plant: Plant, device_id: UUID, begins: datetime, ends: datetime) -> None:
    with engine.begin() as connection:
        series_id = connection.execute(
            text("INSERT INTO series (organization_id, entity_id, metric) VALUES (:o, :d, 't') RETURNING id"),
            {"o": plant.organization_id, "d": device_id},
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO telemetry_history (organization_id, type, series_id, timestamp, value, raw_id)"
                " SELECT :o, 0, :s, at, random(), 1 FROM generate_series(cast(:b AS timestamptz),"
                " cast(:e AS timestamptz) - interval '1 minute', interval '1 minute') AS at"
            ),
            {"o": plant.organization_id, "s": series_id, "b": begins, "e": ends},
        )


def plant_build(engine: Engine) -> tuple[Plant, tuple[UUID, UUID]]:
    plant = Plant(engine)
    with engine.begin() as connection:
        for month in range(1, 13):
            at = BEGIN.replace(month=month)
            connection.execute(text("SELECT ensure_partition('telemetry_history', :at)"), {"at": at})
    whole, asset = plant.entity("DEVICE"), plant.entity("ASSET")
    minutes_store(engine, plant, whole, BEGIN, END)
    step = (END - BEGIN) / (SWAPS + 1)
    for n in range(SWAPS + 1):
        begins, ends = BEGIN + step * n, BEGIN + step * (n + 1)
        device = plant.entity("DEVICE")
        minutes_store(engine, plant, device, begins, ends)
        plant.link(asset, device, begins=begins, ends=ends if n < SWAPS else None)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return plant, (whole, asset)


def read_ms(engine: Engine, plant: Plant, entity_id: UUID, arguments: dict[str, Any]) -> float:
    with plant.session(engine) as session:
        began = time.perf_counter()
        telemetry_read(
            session,
            organization_id=plant.organization_id,
            entity_ids=[entity_id],
            **{
                "metrics": ["t"],
                "from_": BEGIN,
                "to": END,
                "aggregate": Aggregate.MEAN,
                "timezone": "UTC",
                "max_points": 1000,
                "now": END,
                **arguments,
            },
        )
        return (time.perf_counter() - began) * 1000.0


def hourly_aggregates(engine: Engine, plant: Plant) -> None:
    """Aggregate all hours, and print the cost."""
    with transaction(engine) as session:
        complete_until = hours_complete_until(session)
    hours, is_done = 0, False
    began = time.perf_counter()
    while not is_done:
        with transaction(engine, plant.organization_id) as session:
            built = hours_aggregate(session, organization_id=plant.organization_id, complete_until=complete_until)
        hours, is_done = hours + built.hours, built.is_done
    took_s = time.perf_counter() - began
    print(f"summarizing: {hours} hours of {2 * 525_600} points in {took_s:.1f} s")
    with engine.connect() as connection:
        size = connection.execute(text("SELECT pg_total_relation_size('series_hours')")).scalar_one()
        of_points = connection.execute(
            text(
                "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'telemetry_history'::regclass"
            )
        ).scalar_one()
    print(f"size: hours {size / 1e6:.1f} MB, points {float(of_points) / 1e6:.1f} MB")


def compare(
    engine: Engine, plant: Plant, entities: tuple[UUID, UUID], *, reads: dict[str, dict[str, Any]], how: str
) -> None:
    for name, arguments in reads.items():
        pairs = [[read_ms(engine, plant, e, arguments) for e in entities] for _ in range(ROUNDS)]
        of_device, of_asset = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = of_asset / of_device
        print(f"{name}, {how}: device {of_device:.0f} ms, asset {of_asset:.0f} ms, ratio {ratio:.2f}")


def main() -> None:
    with servers_open("argus-bench-") as servers:
        database = servers.database_create()
        owner, api = engine_create(database.url("owner")), engine_create(database.url("api"))
        plant, entities = plant_build(owner)
        compare(api, plant, entities, reads=READS, how="point by point")
        pipeline = engine_create(database.url("pipeline"))
        hourly_aggregates(pipeline, plant)
        bucketed = {name: arguments for name, arguments in READS.items() if arguments["bucket"]}
        compare(api, plant, entities, reads=bucketed, how="by the hour")
        for engine in (owner, api, pipeline):
            engine.dispose()


if __name__ == "__main__":
    main()
