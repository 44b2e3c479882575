"""`argus organization`: suspended, resumed, renamed, exported and deleted, beside another that notices nothing."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from runtime.database import engine_create
from runtime.settings.load import settings_load
from testing.database_search import database_search
from testing.halves import Halves, halves_create, run
from testing.installation import Client, Installation, environment
from testing.waits import wait_until

VIEWER = "{ viewer { organizationName } }"
SUSPENDED = "ORGANIZATION_SUSPENDED"
# What the database refuses, and what a stage finds gone that had begun with it.
GONE = r"ERROR:  organization \d+ is suspended|There is no such organization"


def answers_with(caller: Client, codes: list[str]) -> bool:
    return caller.call(VIEWER).error_codes == codes


@pytest.fixture(scope="module")
def plant(installation: Installation) -> Halves:
    return halves_create(installation, organization="Condemned")


@pytest.fixture(scope="module")
def owner(installation: Installation) -> Iterator[Engine]:
    engine = engine_create(
        settings_load(installation.home, environment=environment()).database_url("owner"), pool_size=2
    )
    yield engine
    engine.dispose()


def post(installation: Installation, token: str, reading: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send a reading as a device does."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{installation.port}/api/v1/telemetry/ingest",
        data=json.dumps(reading).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.provokes(GONE)
def test_suspended_until_resumed(installation: Installation, plant: Halves, owner: Engine) -> None:
    neighbour = installation.organization("Beside the suspended")
    token = run(
        plant.admin, "mutation T($d: ID!) { issueDeviceToken(deviceId: $d) { token } }", d=plant.alpha.ids["probe"]
    )["issueDeviceToken"]["token"]
    assert post(installation, token, {"metrics": {"temperature": 1}})[0] == 200
    done = installation.run("organization", "suspend", "condemned", "--json")
    assert json.loads(done.stdout)["suspended_at"] is not None
    callers = [plant.admin, *plant.everyone]
    for caller in callers:
        wait_until(partial(answers_with, caller, [SUSPENDED]))
    refused = plant.admin.call('mutation { createSpace(input: {name: "s"}) { errors { code } } }')
    assert (refused.status, refused.error_codes) == (403, [SUSPENDED])
    status, body = post(installation, token, {"metrics": {"temperature": 2}})
    assert (status, body["errors"][0]["code"]) == (403, SUSPENDED), body
    assert neighbour.call(VIEWER).data["viewer"]["organizationName"] == "Beside the suspended"
    # Nor does the database take readings, from whoever still thinks otherwise.
    with owner.connect() as connection, pytest.raises(Exception, match="is suspended"):
        connection.execute(
            text(
                "INSERT INTO raw_batches (organization_id, id, partition, transport, received_at, first_raw_id,"
                " last_raw_id, readings, bytes) SELECT o.id, 0, 0, 'test', b.received_at, 0, 0, 0, 0 FROM organizations o"
                " CROSS JOIN LATERAL (SELECT received_at FROM raw_batches LIMIT 1) b WHERE o.slug = 'condemned'"
            )
        )
    again = installation.run("organization", "suspend", "condemned", check=False)
    assert (again.returncode, "is suspended, since" in again.stderr) == (1, True)
    listed = {item["slug"]: item for item in json.loads(installation.run("organization", "list", "--json").stdout)}
    assert listed["condemned"]["suspended_at"] is not None
    assert listed["beside-the-suspended"]["suspended_at"] is None
    installation.run("organization", "resume", "condemned")
    for caller in callers:
        wait_until(partial(answers_with, caller, []))
    assert post(installation, token, {"metrics": {"temperature": 3}})[0] == 200
    assert installation.run("organization", "resume", "condemned", check=False).returncode == 1
    trail = plant.admin.call('{ changes(filter: {actions: ["suspended", "resumed"]}) { nodes { action actor } } }')
    assert [(entry["action"], entry["actor"]) for entry in trail.data["changes"]["nodes"]] == [
        ("resumed", "argus organization"),
        ("suspended", "argus organization"),
    ]


def test_renamed(installation: Installation) -> None:
    before = installation.organization("Before")
    assert installation.run("organization", "rename", "before", check=False).returncode == 2
    taken = installation.run("organization", "rename", "before", "--slug", "condemned", check=False)
    assert (taken.returncode, "is taken" in taken.stderr) == (1, True)
    done = installation.run("organization", "rename", "before", "After", "--slug", "after", "--json")
    assert {name: json.loads(done.stdout)[name] for name in ("name", "slug")} == {"name": "After", "slug": "after"}
    # What a process knows of a slug, it knows for ten seconds.
    wait_until(lambda: before.call(VIEWER).error_codes == ["UNAUTHENTICATED"])
    assert installation.client("after").call(VIEWER).data["viewer"]["organizationName"] == "After"


def test_exported_and_imported(installation: Installation, plant: Halves, tmp_path: Path) -> None:
    installation.wait_processed(plant.admin)
    out = tmp_path / "all"
    manifest = json.loads(installation.run("organization", "export", "condemned", "--out", str(out), "--json").stdout)
    assert json.loads((out / "manifest.json").read_text()) == manifest
    assert {name: len(records(out / name)) for name in manifest["rows"]} == manifest["rows"]
    readings = records(out / "readings.ndjson")
    assert Counter(reading.get("externalId") for reading in readings)["BETA-probe"] == 3
    points = records(out / "points.ndjson")
    probe = plant.beta.ids["probe"]
    assert sorted(p["value"] for p in points if (p["entityId"], p["metric"]) == (probe, "temperature")) == [70, 95, 96]
    assert plant.beta.ids["rule"] in {rule["id"] for rule in records(out / "records" / "rules.ndjson")}
    assert "token_hash" not in records(out / "records" / "device_tokens.ndjson")[0]
    assert installation.run("organization", "export", "condemned", "--out", str(out), check=False).returncode == 1
    # Into another organization: the graph as a file, the readings as they are.
    other = installation.organization("Elsewhere")
    installation.run("import", "graph", str(out / "graph.ndjson"), "--organization", "elsewhere")
    count = "{ devices { totalCount } assets { totalCount } }"
    assert other.call(count).data == plant.admin.call(count).data
    named = [reading for reading in readings if "externalId" in reading]
    token = other.token
    assert token is not None
    status, body = post(installation, token, named)  # type: ignore[arg-type]
    assert (status, body["accepted"]) == (200, len(named)), body
    installation.wait_processed(other)
    # It has the ids of the other, which the next test looks for.
    installation.run("organization", "delete", "elsewhere", "--confirm", "Elsewhere")


@pytest.mark.provokes(GONE, is_counted=True)
def test_deleted_while_it_sends(installation: Installation, plant: Halves, owner: Engine) -> None:
    neighbour = installation.organization("Beside the deleted")
    device = run(
        neighbour, 'mutation { createDevice(input: {name: "d", externalId: "d"}) { device { id } errors { code } } }'
    )["createDevice"]["device"]["id"]
    with owner.connect() as connection:
        number, public_id = connection.execute(
            text("SELECT id, public_id FROM organizations WHERE slug = 'condemned'")
        ).one()
    # Other organizations have things of the same names as the rest of it.
    run(plant.admin, 'mutation { createSpace(input: {name: "Vault of the condemned"}) { errors { code } } }')
    for confirmed in ("condemned", "Beside the deleted"):
        wrong = installation.run("organization", "delete", "condemned", "--confirm", confirmed, check=False)
        assert (wrong.returncode, "Nothing was deleted" in wrong.stderr) == (2, True)
    assert installation.run("organization", "delete", "condemned", check=False).returncode == 2
    assert plant.admin.call(VIEWER).error_codes == []
    stop, accepted, answers = threading.Event(), [0], Counter[str]()

    def sends(client: Client, name: str) -> None:
        sent = 0
        while not stop.is_set():
            sent += 1
            reading = {"externalId": name, "metrics": {"temperature": 100, "n": sent}, "messageId": f"m{sent}"}
            assert client.token is not None
            status, body = post(installation, client.token, reading)
            if client is neighbour:
                assert status == 200, body
                accepted[0] += 1
            else:
                answers[str(status)] += 1

    threads = [threading.Thread(target=sends, args=given) for given in ((neighbour, "d"), (plant.admin, "alpha-probe"))]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: answers["200"] > 5)
        done = installation.run("organization", "delete", "condemned", "--confirm", "Condemned", "--json")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert json.loads(done.stdout)["deletedRows"] > 100
    assert set(answers) <= {"200", "401", "403", "404"}, answers
    installation.wait_processed(neighbour)
    account = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored } }'
    result = neighbour.call(account).data["ingestAccount"]
    assert (result["received"], result["stored"]) == (accepted[0], accepted[0])
    assert (
        neighbour.call("query D($id: ID!) { entity(id: $id) { name } }", {"id": device}).data["entity"]["name"] == "d"
    )
    ids = {name: UUID(value) for half in (plant.alpha, plant.beta) for name, value in half.ids.items()}
    names: dict[str, str | UUID] = {"name": "Vault of the condemned", "slug": "condemned", "public id": public_id}
    assert database_search(owner, names | ids) == []
    with owner.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " AND a.attname = 'organization_id' WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            )
        ).scalars()
        left = {
            table: count
            for table in tables
            if (
                count := connection.execute(
                    text(f"SELECT count(*) FROM {table} WHERE organization_id = :o"),  # noqa: S608
                    {"o": number},
                ).scalar_one()
            )
        }
    assert left == {}
    wait_until(lambda: plant.admin.call(VIEWER).error_codes == ["UNAUTHENTICATED"])
    assert installation.run("organization", "delete", "condemned", check=False).returncode == 1
    # Its slug is free again; a token of before is not one of the new organization by any right but its signature.
    installation.run("organization", "create", "Condemned")
