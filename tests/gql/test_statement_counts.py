"""Lists and nested fields cost the same number of statements for one row and for a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client

ROWS = 100
# Of a page of assets with their health: those of the page, and sixteen.
HEALTH_STATEMENTS_MAX = 20
SHARED = (
    "id kind name externalId type status attributes location createdAt updatedAt deletedAt",
    "edges(first: 5) { totalCount nodes { id source { name } target { name } } }",
    "edgeHistory(first: 5) { totalCount nodes { id source { name } } }",
    'related(relationships: ["HAS_PART", "LOCATED_IN", "MONITORED_BY"], direction: ANY, depth: 2) { totalCount nodes { name } }',
    'telemetry(from: "2026-01-01T00:00:00Z") { metric entity { id } }',
    "latest { metric value }",
    'asRecorded(at: "2026-01-01T00:00:00Z") { name actor recordedAt }',
)
STAYS = 'stays(from: "2026-01-01T00:00:00Z") { totalCount nodes { metric entered left lost entity { name } space { name } } }'
OWN = {
    "devices": (
        "lastSeenAt connectivity",
        "firmwareVersion",
        "linkedAssetsCount",
        "assets { nodes { name } }",
        "tokens { issuedBy }",
        "rawReadings(first: 5) { totalCount nodes { outcome deadLetters { code } } }",
    ),
    "assets": (
        "healthScore",
        "profile { name }",
        "derivationFaults { metric lastAt message }",
        STAYS,
        "parents { name }",
        "children { nodes { name } }",
        "devices { nodes { name } }",
    ),
    "spaces": (
        "derivationFaults { message }",
        STAYS,
        "parents { name }",
        "children { nodes { name } }",
        "occupants { nodes { name } }",
    ),
    "persons": ("email",),
    "activities": (
        "category priority dueAt checklist",
        "template { name }",
        "event { severity rule { name } }",
        "history { kind }",
        "closingSuggestion { action }",
    ),
}
TYPES = {"devices": "Device", "assets": "Asset", "spaces": "Space", "persons": "Person", "activities": "Activity"}
CASES = [("entities", field) for field in SHARED] + [
    (name, f"... on {TYPES[name]} {{ {field} }}") for name, fields in OWN.items() for field in fields
]


LISTS = (
    ("rules", "name condition"),
    ("rules", 'versions { actor } inForce(asOf: "2026-01-01T00:00:00Z") { actor condition }'),
    ("rules", 'entityCount eventCount(from: "2026-01-01T00:00:00Z")'),
    ("rollups", "name"),
    ("activityTemplates", "name"),
    ("assetProfiles", "name"),
    ("groups", "name memberCount"),
    ("groups", "members(first: 5) { totalCount nodes { name } }"),
    ("notifications", "url state"),
    ("failedItems", "queue state"),
    ("shelves", "rule { name } entity { name }"),
    ("maintenanceWindows", "under { name }"),
    ("events", "state severity openedAt"),
    ("events", "rule { name }"),
    ("events", "entity { name }"),
    ("events", "suppressed"),
    ("events", "marks { kind note }"),
    ("events", "corrections { before after }"),
    ("events", "activities { name event { id } }"),
)


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


def statements_of(client: Client, query: str, first: int) -> tuple[int, Any]:
    """Return the number of statements that a query takes, and its data.

    Whether the organization is still there is checked every ten seconds, and may be just now: not in each of four tries,
    however slow the machine is.
    """
    counts = []
    for _ in range(4):
        with statements() as seen:
            data = client.call(query, {"first": first}).data
        counts.append(len(seen))
    return min(counts), data


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    return entities_create(api, ROWS)


def entities_create(api: Api, rows: int) -> Client:
    """Create an organization with so many entities of each kind, each asset with a device in a space."""
    api.organization("many")
    client = api.client("many")
    for n in range(rows):
        made = {}
        for kind in ("device", "asset", "space", "person", "activity"):
            field = f"create{kind.title()}"
            made[kind] = client.call(
                f'mutation {{ {field}(input: {{name: "{kind} {n:03}", externalId: "{n}", type: "T"}}) {{ {kind} {{ id }} errors {{ code message }} }} }}'
            ).data[field][kind]["id"]
        client.call(
            """mutation L($device: ID!, $asset: ID!, $space: ID!) {
              a: linkDevice(input: {deviceId: $device, assetId: $asset}) { errors { code } }
              b: createEdge(input: {sourceId: $asset, targetId: $space, relationship: "LOCATED_IN"}) { errors { code } } }""",
            {name: made[name] for name in ("device", "asset", "space")},
        )
    return client


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "field"), CASES)
def test_one_row_costs_what_a_hundred_do(client: Client, name: str, field: str) -> None:
    text = f"query Q($first: Int!) {{ {name}(first: $first) {{ totalCount nodes {{ id {field} }} }} }}"
    counts = {}
    # The first look after a change brings the graph in memory up to date, however many rows are requested.
    client.call(text, {"first": 1})
    for first in (1, ROWS):
        counts[first], data = statements_of(client, text, first)
        assert len(data[name]["nodes"]) == first
    assert counts[1] == counts[ROWS], counts
    assert counts[1] > 0


# Of every device t, now, while it is linked.
POINTS = (
    "SELECT ensure_partition('telemetry_history', now())",
    """INSERT INTO series (organization_id, entity_id, metric)
       SELECT organization_id, id, 't' FROM entities WHERE kind = 'DEVICE'""",
    """INSERT INTO telemetry_history (organization_id, type, series_id, timestamp, value, raw_id)
       SELECT organization_id, 0, id, now(), 95, id FROM series""",
    """INSERT INTO latest_values (organization_id, type, series_id, timestamp, value, raw_id, received_at)
       SELECT organization_id, type, series_id, timestamp, value, raw_id, timestamp FROM telemetry_history""",
)
# Of every second one nothing any more.
POINTS_GONE = (
    "DELETE FROM telemetry_history WHERE raw_id % 2 = 0",
    "DELETE FROM latest_values WHERE raw_id % 2 = 0",
)


@pytest.mark.timeout(600)
def test_the_health_of_a_hundred_assets_costs_what_that_of_one_does(api: Api, client: Client) -> None:
    profile = client.call(
        """mutation { createAssetProfile(input: {name: "H", defaultHealthThresholds: {t: {critHigh: 90}}}) {
             assetProfile { id } } }"""
    ).data["createAssetProfile"]["assetProfile"]["id"]
    ids = [node["id"] for node in client.call("{ assets(first: 100) { nodes { id } } }").data["assets"]["nodes"]]
    for asset_id in ids:
        client.call(
            """mutation M($asset: ID!, $profile: ID, $parent: ID!) {
                 setAssetProfile(assetId: $asset, profileId: $profile) { errors { code } }
                 createEdge(input: {sourceId: $parent, targetId: $asset, relationship: "HAS_PART"}) { errors { code } }
               }""",
            {"asset": asset_id, "profile": profile, "parent": ids[0]},
        )
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        for statement in POINTS:
            session.execute(text(statement))
    query = "query Q($first: Int!) { assets(first: $first) { nodes { id ... on Asset { healthScore } } } }"
    client.call(query, {"first": 1})
    counts = {}
    for first in (1, ROWS):
        counts[first], data = statements_of(client, query, first)
        assert [node["healthScore"] for node in data["assets"]["nodes"]] == [60] * first
    assert counts[1] == counts[ROWS] <= HEALTH_STATEMENTS_MAX, counts
    explained = client.call(
        "query E($id: ID!) { healthExplanation(assetId: $id) { score parts { part cost } } }", {"id": ids[-1]}
    ).data["healthExplanation"]
    assert explained == {
        "score": 60,
        "parts": [{"part": "THRESHOLD", "cost": 40}, {"part": "FRESHNESS", "cost": 0}],
    }
    with transaction(engine) as session:
        for statement in POINTS_GONE:
            session.execute(text(statement))
    engine.dispose()
    with statements() as seen:
        nodes = client.call(query, {"first": ROWS}).data["assets"]["nodes"]
    assert sorted(str(node["healthScore"]) for node in nodes) == ["60.0"] * 50 + ["None"] * 50
    assert len(seen) <= HEALTH_STATEMENTS_MAX


@pytest.fixture(scope="module")
def watched(api: Api, client: Client) -> Client:
    """A hundred rules, events with a mark, a correction and an activity, and definitions."""
    return watched_create(api, client, ROWS)


def watched_create(api: Api, client: Client, rows: int) -> Client:
    """Create so many rules, events with what belongs to them, and definitions, for `entities_create`."""
    for n in range(rows):
        client.call(
            """mutation M($name: String!, $rule: RuleInput!, $rollup: RollupInput!) {
              a: createRule(input: $rule) { errors { code } } b: createRollup(input: $rollup) { errors { code } }
              c: createActivityTemplate(input: {name: $name}) { errors { code } }
              d: createAssetProfile(input: {name: $name}) { errors { code } }
              e: createGroup(input: {name: $name}) { errors { code } } }""",
            {
                "name": f"{n:03}",
                "rule": {"name": f"{n:03}", "condition": {"expression": "t > 1.0"}, "isActive": False},
                "rollup": {"name": f"{n:03}", "metric": f"sum{n}", "relationship": "CONTAINS", "aggregate": "SUM",
                           "of": {"metric": "t", "kinds": ["SPACE"]}, "bucket": "PT1H"},
            },
        )  # fmt: skip
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        for statement in EVENTS:
            session.execute(text(statement))
    engine.dispose()
    return client


EVENTS = (
    """INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at, severity, value,
         flaps, detected_at)
       SELECT r.organization_id, gen_random_uuid(), r.id, e.id, '', r.id, r.created_at, r.created_at, 'HIGH', 1, 0, now()
       FROM rules r JOIN entities e ON e.organization_id = r.organization_id AND e.kind = 'ASSET'
         AND e.external_id = r.name::int::text""",
    """INSERT INTO event_annotations SELECT organization_id, gen_random_uuid(), id, 'COMMENT', now(), 'ann', 'x' FROM events""",
    """INSERT INTO event_corrections (organization_id, event_id, before, after)
       SELECT organization_id, id, '{}', '{}' FROM events""",
    """UPDATE activities a SET event_id = e.id, rule_id = e.rule_id FROM events e JOIN rules r ON r.id = e.rule_id
         JOIN entities n ON n.organization_id = r.organization_id AND n.kind = 'ACTIVITY'
           AND n.external_id = r.name::int::text
       WHERE a.organization_id = e.organization_id AND a.id = n.id""",
    """INSERT INTO activity_steps (organization_id, id, activity_id, step, recorded_at, actor, event_id)
       SELECT organization_id, gen_random_uuid(), id, 'EVENT', now(), 'act', event_id FROM activities
       WHERE event_id IS NOT NULL""",
    """INSERT INTO notifications (organization_id, id, event_id, url, payload, state, attempts, due_at,
         created_at)
       SELECT organization_id, gen_random_uuid(), id, 'https://example.org/', '{}', 'PENDING', 0, now(), now()
       FROM events""",
    """INSERT INTO failed_items (organization_id, id, queue, item, holds, reason, tries, first_failed_at, last_failed_at)
       SELECT organization_id, gen_random_uuid(), 'ROLLUPS', id, id, 'x', 5, now(), now() FROM events""",
    """INSERT INTO shelves SELECT organization_id, id, rule_id, entity_id, now(), now() + '1 day', NULL, now(), 'ann'
       FROM events""",
    """INSERT INTO group_members
       SELECT g.organization_id, g.id, e.id, tstzmultirange(tstzrange('2026-01-01Z', NULL)) FROM groups g
       JOIN entities e ON e.organization_id = g.organization_id AND e.kind = 'ASSET'""",
    """INSERT INTO maintenance_windows
       SELECT organization_id, id, entity_id, now(), now() + '1 day', NULL, now(), 'ann' FROM events""",
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "field"), LISTS)
def test_nested_lists_cost_the_same_for_one_row_and_many(watched: Client, name: str, field: str) -> None:
    query = f"query Q($first: Int!) {{ {name}(first: $first) {{ totalCount nodes {{ id {field} }} }} }}"
    counts = {}
    watched.call(query, {"first": 1})
    for first in (1, ROWS):
        counts[first], data = statements_of(watched, query, first)
        # The test of health makes a profile of its own.
        assert data[name]["totalCount"] in ({ROWS, ROWS + 1} if name == "assetProfiles" else {ROWS})
        assert len(data[name]["nodes"]) == first
    assert counts[1] == counts[ROWS], counts
    if "members" in field:
        assert [node["members"]["totalCount"] for node in data[name]["nodes"]] == [ROWS] * ROWS
    if "activities" in field:
        assert [len(node["activities"]) for node in data[name]["nodes"]] == [1] * ROWS


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "field",
    [
        "near(longitude: 8.5, latitude: 47.3, radiusM: 5000, first: $first)",
        'within(geometry: {type: "Polygon", coordinates: [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]}, first: $first)',
        "around(longitude: 8.5, latitude: 47.3, first: $first)",
    ],
)
def test_a_place_costs_what_a_hundred_do(api: Api, client: Client, field: str) -> None:
    for n in range(ROWS):
        x = 8.49 + n * 0.0001
        ring = f"[[{x}, 47.29], [8.52, 47.29], [8.52, 47.31], [{x}, 47.31], [{x}, 47.29]]"
        client.call(
            f'mutation {{ createSpace(input: {{name: "place {n}", externalId: "place {n}", '
            f'location: {{type: "Polygon", coordinates: [{ring}]}}}}) {{ errors {{ code }} }} }}'
        )
    text = f"query Q($first: Int!) {{ {field[: field.index('(')]}: {field} {{ totalCount nodes {{ id location }} }} }}"
    counts = {}
    for first in (1, ROWS):
        counts[first], answer = statements_of(client, text, first)
        [data] = answer.values()
        assert (len(data["nodes"]), data["totalCount"]) == (first, ROWS)
    # Near looks in up to three circles, each wider, until it has enough.
    assert counts[ROWS] - counts[1] <= (2 if field.startswith("near") else 0), counts
