"""Lists and nested fields cost the same number of statements for one row and for a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.support.api import Api
from tests.support.plant import Client

ROWS = 100
SHARED = (
    "id kind name externalId type status attributes location createdAt updatedAt deletedAt",
    "edges(first: 5) { totalCount nodes { id source { name } target { name } } }",
    "edgeHistory(first: 5) { totalCount nodes { id source { name } } }",
    'related(relationships: ["HAS_PART", "LOCATED_IN", "MONITORED_BY"], direction: ANY, depth: 2) { totalCount nodes { name } }',
    'telemetry(from: "2026-01-01T00:00:00Z") { metric entity { id } }',
    "latest { metric value }",
)
OWN = {
    "devices": ("lastSeenAt connectivity", "firmwareVersion", "linkedAssetsCount", "assets { nodes { name } }"),
    "assets": ("healthScore", "parents { name }", "children { nodes { name } }", "devices { nodes { name } }"),
    "spaces": ("parents { name }", "children { nodes { name } }", "occupants { nodes { name } }"),
    "persons": ("email",),
    "activities": ("category priority dueAt checklist",),
}
TYPES = {"devices": "Device", "assets": "Asset", "spaces": "Space", "persons": "Person", "activities": "Activity"}
CASES = [("entities", field) for field in SHARED] + [
    (name, f"... on {TYPES[name]} {{ {field} }}") for name, fields in OWN.items() for field in fields
]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements of every engine of this process, transactions' own ones left out."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    api.organization("many")
    client = api.client("many")
    for n in range(ROWS):
        made = {}
        for noun in ("device", "asset", "space", "person", "activity"):
            field = f"create{noun.title()}"
            made[noun] = client.call(
                f'mutation {{ {field}(input: {{name: "{noun} {n:03}", externalId: "{n}", type: "T"}}) {{ {noun} {{ id }} errors {{ code message }} }} }}'
            ).data[field][noun]["id"]
        client.call(
            """mutation L($device: ID!, $asset: ID!, $space: ID!) {
              a: linkDevice(input: {deviceId: $device, assetId: $asset}) { errors { code } }
              b: createEdge(input: {sourceId: $asset, targetId: $space, relationship: "LOCATED_IN"}) { errors { code } } }""",
            {name: made[name] for name in ("device", "asset", "space")},
        )
    return client


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("name", "field"), CASES)
def test_one_row_costs_what_a_hundred_do(client: Client, name: str, field: str) -> None:
    text = f"query Q($first: Int!) {{ {name}(first: $first) {{ totalCount nodes {{ id {field} }} }} }}"
    counts = {}
    # The first look after a change brings the graph in memory up to date, however many rows are asked for.
    client.call(text, {"first": 1})
    for first in (1, ROWS):
        with statements() as seen:
            data = client.call(text, {"first": first}).data[name]
        assert len(data["nodes"]) == first
        counts[first] = len(seen)
    assert counts[1] == counts[ROWS], counts
    assert counts[1] > 0
