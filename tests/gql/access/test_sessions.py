"""Users' sessions that are ended: tokens issued before are refused within a second, open sockets are closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from uuid import UUID

import jwt
import pytest
from sqlalchemy import Connection, Engine, text

from gql.access.bridge import Bridge
from gql.access.principal import Principal, Role
from gql.access.sessions import FRESH_S, Sessions
from runtime.database import transaction
from testing.api import SECRET, Api
from testing.installation import Client
from testing.rows import Plant
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


def test_an_end_that_is_committed_late_is_known_to_every_process(engine: Callable[[str], Engine]) -> None:
    """Numbers are drawn in an order in which they need not be committed; what each process remembers is the table."""
    plant = Plant(engine("owner"))
    bridge = Bridge(transaction=partial(transaction, engine("api")), threads=2)
    # Every look is a look at the database.
    times = count(0.0, 2 * FRESH_S)
    processes = [Sessions(bridge, lambda: next(times)) for _ in range(2)]

    def bearer(subject: str) -> Principal:
        return Principal(plant.organization_id, UUID(int=1), "one", Role.VIEWER, subject, issued_at=1.0)

    def end(connection: Connection, subject: str) -> None:
        connection.execute(
            text("INSERT INTO session_ends (organization_id, subject, ended_at) VALUES (:o, :s, now())"),
            {"o": plant.organization_id, "s": subject},
        )

    async def known(process: Sessions) -> list[str]:
        return [subject for subject in ("early", "late") if await process.has_ended(bearer(subject))]

    async def scenario() -> None:
        assert await known(processes[0]) == []
        with engine("owner").begin() as late:
            end(late, "late")
            with engine("owner").begin() as early:
                end(early, "early")
            assert await known(processes[0]) == ["early"]
        for process in processes:
            assert await known(process) == ["early", "late"]

    asyncio.run(scenario())
    bridge.stop()
