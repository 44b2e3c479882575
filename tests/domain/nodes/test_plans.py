"""Plans of the commonest lists over 100,000 entities: none reads a large table as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from domain.nodes.filters.model import AttributeCondition, AttributeOperator, LatestCondition, ListFilter
from domain.nodes.lists import entity_list
from domain.plant.devices.model import Connectivity
from graph.entities.model import Entity
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from runtime.clock import utc_now
from testing.world import World, world_create

pytestmark = pytest.mark.slow

# 50,000 devices, each with a series of one metric and the latest point of it, 49,900 assets, of which every second is
# monitored by one of them, and 100 spaces, each with 499 assets.
FILL = (
    (
        "INSERT INTO entity_types (organization_id, id, kind, name, created_at, updated_at)"
        " SELECT :o, gen_random_uuid(), k, 'type ' || n, now(), now() FROM generate_series(0, 99) n, unnest(ARRAY['DEVICE', 'ASSET']) k"
    ),
    (
        "INSERT INTO entities (organization_id, id, kind, name, external_id, status, type, attributes, created_at, updated_at)"
        " SELECT :o, md5('d' || n)::uuid, 'DEVICE', 'Device ' || n, 'd-' || n, 'active', 'type ' || n % 100,"
        " jsonb_build_object('floor', n % 1000), now() - n * interval '1 minute', now() - n * interval '1 minute'"
        " FROM generate_series(1, 50000) n"
    ),
    "INSERT INTO devices (organization_id, id) SELECT :o, md5('d' || n)::uuid FROM generate_series(1, 50000) n",
    (
        "INSERT INTO device_presence (organization_id, device_id, last_seen_at)"
        " SELECT :o, md5('d' || n)::uuid, now() - (n % 500) * interval '1 hour' FROM generate_series(1, 50000) n"
    ),
    (
        "INSERT INTO entities (organization_id, id, kind, name, external_id, status, type, attributes, created_at, updated_at)"
        " SELECT :o, md5('a' || n)::uuid, 'ASSET', 'Asset ' || n, 'a-' || n,"
        " CASE WHEN n % 200 = 0 THEN 'standby' ELSE 'active' END, 'type ' || n % 100, '{}',"
        " now() - n * interval '1 minute', now() - n * interval '1 minute' FROM generate_series(1, 49900) n"
    ),
    "INSERT INTO assets (organization_id, id) SELECT :o, md5('a' || n)::uuid FROM generate_series(1, 49900) n",
    (
        "INSERT INTO entities (organization_id, id, kind, name, external_id, status, attributes, created_at, updated_at)"
        " SELECT :o, md5('s' || n)::uuid, 'SPACE', 'Space ' || n, 's-' || n, 'active', '{}', now(), now()"
        " FROM generate_series(1, 100) n"
    ),
    "INSERT INTO spaces (organization_id, id) SELECT :o, md5('s' || n)::uuid FROM generate_series(1, 100) n",
)
# What is measured: a metric of every device, and one of every hundredth.
MEASURED = (
    (
        "INSERT INTO series (organization_id, entity_id, metric) SELECT :o, md5('d' || n)::uuid, 'common'"
        " FROM generate_series(1, 50000) n"
    ),
    (
        "INSERT INTO series (organization_id, entity_id, metric) SELECT :o, md5('d' || n)::uuid, 'rare'"
        " FROM generate_series(100, 50000, 100) n"
    ),
    (
        "INSERT INTO latest_values (organization_id, type, series_id, timestamp, value, raw_id, received_at)"
        " SELECT :o, 1, id, now(), id % 20, 1, now() FROM series WHERE organization_id = :o"
    ),
    (
        "INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind, target_id,"
        " target_kind, valid, recorded) SELECT :o, gen_random_uuid(), gen_random_uuid(), 'MONITORED_BY',"
        " md5('a' || n)::uuid, 'ASSET', md5('d' || n)::uuid, 'DEVICE', tstzrange(now() - interval '1 day', NULL),"
        " tstzrange(now(), NULL) FROM generate_series(1, 49900, 2) n"
    ),
)
LARGE = {"device_presence", "entities", "devices", "assets", "entity_edges", "series", "latest_values"}
LISTS = {
    "all": ListFilter(),
    "of a type": ListFilter(types=["type 7"]),
    "of a type and a status": ListFilter(types=["type 0"], statuses=["standby"]),
    "by a text": ListFilter(search="sset 4711"),
    "by external ids": ListFilter(external_ids=["a-1", "d-2"]),
    "by an attribute": ListFilter(
        attributes=[AttributeCondition(path="floor", operator=AttributeOperator.EQ, value=7)]
    ),
    "by a latest value": ListFilter(latest=[LatestCondition(metric="rare", gt=10)]),
    "offline": ListFilter(kinds=[EntityKind.DEVICE], types=["type 7"], connectivity=Connectivity.OFFLINE),
    "with open events": ListFilter(has_open_events=True),
    "changed lately": ListFilter(updated_from=utc_now() - timedelta(hours=1)),
}


@pytest.fixture
def plant(engine: Callable[[str], Engine]) -> World:
    owner = engine("owner")
    world = world_create(owner=owner, api=engine("api"), slug="plans")
    with owner.begin() as connection:
        for statement in (*FILL, *MEASURED):
            connection.execute(text(statement), {"o": world.organization_id})
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return world


@contextmanager
def explained() -> Iterator[list[Any]]:
    """Collect the plans of what is executed."""
    plans: list[Any] = []

    def note(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip(" \n(").upper().startswith(("SELECT", "WITH")) and "set_config" not in statement:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            plans.append((statement, cursor.fetchone()[0][0]["Plan"]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def scanned(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads as a whole."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scanned(part)


def test_no_list_reads_a_large_table_as_a_whole(plant: World) -> None:
    pages: dict[str, Page[Entity]] = {}
    for name, where in LISTS.items():
        with explained() as plans, plant.session() as session:
            pages[name] = entity_list(
                session, organization_id=plant.organization_id, where=where, page=PageRequest(50), now=utc_now(),
                offline_after=timedelta(minutes=5),
            )  # fmt: skip
        assert plans, name
        for statement, plan in plans:
            assert not LARGE & set(scanned(plan)), (name, statement, json.dumps(plan, indent=1))
    assert {name: len(page.items) for name, page in pages.items()} == {
        "all": 50, "of a type": 50, "of a type and a status": 50, "by a text": 11, "by external ids": 2,
        "by an attribute": 50, "by a latest value": 50, "offline": 50, "with open events": 0, "changed lately": 50,
    }  # fmt: skip
