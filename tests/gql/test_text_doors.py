"""Text that cannot be stored, in every argument there is: a refusal that says where, never a defect of the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from testing.api import SECRET, Api, api_serve
from testing.installation import PROJECT, Client
from testing.servers import TestServers

SCHEMA = build_schema((Path(PROJECT) / "gql" / "schema.graphql").read_text(encoding="utf-8"))
ODD = ("a\0b", "\0")
TEXTS = frozenset({"String", "ID", "JSON"})
DEPTH_MAX = 4
ID = "0190a3c4-0000-7000-8000-000000000000"
PLAIN: dict[str, Any] = {
    "String": "text", "ID": ID, "Int": 1, "Float": 1.0, "Boolean": True, "JSON": {"a": 1},
    "DateTime": "2026-01-01T00:00:00Z", "ReadingTime": "2026-01-01T00:00:00Z", "Duration": "PT1H",
    "GeoJSON": {"type": "Point", "coordinates": [0, 0]},
}  # fmt: skip
PREPARE = """mutation { createDevice(input: {name: "d", externalId: "text"}) { device { id } errors { code } }
  createAsset(input: {name: "a"}) { asset { id } } createEntityType(input: {kind: ASSET, name: "text"}) { errors { code } }
  createSpace(input: {name: "s"}) { space { id } } rotateWebhookSecret { secret } }"""


@pytest.fixture(scope="module")
def api(servers: TestServers) -> Iterator[Api]:
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url) as served:
            yield served
    finally:
        servers.database_drop(database)


def plain(kind: GraphQLInputType, depth: int = 0) -> Any:
    """Return something that a type takes, and no more than it needs."""
    if isinstance(kind, GraphQLNonNull):
        return plain(kind.of_type, depth)
    if isinstance(kind, GraphQLList):
        return [plain(kind.of_type, depth + 1)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLScalarType):
        return PLAIN[kind.name]
    assert isinstance(kind, GraphQLInputObjectType)
    fields = list(kind.fields.items())
    needed = [(name, field) for name, field in fields if is_required_input_field(field)]
    chosen = fields[:1] if kind.is_one_of else needed
    return {name: plain(field.type, depth + 1) for name, field in chosen}


def odd_values(kind: GraphQLInputType, text: str, depth: int = 0, around: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield what a type takes with the text in one place, for every place; of a type inside itself, once."""
    if isinstance(kind, GraphQLNonNull):
        yield from odd_values(kind.of_type, text, depth, around)
    elif isinstance(kind, GraphQLList):
        for inner in odd_values(kind.of_type, text, depth + 1, around):
            yield [inner]
    elif isinstance(kind, GraphQLScalarType) and kind.name == "JSON":
        yield from (text, {text: 1}, {"a": text}, {"a": {"b": [text]}})
    elif isinstance(kind, GraphQLScalarType) and kind.name in TEXTS:
        yield text
    elif isinstance(kind, GraphQLInputObjectType) and depth < DEPTH_MAX and around.count(kind.name) <= 1:
        for name, field in kind.fields.items():
            for inner in odd_values(field.type, text, depth + 1, (*around, kind.name)):
                yield {name: inner} if kind.is_one_of else {**plain(kind), name: inner}


def selection(field: GraphQLField) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    if not isinstance(kind, GraphQLObjectType):
        return "{ __typename }"
    wanted = ["__typename"]
    if "errors" in kind.fields:
        wanted.append("errors { code message path }")
    if "nodes" in kind.fields:
        wanted.append("nodes { __typename }")
    return "{ " + " ".join(wanted) + " }"


