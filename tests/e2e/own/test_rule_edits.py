"""Rules that are edited and things that are deleted while several workers run: events are corrected without another reading."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testing.installation import Client, Installation
from testing.waits import Deadline, patient

pytestmark = pytest.mark.slow

PATIENCE_S = 90
OVENS = 8
EVENTS = """query E { events(first: 200) { nodes {
  id state severity openedAt clearedAt clearedReason entity { id } rule { name } } } }"""


@pytest.fixture
def wide_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    settings = {"ARGUS_PARTITIONS": "4", "ARGUS_WORKERS": "5"}
    running = Installation(tmp_path_factory.mktemp("edits") / "home", settings=settings)
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


def ovens(client: Client) -> tuple[list[str], list[str]]:
    """Make ovens in a hall, a probe at each; return their ids and those of their probes."""
    assets, devices = [], []
    for n in range(OVENS):
        made = client.call(
            """mutation M($d: String!, $a: String!) {
               d: createDevice(input: {name: $d, externalId: $d}) { device { id } }
               a: createAsset(input: {name: $a, type: "oven"}) { asset { id } } }""",
            {"d": f"d{n}", "a": f"a{n}"},
        ).data
        devices.append(made["d"]["device"]["id"])
        assets.append(made["a"]["asset"]["id"])
        linked = client.call(
            """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,
               validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""",
            {"d": devices[-1], "a": assets[-1]},
        ).data["linkDevice"]
        assert linked["errors"] == []
    return assets, devices


def send(client: Client, *values: float) -> None:
    at = datetime.now(UTC).isoformat()
    rows = [{"externalId": f"d{n}", "timestamp": at, "metrics": {"t": value}} for n, value in enumerate(values)]
    sent = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }",
        {"r": rows},
    ).data["ingestTelemetry"]
    assert sent == {"accepted": len(rows), "errors": []}


def rule(name: str, condition: dict[str, Any], kind: str = "ASSET", **more: Any) -> dict[str, Any]:
    scope = {"kind": kind, "type": "oven"} if kind == "ASSET" else {}
    return {"name": name, "scope": scope, "condition": condition, **more}


def over(value: float) -> dict[str, Any]:
    return {"threshold": {"metric": "t", "operator": "GT", "value": value}}


def write(client: Client, wish: dict[str, Any], rule_id: str | None = None) -> str:
    """Create a rule, or edit one; return its id."""
    if rule_id is None:
        mutation = "mutation R($i: RuleInput!) { r: createRule(input: $i) { rule { id } errors { message } } }"
    else:
        mutation = """mutation R($i: RuleInput!, $id: ID!) { r: updateRule(id: $id, input: $i) {
                   rule { id } errors { message } } }"""
    done = client.call(mutation, {"i": wish} if rule_id is None else {"i": wish, "id": rule_id}).data["r"]
    assert done["errors"] == []
    written: str = done["rule"]["id"]
    return written


def events(client: Client, fits: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Wait until the events are as expected, and are so still a while later."""
    deadline = Deadline(PATIENCE_S)
    times = 0
    while times < 5:
        nodes: list[dict[str, Any]] = client.call(EVENTS).data["events"]["nodes"]
        times = times + 1 if fits(nodes) else 0
        deadline.pause(nodes, seconds=0.2)
    return nodes


def of(nodes: list[dict[str, Any]], state: str, name: str | None = None) -> list[dict[str, Any]]:
    return [event for event in nodes if event["state"] == state and name in (None, event["rule"]["name"])]


