"""Erased means erased: no table has an id or a name of it, while others send, and processes are killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
import redis
from sqlalchemy import Engine, text

from runtime.database import engine_create
from runtime.settings.load import settings_load
from testing.clean_run import KILLED_PART
from testing.database_search import database_search
from testing.halves import Halves, at, halves_create, run, send
from testing.installation import Client, Installation, environment
from testing.waits import wait_until

ERASE = "mutation E($id: ID!, $n: String!) { eraseEntity(id: $id, name: $n) { erasedReadings errors { code path } } }"
EVENTS = "query E($id: ID!) { events(filter: {entityIds: [$id]}) { nodes { id withdrawnAt } } }"
SEND = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { code } } }"

_READS: dict[bytes, tuple[Any, ...]] = {
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"list": ("LRANGE", 0, -1),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", 0, -1),
    b"stream": ("XRANGE", "-", "+"),
    # Gone since.
    b"none": ("GET",),
}


@pytest.fixture(scope="module")
def plant(installation: Installation) -> Halves:
    return halves_create(installation, organization="Erased", names=("gamma", "DELTA"))


@pytest.fixture(scope="module")
def owner(installation: Installation) -> Iterator[Engine]:
    engine = engine_create(
        settings_load(installation.home, environment=environment()).database_url("owner"), pool_size=2
    )
    yield engine
    engine.dispose()


def erase(client: Client, entity_id: str, name: str) -> dict[str, Any]:
    result: dict[str, Any] = client.call(ERASE, {"id": entity_id, "n": name}).data["eraseEntity"]
    return result


def finished(owner: Engine) -> bool:
    with owner.connect() as connection:
        left: int = connection.execute(text("SELECT count(*) FROM erasures WHERE finished_at IS NULL")).scalar_one()
    return left == 0


def bus_search(installation: Installation, needles: Mapping[str, UUID]) -> list[str]:
    """Return which keys of the bus hold an id: as text, as hexadecimal digits, or as bytes."""
    client: Any = redis.Redis.from_url(settings_load(installation.home, environment=environment()).redis_url)
    places: list[str] = []
    for key in client.scan_iter(count=1_000):
        command, *arguments = _READS[client.type(key)]
        content = b" ".join([key, *_pieces(client.execute_command(command, key, *arguments))])
        for name, needle in needles.items():
            if any(piece in content for piece in (str(needle).encode(), needle.hex.encode(), needle.bytes)):
                places.append(f"{name} in {key!r}")
    client.close()
    return places


def _pieces(reply: Any) -> Iterator[bytes]:
    if isinstance(reply, bytes):
        yield reply
    elif isinstance(reply, Mapping):
        yield from _pieces(list(reply.items()))
    elif isinstance(reply, (list, tuple, set)):
        for item in reply:
            yield from _pieces(item)


def test_who_may_and_what_is_refused(installation: Installation, plant: Halves, owner: Engine) -> None:
    probe = plant.alpha.ids["probe"]
    for name in ("gamma", "Gamma probe", "", "DELTA probe"):
        refused = erase(plant.admin, probe, name)
        assert refused == {"erasedReadings": 0, "errors": [{"code": "BAD_USER_INPUT", "path": ["name"]}]}
    nobody = erase(plant.admin, "0190a3c4-0000-7000-8000-000000000000", "x")
    assert nobody["errors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    assert erase(plant.admin, "x", "x")["errors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    elsewhere = installation.organization("Beside the erased")
    assert erase(elsewhere, probe, "gamma probe")["errors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    for caller in (installation.client("erased", "operator"), plant.keys["admin"]):
        assert caller.call(ERASE, {"id": probe, "n": "gamma probe"}).error_codes == ["FORBIDDEN"]
    assert finished(owner)
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM erasures")).scalar_one() == 0


def test_a_device(installation: Installation, plant: Halves, owner: Engine) -> None:
    alpha, beta = plant.alpha.ids, plant.beta.ids
    needles: dict[str, str | UUID] = {"name": "gamma probe", "external id": "gamma-probe", "id": UUID(alpha["probe"])}
    assert len(database_search(owner, needles)) > 15
    before = plant.admin.call(EVENTS, {"id": beta["pump"]}).data
    assert plant.admin.call(EVENTS, {"id": alpha["pump"]}).data["events"]["nodes"] != []
    assert erase(plant.admin, alpha["probe"], "gamma probe") == {"erasedReadings": 3, "errors": []}
    again = erase(plant.admin, alpha["probe"], "[erased]")
    assert again["errors"][0]["code"] in {"CONFLICT", "NOT_FOUND"}
    wait_until(lambda: finished(owner))
    # Late: to a device that is no more.
    for named in ({"externalId": "gamma-probe"}, {"deviceId": alpha["probe"]}):
        late = {**named, "timestamp": at(5), "metrics": {"temperature": 99}}
        result = plant.admin.call(SEND, {"r": [late]}).data["ingestTelemetry"]
        assert (result["accepted"], result["errors"][0]["code"]) == (0, "UNKNOWN_DEVICE")
    # What the pump was alarmed for through it, was never so.
    wait_until(
        lambda: all(e["withdrawnAt"] for e in plant.admin.call(EVENTS, {"id": alpha["pump"]}).data["events"]["nodes"])
    )
    assert plant.admin.call(EVENTS, {"id": beta["pump"]}).data == before
    assert database_search(owner, needles) == []
    wait_until(
        lambda: bus_search(installation, {"id": UUID(alpha["probe"])}) == [],
        timeout_s=60,
        details=lambda: bus_search(installation, {"id": UUID(alpha["probe"])}),
    )
    trail = plant.admin.call(
        '{ changes(filter: {actions: ["erased"]}) { nodes { actor subject { id } after } } }'
    ).data["changes"]["nodes"]
    [entry] = trail
    assert (entry["actor"], entry["subject"], entry["after"]["kind"]) == ("argus token", None, "DEVICE")
    own = plant.admin.call(
        "query T($id: ID!) { changes(filter: {subjectIds: [$id]}) { nodes { action before after actor } } }",
        {"id": entry["after"]["id"]},
    ).data["changes"]["nodes"]
    assert {(row["action"], row["before"], row["actor"]) for row in own if row["action"] != "erased"} == {
        ("created", None, "argus token"),
        ("issued", None, "argus token"),
    }
    # The pump lives on, and so do its past and its other neighbours.
    read = "query R($id: ID!) { entity(id: $id) { name ... on Asset { devices { totalCount } } } }"
    assert plant.admin.call(read, {"id": alpha["pump"]}).data["entity"] == {
        "name": "gamma pump",
        "devices": {"totalCount": 0},
    }


def test_the_other_kinds(installation: Installation, plant: Halves, owner: Engine) -> None:
    alpha = plant.alpha.ids
    # One that was deleted before, too.
    run(plant.admin, "mutation D($id: ID!) { deletePerson(id: $id) { errors { code } } }", id=alpha["worker"])
    group = "mutation G($i: GroupInput!) { createGroup(input: $i) { group { id } errors { code } } }"
    members = run(plant.admin, group, i={"name": "some"})["createGroup"]["group"]["id"]
    within = {"name": "in the hall", "kind": "DYNAMIC", "filter": {"underId": alpha["hall"]}}
    named = run(plant.admin, group, i=within)["createGroup"]["group"]["id"]
    add = "mutation A($g: ID!, $e: [ID!]!) { addToGroup(groupId: $g, entityIds: $e) { errors { code } } }"
    run(plant.admin, add, g=members, e=[alpha["motor"], plant.beta.ids["motor"]])
    for label in ("pump", "worker", "hall", "motor"):
        assert erase(plant.admin, alpha[label], f"gamma {label}") == {"erasedReadings": 0, "errors": []}
    name = run(plant.admin, "query N($id: ID!) { entity(id: $id) { name } }", id=alpha["work"])["entity"]["name"]
    assert erase(plant.admin, alpha["work"], name)["errors"] == []
    wait_until(lambda: finished(owner))
    labels = ("pump", "worker", "hall", "motor", "work", "event", "shelf", "window")
    needles: dict[str, str | UUID] = {
        f"name of {label}": f"gamma {label}" for label in ("pump", "worker", "hall", "motor")
    }
    # In the audit trail, what was done to its events and shelves keeps their ids.
    ids = {label: UUID(alpha[label]) for label in labels if label not in ("event", "shelf", "window")}
    assert database_search(owner, needles | ids) == []
    gone = plant.admin.call("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [alpha[x] for x in labels]})
    assert gone.data["nodes"] == [None] * len(labels)
    # Who was confined to the hall is confined to nothing, not admitted everywhere.
    for caller in plant.keys.values():
        result = caller.call("{ devices { totalCount } }")
        assert "data" not in result.body or result.data["devices"]["totalCount"] == 0
    count = "query M($id: ID!) { node(id: $id) { ... on Group { members { totalCount } } } }"
    assert plant.admin.call(count, {"id": members}).data["node"]["members"]["totalCount"] == 1
    # A filter that names what is gone says so, and matches nothing else.
    assert plant.admin.call(count, {"id": named}).error_codes == ["NOT_FOUND"]
    # A rule about the pump alone is gone, one about all is not.
    rules = plant.admin.call("{ rules(first: 50) { nodes { name } } }").data["rules"]["nodes"]
    assert sorted(rule["name"] for rule in rules) == ["DELTA hot", "any"]


@pytest.mark.provokes(KILLED_PART, is_counted=True)
def test_while_it_sends_and_workers_are_killed(installation: Installation, owner: Engine) -> None:
    admin = installation.organization("Erased under way")
    create = (
        "mutation C($n: String!) { createDevice(input: {name: $n, externalId: $n}) { device { id } errors { code } } }"
    )
    ids = {name: run(admin, create, n=name)["createDevice"]["device"]["id"] for name in ("stays-here", "goes-away")}
    asset = run(admin, 'mutation { createAsset(input: {name: "a"}) { asset { id } errors { code } } }')["createAsset"]
    for device in ids.values():
        run(
            admin,
            """mutation L($a: ID!, $d: ID!) { linkDevice(input: {assetId: $a, deviceId: $d,
              validFrom: "2026-01-01T00:00:00Z"}) { errors { code } } }""",
            a=asset["asset"]["id"], d=device,
        )  # fmt: skip
    rule = """mutation { createRule(input: {name: "any", effectiveFrom: "2025-12-01T00:00:00Z",
      condition: {threshold: {metric: "x", operator: GT, value: 1}}}) { errors { code } } }"""
    run(admin, rule)
    stop, accepted, after = threading.Event(), {"stays-here": 0, "goes-away": 0}, [0]

    def sends() -> None:
        sent = 0
        while not stop.is_set():
            sent += 1
            rows = [
                {
                    "externalId": name,
                    "timestamp": at(sent % 60),
                    "messageId": f"m{sent}",
                    "metrics": {"x": sent % 3, "n": sent},
                }
                for name in ids
            ]
            result = admin.call(SEND, {"r": rows}).data["ingestTelemetry"]
            accepted["stays-here"] += 1
            accepted["goes-away"] += result["accepted"] - 1
            after[0] += result["accepted"] == 1

    thread = threading.Thread(target=sends)
    thread.start()
    try:
        wait_until(lambda: accepted["goes-away"] > 100)
        erased = erase(admin, ids["goes-away"], "goes-away")
        assert erased["errors"] == []
        for pid in installation.children("argus worker"):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: after[0] > 50)
        for pid in installation.children("argus worker"):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: finished(owner), timeout_s=120)
    finally:
        stop.set()
        thread.join()
    assert 100 < erased["erasedReadings"] <= accepted["goes-away"]
    installation.wait_processed(admin)
    account = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead } }'
    result = admin.call(account).data["ingestAccount"]
    # Those of both were received; of what was erased no outcome is certain but that it is one.
    assert result["received"] == sum(accepted.values()) == result["stored"] + result["duplicate"] + result["dead"]
    needles: dict[str, str | UUID] = {"name": "goes-away", "id": UUID(ids["goes-away"])}
    wait_until(lambda: database_search(owner, needles) == [], timeout_s=60)
    with owner.connect() as connection:
        stored = connection.execute(
            text("SELECT count(*) FROM telemetry_raw WHERE device_id = :d"), {"d": ids["stays-here"]}
        ).scalar_one()
    assert stored == accepted["stays-here"]
    wait_until(
        lambda: bus_search(installation, {"id": UUID(ids["goes-away"])}) == [],
        timeout_s=60,
        details=lambda: bus_search(installation, {"id": UUID(ids["goes-away"])}),
    )
    send(admin, ids["stays-here"], (59, {"x": 2}))
