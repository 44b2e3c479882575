"""The type of a series: what its schema declares, else what most points are. Through the API, and live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from graph.edges.bulk import EdgeDraft, edges_create
from graph.kinds import EntityKind
from testing.api import Api
from testing.line import Line
from testing.waits import patient
from tests.gql.live.hub import Feed, Reader, go, started

DAY = datetime(2026, 4, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIELDS = "metric type values texts"


def send(line: Line, device: UUID, *points: tuple[float, Any], metric: str = "m") -> None:
    readings = [
        {"device_id": device, "timestamp": DAY + hours * HOUR, "metrics": {metric: value}} for hours, value in points
    ]
    line.normalize(line.send(*readings))
    # Lines of one database take turns.
    line.rows("UPDATE stage_leases SET expires_at = '-infinity' RETURNING 1")
    line.lease = None


def ask(api: Api, name: str, entity: UUID, arguments: str = "") -> list[dict[str, Any]]:
    query = (
        f'{{ node(id: "{entity}") {{ ... on Device {{ t: telemetry(from: "2026-04-03T00:00:00Z",'
        f' to: "2026-04-04T00:00:00Z"{arguments}) {{ {FIELDS} }} }}'
        f' ... on Asset {{ t: telemetry(from: "2026-04-03T00:00:00Z", to: "2026-04-04T00:00:00Z"{arguments})'
        f" {{ {FIELDS} }} }} }} }}"
    )
    series: list[dict[str, Any]] = api.client(name, "viewer").call(query).data["node"]["t"]
    return series


def asset_of(line: Line, device: UUID) -> UUID:
    asset = line.world.entity(EntityKind.ASSET)
    with line.world.changing() as (session, change):
        draft = EdgeDraft(
            source_id=asset, target_id=device, relationship="MONITORED_BY", valid_from=DAY, valid_until=None
        )
        edges_create(session, change=change, drafts=[draft])
    return asset


def test_a_series_of_numbers_with_one_text_is_a_number_with_the_text_beside(
    api: Api, lines: Callable[[], tuple[str, Line]]
) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2), (1.6, "err"), (2.5, 3))
    for entity in (device, asset_of(line, device)):
        for _ in range(2):
            assert ask(api, name, entity) == [
                {"metric": "m", "type": "NUMBER", "values": [1, 2, None, 3], "texts": [None, None, "err", None]}
            ]
            [hourly] = ask(api, name, entity, ', bucket: "PT1H"')
            assert (hourly["type"], hourly["values"][:4], hourly["texts"]) == ("NUMBER", [1, 2, 3, None], None)
            [last] = ask(api, name, entity, ', bucket: "PT1H", aggregate: LAST')
            assert (last["type"], last["values"][:4], last["texts"][:4]) == (
                "NUMBER",
                [1, None, 3, None],
                [None, "err", None, None],
            )
            # Hours that are summarized say the same, beside the one with a text, which is not.
            line.summarize()


def test_a_series_of_mostly_texts_is_textual_and_may_have_numbers(
    api: Api, lines: Callable[[], tuple[str, Line]]
) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, "on"), (1.5, "off"), (2.5, 3))
    assert ask(api, name, device)[0]["type"] == "TEXT"
    line.summarize()
    assert ask(api, name, device, ', bucket: "PT1H"')[0]["type"] == "TEXT"
    send(line, device, (3.5, 4))
    assert ask(api, name, device)[0]["type"] == "TEXT"
    send(line, device, (4.5, 5))
    assert ask(api, name, device)[0]["type"] == "NUMBER"
    # Booleans with a text are booleans still, and with a number numbers.
    send(line, device, (0.5, True), (1.5, False), (1.6, "?"), metric="b")
    assert [series["type"] for series in ask(api, name, device)] == ["BOOLEAN", "NUMBER"]
    send(line, device, (2.5, 7), metric="b")
    assert [series["type"] for series in ask(api, name, device)] == ["NUMBER", "NUMBER"]


def test_an_hour_is_weighted_by_its_points(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, *((0.1 + n / 20, n) for n in range(10)), *((2 + n / 10, "t") for n in range(6)))
    line.summarize()
    assert ask(api, name, device, ', bucket: "P1D"')[0]["type"] == "NUMBER"


def test_the_declared_type_wins_over_the_points(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    name, line = lines()
    device = line.device(type_name="Probe")
    send(line, device, (0.5, "warming up"), (0.6, "warming up"), metric="temperature")
    assert ask(api, name, device)[0]["type"] == "TEXT"
    line.schema("Probe", {"metrics": {"t": {"type": "NUMBER", "rename": "temperature"}}}, begins=DAY + HOUR)
    send(line, device, (1.5, 20), metric="t")
    [series] = ask(api, name, device)
    assert (series["type"], series["texts"]) == ("NUMBER", ["warming up", "warming up", None])
    assert [series["type"] for series in ask(api, name, asset_of(line, device))] == ["NUMBER"]
    # A range without any point, too.
    query = f'{{ node(id: "{device}") {{ ... on Device {{ telemetry(from: "2026-04-05T00:00:00Z", to: "2026-04-06T00:00:00Z") {{ type }} }} }} }}'
    assert api.client(name).call(query).data["node"]["telemetry"] == [{"type": "NUMBER"}]
    # And where it says nothing any more, most points.
    line.schema("Probe", {"metrics": {"t": {"rename": "temperature"}}}, begins=DAY + HOUR)
    send(line, device, (1.6, 21), metric="t")
    send(line, device, (1.7, "broken"), metric="t")
    assert ask(api, name, device)[0]["type"] == "TEXT"
    # What has a unit is a number.
    line.schema("Probe", {"metrics": {"t": {"rename": "temperature", "unit": "Cel"}}}, begins=DAY + HOUR)
    send(line, device, (1.8, 22), metric="t")
    assert ask(api, name, device)[0]["type"] == "NUMBER"


def test_the_latest_point_is_what_it_is(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2), (2.5, "err"))
    query = f'{{ node(id: "{device}") {{ ... on Device {{ latest {{ type value text }} }} }} }}'
    assert api.client(name).call(query).data["node"]["latest"] == [{"type": "TEXT", "value": None, "text": "err"}]


def test_a_subscription_says_the_same_of_what_was_stored(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 1), (1.5, 2), (1.6, "err"))

    async def first() -> Any:
        async with connect(api.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened:
            token = api.token(name, "viewer")
            await opened.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            await opened.recv()
            query = (
                f'subscription {{ telemetry(entityIds: ["{device}"], since: "2026-04-03T00:00:00Z")'
                f" {{ series {{ {FIELDS} }} }} }}"
            )
            await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            return json.loads(await opened.recv())["payload"]["data"]["telemetry"]["series"]

    assert asyncio.run(asyncio.wait_for(first(), patient(60))) == [
        {"metric": "m", "type": "NUMBER", "values": [1, 2, None], "texts": [None, None, "err"]}
    ]


def test_a_live_update_has_the_type_that_is_declared_else_that_of_most_of_its_points(feed: Feed) -> None:
    device, asset = feed.plant.entity("DEVICE"), feed.plant.entity("ASSET")
    feed.plant.link(asset, device, begins=datetime(2020, 1, 1, tzinfo=UTC))
    mixed: Any = [(0, 1.0), (1, 2.0), (2, "err")]

    async def scenario() -> None:
        async with started(feed):
            reader = Reader(feed, entity_ids=[device, asset])
            waiting = await reader.begin()
            await feed.say(device, mixed)
            await waiting
            assert [series.type.name for update in reader.updates for series in update.series] == ["NUMBER"] * 2
            await reader.close()
            feed.plant._run("UPDATE series SET declared_type = 0 WHERE organization_id = :organization_id")
            again = Reader(feed, entity_ids=[device, asset])
            waiting = await again.begin()
            only_text: Any = [(3, "err")]
            await feed.say(device, only_text)
            await waiting
            assert [series.type.name for update in again.updates for series in update.series] == ["NUMBER"] * 2
            await again.close()

    go(scenario())


def test_the_name_of_a_metric_is_one_in_whatever_form_it_comes(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    """In readings, in a schema, in the mapping of a link, in a rule and in a question."""
    composed, decomposed = "d\u00e9bit", "de\u0301bit"
    name, line = lines()
    admin = api.client(name)
    schema = {"metrics": {f"{decomposed}-sent": {"rename": decomposed, "type": "NUMBER"}}}
    create = "mutation C($n: String!, $s: JSON) { createEntityType(input: {kind: DEVICE, name: $n, telemetrySchema: $s}) { entityType { id name } errors { code } } }"
    made = admin.call(create, {"n": decomposed, "s": schema}).data["createEntityType"]
    assert (made["errors"], made["entityType"]["name"]) == ([], composed)
    assert admin.call(create, {"n": composed, "s": {}}).data["createEntityType"]["errors"] == [{"code": "CONFLICT"}]
    assert admin.call(create, {"n": decomposed, "s": {}}).data["createEntityType"]["errors"] == [{"code": "CONFLICT"}]
    device = line.device(type_name=composed)
    line.schema(composed, {"metrics": {f"{decomposed}-sent": {"rename": decomposed}}}, begins=DAY - HOUR)
    send(line, device, (0.5, 1), metric=f"{composed}-sent")
    send(line, device, (1.5, 2), metric=f"{decomposed}-sent")
    asset = line.world.entity(EntityKind.ASSET)
    link = "mutation L($i: LinkDeviceInput!) { linkDevice(input: $i) { edge { metadata } errors { code } } }"
    mapping = {"metrics_mapping": {decomposed: f"{decomposed} 2"}}
    given = {"deviceId": str(device), "assetId": str(asset), "validFrom": "2026-04-01T00:00:00Z", "metadata": mapping}
    assert admin.call(link, {"i": given}).data["linkDevice"] == {
        "edge": {"metadata": {"metrics_mapping": {composed: f"{composed} 2"}}}, "errors": [],
    }  # fmt: skip
    for form in (composed, decomposed):
        for entity, metric in ((device, form), (asset, f"{form} 2")):
            [series] = ask(api, name, entity, f', metrics: ["{metric}"]')
            assert (series["metric"], series["values"]) == (metric.replace(decomposed, composed), [1, 2])
    rule = (
        "mutation R($i: RuleInput!) { createRule(input: $i) { rule { name condition scope } errors { code message } } }"
    )
    threshold = {"metric": decomposed, "operator": "GT", "value": 1}
    scope = {"kind": "DEVICE", "type": decomposed}
    ruled = admin.call(rule, {"i": {"name": decomposed, "condition": {"threshold": threshold}, "scope": scope}}).data
    assert ruled["createRule"]["errors"] == []
    assert ruled["createRule"]["rule"]["name"] == composed
    assert ruled["createRule"]["rule"]["condition"]["threshold"]["metric"] == composed
    assert ruled["createRule"]["rule"]["scope"]["type"] == composed
