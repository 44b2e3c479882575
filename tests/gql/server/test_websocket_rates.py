"""What a WebSocket costs counts as what comes over HTTP does, with a token and without."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from runtime.settings.model import RateSettings
from testing.api import Api, api_serve, bounds
from testing.installation import Client
from testing.servers import TestServers
from tests.gql.server.graphql_ws import closed_with, receive, run, send, socket, subscribe

BURST = 20
INTROSPECTION = "{ __schema { types { name description fields { name description } } } }"


@pytest.fixture
def slow(servers: TestServers) -> Iterator[Api]:
    """An application that admits a burst, and then five requests a second."""
    database = servers.database_create()
    rates = bounds(rate_address=RateSettings(5, BURST), rate_token=RateSettings(5, BURST))
    try:
        with api_serve(database, servers.bus_server.url, api=rates) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


@pytest.mark.parametrize("role", [None, "viewer"])
def test_pings_count_and_wait(slow: Api, role: str | None) -> None:
    token = None if role is None else slow.token("plant", role)
    client = Client(slow.url, token)

    async def scenario() -> None:
        async with socket(slow, token=token) as opened:
            for _ in range(BURST + 5):
                await send(opened, {"type": "ping"})
            for _ in range(BURST + 5):
                assert await receive(opened) == {"type": "pong"}
            # The burst is used up, for whatever transport.
            assert client.call("{ __typename }").error_codes == ["RATE_LIMITED"]

    run(scenario)


def test_operations_without_a_token_count(slow: Api) -> None:
    async def scenario() -> None:
        async with socket(slow) as opened:
            codes = []
            for number in range(BURST + 2):
                await send(opened, subscribe(f"{number}", "{ __typename }"))
                if (message := await receive(opened))["type"] == "error":
                    codes += [error["extensions"]["code"] for error in message["payload"]]
                else:
                    await receive(opened)
            assert set(codes) == {"RATE_LIMITED"}
        # Nor is another socket of that address let in without a token.
        async with socket(slow, init=False) as opened:
            await send(opened, {"type": "connection_init"})
            assert await closed_with(opened) == 1013

    run(scenario)


def test_an_introspection_costs_the_same_by_every_transport(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = api.services.gate
    charged = Mock()
    monkeypatch.setattr(gate, "charge", charged)

    def taken() -> list[float]:
        counts = [call.args[1] for call in charged.call_args_list if len(call.args) > 1]
        charged.reset_mock()
        return counts

    assert Client(api.url, None).call(INTROSPECTION).data
    [over_http] = taken()

    async def scenario() -> None:
        async with socket(api) as opened:
            await send(opened, subscribe("1", INTROSPECTION))
            assert (await receive(opened))["type"] == "next"

    run(scenario)
    assert taken() == [over_http]
    assert over_http > 1
