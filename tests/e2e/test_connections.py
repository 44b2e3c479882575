"""One connection carries requests that different processes answer."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from typing import Any

import pytest

from testing.installation import Installation
from testing.waits import patient
from tests.e2e.own.test_readers import INGEST, device_token, graphql, on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_one_connection_carries_requests_for_both(installation: Installation) -> None:
    """As a proxy keeps it open for all of its clients."""
    client = installation.organization("Both")
    token = device_token(client)
    connection = HTTPConnection("127.0.0.1", installation.port, timeout=patient(60))
    local: set[Any] = set()
    for _ in range(5):
        assert on(connection, "POST", "/graphql", graphql(INGEST), token)[1]["data"]["ingestTelemetry"]["accepted"] == 1
        assert connection.sock is not None
        local.add(connection.sock.getsockname())
        answer = on(connection, "POST", "/graphql", graphql("{ viewer { role } }"), client.token)
        assert answer[1]["data"]["viewer"] == {"role": "admin"}
        assert on(connection, "GET", "/healthz")[0] == 200
        # A body larger than one message between the processes.
        padded = json.dumps({"query": "{ viewer { role } }" + " " * 300_000}).encode()
        assert on(connection, "POST", "/graphql", padded, client.token)[0] in {200, 413}
        assert on(connection, "GET", "/nowhere")[0] == 404
    assert len(local) == 1, "the connection was closed"
    connection.close()


def test_a_request_sent_before_the_answer_to_the_one_before(installation: Installation) -> None:
    """What belongs to another process than the one before it is not answered on the same connection."""

    def said(*paths: bytes) -> bytes:
        *first, last = (b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" for path in paths)
        sent = b"".join(item + b"\r\n" for item in first) + last + b"Connection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", installation.port), timeout=patient(60)) as connection:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    health, nowhere = b"/healthz", b"/nowhere"
    assert said(health, health, health).count(b"HTTP/1.1 200 ") == 3
    assert said(nowhere, nowhere).count(b"HTTP/1.1 404 ") == 2
    for first, then, status in ((health, nowhere, b"200"), (nowhere, health, b"404")):
        answer = said(first, then)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert answer.count(b"HTTP/1.1 ") == 1


def test_a_client_that_closes_its_side_is_answered(installation: Installation) -> None:
    """By the process that listens as by a reader, to which the open connection goes."""
    client = installation.organization("Half")
    token = device_token(client)
    for path, body, bearer, expected in (
        ("/graphql", graphql("{ viewer { role } }"), client.token, b'"role":"admin"'),
        ("/graphql", graphql(INGEST), token, b'"accepted":1'),
        ("/api/v1/telemetry/ingest", b'{"metrics": {"a": 1}}', token, b'"accepted":1'),
        ("/nowhere", b"", client.token, b" 404 "),
    ):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {bearer}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", installation.port), timeout=patient(60)) as connection:
            connection.sendall(head + body)
            connection.shutdown(socket.SHUT_WR)
            assert expected in b"".join(iter(lambda: connection.recv(65_536), b"")), path
