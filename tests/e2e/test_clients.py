"""Clients that others wrote execute a query, a mutation and a subscription, and generate code for a front end."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testing.clients import CLIENTS, PYTHON, front_end_copy, node_needed, python_needed
from testing.installation import PROJECT, Client, Installation
from testing.waits import Deadline, patient

pytestmark = pytest.mark.slow

QUERY = "query Q($types: [String!]) { assets(filter: {types: $types}) { totalCount nodes { __typename name } } }"
MUTATION = """mutation M($name: String!, $attributes: JSON) {
  createAsset(input: {name: $name, type: "Pump", attributes: $attributes}) {
    asset { name attributes } errors { code message path } } }"""
SUBSCRIPTION = """subscription S($metrics: [String!]) {
  telemetry(metrics: $metrics) { series { metric values entity { __typename ... on Device { externalId } } } } }"""
# Of programs that know nothing of this project's packages.
OUTSIDE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def program(*command: str, packages: tuple[str, ...] = ()) -> Any:
    marks = node_needed(*packages) if command[0] == "node" else python_needed()
    return pytest.param(command, marks=marks, id=command[1].rpartition(".")[0])


PROGRAMS = [
    program("node", "subscribe.mjs", packages=("graphql-ws", "ws")),
    program("node", "sse.mjs", packages=("graphql-sse",)),
    program("node", "apollo.mjs", packages=("@apollo/client",)),
    program("node", "urql.mjs", packages=("@urql/core", "graphql-ws", "ws")),
    program(str(PYTHON), "gql_client.py"),
]


def arguments(command: tuple[str, ...], installation: Installation, client: Client) -> list[str]:
    """Return the command of a client, to which a document and its variables are added."""
    assert client.token is not None
    url = installation.websocket_url if command[1] == "subscribe.mjs" else installation.url
    return [*command, url, client.token]


def executed(command: list[str], query: str, variables: dict[str, Any]) -> Any:
    """Return the only result of an operation."""
    done = subprocess.run(
        [*command, query, json.dumps(variables)],
        cwd=CLIENTS,
        env=OUTSIDE,
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [result] = (line for line in map(json.loads, done.stdout.splitlines()) if "connected" not in line)
    return result


@pytest.mark.parametrize("command", PROGRAMS)
def test_a_client_executes_a_query_a_mutation_and_a_subscription(
    installation: Installation, command: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    client = installation.organization(f"Client {request.node.callspec.id}")
    with_client = arguments(command, installation, client)

    attributes = {"maker": "KSB", "stages": 3, "tags": ["a", None]}
    created = executed(with_client, MUTATION, {"name": "P1", "attributes": attributes})
    assert created["data"]["createAsset"] == {"asset": {"name": "P1", "attributes": attributes}, "errors": []}
    page = executed(with_client, QUERY, {"types": ["Pump"]})
    assert page["data"]["assets"] == {"totalCount": 1, "nodes": [{"__typename": "Asset", "name": "P1"}]}

    client.call('mutation { createDevice(input: {name: "d", externalId: "d"}) { errors { code } } }')
    with subprocess.Popen(
        [*with_client, SUBSCRIPTION, json.dumps({"metrics": ["flow"]})],
        cwd=CLIENTS,
        env=OUTSIDE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            [series] = sent_until(client, results(running))["data"]["telemetry"]["series"]
        finally:
            running.kill()
    assert series["values"][0] == 7
    assert (series["metric"], series["entity"]) == ("flow", {"__typename": "Device", "externalId": "d"})


def results(running: subprocess.Popen[str]) -> list[Any]:
    """Return a list to which each result of a subscription is added."""
    received: list[Any] = []
    assert running.stdout is not None

    def read(lines: Iterator[str]) -> None:
        received.extend(line for line in map(json.loads, lines) if "connected" not in line)

    threading.Thread(target=read, args=(running.stdout,), daemon=True).start()
    return received


def sent_until(client: Client, received: list[Any]) -> Any:
    """Send readings until a result has come: only then the client is known to be subscribed."""
    deadline = Deadline(30)
    while not received:
        client.call('mutation { ingestTelemetry(readings: [{externalId: "d", metrics: {flow: 7}}]) { accepted } }')
        deadline.pause("No update came.", seconds=0.1)
    return received[0]


# Front ends


@pytest.fixture
def building(installation: Installation, request: pytest.FixtureRequest) -> Client:
    """A building of five rooms, and five pumps."""
    client = installation.organization(f"Front end {request.node.name}")
    made = client.call('mutation { createSpace(input: {name: "B1", externalId: "b1"}) { space { id } } }').data
    for number in range(5):
        client.call(
            """mutation M($building: ID!, $room: String!, $pump: String!) {
              createSpace(input: {name: $room, parentId: $building}) { errors { code } }
              createAsset(input: {name: $pump, type: "Pump"}) { errors { code } } }""",
            {"building": made["createSpace"]["space"]["id"], "room": f"R{number}", "pump": f"P{number}"},
        )
    client.call('mutation { createDevice(input: {name: "sensor", externalId: "sensor"}) { errors { code } } }')
    return client


def run(directory: Path, *command: str, **environment: str) -> list[Any]:
    """Return the lines that a program printed, parsed where they are JSON."""
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=patient(90),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "["))]


@node_needed("relay-compiler", "relay-runtime", "graphql-ws", "ws")
def test_relay_compiles_a_front_end_and_its_store_pages_through_connections(
    installation: Installation, building: Client, tmp_path: Path
) -> None:
    front_end = front_end_copy("relay", tmp_path)
    (front_end / "schema.graphql").write_bytes((PROJECT / "gql" / "schema.graphql").read_bytes())
    run(front_end, "node_modules/.bin/relay-compiler")
    assert building.token is not None
    steps = {
        line["step"]: line["value"]
        for line in run(front_end, "node", "run.cjs", installation.url, building.token, "b1")
    }
    assert steps["rooms"] == [["R0", "R1"], ["R0", "R1", "R2", "R3"], ["R0", "R1", "R2", "R3", "R4"]]
    assert steps["assets"] == [["P3", "P4"], ["P1", "P2", "P3", "P4"], ["P0", "P1", "P2", "P3", "P4"]]
    # An asset that a mutation adds to the connection, and one that it deletes from it.
    assert steps["changed"] == [["P0", "P1", "P2", "P3", "P4", "zz"], ["P0", "P1", "P2", "P3", "P4"]]
    assert (steps["refetched"]["name"], steps["refetched"]["latest"]) == ("R0", [])
    [payload, in_store] = steps["renamed"]
    assert (payload["space"]["id"], in_store) == (steps["refetched"]["id"], "Renamed 1")
    assert steps["subscribed"]


@node_needed("@graphql-codegen/cli", "@graphql-codegen/client-preset", "typescript", "@urql/core", "graphql-ws", "ws")
def test_the_code_generator_types_a_front_end(installation: Installation, building: Client, tmp_path: Path) -> None:
    front_end = front_end_copy("codegen", tmp_path)
    assert building.token is not None
    environment = {"PLANT_URL": installation.url, "PLANT_TOKEN": building.token}
    run(front_end, "node_modules/.bin/graphql-codegen", "--config", "codegen.json", **environment)
    # Nothing is emitted where a type is wrong.
    run(front_end, "node_modules/.bin/tsc")
    printed = run(front_end, "node", "out/plant.js", installation.url, building.token)
    assert printed == [
        [f"P{number}: no health" for number in range(5)],
        {"accepted": 1, "errors": [{"code": "UNKNOWN_DEVICE", "path": ["readings", "1", "externalId"]}]},
        {"sensor": 7},
    ]

    program = front_end / "src" / "plant.ts"
    program.write_text(program.read_text().replace("{ name, healthScore }", "{ name, healthscore: healthScore }"))
    checked = ["node_modules/.bin/tsc", "--noEmit"]
    refused = subprocess.run(checked, cwd=front_end, capture_output=True, text=True, timeout=patient(60), check=False)
    assert "Property 'healthscore' does not exist" in refused.stdout
