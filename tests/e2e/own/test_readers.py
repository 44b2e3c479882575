"""Ingest and health checks answer whatever readers do: reads run in other processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from testing.installation import Client, Installation
from testing.waits import Deadline, patient, quiet_period, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

INGEST = "mutation { ingestTelemetry(readings: [{metrics: {a: 1}}]) { accepted } }"
KILLED_READER = r"reader-1 ended with status -9; starting it again"
NUMBERS = count(1)
# What takes a while: so many reads of the database.
HEAVY = "{ " + " ".join(f"a{n}: devices(first: 50) {{ totalCount }}" for n in range(40)) + " }"


def device_token(client: Client, name: str = "probe") -> str:
    made = client.call(
        "mutation D($n: String!) { createDevice(input: {name: $n, externalId: $n}) { device { id } } }", {"n": name}
    ).data["createDevice"]["device"]["id"]
    issued = client.call("mutation T($d: ID!) { issueDeviceToken(deviceId: $d) { token } }", {"d": made}).data[
        "issueDeviceToken"
    ]
    token: str = issued["token"]
    return token


def status_of(
    installation: Installation, method: str, path: str, body: bytes | None = None, token: str | None = None
) -> tuple[int, Any]:
    """Ask on a separate connection."""
    connection = HTTPConnection("127.0.0.1", installation.port, timeout=patient(60))
    try:
        return on(connection, method, path, body, token)
    finally:
        connection.close()


def on(
    connection: HTTPConnection, method: str, path: str, body: bytes | None = None, token: str | None = None
) -> tuple[int, Any]:
    """Ask on a connection, and leave it open."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    said = answer.read()
    return answer.status, json.loads(said) if answer.headers["Content-Type"].startswith("application/json") else said


def graphql(query: str, variables: dict[str, Any] | None = None) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def by_user(*, length: int = 0) -> bytes:
    """A user's call of ingest; length: of the body, at least."""
    query = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }"
    return graphql(query, {"r": [{"externalId": "probe", "metrics": {"a": 1}}]}) + b" " * length


def readers(installation: Installation) -> list[int]:
    """The processes that answer reads; the last is the one for WebSockets."""
    return [*installation.children("[argus-reader-"), *installation.children("[argus-live]")]


