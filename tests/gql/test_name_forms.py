"""Names in the arguments of queries and mutations: whichever form of Unicode they come in, they find the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize
from uuid import UUID

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
)
from sqlalchemy import insert

from argus.tokens import token_create
from domain.derivation.shadow.tables import shadow_differences
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import PROJECT, Client

SCHEMA = build_schema((Path(PROJECT) / "gql" / "schema.graphql").read_text(encoding="utf-8"))
COMPOSED = "K\u00fcche"
DECOMPOSED = normalize("NFD", COMPOSED)
ACTOR = f"{COMPOSED}@example.org"

# Arguments that are compared with what Argus names itself, in ASCII, or with nothing at all.
ASCII_ALONE = {
    "actions", "after", "before", "codes", "relationships", "stage", "stages", "timezone",
}  # fmt: skip
# What finds the same in both forms: argument -> selection, in which FORM is replaced, of what it must find.
QUERIES = {
    "Query.entity.externalId": '{ f: entity(kind: DEVICE, externalId: "FORM") { name } }',
    "EntityFilter.search": '{ f: entities(filter: {search: "FORM"}) { nodes { name } } }',
    "EntityFilter.types": '{ f: entities(filter: {types: ["FORM"]}) { nodes { name } } }',
    "EntityFilter.statuses": '{ f: entities(filter: {statuses: ["FORM"]}) { nodes { name } } }',
    "EntityFilter.externalIds": '{ f: entities(filter: {externalIds: ["FORM"]}) { nodes { name } } }',
    "AttributeCondition.path": """{ f: entities(filter: {attributes: [{path: "FORM", exists: true}]})
      { nodes { name } } }""",
    "AttributeCondition.contains": """{ f: entities(filter: {attributes: [{path: "text", contains: "FORM"}]})
      { nodes { name } } }""",
    "AttributeCondition.startsWith": """{ f: entities(filter: {attributes: [{path: "text", startsWith: "FORM"}]})
      { nodes { name } } }""",
    "Query.search.text": '{ f: search(text: "FORM") { entity { name } } }',
    "RuleFilter.search": '{ f: rules(filter: {search: "FORM"}) { nodes { name } } }',
    "ChangeFilter.actors": '{ f: changes(filter: {actors: ["FORM@example.org"]}) { nodes { actor } } }',
    "ShadowDifferenceFilter.metric": """{ f: shadowDifferences(stage: "derive", filter: {metric: "FORM"})
      { nodes { metric } } }""",
    "TraverseStep.types": """{ f: traverse(input: {startIds: ["ASSET_ID"], steps: [
      {relationships: ["MONITORED_BY"], types: ["FORM"]}]}) { nodes { name } } }""",
    "Entity.related.types": """{ e: entity(id: "ASSET_ID") { f: related(relationships: ["MONITORED_BY"], types: ["FORM"])
      { nodes { name } } } }""",
}
# Tested with the readings that they need, and below, where what is stored is.
ELSEWHERE = {
    "Entity.latest.metrics", "LatestCondition.metric", "LatestCondition.text", "Entity.telemetry.metrics", "Subscription.telemetry.metrics",
    "Query.series.metrics", "Query.series.types",
    "AssetProfileInput.name", "AssetProfileInput.type",
}  # fmt: skip
PREPARE = """mutation P($name: String!, $attributes: JSON) {
  createEntityType(input: {kind: DEVICE, name: $name}) { errors { code } }
  createDevice(input: {name: $name, externalId: $name, type: $name, status: $name, attributes: $attributes}) { device { id } errors { code } }
  createAsset(input: {name: "asset"}) { asset { id } }
  createRule(input: {name: $name, condition: {threshold: {metric: "t", operator: GT, value: 1}}}) { errors { code } }
}"""
TEMPLATE = """mutation T($name: String!, $items: JSON) { createActivityTemplate(input: {name: $name, type: $name,
  defaultPriority: $name, defaultAssignedRole: $name, checklist: $items}) {
  activityTemplate { name type defaultPriority defaultAssignedRole checklist } errors { code } } }"""
PROFILE = """mutation P($name: String!) { createAssetProfile(input: {name: $name, type: $name}) {
  assetProfile { id name type } errors { code path } } }"""
RENAME = """mutation R($id: ID!, $name: String!) { updateAssetProfile(id: $id, input: {name: $name}) {
  assetProfile { name version } errors { code path } } }"""


def paths(kind: GraphQLInputType, path: str, around: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of the texts that a type of input holds, itself aside."""
    named = get_named_type(kind)
    if named.name == "String":
        yield path
    elif isinstance(named, GraphQLInputObjectType) and named.name not in around:
        for name, field in named.fields.items():
            yield from paths(field.type, f"{named.name}.{name}", (*around, named.name))


