"""What it costs to compute a bucket that is written to all the time, against computing it whole.

Size: a site above 1,000 machines, in 20 lines, one hour of 1,900 points of each. Reference: the same bucket computed
from its points alone, in the same database, in alternation: all partial aggregates are deleted before. Between two
rounds each machine sends four points. Prints the median of each and the ratio, by one rollup and by two that share what
is read; then with one machine that is late each round.

    python -m benchmarks.live_bucket
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from domain.derivation.rollups.model import RollupAggregate
from graph.kinds import EntityKind
from runtime.database import engine_create
from testing.line import NOW, Line
from testing.rollup_plant import HOUR, RollupPlant
from testing.servers import servers_open
from testing.world import world_create

MACHINES, LINES, POINTS, NEW = 1_000, 20, 1_900, 4
ROUNDS = 5
BEGIN = NOW - HOUR
STEP = HOUR / (POINTS + 2 * NEW * (ROUNDS + 5) * 4)
_POINTS = text(
    "INSERT INTO telemetry_history (organization_id, type, series_id, timestamp, value, raw_id)"
    " SELECT s.organization_id, 0, s.id, :at + n * CAST(:step AS interval), random(), 1"
    " FROM series s, generate_series(CAST(:first AS integer), :until - 1) n"
    " WHERE s.organization_id = :o AND s.metric = 'power' AND (CAST(:e AS uuid) IS NULL OR s.entity_id = :e)"
    " ON CONFLICT (organization_id, series_id, timestamp) DO UPDATE SET value = excluded.value"
)


class Site:
    """A site, its lines and machines, and how many points each machine has by now."""

    def __init__(self, plant: RollupPlant) -> None:
        self.plant, self.sent = plant, 0
        world = plant.line.world
        site = world.entity(EntityKind.ASSET, "site")
        lines = world.entities(EntityKind.ASSET, LINES, "line")
        self.machines: list[UUID] = []
        # That of the first machine.
        self.device: UUID | None = None
        for n in range(MACHINES):
            if n < LINES:
                world.edge(site, "HAS_PART", lines[n])
            machine, device = plant.measured()
            world.edge(lines[n % LINES], "HAS_PART", machine)
            self.machines.append(machine)
            self.device = device if n == 0 else self.device
            plant.line.rows(
                "INSERT INTO series (organization_id, entity_id, metric) VALUES (:o, :d, 'power') RETURNING id",
                o=plant.organization_id,
                d=device,
            )

    def send(self, points: int) -> None:
        """Have every machine send so many points."""
        self._write(self.sent, self.sent + points, None)
        self._invalidate(self.machines, self.sent, self.sent + points)
        self.sent += points

    def late(self) -> None:
        """Have a device say something else of a time that was long ago."""
        self._write(7, 8, self.device)
        self._invalidate(self.machines[:1], 7, 8)

    def compute_ms(self, *, whole: bool) -> float:
        """Compute the dirty buckets, in one transaction."""
        if whole:
            self.plant.line.rows(
                "DELETE FROM rollup_partial_aggregates WHERE organization_id = :o RETURNING 1", o=self._o
            )
        began = time.perf_counter()
        self.plant.compute()
        return (time.perf_counter() - began) * 1000.0

    @property
    def _o(self) -> int:
        return self.plant.organization_id

    def _write(self, first: int, until: int, device: UUID | None) -> None:
        with self.plant.line.engine("owner").begin() as connection:
            values = {"o": self._o, "at": BEGIN, "step": STEP, "first": first, "until": until, "e": device}
            connection.execute(_POINTS, values)

    def _invalidate(self, machines: Iterable[UUID], first: int, until: int) -> None:
        span = (BEGIN + first * STEP, BEGIN + until * STEP)
        self.plant.invalidate({machine: [span] for machine in machines})


def measure(site: Site, name: str, *, is_late: bool = False) -> None:
    pairs = []
    for _ in range(ROUNDS):
        site.send(NEW)
        if is_late:
            site.late()
        live = site.compute_ms(whole=False)
        site.send(NEW)
        pairs.append((live, site.compute_ms(whole=True)))
    live, whole = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name}: live {live:.0f} ms, whole {whole:.0f} ms, ratio {live / whole:.3f}")


def main() -> None:
    with servers_open("argus-bench-") as servers:
        database = servers.database_create()
        engine = {role: engine_create(database.url(role)) for role in ("owner", "api", "pipeline", "ingest")}
        world = world_create(owner=engine["owner"], api=engine["api"], slug="site")
        plant = RollupPlant(Line(world, engine.__getitem__))
        with engine["owner"].begin() as connection:
            connection.execute(text("SELECT ensure_partition('telemetry_history', :at)"), {"at": BEGIN})
        site = Site(plant)
        plant.create(at_types=["site"])
        plant.drain()
        began = time.perf_counter()
        site.send(POINTS)
        with engine["owner"].connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        print(f"{MACHINES * POINTS} points, stored in {time.perf_counter() - began:.0f} s")
        print(f"first, whole and tallied: {site.compute_ms(whole=False):.0f} ms")
        measure(site, "site")
        measure(site, "site, one machine late", is_late=True)
        plant.create(name="lines", metric="power_of_line", at_types=["line"], aggregate=RollupAggregate.SUM)
        plant.drain()
        measure(site, "site and its 20 lines")
        for item in engine.values():
            item.dispose()


if __name__ == "__main__":
    main()
