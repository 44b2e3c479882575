"""Users' sessions that are ended: tokens issued before are refused within a second, open sockets are closed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import jwt
import pytest

from gql.access.sessions import FRESH_S
from testing.api import SECRET, Api
from testing.installation import Client
from testing.waits import quiet_period, wait_until
from tests.gql.server.graphql_ws import LIVE, closed_with, run, send, socket, subscribe

VIEWER = "{ viewer { subject } }"
END = "mutation E($s: String!) { endSessions(subject: $s) { subject endedAt errors { code path } } }"
OWN = "mutation { endOwnSessions { subject endedAt errors { code message } } }"


@pytest.fixture(scope="module")
def plant(api: Api) -> Api:
    api.organization("sessions")
    api.organization("neighbours")
    return api


def later(client: Client) -> None:
    """Wait until every process knows which sessions were ended."""
    wait_until(lambda: client.call(VIEWER).error_codes == ["UNAUTHENTICATED"])


def test_an_administrator_ends_a_users_sessions(plant: Api) -> None:
    admin = plant.client("sessions", subject="boss")
    before, other = plant.client("sessions", "viewer", subject="ann"), plant.client("sessions", "viewer", subject="bob")
    namesake = plant.client("neighbours", "viewer", subject="ann")

    async def scenario() -> None:
        async with socket(plant, token=before.token) as opened, socket(plant, token=other.token) as spared:
            await send(opened, subscribe("1", LIVE))
            ended = await asyncio.to_thread(admin.call, END, {"s": "ann"})
            assert ended.data["endSessions"]["subject"] == "ann"
            assert ended.data["endSessions"]["errors"] == []
            assert await closed_with(opened) == 4403
            await send(spared, {"type": "ping"})

    run(scenario)
    later(before)
    assert other.call(VIEWER).data == namesake.call(VIEWER).data | {"viewer": {"subject": "bob"}}
    assert namesake.call(VIEWER).data["viewer"]["subject"] == "ann"
    # A token has the second it was issued in: one of the next is good.
    quiet_period(1.1)
    assert plant.client("sessions", "viewer", subject="ann").call(VIEWER).data["viewer"]["subject"] == "ann"
    assert before.call(VIEWER).error_codes == ["UNAUTHENTICATED"]
    trail = admin.call('{ changes(filter: {actions: ["sessions_ended"]}) { nodes { actor after } } }').data["changes"]
    assert [(row["actor"], row["after"]["subject"]) for row in trail["nodes"]] == [("boss", "ann")]


def test_a_user_ends_their_own_sessions(plant: Api) -> None:
    tokens = [plant.client("sessions", "viewer", subject="eve") for _ in range(2)]
    assert tokens[0].call(OWN).data["endOwnSessions"]["subject"] == "eve"
    for client in tokens:
        later(client)


def test_a_token_that_does_not_say_when_it_was_issued_is_an_old_one(plant: Api) -> None:
    claims = {"sub": "zoe", "org": "sessions", "role": "viewer", "exp": time.time() + 600}
    client = Client(plant.url, jwt.encode(claims, SECRET, algorithm="HS256"))
    assert client.call(VIEWER).error_codes == []
    plant.client("sessions", subject="boss").call(END, {"s": "zoe"})
    later(client)
    quiet_period(FRESH_S)
    assert client.call(VIEWER).error_codes == ["UNAUTHENTICATED"]


def test_what_is_refused(plant: Api) -> None:
    admin = plant.client("sessions", subject="boss")
    for subject in ("", "x" * 513):
        [error] = admin.call(END, {"s": subject}).data["endSessions"]["errors"]
        assert error == {"code": "BAD_USER_INPUT", "path": ["subject"]}
    create = 'mutation { createApiKey(input: {name: "erp", role: "viewer"}) { key } }'
    program = Client(plant.url, admin.call(create).data["createApiKey"]["key"])
    [refused] = program.call(OWN).data["endOwnSessions"]["errors"]
    assert refused["code"] == "BAD_USER_INPUT"
    assert program.call(VIEWER).error_codes == []
    assert plant.client("sessions", "operator").call(END, {"s": "ann"}).error_codes == ["FORBIDDEN"]


def denied(admin: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = admin.call(
        '{ changes(filter: {actions: ["denied"]}) { nodes { actor after } } }'
    ).data["changes"]["nodes"]
    return rows


def test_denied_attempts_are_in_the_trail_together(api: Api) -> None:
    api.organization("denied")
    admin, viewer = api.client("denied", subject="boss"), api.client("denied", "viewer", subject="ann")
    for _ in range(5):
        assert viewer.call('mutation { deleteAsset(id: "x") { errors { code } } }').error_codes == ["FORBIDDEN"]
    assert viewer.call("{ apiKeys { totalCount } }").error_codes == ["FORBIDDEN"]
    # Whoever has no token at all belongs to nobody's trail.
    assert Client(api.url, None).call("{ apiKeys { totalCount } }").error_codes == ["UNAUTHENTICATED"]
    wait_until(lambda: sum(row["after"]["attempts"] for row in denied(admin)) == 6)
    fields = {row["after"]["field"]: row for row in denied(admin)}
    assert set(fields) == {"Mutation.deleteAsset", "Query.apiKeys"}
    assert {row["actor"] for row in fields.values()} == {"ann"}
    assert fields["Query.apiKeys"]["after"]["role"] == "viewer"
    assert "needs the role" in fields["Query.apiKeys"]["after"]["message"]
