"""An export that is imported elsewhere is the same graph, with the same past."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.nodes.operations import entity_delete
from graph.kinds import EntityKind
from testing.world import World, day, new_id
from tests.domain.exchange.imports.test_records import bring, exported, ndjson

names = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | names,
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=4,
)
days = st.integers(0, 9)


def entities_and_edges(world: World, at: datetime | None = None) -> list[str]:
    """The entities that are there and the edges that are true at an instant, or of all times."""
    return sorted(json.dumps(record) for record in exported(world, at) if record["record"] in {"entity", "edge"})


@pytest.mark.slow
def test_a_plant_with_a_history_moves_with_it(worlds: Callable[[str], World]) -> None:
    """The same graph at a hundred instants: links that have ended, or were corrected, and entities that were deleted."""
    numbers = iter(range(10_000))

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        number = next(numbers)
        one, other = worlds(f"from-{number}"), worlds(f"to-{number}")
        records: list[dict[str, Any]] = []
        for kind, count in (("ASSET", 4), ("DEVICE", 3)):
            records += [
                {
                    "record": "entity",
                    "kind": kind,
                    "id": str(new_id()),
                    "name": f"{kind} {n}",
                    "externalId": f"{kind}-{n}",
                }
                for n in range(count)
            ]
        ids = {record["externalId"]: record["id"] for record in records}
        for _ in range(data.draw(st.integers(1, 14))):
            begins = data.draw(st.integers(0, 90))
            ends = begins + data.draw(st.integers(1, 20)) if data.draw(st.booleans()) else None
            is_link = data.draw(st.booleans())
            records.append(
                {
                    "record": "edge", "source": f"ASSET-{data.draw(st.integers(0, 3))}",
                    "relationship": "MONITORED_BY" if is_link else "FEEDS",
                    "target": f"DEVICE-{data.draw(st.integers(0, 2))}" if is_link else f"ASSET-{data.draw(st.integers(0, 3))}",
                    "validFrom": day(begins).isoformat(), "validUntil": None if ends is None else day(ends).isoformat(),
                    "exclusive": data.draw(st.sampled_from([None, True, False])) if is_link else None,
                }
            )  # fmt: skip
        bring(one, ndjson(*records))
        for name in data.draw(st.lists(st.sampled_from(sorted(ids)), max_size=2, unique=True)):
            deleted_at = data.draw(st.none() | st.floats(-1, 120).map(day))
            with one.changing() as (session, change):
                entity_delete(session, change=change, entity_id=UUID(ids[name]), at=deleted_at)
        moved = exported(one)
        outcome = bring(other, ndjson(*moved))
        assert outcome.remarks == []
        assert outcome.deleted == sum("deletedAt" in record for record in moved)
        for at in data.draw(st.lists(st.floats(-1, 120).map(day), min_size=100, max_size=100)):
            assert entities_and_edges(other, at) == entities_and_edges(one, at)
        assert entities_and_edges(other) == entities_and_edges(one)
        for world in (one, other):
            assert bring(world, ndjson(*moved)).written == 0

    check()


@pytest.mark.slow
def test_an_export_brought_into_an_empty_organization_is_the_same_graph(worlds: Callable[[str], World]) -> None:
    numbers = iter(range(10_000))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        number = next(numbers)
        one, other = worlds(f"one-{number}"), worlds(f"other-{number}")
        records: list[dict[str, Any]] = [
            {"record": "relationship", "name": "BACKS_UP", "inverse": "BACKED_UP_BY", "sourceKinds": ["ASSET"],
             "targetKinds": ["ASSET"], "exclusive": "SOURCE"},
            {"record": "entityType", "kind": "ASSET", "name": "pump", "description": "moves water"},
        ]  # fmt: skip
        own: dict[str, dict[str, Any]] = {
            "DEVICE": {"firmwareVersion": "2"}, "PERSON": {"email": "a@b.c"},
            "ACTIVITY": {"category": "repair", "dueAt": "2020-01-05T00:00:00Z", "checklist": [{"text": "look", "done": False}]},
        }  # fmt: skip
        kinds = data.draw(st.lists(st.sampled_from(list(EntityKind)), min_size=2, max_size=8))
        ids = [str(new_id()) for _ in kinds]
        for place, kind in enumerate(kinds):
            record = {
                "record": "entity", "kind": kind.value, "id": ids[place], "name": data.draw(names),
                "attributes": data.draw(st.dictionaries(names, values, max_size=2)),
                "status": data.draw(st.sampled_from(["active", "off"])), **own.get(kind.value, {}),
            }  # fmt: skip
            if data.draw(st.booleans()):
                record["externalId"] = f"X{place}"
            if data.draw(st.booleans()):
                record["location"] = {"type": "Point", "coordinates": [place, 1.5]}
            records.append(record)
        for _ in range(data.draw(st.integers(0, 12))):
            begins, ends = data.draw(days), data.draw(st.none() | days)
            records.append(
                {
                    "record": "edge",
                    "source": {"id": data.draw(st.sampled_from(ids))},
                    "target": {"id": data.draw(st.sampled_from(ids))},
                    "relationship": data.draw(
                        st.sampled_from(["HAS_PART", "CONTAINS", "FEEDS", "LOCATED_IN", "MONITORED_BY", "BACKS_UP", "TARGETS"])
                    ),
                    "port": data.draw(st.sampled_from([None, 0])),
                    "validFrom": day(begins).isoformat(),
                    "validUntil": None if ends is None else day(ends).isoformat(),
                }
            )  # fmt: skip
            if records[-1]["relationship"] != "MONITORED_BY":
                records[-1]["metadata"] = {"n": begins}
        bring(one, ndjson(*records))
        at = data.draw(st.none() | days.map(day))
        first = exported(one, at)
        outcome = bring(other, ndjson(*first))
        assert outcome.remarks == []
        key = json.dumps
        assert sorted(map(key, exported(other, at))) == sorted(map(key, first))
        again = bring(one, ndjson(*first))
        assert (again.created, again.updated, again.edges_created, again.edges_updated, again.remarks) == (
            0,
            0,
            0,
            0,
            [],
        )
        assert again.definitions_created == again.definitions_updated == 0
        assert outcome.definitions_created >= 2

    check()
