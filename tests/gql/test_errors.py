"""Errors that one can act on: their codes, paths, places and hints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)
from graphql.pyutils import Undefined

from gql.errors import TOP_LEVEL, ErrorCode
from gql.schema import core_schema
from gql.server.limits import COST_MAX
from gql.server.variables import ERRORS_MAX
from graph.errors import ArgusError
from testing.api import Api
from testing.documents import literal
from testing.installation import PROJECT, Client

PAGE = (PROJECT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
# What no argument of that type may be.
WRONG = {"ID": ['"x"'], "String": ['""', '"\\u0000"'], "Int": ["-1"], "Float": ["-1e308"], "JSON": ["5", "{a: 1}"],
         "GeoJSON": ["{a: 1}"], "DateTime": ['"9999-12-31T23:59:59Z"'], "Duration": ['"PT0S"', '"P1Y"']}  # fmt: skip


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    return api.client("plant")


def errors_of(client: Client, text: str, variables: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = client.call(text, variables).body.get("errors", [])
    return errors


# Codes.


def subclasses(of: type[ArgusError]) -> Iterator[type[ArgusError]]:
    for sub in of.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_every_code_that_is_raised_is_one_of_the_enum() -> None:
    every: list[type[ArgusError]] = [ArgusError, *subclasses(ArgusError)]
    raised = {cls.code for cls in every}
    literals = set()
    for folder in ("graph", "domain", "gql", "argus"):
        for path in (PROJECT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            literals |= set(re.findall(r'(?:\bcode=|refuse\(|_RefusedError\(|"code": )"([A-Z_]+)"', text))
            literals |= set(re.findall(r'"code": ErrorCode\.([A-Z_]+)', text))
    # Answered as BAD_USER_INPUT, with a status of its own.
    assert raised | literals - {"UNSUPPORTED"} <= set(ErrorCode)
    assert set(ErrorCode) <= raised | literals | {ErrorCode.INTERNAL}


def test_the_page_of_errors_has_each_code_once() -> None:
    general, of_readings = (re.findall(r"^\| `([A-Z_]+)` \|", part, re.MULTILINE) for part in parts_of_page())
    own = {"UNKNOWN_DEVICE", "INVALID_TIMESTAMP", "INVALID_METRICS"}
    assert sorted(general) == sorted(set(ErrorCode) - own)
    assert own <= set(of_readings) <= set(ErrorCode)


def parts_of_page() -> tuple[str, str]:
    """Return what the page says of all errors, and of readings that are taken in."""
    return PAGE.partition("\n## ")[0], PAGE.partition("## Of a reading, when")[2].partition("\n## ")[0]


def test_the_schema_names_the_codes_of_a_payload() -> None:
    user_error = core_schema().type_map["UserError"]
    assert isinstance(user_error, GraphQLObjectType)
    named = set(re.findall(r"[A-Z]+_?[A-Z_]+", user_error.fields["code"].description or ""))
    # Of readings over their quota, and of changes beyond a scope: elsewhere these are at the top.
    assert named == (set(ErrorCode) - TOP_LEVEL) | {"RATE_LIMITED", "FORBIDDEN"}


# Paths.


def walk(type_: GraphQLInputType, path: list[str]) -> bool:
    """Return whether a path leads to a part of a value of a type; into JSON, wherever it leads."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if not path or get_named_type(inner).name in {"JSON", "GeoJSON"}:
        return True
    if isinstance(inner, GraphQLList):
        return path[0].isdigit() and walk(inner.of_type, path[1:])
    if isinstance(inner, GraphQLInputObjectType):
        return path[0] in inner.fields and walk(inner.fields[path[0]].type, path[1:])
    return False


def leads(field: GraphQLField, path: list[str]) -> bool:
    return not path or (path[0] in field.args and walk(field.args[path[0]].type, path[1:]))


