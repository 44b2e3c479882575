"""Every root field x {anonymous, other organization, viewer, operator, admin, device, API keys, confined user}.

What confined callers may do within their scope, and that they reach nothing beyond it: tests/e2e/test_scopes.py.
"""

from __future__ import annotations

import pytest
from graphql import get_named_type, is_leaf_type

from gql.access.principal import PERMISSIONS, SCOPED, Role
from gql.schema import core_schema
from testing.api import Api
from testing.documents import arguments
from testing.installation import Client

ROOTS = ("Query", "Mutation")
CASES = [(root, name) for root in ROOTS for name in core_schema().type_map[root].fields]  # type: ignore[attr-defined]
# What the field would say to a caller that may use it, of arguments that name nothing.
NOBODY = "0190a3c4-0000-7000-8000-000000000000"


def operation(root: str, name: str, identity: str = NOBODY) -> str:
    field = core_schema().type_map[root].fields[name]  # type: ignore[attr-defined]
    given = arguments(field.args, lambda _: identity, first=None, items=0)
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{root.lower()} {{ {name}{given}{selection} }}"


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
def owned(api: Api) -> str:
    """The id of a device of the organization, which others try to reach."""
    api.organization("elsewhere")
    made = api.client("plant", subject="owner").call(
        'mutation { createDevice(input: {name: "owned", externalId: "x"}) { device { id } } }'
    )
    identity: str = made.data["createDevice"]["device"]["id"]
    return identity


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


@pytest.mark.parametrize(("root", "name"), CASES, ids=[name for _, name in CASES])
def test_another_organization_and_a_confined_user_reach_nothing(api: Api, owned: str, root: str, name: str) -> None:
    text = operation(root, name, owned)
    subject = f"stranger@{name}"
    reply = api.client("elsewhere", subject=subject).call(text)
    assert not {"UNAUTHENTICATED", "INTERNAL"} & set(reply.error_codes), reply.body
    confined = api.client("plant", subject=subject, under=[NOBODY]).call(text)
    if name in SCOPED[root]:
        assert not {"UNAUTHENTICATED", "INTERNAL"} & set(confined.error_codes), confined.body
    else:
        assert confined.error_codes == ["FORBIDDEN"], confined.body
    for answer in (reply, confined):
        assert owned not in str(answer.body.get("data")), answer.body
    read = f'{{ node(id: "{owned}") {{ ... on Device {{ name status deletedAt tokens {{ id }} }} }} }}'
    device = api.client("plant", subject="owner").call(read).data["node"]
    assert device == {"name": "owned", "status": "active", "deletedAt": None, "tokens": []}


SUBSCRIPTIONS = list(core_schema().type_map["Subscription"].fields)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_subscriptions_too(api: Api, device: Client, keys: dict[Role, Client], name: str) -> None:
    text = operation("Subscription", name)
    allowed = PERMISSIONS["Subscription"][name]
    confined = api.client("plant", "admin", under=[NOBODY])
    callers = [(role, client) for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
               for client in (api.client("plant", role.value), keys[role])]  # fmt: skip

    def codes(client: Client) -> set[str]:
        # Over plain HTTP a subscription is answered with why it does not begin: whether it may comes first.
        return {"UNAUTHENTICATED", "FORBIDDEN", "INTERNAL"} & set(client.call(text).error_codes)

    assert codes(Client(api.url, None)) == {"UNAUTHENTICATED"}
    assert codes(device) == (set() if Role.DEVICE in allowed else {"FORBIDDEN"})
    for role, client in callers:
        assert codes(client) == (set() if role in allowed else {"FORBIDDEN"}), role
    assert codes(confined) == (set() if name in SCOPED["Subscription"] else {"FORBIDDEN"})


def test_the_table_names_no_field_that_is_not_there() -> None:
    for root, fields in PERMISSIONS.items():
        there = set(core_schema().type_map[root].fields)  # type: ignore[attr-defined]
        assert set(fields) <= there


def test_a_root_field_hidden_in_a_fragment_is_seen(api: Api) -> None:
    hidden = 'mutation { ...A } fragment A on Mutation { ... on Mutation { deleteDevice(id: "x") { __typename } } }'
    assert api.client("plant", "viewer").call(hidden).error_codes == ["FORBIDDEN"]
    assert Client(api.url, None).call("{ __typename __schema { queryType { name } } }").data["__typename"] == "Query"