def calls(root: GraphQLObjectType, word: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, field in root.fields.items():
        arguments: dict[str, GraphQLArgument] = field.args
        for odd_name, argument in arguments.items():
            for text in ODD:
                for value in odd_values(argument.type, text):
                    values = {key: plain(a.type) for key, a in arguments.items() if is_required_argument(a)}
                    values[odd_name] = value
                    header = ", ".join(f"${value}: {arguments[value].type}" for value in values)
                    given = ", ".join(f"{value}: ${value}" for value in values)
                    query = f"{word} O({header}) {{ {name}({given}) {selection(field)} }}"
                    yield f"{name}.{odd_name}", query, values


def check_all(api: Api, root: GraphQLObjectType | None, word: str, slug: str) -> None:
    assert root is not None
    api.organization(slug)
    client = api.client(slug)
    client.call(PREPARE)
    faults, count = [], 0
    for place, query, values in calls(root, word):
        count += 1
        reply = client.call(query, values)
        codes = [error.get("extensions", {}).get("code") for error in reply.body.get("errors", [])]
        if reply.status >= 500 or "INTERNAL" in codes:
            faults.append((place, values, reply.body))
    assert count > 60
    assert sorted({place for place, _, _ in faults}) == [], faults[:3]


def test_no_query_fails_on_text_that_no_row_can_have(api: Api) -> None:
    check_all(api, SCHEMA.query_type, "query", "asking")


@pytest.mark.slow
def test_no_mutation_fails_on_text_that_cannot_be_stored(api: Api) -> None:
    check_all(api, SCHEMA.mutation_type, "mutation", "changing")


def test_where_the_text_is_at_fault_is_reported(api: Api) -> None:
    api.organization("texts")
    client = api.client("texts")
    create = (
        "mutation C($i: CreateDeviceInput!) { createDevice(input: $i) { device { id } errors { code message path } } }"
    )
    for given, path in (
        ({"name": "a\0"}, ["input", "name"]),
        ({"name": "a", "externalId": "\0"}, ["input", "externalId"]),
        ({"name": "a", "attributes": {"k": ["\0"]}}, ["input", "attributes", "k", "0"]),
    ):
        [error] = client.call(create, {"i": given}).data["createDevice"]["errors"]
        assert (error["code"], error["path"]) == ("BAD_USER_INPUT", path)
        assert "NUL" in error["message"]
    # Half a surrogate pair is no text at all.
    for reply in (
        client.call(create, {"i": {"name": "\ud800"}}),
        client.call('mutation { createDevice(input: {name: "\\ud800"}) { errors { code } } }'),
    ):
        assert (reply.status, reply.error_codes) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize("claim", ["sub", "org"])
def test_a_token_with_unstorable_text_is_refused(api: Api, claim: str) -> None:
    claims = {"sub": "ann", "org": "texts", "role": "admin", "exp": time.time() + 600}
    for odd in ("a\0b", "\0"):
        token = jwt.encode({**claims, claim: odd}, SECRET, algorithm="HS256")
        reply = Client(api.url, token).call("{ viewer { role } }")
        assert reply.error_codes == ["UNAUTHENTICATED"]


NESTED = """query O($id: ID!%s) { entity(id: $id) { ... on %s { %s(%s) %s } } }"""
MADE = """mutation { d: createDevice(input: {name: "d"}) { device { id } } a: createAsset(input: {name: "a"}) { asset { id } }
  s: createSpace(input: {name: "s"}) { space { id } } p: createPerson(input: {name: "p"}) { person { id } }
  c: createActivity(input: {name: "c"}) { activity { id } } }"""


def nested_calls(entities: dict[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield calls with a text in one argument of a field of an entity, for every such argument."""
    for type_name, identity in entities.items():
        kind = SCHEMA.get_type(type_name)
        assert isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items():
            for odd_name, argument in field.args.items():
                for value in [value for text in ODD for value in odd_values(argument.type, text)]:
                    values = {key: plain(a.type) for key, a in field.args.items() if is_required_argument(a)}
                    values[odd_name] = value
                    header = "".join(f", ${key}: {field.args[key].type}" for key in values)
                    given = ", ".join(f"{key}: ${key}" for key in values)
                    query = NESTED % (header, type_name, name, given, selection(field))
                    yield f"{type_name}.{name}.{odd_name}", query, {"id": identity, **values}


def test_no_field_of_an_entity_fails_on_text_that_no_row_can_have(api: Api) -> None:
    api.organization("nested")
    client = api.client("nested")
    made = client.call(MADE).data.values()
    entities = {name.capitalize(): entity["id"] for payload in made for name, entity in payload.items()}
    faults = []
    for place, query, values in nested_calls(entities):
        reply = client.call(query, values)
        if reply.status >= 500 or "INTERNAL" in reply.error_codes:
            faults.append(place)
    assert sorted(set(faults)) == []


def test_a_reason_that_cannot_be_stored_is_reported(api: Api) -> None:
    api.organization("reasons")
    client = api.client("reasons")
    ids = {name: entity["id"] for payload in client.call(MADE).data.values() for name, entity in payload.items()}
    create = """mutation C($a: ID!, $d: ID!) { createEdge(input: {sourceId: $a, targetId: $d,
      relationship: "MONITORED_BY", validFrom: "2026-01-01T00:00:00Z"}) { edge { edgeId } errors { code } } }"""
    edge = client.call(create, {"a": ids["asset"], "d": ids["device"]}).data["createEdge"]["edge"]["edgeId"]
    for call in ("correctEdge(id: $id, exclusive: true, reason: $r)", "endEdge(id: $id, reason: $r)"):
        change = f"mutation M($id: ID!, $r: String) {{ {call} {{ errors {{ code path }} }} }}"
        [payload] = client.call(change, {"id": edge, "r": "a\0"}).data.values()
        assert payload["errors"] == [{"code": "BAD_USER_INPUT", "path": ["reason"]}]