@pytest.fixture(scope="module")
def of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose readers are stopped for a while, and killed; they come back."""
    running = Installation(tmp_path_factory.mktemp("readers") / "home")
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def own_installation(of_module: Installation) -> Installation:
    """The installation of these tests, with all its readers at work."""
    wait_until(lambda: not status_of(of_module, "GET", "/readyz")[1].get("busy"))
    return of_module


@pytest.fixture
def halted(own_installation: Installation) -> Iterator[tuple[Installation, Client, str]]:
    """A plant whose reader, or else whatever answers reads, does nothing at all."""
    client = own_installation.organization(f"Halts {next(NUMBERS)}")
    token = device_token(client)
    stopped = readers(own_installation) or own_installation.children("argus api")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield own_installation, client, token
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_ingest_and_health_checks_answer_while_all_readers_hang(halted: tuple[Installation, Client, str]) -> None:
    installation, client, token = halted
    with ThreadPoolExecutor(5) as others:
        waiting = [others.submit(client.call, "{ viewer { role } }") for _ in range(5)]
        reading = json.dumps([{"metrics": {"a": 1}}]).encode()
        for _ in range(3):
            assert status_of(installation, "GET", "/healthz") == (200, {"status": "alive"})
            assert status_of(installation, "GET", "/readyz")[0] == 200
            assert status_of(installation, "POST", "/graphql", graphql(INGEST), token)[1]["data"][
                "ingestTelemetry"
            ] == {"accepted": 1}
            assert status_of(installation, "POST", "/api/v1/telemetry/ingest", reading, token)[1]["accepted"] == 1
            assert status_of(installation, "POST", f"/api/v1/{token}/telemetry", b'{"a": 1}')[1]["accepted"] == 1
        assert b"argus_http_requests_total" in status_of(installation, "GET", "/metrics")[1]
        deadline = Deadline()
        while status_of(installation, "GET", "/readyz")[1].get("busy") != {"reader-1": "is busy", "live": "is busy"}:
            deadline.pause()
        assert not any(future.done() for future in waiting)
        for pid in readers(installation):
            os.kill(pid, signal.SIGCONT)
        assert [future.result(patient(60)).data["viewer"]["role"] for future in waiting] == ["admin"] * 5


def test_a_users_ingest_is_answered_while_all_readers_hang(halted: tuple[Installation, Client, str]) -> None:
    installation, client, _ = halted
    for length in (0, 100_000, 900_000):
        status, answer = status_of(installation, "POST", "/graphql", by_user(length=length), client.token)
        assert (status, answer) == (200, {"data": {"ingestTelemetry": {"accepted": 1, "errors": []}}})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {client.token}\r\nConnection: close\r\n".encode()
    )
    head += b"Content-Type: application/json\r\n"
    body = by_user()
    with socket.create_connection(("127.0.0.1", installation.port), timeout=patient(60)) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for byte in body:
            connection.sendall(b"1\r\n%c\r\n" % byte)
        connection.sendall(b"0\r\n\r\n")
        assert b'"accepted":1' in b"".join(iter(lambda: connection.recv(65_536), b""))
    with socket.create_connection(("127.0.0.1", installation.port), timeout=patient(60)) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"accepted":1' in answer


def test_a_connection_that_was_used_to_read_is_as_good_for_ingest(own_installation: Installation) -> None:
    """As a proxy keeps it open: what comes next must not wait for the process that answered the request before."""
    client = own_installation.organization("Returns")
    token = device_token(client)
    connections = [HTTPConnection("127.0.0.1", own_installation.port, timeout=patient(60)) for _ in range(3)]
    for connection in connections:
        # The answer is larger than what the system takes at once.
        many = "{ " + " ".join(f"a{n}: __schema {{ types {{ name fields {{ name }} }} }}" for n in range(3)) + " }"
        assert on(connection, "POST", "/graphql", graphql(many), client.token)[0] == 200
    # The processes have handed the connections back by then: nobody outside can tell.
    quiet_period(patient(0.5))
    stopped = readers(own_installation) or own_installation.children("argus api")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        for connection, body, bearer in zip(
            connections,
            (graphql(INGEST), by_user(), by_user(length=500_000)),
            (token, client.token, client.token),
            strict=True,
        ):
            assert on(connection, "POST", "/graphql", body, bearer)[1]["data"]["ingestTelemetry"]["accepted"] == 1
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    # Longer than the head of a request may take: a connection may be idle for longer.
    quiet_period(12)
    for connection in connections:
        assert on(connection, "POST", "/graphql", graphql("{ viewer { role } }"), client.token)[0] == 200
        connection.close()


def test_a_device_on_a_websocket_is_answered_too(halted: tuple[Installation, Client, str]) -> None:
    installation, _, token = halted
    headers = {"Authorization": f"Bearer {token}"}
    with connect(
        installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=headers
    ) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(patient(60)))["type"] == "connection_ack"
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": INGEST}}))
        assert json.loads(socket.recv(patient(60)))["payload"]["data"] == {"ingestTelemetry": {"accepted": 1}}


def over_websocket(installation: Installation, token: str, *requests: bytes) -> list[dict[str, Any]]:
    """Send operations on one socket, and return the messages until each of them is complete."""
    headers = {"Authorization": f"Bearer {token}"}
    with connect(
        installation.websocket_url,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        additional_headers=headers,
        max_size=None,
    ) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(patient(60)))["type"] == "connection_ack"
        for n, request in enumerate(requests):
            socket.send(json.dumps({"id": str(n), "type": "subscribe", "payload": json.loads(request)}))
        messages: list[dict[str, Any]] = []
        while sum(message["type"] in {"complete", "error"} for message in messages) < len(requests):
            messages.append(json.loads(socket.recv(patient(60))))
        return messages


def test_a_websockets_queries_go_to_a_reader_and_its_readings_are_accepted_directly(
    own_installation: Installation,
) -> None:
    client = own_installation.organization("Sockets")
    assert client.token is not None
    device_token(client)
    create = graphql('mutation { createSpace(input: {name: "hall"}) { space { name } } }')
    large = graphql("{ " + " ".join(f"a{n}: __schema {{ types {{ name description }} }}" for n in range(8)) + " }")
    for request, data in (
        (graphql("{ viewer { role } }"), {"viewer": {"role": "admin"}}),
        (create, {"createSpace": {"space": {"name": "hall"}}}),
        (by_user(), {"ingestTelemetry": {"accepted": 1, "errors": []}}),
    ):
        messages = over_websocket(own_installation, client.token, request)
        assert [message["type"] for message in messages] == ["next", "complete"]
        assert messages[0]["payload"] == {"data": data}
    assert len(json.dumps(over_websocket(own_installation, client.token, large)[0]["payload"])) > 150_000
    (refused,) = over_websocket(own_installation, client.token, graphql("{ viewer { nothing } }"))
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")
    (failed, _) = over_websocket(own_installation, client.token, graphql("{ devices(first: -1) { totalCount } }"))
    assert failed["payload"]["errors"][0]["path"] == ["devices"]
    many = over_websocket(own_installation, client.token, *[graphql("{ viewer { role } }")] * 60)
    assert [message["payload"] for message in many if message["type"] == "next"] == [
        {"data": {"viewer": {"role": "admin"}}}
    ] * 60
    (reader, _live) = readers(own_installation)
    os.kill(reader, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as others:
            # One of several operations, of which another is a subscription, is no subscription.
            mixed = json.dumps(
                {
                    "query": "query Q { viewer { role } } subscription S { entityChanged { __typename } }",
                    "operationName": "Q",
                }
            ).encode()
            waiting = others.submit(over_websocket, own_installation, client.token, mixed)
            messages = over_websocket(own_installation, client.token, by_user())
            assert messages[0]["payload"] == {"data": {"ingestTelemetry": {"accepted": 1, "errors": []}}}
            assert not waiting.done()
            os.kill(reader, signal.SIGCONT)
            assert waiting.result(patient(60))[0]["payload"] == {"data": {"viewer": {"role": "admin"}}}
    finally:
        os.kill(reader, signal.SIGCONT)


@pytest.mark.provokes(KILLED_READER)
def test_a_killed_reader_is_restarted_and_ingest_continues(own_installation: Installation) -> None:
    client = own_installation.organization("Kills")
    token = device_token(client)
    before = readers(own_installation)
    assert len(before) == 2
    sent = 0
    os.kill(before[0], signal.SIGSTOP)
    with ThreadPoolExecutor(3) as others:
        # Handed to a process that never takes them: another does.
        waiting = [others.submit(client.call, "{ viewer { role } }") for _ in range(3)]
        # So that they are handed over by then: nobody outside can tell.
        quiet_period(patient(0.5))
        os.kill(before[0], signal.SIGKILL)
        deadline = Deadline()
        while not [pid for pid in readers(own_installation) if pid not in before]:
            assert status_of(own_installation, "POST", "/graphql", graphql(INGEST), token)[1]["data"][
                "ingestTelemetry"
            ]["accepted"]
            sent += 1
            deadline.check()
        replies = [future.result(patient(60)) for future in waiting]
    assert [reply.data["viewer"]["role"] for reply in replies] == ["admin"] * 3
    own_installation.wait_ready()
    assert client.call("{ viewer { role } }").data["viewer"]["role"] == "admin"
    counts = client.call('{ ingestAccount(from: "2020-01-01T00:00:00Z") { received } }').data["ingestAccount"]
    assert counts == {"received": sent}
    with urllib.request.urlopen(f"http://127.0.0.1:{own_installation.port}/metrics", timeout=patient(60)) as answer:
        page = answer.read().decode()
    assert 'argus_part_up{part="reader-1",process="ingest"} 1.0' in page
    assert 'process="reader-1"' in page


@pytest.mark.provokes(r"reader_template_ended", r"The API ended with status 0; starting it again")
def test_where_no_reader_can_be_started_any_more_the_api_starts_again(own_installation: Installation) -> None:
    client = own_installation.organization("Templates")
    [template] = own_installation.children("[argus-template]")
    before = readers(own_installation)
    os.kill(template, signal.SIGKILL)
    wait_until(lambda: len(set(readers(own_installation)) - set(before)) == len(before))
    own_installation.wait_ready()
    assert client.call("{ viewer { role } }").data["viewer"]["role"] == "admin"
    assert len(readers(own_installation)) == len(before)


@pytest.fixture
def strict_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    settings = {"ARGUS_WORK_TOKEN_PER_S": "1", "ARGUS_WORK_TOKEN_BURST": "1", "ARGUS_API_PROCESSES": "2"}
    running = Installation(tmp_path_factory.mktemp("strict") / "home", settings=settings)
    running.start("--no-demo")
    try:
        yield running
    finally:
        running.stop()


def test_a_reader_over_its_share_is_refused_and_others_are_served(strict_plant: Installation) -> None:
    greedy, modest = strict_plant.organization("Greedy"), strict_plant.organization("Modest")
    assert len(readers(strict_plant)) == 3
    codes: list[str | None] = []
    with ThreadPoolExecutor(30) as clients:

        def repeat() -> None:
            deadline = Deadline()
            while "RATE_LIMITED" not in codes and not deadline.is_over:
                reply = greedy.call(HEAVY)
                codes.extend(reply.error_codes)
                assert reply.status in {200, 429}, reply

        running = [clients.submit(repeat) for _ in range(30)]
        while not all(process.done() for process in running):
            assert modest.call("{ viewer { role } }").data["viewer"]["role"] == "admin"
        for process in running:
            process.result()
    assert "RATE_LIMITED" in codes
