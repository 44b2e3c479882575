"""Hints beside an answer, for names that match nothing."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.nodes.names import NameKind
from gql.access.principal import Principal, Role
from gql.server.hints import REMEMBERED_S, Hints
from graph.errors import UnavailableError
from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client
from tests.gql.test_statement_counts import statements


@pytest.fixture(scope="module")
def client(api: Api) -> Client:
    """A client of an organization with an asset and a device that sent a temperature."""
    api.organization("hints")
    client = api.client("hints")
    client.call('mutation { createAsset(input: {name: "a", type: "Boiler", status: "running"}) { errors { code } } }')
    device = client.call('mutation { createDevice(input: {name: "d"}) { device { id } } }').data["createDevice"][
        "device"
    ]
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        session.execute(
            text(
                "INSERT INTO series (organization_id, entity_id, metric)"
                " SELECT organization_id, id, 'temperature' FROM entities WHERE id = :id"
            ),
            {"id": device["id"]},
        )
    engine.dispose()
    return client


def hints_of(client: Client, query: str) -> list[tuple[str, list[str]]]:
    reply = client.call(query)
    assert reply.data
    hints: list[dict[str, Any]] = reply.body.get("extensions", {}).get("hints", [])
    return [(hint["message"], hint["argumentPath"]) for hint in hints]


METRIC = "Nothing matched the metric 'temprature'. Did you mean 'temperature'?"


@pytest.mark.parametrize(
    ("query", "hints"),
    [
        (
            '{ assets(filter: {types: ["Boiler", "boilers"], statuses: ["running"]}) { totalCount } }',
            [],
        ),
        (
            '{ devices(filter: {types: ["Boiler", "boilers"], statuses: ["runing"]}) { totalCount } }',
            [
                ("Nothing matched the type 'boilers'. Did you mean 'Boiler'?", ["filter", "types", "1"]),
                ("Nothing matched the status 'runing'. Did you mean 'running'?", ["filter", "statuses", "0"]),
            ],
        ),
        ('{ devices(filter: {types: ["xyz"], statuses: ["running"]}) { totalCount } }', []),
        ('{ devices { nodes { latest(metrics: ["temprature"]) { value } } } }', [(METRIC, ["metrics", "0"])]),
        (
            """{ assets { nodes { latest(metrics: ["temperature"]) { value }
              telemetry(from: "2026-01-01T00:00:00Z", bucket: "P1D", metrics: ["x", "temprature"]) { metric } } } }""",
            [(METRIC, ["metrics", "1"])],
        ),
        (
            """{ traverse(input: {startIds: [], steps: [{relationships: ["FEEDS"]}, {relationships: ["FEEDS"],
              types: ["Boler"]}]}) { nodeIds } }""",
            [("Nothing matched the type 'Boler'. Did you mean 'Boiler'?", ["input", "steps", "1", "types", "0"])],
        ),
        (
            '{ assets { nodes { related(relationships: ["FEEDS"], types: ["Boler"]) { nodes { id } } } } }',
            [("Nothing matched the type 'Boler'. Did you mean 'Boiler'?", ["types", "0"])],
        ),
        (
            """mutation { createRule(input: {name: "r", scope: {kind: ASSET, type: "Boilr"}, condition: {allOf: [
              {threshold: {metric: "temprature", operator: GT, value: 1}}, {expression: "temperature > 1.0"}]}})
              { errors { code } } }""",
            [
                (METRIC, ["input", "condition"]),
                ("Nothing matched the type 'Boilr'. Did you mean 'Boiler'?", ["input", "scope", "type"]),
            ],
        ),
        ('mutation { createRule(input: {name: "", condition: {expression: "temprature > 1.0"}}) { errors { code } } }', []),
    ],
)  # fmt: skip
def test_a_name_that_matches_nothing_is_answered_with_those_like_it(
    client: Client, query: str, hints: list[tuple[str, list[str]]]
) -> None:
    assert hints_of(client, query) == hints


def test_a_query_that_is_repeated_looks_once(client: Client) -> None:
    query = '{ devices(filter: {types: ["Boilerr"]}) { totalCount } }'
    counts = []
    for _ in range(3):
        with statements() as seen:
            assert len(hints_of(client, query)) == 1
        counts.append(sum("entity_types" in statement for statement in seen))
    assert counts == [1, 0, 0]


class Slow:
    """A context of an operation that never reads its names in time."""

    organization_id, trace_id = 1, "t"
    principal = Principal(1, UUID(int=1), "plant", Role.VIEWER, "ann")
    unmatched: ClassVar = {(NameKind.TYPE, "Boilr"): ("filter", "types", "0")}
    reads = 0

    async def read(self, *_: object, **__: object) -> list[str]:
        self.reads += 1
        raise UnavailableError("The database is away.")


def test_names_that_cannot_be_read_are_not_waited_for_again_soon() -> None:
    times = iter((0.0, REMEMBERED_S - 1, REMEMBERED_S))
    hints, context = Hints(lambda: next(times)), Slow()
    for reads in (1, 1, 2):
        assert asyncio.run(hints.of(context)) == []  # type: ignore[arg-type]
        assert context.reads == reads


def test_another_organization_learns_nothing_of_it(api: Api, client: Client) -> None:
    query = '{ devices { totalCount } assets(filter: {types: ["Boilerr"]}) { totalCount } }'
    assert len(hints_of(client, query)) == 1
    api.organization("hints-elsewhere")
    assert hints_of(api.client("hints-elsewhere"), query) == []