def test_edits_and_deletions_are_applied_without_another_reading(wide_plant: Installation) -> None:
    client = wide_plant.organization("Edits")
    assets, devices = ovens(client)
    send(client, *[90.0] * OVENS)
    # A rule evaluates the last readings when it is created.
    hot = write(client, rule("hot", over(80), severity="LOW"))
    first = events(client, lambda nodes: len(of(nodes, "OPEN")) == len(nodes) == OVENS)

    write(client, rule("warm", over(80), severity="HIGH"), hot)
    nodes = events(client, lambda nodes: {event["severity"] for event in nodes} == {"HIGH"})
    assert {(event["id"], event["openedAt"], event["state"]) for event in nodes} == {
        (event["id"], event["openedAt"], "OPEN") for event in first
    }

    write(client, rule("warm", over(85), severity="MEDIUM"), hot)
    nodes = events(client, lambda nodes: (len(of(nodes, "OPEN")), len(of(nodes, "CLEARED"))) == (OVENS, OVENS))
    assert {event["clearedReason"] for event in of(nodes, "CLEARED")} == {"RULE_CHANGED"}
    assert {event["id"] for event in of(nodes, "CLEARED")} == {event["id"] for event in first}

    write(client, rule("warm", over(95)), hot)
    events(client, lambda nodes: len(of(nodes, "CLEARED")) == len(nodes) == 2 * OVENS)

    # Yet to come: it opens then.
    soon = datetime.now(UTC) + timedelta(seconds=4)
    write(client, rule("warm", over(80), effectiveFrom=soon.isoformat()), hot)
    nodes = events(client, lambda nodes: len(of(nodes, "OPEN")) == OVENS)
    assert {datetime.fromisoformat(event["openedAt"]) for event in of(nodes, "OPEN")} == {soon}

    silent = write(client, rule("silent", {"noData": {"metric": "t", "after": "PT1S"}}))
    events(client, lambda nodes: len(of(nodes, "OPEN", "silent")) == OVENS)

    # One asset is deleted, one becomes of another type.
    client.call("mutation D($id: ID!) { deleteAsset(id: $id) { errors { message } } }", {"id": assets[0]})
    client.call(
        'mutation U($id: ID!) { updateAsset(id: $id, input: {type: "kiln"}) { errors { message } } }',
        {"id": assets[1]},
    )
    nodes = events(client, lambda nodes: len(of(nodes, "OPEN")) == 2 * (OVENS - 2))
    gone = [event for event in nodes if event["entity"] and event["entity"]["id"] == assets[0]]
    assert {event["state"] for event in gone} == {"CLEARED"}
    assert [event["clearedReason"] for event in gone].count("ENTITY_DELETED") == 2
    assert {event["state"] for event in nodes if event["entity"]["id"] == assets[1]} == {"WITHDRAWN"}

    # Devices by themselves.
    loud = write(client, rule("loud", over(70), kind="ALL"))
    events(client, lambda nodes: {event["entity"]["id"] for event in of(nodes, "OPEN", "loud")} >= set(devices))
    client.call("mutation D($id: ID!) { deleteDevice(id: $id) { errors { message } } }", {"id": devices[2]})
    nodes = events(client, lambda nodes: devices[2] not in {event["entity"]["id"] for event in of(nodes, "OPEN")})
    assert [event["clearedReason"] for event in nodes if event["entity"]["id"] == devices[2]] == ["ENTITY_DELETED"]

    for item in (hot, silent, loud):
        client.call("mutation D($id: ID!) { deleteRule(id: $id) { errors { message } } }", {"id": item})
    events(client, lambda nodes: not of(nodes, "OPEN"))
    # Nothing waits for ever, and nothing went wrong on the way.
    deadline = Deadline(PATIENCE_S)
    while waiting(wide_plant):
        deadline.pause(waiting(wide_plant), seconds=0.5)
    log = (wide_plant.home / "logs" / "worker.log").read_text()
    assert [line for line in log.splitlines() if "[error" in line] == []


def waiting(installation: Installation) -> list[str]:
    """Return the metrics of dirty windows and buckets that are not zero."""
    with urllib.request.urlopen(f"http://127.0.0.1:{installation.port}/metrics", timeout=patient(30)) as answer:
        lines = answer.read().decode().splitlines()
    return [
        line
        for line in lines
        if line.startswith(("argus_dirty_windows", "argus_dirty_buckets")) and float(line.split()[-1]) != 0
    ]
