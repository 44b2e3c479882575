"""Every root field, called without a token and as viewer, operator, administrator and device."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLType,
    get_named_type,
    is_leaf_type,
    is_list_type,
)
from graphql.pyutils import Undefined

from gql.access.principal import PERMISSIONS, Role
from gql.schema import core_schema
from testing.api import Api
from testing.installation import Client

ROOTS = ("Query", "Mutation")
CASES = [(root, name) for root in ROOTS for name in core_schema().type_map[root].fields]  # type: ignore[attr-defined]
# What the field would say to a caller that may use it, of arguments that name nothing.
NOBODY = "0190a3c4-0000-7000-8000-000000000000"


def literal(type_: GraphQLType) -> str:
    """Write the smallest value of a type."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if is_list_type(inner):
        return "[]"
    named = get_named_type(inner)
    if isinstance(named, GraphQLInputObjectType) and named.is_one_of:
        name, field = next((n, f) for n, f in named.fields.items() if is_leaf_type(get_named_type(f.type)))
        return f"{{{name}: {literal(field.type)}}}"
    if isinstance(named, GraphQLInputObjectType):
        fields = (
            f"{name}: {literal(field.type)}"
            for name, field in named.fields.items()
            if isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined
        )
        return "{" + ", ".join(fields) + "}"
    if isinstance(named, GraphQLEnumType):
        return str(next(iter(named.values)))
    return {
        "ID": f'"{NOBODY}"', "String": '"x"', "Int": "1", "Float": "1", "Boolean": "false", "JSON": "{}",
        "DateTime": '"2026-01-01T00:00:00Z"', "GeoJSON": '{type: "Point", coordinates: [0, 0]}', "Duration": '"PT1H"',
    }[named.name]  # fmt: skip


def operation(root: str, name: str) -> str:
    field = core_schema().type_map[root].fields[name]  # type: ignore[attr-defined]
    arguments = ", ".join(
        f"{key}: {literal(argument.type)}"
        for key, argument in field.args.items()
        if isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
    )
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{root.lower()} {{ {name}{f'({arguments})' if arguments else ''}{selection} }}"


@pytest.fixture(scope="module")
def device(api: Api) -> Client:
    admin = api.client("plant")
    made = admin.call('mutation { createDevice(input: {name: "authorization"}) { device { id } } }').data[
        "createDevice"
    ]
    issued = admin.call(
        "mutation I($id: ID!) { issueDeviceToken(deviceId: $id) { token } }", {"id": made["device"]["id"]}
    ).data["issueDeviceToken"]
    return Client(api.url, issued["token"])


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[Role, Client]:
    """An API key of each role."""
    create = "mutation C($role: String!) { createApiKey(input: {name: $role, role: $role}) { key } }"
    admin = api.client("plant")
    return {
        role: Client(api.url, admin.call(create, {"role": role.value}).data["createApiKey"]["key"])
        for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
    }


@pytest.mark.parametrize(("root", "name"), CASES, ids=[name for _, name in CASES])
def test_each_role_may_what_the_table_says(
    api: Api, device: Client, keys: dict[Role, Client], root: str, name: str
) -> None:
    text = operation(root, name)
    assert Client(api.url, None).call(text).error_codes == ["UNAUTHENTICATED"]
    for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.DEVICE):
        # Whoever ends their own sessions is a user of this test alone.
        subject = f"{role}@{name}"
        users = [api.client("plant", role.value, subject=subject), keys[role]] if role is not Role.DEVICE else []
        for client in users or [device]:
            codes = client.call(text).error_codes
            if role in PERMISSIONS[root][name]:
                assert not {"UNAUTHENTICATED", "FORBIDDEN", "INTERNAL"} & set(codes), (role, codes)
            else:
                assert codes == ["FORBIDDEN"], role


def test_the_table_names_no_field_that_is_not_there() -> None:
    for root, fields in PERMISSIONS.items():
        there = set(core_schema().type_map[root].fields)  # type: ignore[attr-defined]
        assert set(fields) <= there


def test_a_root_field_hidden_in_a_fragment_is_seen(api: Api) -> None:
    hidden = 'mutation { ...A } fragment A on Mutation { ... on Mutation { deleteDevice(id: "x") { __typename } } }'
    assert api.client("plant", "viewer").call(hidden).error_codes == ["FORBIDDEN"]
    assert Client(api.url, None).call("{ __typename __schema { queryType { name } } }").data["__typename"] == "Query"
