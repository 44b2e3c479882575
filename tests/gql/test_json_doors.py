"""JSON arguments of the API: refused with a code, a message and a path, or returned as sent."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gql.schema import core_schema
from testing.api import Api
from testing.installation import Client, Reply

_ERRORS = "errors { code message path }"


@dataclass(frozen=True, slots=True)
class Door:
    """A mutation or query that takes a value in the place of VALUE. payload: its field; shown: where it says it again."""

    call: str
    field: str
    shown: tuple[str, ...] | None = None
    has_errors: bool = True


def entity_doors() -> dict[str, Door]:
    doors = {}
    for kind in ("Asset", "Device", "Space", "Person", "Activity"):
        of = kind.lower()
        for argument in ("attributes", "location"):
            shown = (of, "attributes") if argument == "attributes" else None
            said = f"{of} {{ id attributes }} {_ERRORS}"
            create = f'create{kind}(input: {{name: "x", {argument}: VALUE}}) {{ {said} }}'
            update = f'update{kind}(id: "{{{of}}}", input: {{{argument}: VALUE}}) {{ {said} }}'
            doors[f"Create{kind}Input.{argument}"] = Door(create, f"create{kind}", shown)
            # Attributes are merged here: what is shown is more than what was sent (tests/gql/plant).
            doors[f"Update{kind}Input.{argument}"] = Door(update, f"update{kind}")
        replace = f'update{kind}(id: "{{{of}}}", input: {{replaceAttributes: VALUE}}) {{ {said} }}'
        doors[f"Update{kind}Input.replaceAttributes"] = Door(replace, f"update{kind}", (of, "attributes"))
    return doors


DOORS: dict[str, Door] = {
    **entity_doors(),
    **{
        f"EntityPatch.{argument}": Door(
            f'updateEntities(filter: {{ids: ["{{device}}"]}}, patch: {{{argument}: VALUE}}) {{ changed {_ERRORS} }}',
            "updateEntities",
        )
        for argument in ("attributes", "location")
    },
    "CreateActivityInput.checklist": Door(
        f'createActivity(input: {{name: "x", checklist: VALUE}}) {{ activity {{ checklist }} {_ERRORS} }}',
        "createActivity",
    ),
    "UpdateActivityInput.checklist": Door(
        f'updateActivity(id: "{{activity}}", input: {{checklist: VALUE}}) {{ activity {{ checklist }} {_ERRORS} }}',
        "updateActivity",
    ),
    "ActivityTemplateInput.checklist": Door(
        f'createActivityTemplate(input: {{name: "{{new}}", checklist: VALUE}}) '
        f"{{ activityTemplate {{ checklist }} {_ERRORS} }}",
        "createActivityTemplate",
    ),
    "CreateEdgeInput.metadata": Door(
        'createEdge(input: {sourceId: "{asset}", targetId: "{space}", relationship: "FEEDS", metadata: VALUE, '
        f'validFrom: "{{before}}", validUntil: "{{after}}"}}) {{ edge {{ metadata }} {_ERRORS} }}',
        "createEdge",
        ("edge", "metadata"),
    ),
    # Of any other member than metrics_mapping it says that there is none.
    "LinkDeviceInput.metadata": Door(
        'linkDevice(input: {deviceId: "{device}", assetId: "{asset}", metadata: VALUE, '
        f'validFrom: "{{before}}", validUntil: "{{after}}"}}) {{ edge {{ metadata }} {_ERRORS} }}',
        "linkDevice",
    ),
    "EntityTypeInput.attributes": Door(
        f'createEntityType(input: {{kind: ASSET, name: "{{new}}", attributes: VALUE}}) '
        f"{{ entityType {{ attributes }} {_ERRORS} }}",
        "createEntityType",
        ("entityType", "attributes"),
    ),
    "EntityTypeInput.telemetrySchema": Door(
        f'createEntityType(input: {{kind: ASSET, name: "{{new}}", telemetrySchema: VALUE}}) '
        f"{{ entityType {{ telemetrySchema }} {_ERRORS} }}",
        "createEntityType",
    ),
    "AssetProfileInput.defaultAttributes": Door(
        f'createAssetProfile(input: {{name: "{{new}}", defaultAttributes: VALUE}}) '
        f"{{ assetProfile {{ defaultAttributes versions {{ defaultAttributes }} }} {_ERRORS} }}",
        "createAssetProfile",
        ("assetProfile", "defaultAttributes"),
    ),
    **{
        f"AssetProfileInput.{argument}": Door(
            f'createAssetProfile(input: {{name: "{{new}}", {argument}: VALUE}}) '
            f"{{ assetProfile {{ {argument} }} {_ERRORS} }}",
            "createAssetProfile",
        )
        for argument in ("defaultHealthThresholds", "formulas", "rules", "health")
    },
    "ReadingInput.metrics": Door(
        f'ingestTelemetry(readings: [{{deviceId: "{{device}}", timestamp: "{{before}}", metrics: VALUE}}]) '
        f"{{ accepted {_ERRORS} }}",
        "ingestTelemetry",
    ),
    "Mutation.importGraph.records": Door(f"importGraph(records: [VALUE]) {{ created {_ERRORS} }}", "importGraph"),
    "Mutation.setFeatureFlag.value": Door(
        f'setFeatureFlag(name: "derive.shadow", value: VALUE) {{ featureFlag {{ value }} {_ERRORS} }}', "setFeatureFlag"
    ),
    **{
        f"AttributeCondition.{name}": Door(
            f'entities(filter: {{attributes: [{{path: "v", {name}: {given}}}]}}) {{ nodes {{ id }} }}',
            "entities",
            has_errors=False,
        )
        for name, given in (("eq", "VALUE"), ("ne", "VALUE"), ("in", "[VALUE]"))
    },
    "Query.within.geometry": Door("within(geometry: VALUE) { nodes { id } }", "within", has_errors=False),
}


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    api.organization("doors")
    return api.client("doors")


@pytest.fixture(scope="module")
def ids(client: Client) -> dict[str, str]:
    """One entity of each kind."""
    made = client.call(
        "mutation { "
        + " ".join(
            f'create{kind}(input: {{name: "{kind}"}}) {{ {kind.lower()} {{ id }} }}'
            for kind in ("Asset", "Device", "Space", "Person", "Activity")
        )
        + " }"
    ).data
    return {next(iter(payload)): next(iter(payload.values()))["id"] for payload in made.values()}


NUMBERS = (
    st.integers(-(2**64), 2**65)
    | st.integers(-(10**320), 10**320)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e21, 2**64, 2**64 + 1, -(2**63), -(2**63) - 1, 2**53 + 1, 1e16, 1e308, 5e-324, -0.0])
)
# No surrogates: what is not UTF-8 is no JSON, and is refused before (test_text_that_is_no_utf_8).
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", "\0", "a\0b", "\x01", "\u2028", "\uffff", "\U0001f600", "x" * 3_000]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXTS | st.from_regex(r"[a-z]{1,4}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": [value]}
    return value


OBJECTS = st.dictionaries(TEXTS | st.just("v"), VALUES, max_size=4) | st.sampled_from(
    [nested(3), nested(15), nested(40)]
)
ITEMS = st.lists(st.fixed_dictionaries({"text": st.just("look")}, optional={"v": VALUES}), min_size=1, max_size=2)


def literal(value: Any) -> str | None:
    """Return the value written in a document; None where GraphQL cannot write it."""
    if isinstance(value, Mapping):
        members = [(key, literal(item)) for key, item in value.items()]
        if any(item is None or not re.fullmatch(r"[_A-Za-z][_A-Za-z0-9]*", key) for key, item in members):
            return None
        return "{" + ", ".join(f"{key}: {item}" for key, item in members) + "}"
    if isinstance(value, list):
        items = [literal(item) for item in value]
        return None if None in items else "[" + ", ".join(map(str, items)) + "]"
    return json.dumps(value)


def call(client: Client, door: Door, ids: Mapping[str, str], value: Any, *, as_literal: bool) -> Reply:
    """Pass a door with a value, as a variable or written in the document."""
    # Edges must not overlap.
    at = datetime(1971, 1, 1, tzinfo=UTC) + timedelta(milliseconds=uuid.uuid4().int % 1_500_000_000_000)
    after = at + timedelta(milliseconds=1)
    names = {**ids, "new": uuid.uuid4().hex, "before": at.isoformat(), "after": after.isoformat()}
    text = door.call
    for name, said in names.items():
        text = text.replace("{" + name + "}", said)
    kind = "mutation" if door.has_errors else "query"
    scalar = "GeoJSON" if "location" in text or door.field == "within" else "JSON"
    if as_literal:
        return client.call(f"{kind} {{ {text.replace('VALUE', literal(value) or '')} }}")
    bang = "!" if any(name in text for name in ("importGraph", "within", "ingestTelemetry")) else ""
    return client.call(f"{kind}($v: {scalar}{bang}) {{ {text.replace('VALUE', '$v')} }}", {"v": value})


def same(sent: Any, shown: Any) -> bool:
    """Return whether JSON is the same: numbers exactly within 64 bits, else as doubles."""
    if isinstance(sent, Mapping):
        return isinstance(shown, Mapping) and sent.keys() == shown.keys() and all(same(sent[k], shown[k]) for k in sent)
    if isinstance(sent, list):
        return isinstance(shown, list) and len(sent) == len(shown) and all(map(same, sent, shown))
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        if isinstance(shown, bool) or not isinstance(shown, int | float):
            return False
        return sent == shown if -(2**63) <= sent < 2**64 else float(sent) == float(shown)
    return type(sent) is type(shown) and bool(sent == shown)


def refusals(reply: Reply, door: Door) -> list[dict[str, Any]]:
    """Return why a call was refused; each refusal is clear."""
    assert reply.status in {200, 400}, reply
    top = reply.body.get("errors", [])
    assert all(error["extensions"]["code"] in {"BAD_USER_INPUT", "LIMIT_EXCEEDED"} for error in top), top
    payload = ((reply.body.get("data") or {}).get(door.field) or {}) if door.has_errors else {}
    mine: list[dict[str, Any]] = payload.get("errors", [])
    assert all(error["message"] and error["path"] and error["code"] != "INTERNAL" for error in mine), mine
    return [*top, *mine]


def test_every_json_argument_is_tested_here() -> None:
    arguments = set()
    for name, of in core_schema().type_map.items():
        if isinstance(of, GraphQLInputObjectType):
            arguments |= {
                f"{name}.{f}" for f, d in of.fields.items() if get_named_type(d.type).name in {"JSON", "GeoJSON"}
            }
        elif isinstance(of, GraphQLObjectType):
            arguments |= {
                f"{name}.{field}.{argument}"
                for field, definition in of.fields.items()
                for argument, one in definition.args.items()
                if get_named_type(one.type).name in {"JSON", "GeoJSON"}
            }
    # Both are read by the same functions as createActivityTemplate's and createEntityType's.
    assert arguments == set(DOORS)


@pytest.mark.parametrize("name", DOORS)
def test_a_value_is_refused_with_a_reason_or_returned(client: Client, ids: dict[str, str], name: str) -> None:
    door = DOORS[name]
    is_list = name.endswith("checklist")
    values = OBJECTS if door.shown else ITEMS if is_list else OBJECTS | VALUES

    if door.shown is not None or is_list:
        plain = [{"text": "look"}] if is_list else {"v": 1.5}
        assert all(refusals(call(client, door, ids, plain, as_literal=item), door) == [] for item in (True, False))

    @settings(max_examples=12)
    @given(values, st.booleans())
    def holds(value: Any, as_literal: bool) -> None:
        reply = call(client, door, ids, value, as_literal=as_literal and literal(value) is not None)
        if refusals(reply, door):
            return
        shown = reply.data[door.field]
        if door.shown is not None:
            for step in door.shown:
                shown = shown[step]
            assert same(value, shown), (value, shown)
        elif is_list:
            [shown_entity] = [item for key, item in shown.items() if key != "errors"]
            for sent, item in zip(value, shown_entity["checklist"], strict=True):
                assert same(sent, {key: item[key] for key in sent})

    holds()


@settings(max_examples=30)
@example({"v": -0.0})
@given(OBJECTS)
def test_every_read_shows_what_was_stored(client: Client, ids: dict[str, str], value: Any) -> None:
    door = DOORS["UpdateAssetInput.replaceAttributes"]
    before = client.call("query($id: ID!) { entity(id: $id) { attributes } }", {"id": ids["asset"]}).data["entity"]
    is_refused = bool(refusals(call(client, door, ids, value, as_literal=False), door))
    stored = before["attributes"] if is_refused else value
    reads = client.call(
        "query($id: ID!) { entity(id: $id) { attributes } assets(filter: {}) { nodes { id attributes } } "
        "changes(first: 1) { nodes { after } } }",
        {"id": ids["asset"]},
    ).data
    assert same(stored, reads["entity"]["attributes"])
    assert any(node["id"] == ids["asset"] and same(stored, node["attributes"]) for node in reads["assets"]["nodes"])
    # The same once more is no change, in whatever form its numbers were written.
    if not is_refused:
        newest = "{ changes(first: 1) { nodes { id } } }"
        had = client.call(newest).data
        assert refusals(call(client, door, ids, value, as_literal=False), door) == []
        assert client.call(newest).data == had


@settings(max_examples=30)
@given(OBJECTS)
def test_an_import_takes_the_same(client: Client, value: Any) -> None:
    name = uuid.uuid4().hex
    record = {"record": "entity", "kind": "ASSET", "externalId": name, "name": "x", "attributes": value}
    bring = f"mutation($r: [JSON!]!) {{ importGraph(records: $r) {{ created updated unchanged {_ERRORS} }} }}"
    reply = client.call(bring, {"r": [record]})
    if reply.error_codes:
        # Too deep is a limit.
        assert reply.error_codes in (["BAD_USER_INPUT"], ["LIMIT_EXCEEDED"])
        return
    made = reply.data["importGraph"]
    if made["errors"]:
        assert all(error["path"][:3] == ["records", "0", "attributes"] for error in made["errors"]), made
        return
    query = "query($e: String!) { entity(kind: ASSET, externalId: $e) { attributes } }"
    assert same(value, client.call(query, {"e": name}).data["entity"]["attributes"])
    again = client.call(bring, {"r": [record]}).data["importGraph"]
    assert (again["updated"], again["unchanged"]) == (0, 1)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ('{"v": "a\\u0000"}', ["input", "attributes", "v"]),
        ('{"v": {"a\\u0000": 1}}', ["input", "attributes", "v"]),
        ('{"v": [0, 1' + "0" * 308 + "]}", None),
        ('{"v": 1e21, "w": 18446744073709551616}', []),
    ],
)
def test_regressions(client: Client, value: str, path: list[str] | None) -> None:
    query = f'mutation($v: JSON) {{ createAsset(input: {{name: "x", attributes: $v}}) {{ asset {{ id attributes }} {_ERRORS} }} }}'
    body = f'{{"query": {json.dumps(query)}, "variables": {{"v": {value}}}}}'
    made = client.post(body.encode()).data["createAsset"]
    if path:
        assert [error["path"] for error in made["errors"]] == [path]
    else:
        assert made["errors"] == []
        assert same(json.loads(value), made["asset"]["attributes"])
        lists = "{ assets(orderBy: CREATED_DESC) { nodes { id attributes } } "
        listed = client.call(lists + "changes { nodes { before after } } }").data
        newest = listed["assets"]["nodes"][0]
        assert newest["id"] == made["asset"]["id"]
        assert same(json.loads(value), newest["attributes"])
        assert same(json.loads(value), listed["changes"]["nodes"][0]["after"]["attributes"])


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ __typename }", "variables": {"v": {"a": "\\ud800"}}}',
        b'{"query": "{ __typename }", "variables": {"v": "\xff"}}',
        b'{"query": "{ __typename }", "variables": {"v": 1e400}}',
        b'{"query": "{ __typename }", "variables": {"v": NaN}}',
        b'{"query": "{ entity(id: \\"\\\\uD800\\") { id } }"}',
    ],
)
def test_text_that_is_no_utf_8_and_numbers_that_are_none(client: Client, body: bytes) -> None:
    reply = client.post(body)
    assert (reply.status, reply.error_codes) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize("number", ["1e400", "-1e999", "1" + "0" * 400, "1" + "0" * 5000])
def test_a_literal_beyond_a_double_is_refused(client: Client, number: str) -> None:
    door = DOORS["CreateAssetInput.attributes"]
    reply = client.call(f"mutation {{ {door.call.replace('VALUE', '{v: [' + number + ']}')} }}")
    errors = refusals(reply, door)
    assert len(errors) == 1
    assert errors[0].get("path") in (["input", "attributes", "v", "0"], None)
    assert math.isinf(float(number))


@pytest.mark.parametrize("odd", ["a\0b", "\0"])
@pytest.mark.parametrize(
    "record",
    [
        {"record": "entity", "kind": "ASSET", "name": "ODD"},
        {"record": "entity", "kind": "ASSET", "name": "x", "externalId": "ODD"},
        {"record": "entity", "kind": "ASSET", "name": "x", "type": "ODD"},
        {"record": "entity", "kind": "ASSET", "name": "x", "status": "ODD"},
        {"record": "entity", "kind": "ASSET", "name": "x", "attributes": {"ODD": 1}},
        {"record": "entity", "kind": "DEVICE", "name": "x", "firmwareVersion": "ODD"},
        {"record": "entity", "kind": "PERSON", "name": "x", "email": "ODD"},
        {"record": "entity", "kind": "ACTIVITY", "name": "x", "category": "ODD"},
        {"record": "entity", "kind": "ACTIVITY", "name": "x", "checklist": ["ODD"]},
        {"record": "entityType", "kind": "ASSET", "name": "ODD"},
        {"record": "entityType", "kind": "ASSET", "name": "n", "description": "ODD"},
        {"record": "relationship", "name": "ODD", "inverse": "BY", "sourceKinds": ["ASSET"], "targetKinds": ["ASSET"]},
        {"record": "edge", "source": "ODD", "relationship": "FEEDS", "target": "ODD"},
        {"record": "edge", "source": "a", "relationship": "ODD", "target": "b"},
        {"record": "edge", "source": "a", "relationship": "FEEDS", "target": "b", "port": 10**30},
    ],
)
def test_a_record_with_a_text_that_cannot_be_stored_is_refused_alone(
    client: Client, record: dict[str, Any], odd: str
) -> None:
    sent = json.loads(json.dumps(record).replace("ODD", json.dumps(odd)[1:-1]))
    good = {"record": "entity", "kind": "ASSET", "name": "good", "externalId": uuid.uuid4().hex}
    bring = f"mutation($r: [JSON!]!) {{ importGraph(records: $r) {{ created {_ERRORS} }} }}"
    made = client.call(bring, {"r": [good, sent]}).data["importGraph"]
    assert made["created"] == 1
    assert len(made["errors"]) == 1
    assert made["errors"][0]["path"][:2] == ["records", "1"]
    assert made["errors"][0]["code"] in {"BAD_USER_INPUT", "NOT_FOUND"}


@settings(max_examples=60)
@given(OBJECTS | VALUES, st.sampled_from(["argus", "thingsboard", "senml"]))
def test_readings_over_http_are_answered(client: Client, ids: dict[str, str], value: Any, form: str) -> None:
    forms = {
        "argus": [{"deviceId": ids["device"], "timestamp": "2026-01-01T00:00:00Z", "metrics": value}, value],
        "thingsboard": {"meter": [{"ts": 1, "values": value}]},
        "senml": [{"bn": "meter", "n": "v", "v": value}],
    }
    door = Client(client.url.replace("/graphql", f"/api/v1/telemetry/ingest?format={form}"), client.token)
    reply = door.post(json.dumps(forms[form]).encode())
    assert reply.status in {200, 400, 422}
    assert {"accepted", "rejected", "duplicates", "errors"} == reply.body.keys()
    assert all(error["code"] != "INTERNAL" and error["path"] for error in reply.body["errors"])
