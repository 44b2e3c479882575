"""Importing a graph, and importing it again, against copying the rows that it makes.

Size: 20,000 entities of three kinds and 19,401 edges of three relationships, as lines of NDJSON. Reference: the
entities, edges and audit entries copied within the database into tables with the same indexes and constraints of
exclusion, but without foreign keys and triggers. Prints seconds, processor time of the client and of its connection's
backend, statements, and peak memory.

    python -m benchmarks.importing
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.files import Format, records_read
from domain.exchange.imports.outcome import Outcome
from runtime.database import engine_create, transaction
from testing.servers import servers_open
from testing.world import World, world_create

ENTITIES = 20_000
TABLES = ("entities", "entity_edges", "changes")
EXCLUSIONS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = CAST(:table AS regclass) AND contype = 'x'"
)
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def lines() -> Iterator[str]:
    kinds = ("ASSET", "DEVICE", "SPACE")
    for n in range(ENTITIES):
        record = {
            "record": "entity", "kind": kinds[n % 3], "externalId": f"E-{n}", "name": f"Entity {n}",
            "type": f"type{n % 7}", "attributes": {"n": n, "serial": f"S{n}"},
        }  # fmt: skip
        yield json.dumps(record)
    relationships = ("MONITORED_BY", "LOCATED_IN", "FEEDS")
    for n in range(0, 3 * (19_401 // 3), 3):
        for after, relationship in enumerate(relationships, 1):
            record = {
                "record": "edge", "source": f"E-{n}", "relationship": relationship, "target": f"E-{n + after}",
                "validFrom": "2024-01-01T00:00:00Z",
            }  # fmt: skip
            yield json.dumps(record)


def backend_s(engine: Engine) -> float:
    """Return the processor time of the engine's only connection in the server."""
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def bring(world: World, file: list[str]) -> tuple[float, Outcome]:
    def run(work: Callable[..., Any]) -> Any:
        with world.changing() as (session, change):
            return work(session, change)

    statements = 0

    def count(*_call: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(world.api, "before_cursor_execute", count)
    server_s, client_s, began = backend_s(world.api), time.process_time(), time.perf_counter()
    outcome = records_apply(records_read(file, Format.NDJSON), run=run)
    took_s, client_s = time.perf_counter() - began, time.process_time() - client_s
    server_s = backend_s(world.api) - server_s
    event.remove(world.api, "before_cursor_execute", count)
    print(
        f"{took_s:.1f} s: processor time of the client {client_s:.1f} s, of the server {server_s:.1f} s;"
        f" {statements} statements; {outcome.created} entities and {outcome.edges_created} edges created,"
        f" {outcome.unchanged} and {outcome.edges_unchanged} unchanged"
    )
    return took_s, outcome


def copy_s(owner: Engine, world: World) -> float:
    """Return the seconds in which the rows are copied into tables of their own."""
    took_s = 0.0
    for table in TABLES:
        with transaction(owner, world.organization_id) as session:
            session.execute(text(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)"))
        with transaction(owner, world.organization_id) as session:
            for name, definition in session.execute(text(EXCLUSIONS), {"table": table}).all():
                session.execute(text(f"ALTER TABLE bench_{table} ADD CONSTRAINT bench_{name} {definition}"))
        began = time.perf_counter()
        with transaction(owner, world.organization_id) as session:
            session.execute(text(f"INSERT INTO bench_{table} SELECT * FROM {table}"))
        took_s += time.perf_counter() - began
    return took_s


def main() -> None:
    file = list(lines())
    with servers_open("argus-bench-") as servers:
        database = servers.database_create()
        owner = engine_create(database.url("owner"), pool_size=1)
        world = world_create(owner=owner, api=engine_create(database.url("api"), pool_size=1), slug="bench")
        first_s, _ = bring(world, file)
        again_s, again = bring(world, file)
        assert (again.written, again.unchanged) == (0, ENTITIES)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        reference_s = copy_s(owner, world)
        print(f"peak memory of the client: {peak_mib:.0f} MiB, the lines included")
        ratios = f"{first_s / reference_s:.2f}, again {again_s / reference_s:.2f}"
        print(f"reference, the same rows copied: {reference_s:.1f} s; ratios {ratios}")
        world.api.dispose()
        owner.dispose()


if __name__ == "__main__":
    main()
