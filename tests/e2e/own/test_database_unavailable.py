"""While the database is frozen or dead, every call is answered in JSON with 503 and a time to retry."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from testing.clean_run import KILLED_DATABASE, KILLED_PART
from testing.installation import Client, Installation
from testing.processes import frozen
from testing.waits import Deadline, patient

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

PATIENCE_S = 120
READING = {"externalId": "d", "metrics": {"v": 1}}
INGEST = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]
    retry_after: str | None


def ask(client: Client, path: str, body: object = None) -> Answer:
    """Send a request. An answer that is no JSON fails the test, as does none."""
    headers = {
        "Authorization": f"Bearer {client.token}",
        "Content-Type": "application/json",
        "Accept": "application/graphql-response+json, application/json",
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(client.url.replace("/graphql", path), data, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=patient(PATIENCE_S)) as response:  # noqa: S310
            return Answer(response.status, json.loads(response.read()), response.headers["Retry-After"])
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, json.loads(refused.read()), refused.headers["Retry-After"])


CALLS: dict[str, Callable[[Client], Answer]] = {
    "query": lambda client: ask(client, "/graphql", {"query": "{ devices { totalCount } }"}),
    "mutation": lambda client: ask(client, "/graphql", {"query": INGEST, "variables": {"r": [READING]}}),
    "ingest": lambda client: ask(client, "/api/v1/telemetry/ingest", [READING]),
    "readiness": lambda client: ask(client, "/readyz"),
}


def until(client: Client, call: str, status: int) -> Answer:
    """Repeat a call until it is answered with a status; in between it is answered well or with 503, never otherwise."""
    deadline = Deadline(PATIENCE_S)
    while True:
        answer = CALLS[call](client)
        assert answer.status in {200, 503}, answer
        if answer.status == status:
            return answer
        deadline.pause(answer)


def check_unavailable(client: Client) -> None:
    for call in CALLS:
        answer = until(client, call, 503)
        if call == "readiness":
            assert "database" in answer.body["away"]
            continue
        assert answer.retry_after is not None
        [error] = answer.body["errors"]
        assert (error.get("code") or error["extensions"]["code"]) == "UNAVAILABLE"
    assert ask(client, "/healthz").status == 200


def check_back(installation: Installation, client: Client) -> None:
    for call in reversed(CALLS):
        until(client, call, 200)
    installation.wait_processed(client)


@pytest.mark.provokes(KILLED_PART, KILLED_DATABASE)
def test_every_call_is_answered_while_the_database_is_down(own_installation: Installation) -> None:
    installation = own_installation
    client = installation.organization("Plant")
    client.call('mutation { createDevice(input: {name: "d", externalId: "d"}) { device { id } } }')
    check_back(installation, client)
    [server] = installation.children("postgres -D")
    with frozen(server):
        check_unavailable(client)
    check_back(installation, client)

    os.kill(server, signal.SIGSTOP)  # Not started again before it has been looked at.
    for pid in installation.children("postgres: "):
        os.kill(pid, signal.SIGKILL)
    check_unavailable(client)
    os.kill(server, signal.SIGKILL)
    check_back(installation, client)
