"""Stays through the API: pages, both ends, and isolation of organizations."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client

FIELDS = "totalCount pageInfo { hasNextPage endCursor } nodes { metric entered left lost entity { externalId } space { externalId } }"
SETUP = """mutation S($schema: JSON!) {
  type: createEntityType(input: {kind: ASSET, name: "Bus", telemetrySchema: $schema, effectiveFrom: "2026-01-01T00:00:00Z"}) {
    errors { code message } }
  depot: createSpace(input: {name: "Depot", externalId: "depot"}) { space { id } errors { code } }
  bus: createAsset(input: {name: "Bus", type: "Bus", externalId: "bus"}) { asset { id } errors { code } } }"""
SCHEMA = {"derived": {"in_depot": {"formula": 'inArea(longitude, latitude, "depot")', "maxAge": "PT30M"}}}
# Minutes after the first, and whether it was inside then.
POINTS = [(0, 0), (10, 1), (20, 1), (30, 0), (50, 1)]


def setup(client: Client) -> dict[str, str]:
    data = client.call(SETUP, {"schema": SCHEMA}).data
    assert [item["errors"] for item in data.values()] == [[], [], []]
    return {"depot": data["depot"]["space"]["id"], "bus": data["bus"]["asset"]["id"]}


@pytest.fixture(scope="module")
def places(api: Api) -> dict[str, dict[str, str]]:
    """Two organizations with the same names; in the first a bus moved."""
    by_name = {}
    for name in ("moving", "resting"):
        api.organization(name)
        by_name[name] = setup(api.client(name))
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        organization_id = session.execute(text("SELECT id FROM organizations WHERE slug = 'moving'")).scalar_one()
        session.execute(text("SELECT ensure_partition('telemetry_history', '2026-02-01')"))
        series_id = session.execute(
            text(
                "INSERT INTO series (organization_id, entity_id, metric, origin) VALUES (:o, :e, 'in_depot', 'formula')"
                " RETURNING id"
            ),
            {"o": organization_id, "e": by_name["moving"]["bus"]},
        ).scalar_one()
        session.execute(
            text(
                "INSERT INTO telemetry_history (organization_id, type, series_id, timestamp, value, raw_id)"
                " VALUES (:o, 0, :s, timestamptz '2026-02-01 12:00Z' + :m * interval '1 minute', :v, 0)"
            ),
            [{"o": organization_id, "s": series_id, "m": minute, "v": value} for minute, value in POINTS],
        )
    engine.dispose()
    return by_name


def ask(client: Client, kind: str, identity: str, arguments: str) -> Any:
    query = f"query Q($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ stays({arguments}) {{ {FIELDS} }} }} }} }}"
    reply = client.call(query, {"id": identity})
    return reply if reply.error_codes else reply.data["node"]["stays"]


def stay(entered: str, left: str, *, lost: bool) -> dict[str, Any]:
    return {
        "metric": "in_depot",
        "entered": f"2026-02-01T{entered}:00Z",
        "left": f"2026-02-01T{left}:00Z",
        "lost": lost,
        "entity": {"externalId": "bus"},
        "space": {"externalId": "depot"},
    }


BOTH = [stay("12:10", "12:30", lost=False), stay("12:50", "13:20", lost=True)]
DAY = 'from: "2026-02-01T00:00:00Z", to: "2026-02-02T00:00:00Z"'


@pytest.mark.parametrize(("kind", "name"), [("Space", "depot"), ("Asset", "bus")])
def test_stays_of_a_space_and_of_an_asset(api: Api, places: dict[str, dict[str, str]], kind: str, name: str) -> None:
    client, identity = api.client("moving", "viewer"), places["moving"][name]
    stays = ask(client, kind, identity, DAY)
    assert (stays["totalCount"], stays["nodes"]) == (2, BOTH)
    first = ask(client, kind, identity, f"{DAY}, first: 1")
    assert (first["totalCount"], first["nodes"], first["pageInfo"]["hasNextPage"]) == (2, BOTH[:1], True)
    second_page = ask(client, kind, identity, f'{DAY}, first: 1, after: "{first["pageInfo"]["endCursor"]}"')
    assert (second_page["nodes"], second_page["pageInfo"]["hasNextPage"]) == (BOTH[1:], False)
    # At one instant, and now.
    assert ask(client, kind, identity, 'to: "2026-02-01T12:15:00Z"')["nodes"] == BOTH[:1]
    assert ask(client, kind, identity, 'to: "2026-02-01T12:30:00Z"')["nodes"] == []
    assert ask(client, kind, identity, "first: 5")["totalCount"] == 0
    for wrong in ("first: -1", 'after: "x"', 'from: "2026-02-02T00:00:00Z", to: "2026-02-01T00:00:00Z"'):
        assert ask(client, kind, identity, wrong).error_codes == ["BAD_USER_INPUT"], wrong


def test_others_of_the_same_names_stay_separate(api: Api, places: dict[str, dict[str, str]]) -> None:
    client = api.client("resting")
    for kind, name in (("Space", "depot"), ("Asset", "bus")):
        assert ask(client, kind, places["resting"][name], DAY)["totalCount"] == 0
        other = client.call("query Q($id: ID!) { node(id: $id) { id } }", {"id": places["moving"][name]})
        assert other.data == {"node": None}


def test_a_list_of_stays_costs_what_its_rows_cost(api: Api, places: dict[str, dict[str, str]]) -> None:
    query = "{ spaces(first: 500) { nodes { ... on Space { stays(first: 500) { nodes { entity { name } } } } } } }"
    reply = api.client("moving").call(query)
    assert reply.error_codes == ["COST_LIMIT_EXCEEDED"], reply.body
