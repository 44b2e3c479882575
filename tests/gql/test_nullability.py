"""One field's error nulls that field, not the list, the payload or the answer around it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type

from gql.base.descriptions import definition_of
from gql.schema import core_schema
from testing.api import Api
from testing.installation import Client

# Fields that read something and are not null all the same, as the contract with clients has them: where one fails, the
# nearest field around it that may be null is null.
BY_CONTRACT = {
    "Device.connectivity", "Device.linkedAssetsCount", "Activity.category", "Activity.priority", "Activity.checklist",
    "Edge.source", "Edge.target", "Event.entity", "Event.activities",
    "Traversal.nodes", "Traversal.edges", "Path.nodes", "Path.edges",
    "Query.entities", "Query.devices", "Query.assets", "Query.spaces", "Query.persons", "Query.activities",
    "Query.nodes", "Query.traverse", "Query.near", "Query.within", "Query.relationships", "Query.edgeVersions",
    "Query.changes", "Query.events", "Query.rules", "Query.activityTemplates", "Query.assetProfiles",
    "Query.deadLetters", "Query.entityTypes", "Query.ingestAccount", "Query.facets", "Query.search", "Query.series", "SearchHit.path",
    "RawReading.deadLetters", "Query.groups", "Query.apiKeys", "Group.memberCount",
    "Subscription.telemetry", "Subscription.events", "Subscription.entityChanged", "Subscription.entityUpdates",
    "Subscription.edgeUpdates", "Subscription.eventUpdates", "Subscription.replayProgress",
}  # fmt: skip


def fields() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for type_ in core_schema().type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                yield type_, name, field


def test_what_is_read_may_be_null() -> None:
    """A resolver that reads awaits its read; a field without a resolver, or with a plain function, cannot fail."""
    never_null = set()
    for type_, name, field in fields():
        resolver = getattr(definition_of(field), "base_resolver", None)
        is_read = resolver is not None and resolver.is_async
        is_payload = type_.name == "Mutation" and get_named_type(field.type).name.endswith("Payload")
        if is_read and not is_payload and isinstance(field.type, GraphQLNonNull):
            never_null.add(f"{type_.name}.{name}")
    assert never_null == BY_CONTRACT


def test_objects_in_a_payload_may_be_null() -> None:
    """So a payload says what was changed, and what was refused, whatever fails below it."""
    payloads = set()
    for type_, name, field in fields():
        if type_.name.endswith("Payload"):
            payloads.add(type_.name)
            assert definition_of(field).base_resolver is None
            is_plain = is_leaf_type(get_named_type(field.type)) or name == "errors"
            assert is_plain or not isinstance(field.type, GraphQLNonNull), f"{type_.name}.{name}"
    assert len(payloads) > 20
    assert all(
        is_leaf_type(get_named_type(field.type)) and definition_of(field).base_resolver is None
        for type_, _, field in fields()
        if type_.name == "UserError"
    )


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    return api.client("plant")


WRONG = 'telemetry(from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z") { metric }'


def test_an_error_in_an_item_leaves_the_list(client: Client) -> None:
    for name in ("one", "two"):
        client.call(f'mutation {{ createAsset(input: {{name: "{name}"}}) {{ errors {{ code }} }} }}')
    body = client.call(f"{{ assets {{ nodes {{ name {WRONG} }} }} relationships {{ name }} }}").body
    assert body["data"]["assets"]["nodes"] == [{"name": name, "telemetry": None} for name in ("one", "two")]
    assert len(body["data"]["relationships"]) > 5
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["assets", "nodes", place, "telemetry"], "BAD_USER_INPUT") for place in (0, 1)
    ]


def test_an_error_below_a_payload_leaves_it(client: Client) -> None:
    body = client.call(
        f'mutation {{ createDevice(input: {{name: "d"}}) {{ device {{ name {WRONG} }} errors {{ code }} }} }}'
    ).body
    assert body["data"] == {"createDevice": {"device": {"name": "d", "telemetry": None}, "errors": []}}
    assert [error["path"] for error in body["errors"]] == [["createDevice", "device", "telemetry"]]


def test_an_error_of_one_root_leaves_the_others(client: Client) -> None:
    body = client.call("{ rollups(first: -1) { totalCount } viewer { role } }").body
    assert body["data"] == {"rollups": None, "viewer": {"role": "admin"}}
    assert [error["path"] for error in body["errors"]] == [["rollups"]]
