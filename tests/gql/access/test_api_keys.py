"""API keys: created once and shown once, used with their role, revoked at once."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.plant.organizations.api_keys import KEYS_MAX
from runtime.database import engine_create, transaction
from runtime.redaction import Redactor
from testing.api import Api
from testing.installation import Client
from tests.gql.server.graphql_ws import LIVE, closed_with, run, send, socket, subscribe

KEY = "apiKey { id name role createdAt createdBy lastUsedAt expiresAt revokedAt } key errors { code path message }"
CREATE = f"mutation C($input: ApiKeyInput!) {{ createApiKey(input: $input) {{ {KEY} }} }}"
REVOKE = f"mutation R($id: ID!) {{ revokeApiKey(id: $id) {{ {KEY} }} }}"
LIST = "{ apiKeys { totalCount nodes { id name role lastUsedAt expiresAt revokedAt } } }"
ASSET = 'mutation { createAsset(input: {name: "made by a program"}) { asset { id } errors { code } } }'


@pytest.fixture(scope="module")
def admin(api: Api) -> Client:
    api.organization("keys")
    api.organization("others")
    return api.client("keys")


def create(client: Client, **given: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.call(CREATE, {"input": {"name": "erp", "role": "operator", **given}}).data[
        "createApiKey"
    ]
    return made


def listed(client: Client) -> dict[str, dict[str, Any]]:
    return {node["id"]: node for node in client.call(LIST).data["apiKeys"]["nodes"]}


def rows(api: Api, statement: str, **values: Any) -> list[Any]:
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        result = list(session.execute(text(statement), values))
    engine.dispose()
    return result


def test_a_program_does_what_its_role_may_under_its_name(api: Api, admin: Client) -> None:
    made = create(admin)
    assert made["errors"] == []
    key, identity = made["key"], made["apiKey"]["id"]
    assert (made["apiKey"]["name"], made["apiKey"]["role"], made["apiKey"]["lastUsedAt"]) == ("erp", "operator", None)
    program = Client(api.url, key)
    assert program.call("{ viewer { role } }").data["viewer"]["role"].lower() == "operator"
    asset = program.call(ASSET).data["createAsset"]["asset"]["id"]
    changes = admin.call(
        "query C($id: ID!) { changes(filter: {subjectIds: [$id]}) { nodes { actor } } }", {"id": asset}
    ).data["changes"]["nodes"]
    assert [change["actor"] for change in changes] == ["key:erp"]
    assert program.call(LIST).error_codes == ["FORBIDDEN"]
    assert create_codes(program) == ["FORBIDDEN"]
    assert listed(admin)[identity]["lastUsedAt"] is not None
    # Nobody can read it again, and nothing but its hash is stored.
    [row] = rows(api, "SELECT * FROM api_keys WHERE id = :id", id=identity)
    assert row.key_hash == hashlib.sha256(key.encode()).digest()
    assert key.removeprefix("argus_key_") not in str(rows(api, "SELECT * FROM changes"))
    assert Redactor().redact(f"what came was {key}") == "what came was argus_key_[redacted]"


def create_codes(client: Client) -> list[str]:
    return client.call(CREATE, {"input": {"name": "x", "role": "viewer"}}).error_codes


def test_a_revoked_key_is_refused_and_its_sockets_are_closed(api: Api, admin: Client) -> None:
    made = create(admin, role="viewer")
    program = Client(api.url, made["key"])

    async def scenario() -> None:
        async with socket(api, token=made["key"]) as opened:
            await send(opened, subscribe("1", LIVE))
            revoked = await asyncio.to_thread(admin.call, REVOKE, {"id": made["apiKey"]["id"]})
            assert revoked.data["revokeApiKey"]["apiKey"]["revokedAt"] is not None
            assert await closed_with(opened) == 4403

    run(scenario)
    assert program.call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]
    again = admin.call(REVOKE, {"id": made["apiKey"]["id"]}).data["revokeApiKey"]
    assert [(error["code"], error["path"]) for error in again["errors"]] == [("CONFLICT", ["id"])]


def test_a_key_expires(api: Api, admin: Client) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = create(admin, expiresAt=soon.isoformat())
    program = Client(api.url, made["key"])
    assert program.call("{ viewer { role } }").error_codes == []
    rows(api, "UPDATE api_keys SET expires_at = clock_timestamp() WHERE id = :id RETURNING 1", id=made["apiKey"]["id"])
    assert program.call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"role": "device"}, "BAD_USER_INPUT", ["input", "role"]),
        ({"role": "ADMIN"}, "BAD_USER_INPUT", ["input", "role"]),
        ({"name": ""}, "BAD_USER_INPUT", ["input", "name"]),
        ({"name": "x" * 201}, "BAD_USER_INPUT", ["input", "name"]),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["input", "expiresAt"]),
    ],
)
def test_what_a_key_cannot_be(admin: Client, given: dict[str, Any], code: str, path: list[str]) -> None:
    refused = create(admin, **given)
    assert (refused["apiKey"], refused["key"]) == (None, None)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [(code, path)]


def test_keys_are_each_organizations_own(api: Api, admin: Client) -> None:
    made = create(admin, role="admin")
    identity = made["apiKey"]["id"]
    others = api.client("others")
    assert others.call(LIST).data["apiKeys"]["totalCount"] == 0
    refused = others.call(REVOKE, {"id": identity}).data["revokeApiKey"]
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    assert Client(api.url, made["key"]).call("{ viewer { role } }").error_codes == []
    node = "query N($id: ID!) { node(id: $id) { id } }"
    assert others.call(node, {"id": identity}).data["node"] is None
    assert api.client("keys", "viewer").call(node, {"id": identity}).data["node"] is None
    assert admin.call(node, {"id": identity}).data["node"] == {"id": identity}


def test_an_unknown_key_is_refused(api: Api) -> None:
    for wrong in ("argus_key_", "argus_key_" + "A" * 43, "argus_key_\u00fc"):
        try:
            codes = Client(api.url, wrong).call("{ viewer { role } }").error_codes
        except UnicodeEncodeError:
            continue
        assert codes == ["UNAUTHENTICATED"]


def test_an_organization_has_a_bounded_number_of_keys(api: Api) -> None:
    organization_id = api.organization("full")
    client = api.client("full")
    rows(
        api,
        "INSERT INTO api_keys (organization_id, id, name, role, key_hash, created_at, created_by)"
        " SELECT :o, gen_random_uuid(), 'n', 'viewer', sha256(n::text::bytea), now(), 'x'"
        " FROM generate_series(1, :n) n RETURNING 1",
        o=organization_id,
        n=KEYS_MAX,
    )
    assert [error["code"] for error in create(client)["errors"]] == ["LIMIT_EXCEEDED"]
    rows(api, "UPDATE api_keys SET expires_at = now() WHERE organization_id = :o RETURNING 1", o=organization_id)
    assert create(client)["errors"] == []
