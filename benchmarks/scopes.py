"""Reads of callers confined to a part of the plant, against those of one who is not.

Size: 40,501 entities: 300 halls of a site, in each 67 assets with a device each, and a point of each device. Confined
to one hall (135 entities), to 30 halls (4,050) and to the site (all). Reference: the same read without confinement, in
the same database, in turns. Prints the median in ms, with the transaction and what confines it, and the ratio.

    python -m benchmarks.scopes
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.nodes.filters.model import ListFilter
from domain.nodes.lists import entity_list
from domain.telemetry.store.latest import latest_read
from graph.paging import PageRequest
from graph.walk.queries import below, related_pages
from graph.walk.scopes import SCOPES_KEY, Scopes, scope_bind
from graph.walk.snapshot.cache import INFO_KEY, Snapshots
from runtime.database import engine_create, transaction
from testing.servers import servers_open
from testing.world import World, world_create

HALLS, ASSETS, ROUNDS = 300, 67, 15
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# An id from a number: halls from 1, assets from 1,000,000, devices from 2,000,000; the site is 0.
_BUILD = """
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS
    $$ SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)
    SELECT {o}, pg_temp.id(n), kind, kind || ' ' || n, 'active', '2020-01-01Z', '2020-01-01Z' FROM (
        SELECT n, 'SPACE' AS kind FROM generate_series(0, {halls}) n
        UNION ALL SELECT 1000000 + n, 'ASSET' FROM generate_series(1, {halls} * {assets}) n
        UNION ALL SELECT 2000000 + n, 'DEVICE' FROM generate_series(1, {halls} * {assets}) n) made;
INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind, target_id, target_kind,
    metadata, valid, recorded, exclusive)
    SELECT {o}, gen_random_uuid(), gen_random_uuid(), relationship, pg_temp.id(source), source_kind, pg_temp.id(target),
        target_kind, '{{}}', tstzrange('2020-01-01Z', NULL), tstzrange('2020-01-01Z', NULL), false FROM (
        SELECT 'CONTAINS' AS relationship, 0::bigint AS source, 'SPACE' AS source_kind, n::bigint AS target,
            'SPACE' AS target_kind FROM generate_series(1, {halls}) n
        UNION ALL SELECT 'LOCATED_IN', 1000000 + n, 'ASSET', 1 + (n - 1) / {assets}, 'SPACE'
            FROM generate_series(1, {halls} * {assets}) n
        UNION ALL SELECT 'MONITORED_BY', 1000000 + n, 'ASSET', 2000000 + n, 'DEVICE'
            FROM generate_series(1, {halls} * {assets}) n) made;
INSERT INTO series (organization_id, entity_id, metric)
    SELECT {o}, pg_temp.id(2000000 + n), 't' FROM generate_series(1, {halls} * {assets}) n;
INSERT INTO latest_values (organization_id, type, series_id, "timestamp", value, raw_id, received_at)
    SELECT {o}, 0, s.id, '2026-01-01Z', 1, 1, '2026-01-01Z' FROM series s;
"""


def identity(number: int) -> UUID:
    return UUID(f"01900000-0000-7000-8000-{number:012x}")


def read_ms(
    world: World, snapshots: Snapshots, scopes: Scopes, under: Sequence[UUID] | None, work: Callable[..., Any]
) -> float:
    began = time.perf_counter()
    info = {INFO_KEY: snapshots, SCOPES_KEY: scopes}
    with transaction(world.api, world.organization_id, info=info) as session:
        if under is not None:
            scope_bind(session, organization_id=world.organization_id, under=under)
        work(session, organization_id=world.organization_id)
    return (time.perf_counter() - began) * 1000


def nothing(_session: Session, *, organization_id: int) -> None:
    """Read nothing: what the transaction and the scope cost by themselves."""


def main() -> None:
    """Print the table."""
    with servers_open("argus-scopes-") as servers:
        database = servers.database_create()
        owner, api = engine_create(database.url("owner")), engine_create(database.url("api"))
        world = world_create(owner=owner, api=api, slug="bench")
        with owner.begin() as connection:
            statement = _BUILD.format(o=world.organization_id, halls=HALLS, assets=ASSETS)
            connection.exec_driver_sql(statement.replace("%", "%%"))
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        assets = [identity(1_000_001 + n) for n in range(ASSETS)]
        reads: dict[str, Callable[..., Any]] = {
            "nothing": nothing,
            "100 entities by name": partial(
                entity_list, where=ListFilter(), page=PageRequest(100), now=NOW, offline_after=timedelta(minutes=5)
            ),
            "devices of 67 assets": partial(
                related_pages, entity_ids=assets, relationships=["MONITORED_BY"], page=PageRequest(10)
            ),
            "latest values of 67 assets": partial(latest_read, entity_ids=assets, metrics=None),
            "all below a hall": partial(below, entity_ids=[identity(1)]),
        }
        scopes = {
            "not confined": None,
            "one hall": [identity(1)],
            "30 halls": [identity(n) for n in range(1, 31)],
            "the site": [identity(0)],
        }
        snapshots, remembered = Snapshots(), Scopes()
        print(f"{'':28}" + "".join(f"{name:>22}" for name in scopes))
        for name, work in reads.items():
            taken: dict[str, list[float]] = {scope: [] for scope in scopes}
            for _ in range(ROUNDS):
                for scope, under in scopes.items():
                    taken[scope].append(read_ms(world, snapshots, remembered, under, work))
            medians = {scope: statistics.median(times) for scope, times in taken.items()}
            reference = medians["not confined"]
            cells = (f"{median:>10.2f} ms {median / reference:>6.1f}x" for median in medians.values())
            print(f"{name:28}" + "  ".join(cells))
        owner.dispose()
        api.dispose()


if __name__ == "__main__":
    main()
