"""A database of an earlier version, with what is in it, becomes one of this version."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Connection, text

from graph.edges.operations import edge_create
from graph.errors import ConflictError
from graph.kinds import EntityKind
from migrations.catalogue import schema_text
from migrations.export import SOURCE
from migrations.run import _config, migrate
from runtime.database import engine_create
from testing.installation import PROJECT
from testing.servers import TestDatabase, TestServers
from testing.world import World

BEGINS = "2026-01-01Z"
# Relationships as the first version installed them: exclusivity, and among edges from which kinds.
FIRST = {
    "MONITORED_BY": ("TARGET_PORT", ["ASSET"]),
    "CONTROLLED_BY": ("TARGET_PORT", ["ASSET"]),
    "TARGETS": (None, None),
    "FEEDS": (None, None),
    "BACKS_UP": ("SOURCE", None),
}


@pytest.fixture
def first(servers: TestServers) -> Iterator[TestDatabase]:
    """A database of the first version."""
    made = servers.database_create(template="template0")
    engine = engine_create(made.url("owner"))
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001_initial_schema")
    engine.dispose()
    yield made
    servers.database_drop(made)


def run(connection: Connection, statement: str, **values: Any) -> Any:
    return connection.execute(text(statement), values)


def test_links_become_shared_and_stay_what_they_are_otherwise(first: TestDatabase) -> None:
    numbers = count(1)

    def new_id() -> UUID:
        return UUID(f"01900000-0000-7000-8000-{next(numbers):012x}")

    engine = engine_create(first.url("owner"))
    with engine.begin() as connection:
        organization_id = run(
            connection,
            "INSERT INTO organizations (public_id, slug, name, created_at)"
            " VALUES (gen_random_uuid(), 'old', 'Old', now()) RETURNING id",
        ).scalar_one()
        run(connection, "INSERT INTO graph_clocks VALUES (:o, now(), 1)", o=organization_id)
        for name, (exclusive, among) in FIRST.items():
            run(
                connection,
                "INSERT INTO relationships (organization_id, name, inverse, source_kinds, target_kinds, hierarchy,"
                " exclusive, exclusive_among, built_in, created_at) VALUES (:o, :name, :inverse,"
                " ARRAY['ASSET', 'SPACE', 'ACTIVITY'], :targets, false, :exclusive, :among,"
                " :built_in, now())",
                o=organization_id, name=name, inverse=f"{name}_INVERSE", exclusive=exclusive, among=among,
                built_in=name != "BACKS_UP", targets=["DEVICE"] if exclusive == "TARGET_PORT" else ["DEVICE", "ASSET"],
            )  # fmt: skip
        kinds = ["ASSET", "ASSET", "SPACE", "ACTIVITY", "DEVICE", "ASSET"]
        ids = [new_id() for _ in kinds]
        for entity_id, kind in zip(ids, kinds, strict=True):
            run(
                connection,
                "INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)"
                " VALUES (:o, :id, :kind, 'x', 'active', now(), now())",
                o=organization_id, id=entity_id, kind=kind,
            )  # fmt: skip
        pump, tank, room, work, device, spare = ids
        edges = [
            (pump, "MONITORED_BY", device, 1, f"MONITORED_BY {device} 1"),
            (room, "MONITORED_BY", device, 1, None),
            (pump, "CONTROLLED_BY", device, None, f"CONTROLLED_BY {device} -"),
            (room, "CONTROLLED_BY", device, None, None),
            (work, "TARGETS", device, None, None),
            (pump, "FEEDS", tank, None, None),
            (pump, "BACKS_UP", spare, None, f"BACKS_UP {pump}"),
        ]
        for source_id, relationship, target_id, port, key in edges:
            run(
                connection,
                "INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind, target_id,"
                " target_kind, port, valid, recorded, exclusive_key) SELECT :o, :id, :id, :relationship, s.id, s.kind,"
                " t.id, t.kind, :port, tstzrange(:begins, NULL), tstzrange(now(), NULL), :key"
                " FROM entities s, entities t WHERE s.id = :source AND t.id = :target",
                o=organization_id, id=new_id(), relationship=relationship, source=source_id, target=target_id, port=port,
                begins=BEGINS, key=key,
            )  # fmt: skip
    migrate(first.url("owner"), {})
    with engine.begin() as connection:
        stored = run(connection, "SELECT source_id, relationship, port, place, exclusive FROM entity_edges ORDER BY id")
        assert [tuple(row) for row in stored] == [
            (pump, "MONITORED_BY", 1, f"MONITORED_BY {device} 1 ASSET", False),
            (room, "MONITORED_BY", 1, f"MONITORED_BY {device} 1 SPACE", False),
            (pump, "CONTROLLED_BY", None, f"CONTROLLED_BY {device} - ASSET", True),
            (room, "CONTROLLED_BY", None, f"CONTROLLED_BY {device} - SPACE", False),
            (work, "TARGETS", None, None, False),
            (pump, "FEEDS", None, None, False),
            (pump, "BACKS_UP", None, f"BACKS_UP {pump}", True),
        ]
        checked_in = (PROJECT / "migrations" / "schema.sql").read_text(encoding="utf-8")
        assert (SOURCE + schema_text(connection)).splitlines() == checked_in.splitlines()
    engine.dispose()
    api = engine_create(first.url("api"))
    world = World(organization_id, api)
    # What the migration wrote is what Argus writes itself.
    shared = world.edge(tank, "MONITORED_BY", device, port=1)
    assert not shared.exclusive
    assert EntityKind.ASSET is shared.source_kind
    with pytest.raises(ConflictError):
        world.edge(tank, "CONTROLLED_BY", device)
    with pytest.raises(ConflictError), world.changing() as (session, change):
        edge_create(session, change=change, source_id=pump, target_id=tank, relationship="BACKS_UP")
    api.dispose()