def test_every_text_that_is_compared_with_a_name_is_tried_in_both_forms() -> None:
    roots = [SCHEMA.query_type, SCHEMA.subscription_type, SCHEMA.type_map["Entity"]]
    taken_texts = {
        path
        for root in roots
        if isinstance(root, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in root.fields.items()
        for argument, of in field.args.items()
        for path in paths(of.type, f"{root.name}.{name}.{argument}")
        if path.rpartition(".")[2] not in ASCII_ALONE
    }
    assert taken_texts == QUERIES.keys() | ELSEWHERE
    # What the kinds have besides what all entities have takes no name.
    entity = SCHEMA.type_map["Entity"]
    assert isinstance(entity, GraphQLInterfaceType)
    for kind in SCHEMA.get_possible_types(entity):
        own = [field for name, field in kind.fields.items() if name not in entity.fields]
        taken = {path for field in own for name, of in field.args.items() for path in paths(of.type, f".{name}")}
        assert {path.rpartition(".")[2] for path in taken} <= ASCII_ALONE


@pytest.fixture(scope="module")
def plant(api: Api) -> tuple[Client, dict[str, str]]:
    """A client whose name has an accent, a device of that name with readings, and the ids."""
    organization_id = api.organization("name-forms")
    token = token_create(
        api.settings, organization="name-forms", role="admin", subject=normalize("NFD", ACTOR), now=utc_now(),
        ttl=timedelta(hours=1),
    )  # fmt: skip
    client = Client(api.url, token)
    data = client.call(PREPARE, {"name": DECOMPOSED, "attributes": {"text": DECOMPOSED, DECOMPOSED: 1}}).data
    ids = {"DEVICE_ID": data["createDevice"]["device"]["id"], "ASSET_ID": data["createAsset"]["asset"]["id"]}
    client.call(
        """mutation L($d: ID!, $a: ID!, $m: JSON!) {
          linkDevice(input: {deviceId: $d, assetId: $a}) { errors { code } }
          ingestTelemetry(readings: [{deviceId: $d, timestamp: "2026-01-02T00:00:00Z", metrics: $m}]) { accepted } }""",
        {"d": ids["DEVICE_ID"], "a": ids["ASSET_ID"], "m": {DECOMPOSED: 1}},
    )
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine, organization_id) as session:
        session.execute(
            insert(shadow_differences),
            {
                "organization_id": organization_id, "stage": "derive", "entity_id": UUID(ids["ASSET_ID"]),
                "metric": COMPOSED, "timestamp": utc_now(), "version": 1, "value": 1.0, "shadow_version": 2,
                "shadow_value": 2.0,
            },
        )  # fmt: skip
    engine.dispose()
    return client, ids


@pytest.mark.parametrize("path", sorted(QUERIES))
def test_a_name_is_found_in_every_form(plant: tuple[Client, dict[str, str]], path: str) -> None:
    client, ids = plant
    replies: list[Any] = []
    for form in (COMPOSED, DECOMPOSED):
        query = QUERIES[path].replace("FORM", form)
        for name, value in ids.items():
            query = query.replace(name, value)
        data = client.call(query).data
        replies.append(data.get("f") or data["e"]["f"])
    assert replies[0] == replies[1]
    assert COMPOSED in str(replies[0])


def test_what_is_stored_of_a_name_is_composed(plant: tuple[Client, dict[str, str]]) -> None:
    client, _ = plant
    created = client.call(TEMPLATE, {"name": DECOMPOSED, "items": [{"id": DECOMPOSED, "text": "look"}]}).data
    assert created["createActivityTemplate"]["activityTemplate"] == {
        "name": COMPOSED, "type": COMPOSED, "defaultPriority": COMPOSED, "defaultAssignedRole": COMPOSED,
        "checklist": [{"id": COMPOSED, "text": "look", "done": False}],
    }  # fmt: skip
    person = client.call(
        """mutation P($mail: String!) { createPerson(input: {name: "p", email: $mail}) { person { email } }
          createDevice(input: {name: "d", firmwareVersion: $mail}) { device { firmwareVersion } } }""",
        {"mail": normalize("NFD", ACTOR)},
    ).data
    assert person["createPerson"]["person"]["email"] == person["createDevice"]["device"]["firmwareVersion"] == ACTOR
    assert client.call("{ viewer { subject } }").data["viewer"]["subject"] == ACTOR


def test_a_name_that_is_taken_is_taken_in_every_form(plant: tuple[Client, dict[str, str]]) -> None:
    client, _ = plant
    first = client.call(PROFILE, {"name": COMPOSED}).data["createAssetProfile"]
    assert first["errors"] == []
    again = client.call(PROFILE, {"name": DECOMPOSED}).data["createAssetProfile"]
    assert again == {"assetProfile": None, "errors": [{"code": "CONFLICT", "path": ["input", "name"]}]}
    renamed = client.call(RENAME, {"id": first["assetProfile"]["id"], "name": DECOMPOSED}).data["updateAssetProfile"]
    assert renamed == {"assetProfile": {"name": COMPOSED, "version": 1}, "errors": []}


def test_an_item_of_a_checklist_is_found_in_every_form(plant: tuple[Client, dict[str, str]]) -> None:
    client, _ = plant
    created = client.call(
        """mutation A($items: JSON) { createActivity(input: {name: "a", checklist: $items}) {
          activity { id checklist } errors { code } } }""",
        {"items": [{"id": DECOMPOSED, "text": "look"}]},
    ).data["createActivity"]["activity"]
    assert created["checklist"][0]["id"] == COMPOSED
    done = client.call(
        """mutation C($id: ID!, $item: String!) { completeChecklistItem(activityId: $id, itemId: $item) {
          activity { checklist } errors { code } } }""",
        {"id": created["id"], "item": DECOMPOSED},
    ).data["completeChecklistItem"]
    assert (done["errors"], done["activity"]["checklist"][0]["done"]) == ([], True)