def is_required(part: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(part.type, GraphQLNonNull) and part.default_value is Undefined


def values(type_: GraphQLInputType, depth: int = 0) -> Iterator[str]:
    """Yield values of a type of which one part is wrong."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(inner, GraphQLList):
        yield from (f"[{value}]" for value in values(inner.of_type, depth))
    elif isinstance(inner, GraphQLInputObjectType):
        if depth < 3:
            for name, field in inner.fields.items():
                others = "" if inner.is_one_of else given(inner.fields, without=name)
                yield from (f"{{{name}: {value}{others}}}" for value in values(field.type, depth + 1))
    else:
        yield from WRONG.get(get_named_type(inner).name, ())


def given(parts: Any, *, without: str) -> str:
    return "".join(
        f", {name}: {least(name, part.type)}" for name, part in parts.items() if name != without and is_required(part)
    )


def least(name: str, type_: GraphQLInputType) -> str:
    """Write the smallest value of an argument or field; an id as its name, for `MADE`."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(inner, GraphQLInputObjectType) and not inner.is_one_of:
        return "{" + given(inner.fields, without="").removeprefix(", ") + "}"
    if get_named_type(inner).name == "ID":
        return f'["ID {name}"]' if isinstance(inner, GraphQLList) else f'"ID {name}"'
    return literal(type_, lambda _: f"ID {name}", items=0)


def wrong_calls(root: str) -> Iterator[tuple[str, str]]:
    for name, field in core_schema().type_map[root].fields.items():  # type: ignore[attr-defined]
        for key, argument in field.args.items():
            for value in values(argument.type):
                selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
                if root == "Mutation":
                    selection = " { errors { code message path } }"
                yield name, f"{root.lower()} {{ {name}({key}: {value}{given(field.args, without=key)}){selection} }}"


CALLS = {root: list(wrong_calls(root)) for root in ("Query", "Mutation")}


# What an id is of, by the name of its argument; `id` is of what the mutation names.
MADE = {
    "Device": 'createDevice(input: {name: "d", externalId: "d"}) { device { id } }',
    "Asset": 'createAsset(input: {name: "a", externalId: "a"}) { asset { id } }',
    "Space": 'createSpace(input: {name: "s"}) { space { id } }',
    "Person": 'createPerson(input: {name: "p"}) { person { id } }',
    "Activity": 'createActivity(input: {name: "w", checklist: ["one"]}) { activity { id } }',
    "ActivityTemplate": 'createActivityTemplate(input: {name: "t"}) { activityTemplate { id } }',
    "AssetProfile": 'createAssetProfile(input: {name: "p"}) { assetProfile { id } }',
    "Group": 'createGroup(input: {name: "g"}) { group { id } }',
    "EntityType": 'createEntityType(input: {kind: ASSET, name: "T"}) { entityType { id } }',
    "Rule": 'createRule(input: {name: "r", condition: {expression: "t > 1.0"}}) { rule { id } }',
    "Edge": 'createEdge(input: {sourceId: "$Asset", targetId: "$Space", relationship: "LOCATED_IN"}) { edge { id } }',
    "Rollup": 'createRollup(input: {name: "r", metric: "sum", relationship: "CONTAINS", aggregate: SUM, '
    'of: {metric: "t", kinds: [SPACE]}, bucket: "PT1H"}) { rollup { id } }',
}
OF = {
    "deviceId": "Device", "replacementId": "Device", "deviceIds": "Device", "assetId": "Asset", "parentId": "Asset",
    "sourceId": "Asset", "targetId": "Space", "fromId": "Asset", "toId": "Space", "entityId": "Asset",
    "entityIds": "Asset", "startIds": "Asset", "targetIds": "Asset", "underId": "Space", "activityId": "Activity",
    "personId": "Person", "templateId": "ActivityTemplate", "createActivityFromTemplateId": "ActivityTemplate",
    "profileId": "AssetProfile", "ruleId": "Rule", "ruleIds": "Rule", "subjectIds": "Asset", "ids": "Asset",
    "groupId": "Group",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(client: Client) -> dict[str, str]:
    """One object of each type."""
    ids: dict[str, str] = {}
    for name, template in MADE.items():
        text = template
        for other, identity in ids.items():
            text = text.replace(f"${other}", identity)
        [payload] = client.call(f"mutation {{ {text} }}").data.values()
        [ids[name]] = [node["id"] for node in payload.values()]
    return ids


def filled(text: str, name: str, made: dict[str, str]) -> str:
    """Write ids for their names. name: of the root field."""

    def identity(match: re.Match[str]) -> str:
        of = OF.get(match[1]) or next(
            (kind for kind in sorted(made, key=len, reverse=True) if name.endswith(kind)), "Asset"
        )
        return f'"{made[of]}"'

    return re.sub(r'"ID (\w+)"', identity, text)


@pytest.mark.parametrize("root", ["Query", "Mutation"])
def test_a_path_leads_into_the_arguments(client: Client, made: dict[str, str], root: str) -> None:
    fields = core_schema().type_map[root].fields  # type: ignore[attr-defined]
    located = 0
    misled = []
    assert len(CALLS[root]) > 100
    for name, text in CALLS[root]:
        body = client.call(filled(text, name, made)).body
        faults = [(error["extensions"], error["message"]) for error in body.get("errors", [])]
        paths = [extensions.get("argumentPath", []) for extensions, _ in faults]
        codes = [extensions["code"] for extensions, _ in faults]
        payload = (body.get("data") or {}).get(name)
        if root == "Mutation" and payload is not None:
            paths += [error["path"] for error in payload["errors"]]
            codes += [error["code"] for error in payload["errors"]]
        if not set(codes) <= set(ErrorCode) - {ErrorCode.INTERNAL} or not all(leads(fields[name], p) for p in paths):
            misled.append((text, body))
        located += sum(map(bool, paths))
    assert misled == []
    assert located > len(CALLS[root]) / 4


# Variables and literals.


READINGS = "mutation M($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
RULE = "mutation M($i: RuleInput!) { createRule(input: $i) { errors { code } } }"
CONDITION = {"metric": "t", "operator": "GT", "value": 1}
NAMED = {"name": "x", "condition": {"threshold": CONDITION}}


@pytest.mark.parametrize(
    ("text", "variables", "path", "begins"),
    [
        ("query Q($t: DateTime) { assets(asOf: $t) { totalCount } }", {"t": "now"}, ["$t"], "$t: 'now' is not an RFC 3339"),
        (READINGS, {"r": [{"metrics": {}}, {"port": "x", "metrics": {}}]}, ["$r", "1", "port"], "$r[1].port: Int cannot"),
        (READINGS, {"r": [{"metrics": {}}, {"port": 1}]}, ["$r", "1"], "$r[1]: Expected value of type 'ReadingInput' to include"),
        (READINGS, {"r": [{"metrics": {}, "prt": 1}]}, ["$r", "0"], "$r[0]: Expected value of type 'ReadingInput' not to include"),
        (READINGS, {}, ["$r"], "$r: Expected a value of non-null type"),
        (RULE, {"i": {**NAMED, "severity": "HIHG"}}, ["$i", "severity"], "$i.severity: Value 'HIHG' does not exist"),
        (
            RULE,
            {"i": {"name": "x", "condition": {"threshold": {**CONDITION, "for": "soon"}}}},
            ["$i", "condition", "threshold", "for"],
            "$i.condition.threshold.for: 'soon' is not an ISO 8601 duration",
        ),
        (
            RULE,
            {"i": {"name": "x", "condition": {"threshold": CONDITION, "expression": "t > 1.0"}}},
            ["$i", "condition"],
            "$i.condition: Within OneOf Input Object type 'Condition', exactly one field",
        ),
    ],
)  # fmt: skip
def test_an_error_of_a_variable_names_it(
    client: Client, text: str, variables: dict[str, Any], path: list[str], begins: str
) -> None:
    [error] = errors_of(client, text, variables)
    assert error["message"].startswith(begins)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argumentPath": path}
    assert error["locations"] == [{"line": 1, "column": text.index("$") + 1}]


def test_a_null_for_an_argument_that_has_none_names_it(client: Client) -> None:
    [error] = errors_of(client, "query Q($n: Int) { assets(first: $n) { totalCount } }", {"n": None})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argumentPath": ["first"]}
    assert error["path"] == ["assets"]


def test_each_part_of_a_variable_has_an_error_of_its_own_up_to_a_bound(client: Client) -> None:
    errors = errors_of(client, READINGS, {"r": [{"port": "x", "metrics": {}}] * 1000})
    assert [error["extensions"]["argumentPath"] for error in errors] == [
        ["$r", str(place), "port"] for place in range(ERRORS_MAX)
    ]


@pytest.mark.parametrize(
    ("text", "at", "path"),
    [
        ('{ assets(asOf: "now") { totalCount } }', '"now"', ["asOf"]),
        ('{ assets(filter: {types: ["a", 5]}) { totalCount } }', "5", ["filter", "types", "1"]),
        ("{ assets(orderBy: NAME) { totalCount } }", "NAME", ["orderBy"]),
        ('{ devices { nodes { telemetry(from: "2026-01-01T00:00:00Z", bucket: "P1X") { metric } } } }', '"P1X"', ["bucket"]),
        ('query Q($t: DateTime = "now") { assets(asOf: $t) { totalCount } }', '"now"', ["$t"]),
        ('{ assets @include(if: "yes") { totalCount } }', '"yes"', ["if"]),
        ("{ within(geometry: [1]) { totalCount } }", "[1]", ["geometry"]),
    ],
)  # fmt: skip
def test_an_error_of_a_literal_says_where_it_is(client: Client, text: str, at: str, path: list[str]) -> None:
    [error] = errors_of(client, text)
    assert error["locations"] == [{"line": 1, "column": text.index(at) + 1}]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argumentPath": path}


# Hints.


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{ entities { nodes { healthScore } } }", " Use '... on Asset { healthScore }': it is a field of Asset."),
        (
            "{ entities { nodes { derivationFaults { metric } } } }",
            " Use '... on Asset { derivationFaults }': it is a field of Asset and Space.",
        ),
        ("{ node(id: 1) { severity } }", ": it is a field of Event and Rule."),
        ("{ devices { nodes { healthScore } } }", " It is a field of Asset."),
        ("{ assets { nodes { nmae } } }", " Did you mean 'name'?"),
        ("{ asets { totalCount } }", " Did you mean 'assets'"),
        ("{ assets(frist: 3) { totalCount } }", " Did you mean 'first'"),
        ("{ assets(orderBy: NAM_ASC) { totalCount } }", "Did you mean the enum value 'NAME_ASC'"),
        ('{ assets(filter: {typs: ["x"]}) { totalCount } }', "Did you mean 'types'"),
        ("{ entities { nodes { ... on Asst { id } } } }", "Did you mean 'Asset'"),
        ('{ path(fromId: "$Asset", toId: "$Space", relationships: ["LOCATED"]) { length } }', "Did you mean 'LOCATED_IN'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_what_may_have_been_meant(
    client: Client, made: dict[str, str], text: str, hint: str
) -> None:
    [error] = errors_of(client, text.replace("$Asset", made["Asset"]).replace("$Space", made["Space"]))
    assert hint in error["message"]


def test_a_relationship_is_looked_for_by_name_in_each_step_and_edge(client: Client, made: dict[str, str]) -> None:
    ids = {"asset": made["Asset"], "space": made["Space"]}
    text = """query T($asset: ID!) { traverse(input: {startIds: [$asset], steps: [
      {relationships: ["HAS_PART"]}, {relationships: ["HAS_PRT"]}]}) { nodeIds } }"""
    [error] = errors_of(client, text, {"asset": ids["asset"]})
    assert error["message"] == "There is no relationship 'HAS_PRT'. Did you mean 'HAS_PART'?"
    assert error["extensions"]["argumentPath"] == ["input", "steps", "1", "relationships"]
    text = """mutation M($asset: ID!, $space: ID!) {
      createEdge(input: {sourceId: $asset, targetId: $space, relationship: "located_in"}) { errors { message path } } }"""
    assert client.call(text, ids).data["createEdge"]["errors"] == [
        {
            "message": "There is no relationship 'located_in'. Did you mean 'LOCATED_IN'?",
            "path": ["input", "relationship"],
        }
    ]


def test_who_has_no_token_gets_no_hint(api: Api) -> None:
    anonymous = Client(api.url, None)
    for text in ("{ __schema { typs { name } } }", "{ __type(nam: 1) { name } }", "{ asets { totalCount } }"):
        for error in errors_of(anonymous, text):
            assert "Did you mean" not in error["message"]
            assert "field of" not in error["message"]


# What an operation may cost.


def test_the_error_of_an_expensive_operation_says_what_it_costs(client: Client) -> None:
    related = 'related(relationships: ["FEEDS"], first: 500) { nodes { %s id } }'
    [error] = errors_of(client, f"{{ assets(first: 500) {{ nodes {{ {related % related % ''} }} }} }}")
    cost = error["extensions"]["cost"]
    assert error["extensions"] == {"code": "COST_LIMIT_EXCEEDED", "cost": {"asked": cost["asked"], "allowed": COST_MAX}}
    assert cost["asked"] > 500 * 500 * 500


def test_introspection_says_which_input_has_exactly_one_field(client: Client) -> None:
    text = '{ a: __type(name: "Condition") { isOneOf } b: __type(name: "RuleInput") { isOneOf } }'
    assert client.call(text).data == {"a": {"isOneOf": True}, "b": {"isOneOf": False}}
