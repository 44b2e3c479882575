"""Aggregates and fills of series, through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from unicodedata import normalize
from uuid import UUID

import pytest

from graph.kinds import EntityKind
from testing.api import Api
from testing.line import Line

DAY = datetime(2026, 4, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
TELEMETRY = """query Q($id: ID!, $aggregate: Aggregate! = MEAN, $bucket: Duration = "PT1H", $fill: Fill! = NONE) {
  node(id: $id) { ... on Device { telemetry(from: "2026-04-03T01:00:00Z", to: "2026-04-03T04:00:00Z",
    aggregate: $aggregate, bucket: $bucket, fill: $fill) { metric values } } } }"""


def send(line: Line, device: UUID, *points: tuple[float, Any], metric: str = "m") -> None:
    """Have points normalized, given as (hours after DAY, value)."""
    readings = [
        {"device_id": device, "timestamp": DAY + hours * HOUR, "metrics": {metric: value}} for hours, value in points
    ]
    line.normalize(line.send(*readings))
    # Lines of one database take turns.
    line.rows("UPDATE stage_leases SET expires_at = '-infinity' RETURNING 1")
    line.lease = None


SERIES = """query S($ids: [ID!], $under: ID, $group: ID, $kinds: [EntityKind!], $across: Aggregate, $bucket: Duration = "PT1H",
  $metrics: [String!]! = ["m"]) {
  series(entityIds: $ids, underId: $under, groupId: $group, kinds: $kinds, metrics: $metrics, from: "2026-04-03T01:00:00Z",
    to: "2026-04-03T03:00:00Z", bucket: $bucket, across: $across) {
    entity { id kind } metric port unit type values texts truncated incomplete } }"""


@pytest.mark.parametrize(
    ("aggregate", "values"),
    [
        ("MEDIAN", [7.5, None, 20]),
        ("P05", [3.45, None, 20]),
        ("P95", [11.55, None, 20]),
        ("STDDEV", [6.363961, None, None]),
        ("TIME_WEIGHTED_MEAN", [8.75, 3, 11.5]),
        ("DELTA", [-5, None, 17]),
        ("INCREASE", [7, None, 17]),
        ("RATE", [7 / 3600, None, 17 / 3600]),
    ],
)
def test_every_aggregate_is_answered(
    api: Api, lines: Callable[[], tuple[str, Line]], aggregate: str, values: list[float | None]
) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 8), (1.25, 12), (1.75, 3), (3.5, 20))
    answer = api.client(name, "viewer").call(TELEMETRY, {"id": str(device), "aggregate": aggregate})
    [series] = answer.data["node"]["telemetry"]
    assert [None if v is None else pytest.approx(v, rel=1e-5) for v in values] == series["values"]


def test_empty_buckets_are_filled(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 8), (1.5, 2), (3.5, 4))
    client = api.client(name, "viewer")
    filled = {}
    for fill in ("NONE", "PREVIOUS", "LINEAR"):
        [series] = client.call(TELEMETRY, {"id": str(device), "fill": fill}).data["node"]["telemetry"]
        filled[fill] = series["values"]
    assert filled == {"NONE": [2, None, 4], "PREVIOUS": [2, 2, 4], "LINEAR": [2, 3, 4]}
    refusal = client.call(TELEMETRY, {"id": str(device), "fill": "LINEAR", "bucket": None}).body["errors"][0]
    assert (refusal["extensions"]["code"], refusal["extensions"]["argumentPath"]) == ("BAD_USER_INPUT", ["fill"])


@pytest.fixture
def hall(lines: Callable[[], tuple[str, Line]]) -> tuple[str, Line, dict[str, str]]:
    """A space with an asset in it that two devices measure, and a device elsewhere."""
    name, line = lines()
    devices = [line.device() for _ in range(3)]
    asset, space = line.world.entity(EntityKind.ASSET), line.world.entity(EntityKind.SPACE)
    line.world.edge(asset, "LOCATED_IN", space, valid_from=DAY)
    for port, device in enumerate(devices[:2]):
        line.world.edge(asset, "MONITORED_BY", device, valid_from=DAY)
        send(line, device, (1.25, 10 + port), (2.25 + port / 2, 20 + port))
    send(line, devices[2], (1.25, 99))
    ids = {"first": devices[0], "second": devices[1], "elsewhere": devices[2], "asset": asset, "space": space}
    return name, line, {label: str(identity) for label, identity in ids.items()}


def test_series_of_many_entities(api: Api, hall: tuple[str, Line, dict[str, str]]) -> None:
    name, _, ids = hall
    client = api.client(name, "viewer")
    rows = client.call(SERIES, {"ids": [ids["elsewhere"], ids["second"]]}).data["series"]
    assert rows == [
        {
            "entity": {"id": identity, "kind": "DEVICE"}, "metric": "m", "port": None, "unit": None, "type": "NUMBER",
            "values": values, "texts": None, "truncated": False, "incomplete": False,
        }
        for identity, values in ((ids["elsewhere"], [99, None]), (ids["second"], [11, 21]))
    ]  # fmt: skip
    below = client.call(SERIES, {"under": ids["space"]}).data["series"]
    assert {row["entity"]["id"] for row in below} == {ids["first"], ids["second"], ids["asset"]}
    [total] = client.call(SERIES, {"under": ids["space"], "kinds": ["DEVICE"], "across": "SUM"}).data["series"]
    assert (total["entity"]["id"], total["values"]) == (ids["space"], [21, 41])


def test_series_of_a_group(api: Api, hall: tuple[str, Line, dict[str, str]]) -> None:
    name, _, ids = hall
    client = api.client(name)
    made = client.call(
        """mutation G { fixed: createGroup(input: {name: "Fixed"}) { group { id } }
        kind: createGroup(input: {name: "Kind", kind: DYNAMIC, filter: {kinds: [DEVICE]}}) { group { id } } }"""
    ).data
    fixed, kind = (made[alias]["group"]["id"] for alias in ("fixed", "kind"))
    client.call(
        """mutation A($id: ID!, $ids: [ID!]!) {
        addToGroup(groupId: $id, entityIds: $ids, from: "2026-04-01T00:00:00Z") { errors { message } } }""",
        {"id": fixed, "ids": [ids["asset"], ids["elsewhere"]]},
    )
    of_group = client.call(SERIES, {"group": fixed}).data["series"]
    assert {row["entity"]["id"] for row in of_group} == {ids["asset"], ids["elsewhere"]}
    [total] = client.call(SERIES, {"group": kind, "across": "SUM"}).data["series"]
    assert total["values"] == [120, 41]
    confined = api.client(name, "viewer", under=[ids["asset"]])
    reply = confined.call(SERIES, {"group": kind})
    assert ids["elsewhere"] not in str(reply.body)
    both = client.call(SERIES, {"group": kind, "under": ids["space"]}).body["errors"][0]
    assert both["extensions"]["argumentPath"] == ["entityIds"]
    gone = client.call(SERIES, {"group": ids["asset"]}).body["errors"][0]
    assert (gone["extensions"]["code"], gone["extensions"]["argumentPath"]) == ("NOT_FOUND", ["groupId"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_the_same_in_both_forms(
    api: Api, lines: Callable[[], tuple[str, Line]], form: Literal["NFC", "NFD"]
) -> None:
    name, line = lines()
    device = line.device(type_name="Küche")
    send(line, device, (1.5, 1), metric="Küche")
    text = normalize(form, "Küche")
    query = """query S($id: ID!, $name: String!) { series(underId: $id, types: [$name], metrics: [$name],
      from: "2026-04-03T00:00:00Z", to: "2026-04-04T00:00:00Z") { metric values } }"""
    rows = api.client(name).call(query, {"id": str(device), "name": text}).data["series"]
    assert rows == [{"metric": "Küche", "values": [1]}]


@pytest.mark.parametrize(
    ("variables", "code", "path"),
    [
        ({}, "BAD_USER_INPUT", ["entityIds"]),
        ({"ids": ["x"]}, "NOT_FOUND", ["entityIds", "0"]),
        ({"under": "x"}, "NOT_FOUND", ["underId"]),
        ({"ids": ["019b0000-0000-7000-8000-000000000000"]}, "NOT_FOUND", ["entityIds", "0"]),
        ({"under": "019b0000-0000-7000-8000-000000000000"}, "NOT_FOUND", ["underId"]),
        ({"ids": ["019b0000-0000-7000-8000-000000000000"] * 1001}, "LIMIT_EXCEEDED", ["entityIds"]),
        ({"ids": [], "metrics": []}, "BAD_USER_INPUT", ["metrics"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_path(
    api: Api, lines: Callable[[], tuple[str, Line]], variables: dict[str, Any], code: str, path: list[str]
) -> None:
    name, _ = lines()
    refusal = api.client(name).call(SERIES, variables).body["errors"][0]
    assert (refusal["extensions"]["code"], refusal["extensions"]["argumentPath"]) == (code, path)


def test_a_confined_caller_reads_only_what_is_below(api: Api, hall: tuple[str, Line, dict[str, str]]) -> None:
    name, _, ids = hall
    confined = api.client(name, "viewer", under=[ids["asset"]])
    rows = confined.call(SERIES, {"under": ids["asset"]}).data["series"]
    assert {row["entity"]["id"] for row in rows} == {ids["first"], ids["second"], ids["asset"]}
    [total] = confined.call(SERIES, {"ids": [ids["first"], ids["second"]], "across": "SUM"}).data["series"]
    assert total["values"] == [21, 41]
    for variables in ({"under": ids["space"]}, {"ids": [ids["elsewhere"]]}, {"ids": [ids["first"], ids["elsewhere"]]}):
        assert confined.call(SERIES, variables).error_codes == ["NOT_FOUND"]


def test_another_organization_reads_nothing(
    api: Api, lines: Callable[[], tuple[str, Line]], hall: tuple[str, Line, dict[str, str]]
) -> None:
    stranger = api.client(lines()[0])
    for variables in ({"under": hall[2]["space"]}, {"ids": [hall[2]["first"]]}):
        assert stranger.call(SERIES, variables).error_codes == ["NOT_FOUND"]
