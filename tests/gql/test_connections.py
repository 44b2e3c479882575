"""Every list of the schema is a whole Relay connection: its shape, and its pages in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, get_named_type

from gql.schema import core_schema
from testing.api import Api
from testing.installation import Client
from tests.gql.test_statement_counts import entities_create, watched_create

ROWS = 5
AREA = '{type: "Polygon", coordinates: [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]}'
# By field: its arguments besides those of a page. Of the fields of an entity: of the space that everything is in.
QUERY = {
    **dict.fromkeys(("entities", "devices", "assets", "spaces", "persons", "activities"), ""),
    **dict.fromkeys(("rules", "rollups", "activityTemplates", "assetProfiles", "notifications", "failedItems"), ""),
    "groups": "",
    **dict.fromkeys(("shelves", "maintenanceWindows", "events", "changes", "apiKeys"), ""),
    "near": "longitude: 8.5, latitude: 47.3, radiusM: 5000",
    "within": f"geometry: {AREA}",
    "around": "longitude: 8.5, latitude: 47.3",
    "inAreaOf": 'entityId: "$hub"',
    "edgeVersions": 'underId: "$hub", from: "2020-01-01T00:00:00Z"',
}
ENTITY = {
    "edges": "",
    "edgeHistory": "",
    "related": 'relationships: ["LOCATED_IN", "MONITORED_BY"], direction: ANY, depth: 3',
    "occupants": "",
}
# Lists whose pages are tested with what makes them long (tests/gql/derivation/test_stays.py, tests/domain).
ELSEWHERE = {"stays", "shadowDifferences", "deadLetters", "rawReadings", "replays", "assets", "children", "devices",
             "members"}  # fmt: skip


def connections() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    """Yield every field of an object that is a connection."""
    for type_ in core_schema().type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                if get_named_type(field.type).name.endswith("Connection"):
                    yield type_, name, field


CONNECTIONS = list(connections())


@pytest.mark.parametrize(
    ("type_", "name", "field"), CONNECTIONS, ids=[f"{type_.name}.{name}" for type_, name, _ in CONNECTIONS]
)
def test_a_list_is_a_whole_connection(type_: GraphQLObjectType, name: str, field: GraphQLField) -> None:
    arguments = {key: str(argument.type) for key, argument in field.args.items()}
    assert {key: arguments.get(key) for key in ("first", "after", "last", "before")} == {
        "first": "Int!",
        "after": "String",
        "last": "Int",
        "before": "String",
    }
    assert field.args["first"].default_value == (500 if name == "edgeVersions" else 50)
    connection = get_named_type(field.type)
    assert isinstance(connection, GraphQLObjectType)
    of = connection.name.removesuffix("Connection")
    assert {key: str(part.type) for key, part in connection.fields.items()} == {
        "nodes": f"[{of}!]!",
        "edges": f"[{connection.name.removesuffix('Connection')}Edge!]!",
        "pageInfo": "PageInfo!",
        "totalCount": "Int!",
    }
    edge = get_named_type(connection.fields["edges"].type)
    assert isinstance(edge, GraphQLObjectType)
    assert {key: str(part.type) for key, part in edge.fields.items()} == {"cursor": "String!", "node": f"{of}!"}
    page_info = connection.fields["pageInfo"].type
    assert isinstance(page_info, GraphQLNonNull)
    assert {key: str(part.type) for key, part in page_info.of_type.fields.items()} == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


def test_pages_of_every_list_are_tested() -> None:
    names = {name for _, name, _ in CONNECTIONS}
    assert names == {*QUERY, *ENTITY} | ELSEWHERE


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    return watched_create(api, entities_create(api, ROWS), ROWS)


@pytest.fixture(scope="module")
def hub(client: Client) -> str:
    """The id of a space with an area, in which the assets are."""
    location = {"type": "Polygon", "coordinates": [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]}
    made: str = client.call(
        'mutation M($at: GeoJSON) { createSpace(input: {name: "hub", location: $at}) { space { id } } }',
        {"at": location},
    ).data["createSpace"]["space"]["id"]
    for node in client.call("{ assets { nodes { id } } }").data["assets"]["nodes"]:
        client.call(
            """mutation M($asset: ID!, $hub: ID!, $at: GeoJSON) {
              createEdge(input: {sourceId: $asset, targetId: $hub, relationship: "LOCATED_IN"}) { errors { code } }
              updateAsset(id: $asset, input: {location: $at}) { errors { code } } }""",
            {"asset": node["id"], "hub": made, "at": {"type": "Point", "coordinates": [8.5, 47.3]}},
        )
    for n in range(ROWS):
        client.call(
            "mutation M($name: String!, $at: GeoJSON) { createSpace(input: {name: $name, location: $at}) { space { id } } }",
            {"name": f"part {n}", "at": location},
        )
        client.call(f'mutation {{ createApiKey(input: {{name: "key {n}", role: "viewer"}}) {{ errors {{ code }} }} }}')
    return made


def page(client: Client, hub: str, name: str, arguments: str, of: str) -> dict[str, Any]:
    """Return a page of a list. of: the arguments of the page."""
    given = ", ".join(part for part in (arguments.replace("$hub", hub), of) if part)
    fields = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } nodes { id }"
    listed = f"{name}{f'({given})' if given else ''} {{ {fields} }}"
    if name in QUERY:
        connection = client.call(f"{{ {listed} }}").data[name]
    else:
        text = f'{{ entity(id: "{hub}") {{ ... on Space {{ {listed} }} }} }}'
        connection = client.call(text).data["entity"][name]
    ids = [node["id"] for node in connection["nodes"]]
    assert [edge["node"]["id"] for edge in connection["edges"]] == ids
    cursors = [edge["cursor"] for edge in connection["edges"]]
    ends = (cursors[0], cursors[-1]) if cursors else (None, None)
    assert (connection["pageInfo"]["startCursor"], connection["pageInfo"]["endCursor"]) == ends
    return {"ids": ids, "cursors": cursors, "total": connection["totalCount"], **connection["pageInfo"]}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", sorted({*QUERY, *ENTITY}))
def test_pages_of_either_direction_are_the_list(client: Client, hub: str, name: str, size: int) -> None:
    arguments = {**QUERY, **ENTITY}[name]
    whole = page(client, hub, name, arguments, "first: 500")
    ids, cursors = whole["ids"], whole["cursors"]
    assert len(ids) == len(set(ids)) == whole["total"] >= ROWS
    assert not whole["hasNextPage"]
    assert not whole["hasPreviousPage"]
    forward, backward = list[str](), list[str]()
    after = before = ""
    for begin in range(0, len(ids), size):
        one = page(client, hub, name, arguments, f"first: {size}{after}")
        assert (one["hasPreviousPage"], one["hasNextPage"]) == (begin > 0, begin + size < len(ids))
        forward += one["ids"]
        after = f', after: "{one["endCursor"]}"'
        other = page(client, hub, name, arguments, f"last: {size}{before}")
        assert (other["hasNextPage"], other["hasPreviousPage"]) == (begin > 0, begin + size < len(ids))
        assert one["total"] == other["total"] == len(ids)
        backward = [*other["ids"], *backward]
        before = f', before: "{other["startCursor"]}"'
    assert forward == backward == ids
    between = page(client, hub, name, arguments, f'first: {size}, after: "{cursors[0]}", before: "{cursors[-1]}"')
    assert between["ids"] == ids[1:-1][:size]
    # A page without items says whether there are any.
    for none, has_more in (("first: 0", "hasNextPage"), ("last: 0", "hasPreviousPage")):
        empty = page(client, hub, name, arguments, none)
        assert (empty["ids"], empty["total"], empty[has_more]) == ([], len(ids), True)
    between = page(client, hub, name, arguments, f'last: {size}, after: "{cursors[0]}", before: "{cursors[-1]}"')
    assert between["ids"] == ids[1:-1][-size:]


@pytest.mark.parametrize(
    ("of", "path"),
    [
        ("first: -1", "first"),
        ("first: 501", "first"),
        ("last: -1", "last"),
        ("last: 501", "last"),
        ('after: "nonsense"', "after"),
        ('before: "nonsense"', "before"),
    ],
)
def test_a_bad_argument_of_a_page_is_named(client: Client, of: str, path: str) -> None:
    [error] = client.call(f"{{ assets({of}) {{ totalCount }} }}").body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argumentPath": [path]}


def test_an_item_of_a_list_of_one_kind_has_the_fields_of_that_kind(client: Client, hub: str) -> None:
    data = client.call(
        """{ assets(last: 1) { nodes { healthScore devices { nodes { firmwareVersion assets { nodes { healthScore } } } } } }
             devices(first: 1) { nodes { connectivity } } persons(first: 1) { edges { node { email } } }
             activities(first: 1) { nodes { state } } spaces(first: 1) { nodes { children { nodes { parents { id } } } } } }"""
    ).data
    assert data["assets"]["nodes"][0]["devices"]["nodes"] == [
        {"firmwareVersion": None, "assets": {"nodes": [{"healthScore": None}]}}
    ]
    assert [len(data[name]["nodes"]) for name in ("devices", "activities", "spaces")] == [1, 1, 1]
