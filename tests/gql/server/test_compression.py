"""Compressed answers: which are, in which coding, and at whose cost."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Callable
from unittest.mock import Mock

import brotli
import pytest
import zstandard

from gql.access.shares import Shares
from gql.server.compression import SIZE_MIN_BYTES, coding_of, compress
from testing.api import Api
from testing.waits import patient
from tests.gql.server.graphql_ws import ROLE
from tests.gql.server.http_streams import EVENT_STREAM, opened

INTROSPECTION = "{ __schema { types { name description fields { name description } } } }"
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: zlib.decompress(body, 31),
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("deflate", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.1, br;q=0.5, gzip;q=0.4", "br"),
        ("zstd;q=0, br;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("*;q=0, br", "br"),
        ("gzip;q=0, *", None),
        ("gzip;q=text", None),
        ("gzip" + ", a" * 10_000, "gzip"),
    ],
)
def test_the_coding_is_the_one_that_is_accepted_best(accept: str | None, expected: str | None) -> None:
    assert coding_of(accept) == expected


@pytest.mark.parametrize("coding", UNPACK)
def test_what_is_compressed_is_what_was_answered(coding: str) -> None:
    for body in (b"", b"{}", json.dumps(list(range(100_000))).encode()):
        assert UNPACK[coding](compress(body, coding)) == body


def fetch(api: Api, query: str, token: str | None = None, **headers: str) -> tuple[http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=patient(30))
    sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    try:
        connection.request("POST", "/graphql", json.dumps({"query": query}), sent)
        response = connection.getresponse()
        assert response.status == 200
        return response.headers, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("coding", UNPACK)
def test_a_large_answer_is_compressed(api: Api, coding: str) -> None:
    plain_headers, plain = fetch(api, INTROSPECTION)
    assert plain_headers["Content-Encoding"] is None
    assert plain_headers["Vary"] == "Accept-Encoding"
    headers, packed = fetch(api, INTROSPECTION, Accept_Encoding=coding)
    assert headers["Content-Encoding"] == coding
    assert headers["Vary"] == "Accept-Encoding"
    assert int(headers["Content-Length"]) == len(packed) < len(plain) / 3
    assert headers["Content-Type"] == plain_headers["Content-Type"]
    assert json.loads(UNPACK[coding](packed)) == json.loads(plain)


def test_a_small_answer_is_not(api: Api) -> None:
    headers, body = fetch(api, "{ __typename }", Accept_Encoding="gzip, br, zstd")
    assert headers["Content-Encoding"] is None
    assert len(body) < SIZE_MIN_BYTES


def test_streams_are_not(api: Api) -> None:
    asks = {"Accept-Encoding": "gzip, br, zstd"}
    token = api.token("plant", "viewer")
    for accept in (EVENT_STREAM, "multipart/mixed"):
        for query in (INTROSPECTION, ROLE):
            with opened(api.port, query, accept=accept, token=token, headers=asks) as response:
                assert response.headers["Content-Encoding"] is None


def test_who_receives_it_pays_for_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = api.services.gate
    charged = Mock(side_effect=gate.charge)
    monkeypatch.setattr(gate, "charge", charged)
    fetch(api, INTROSPECTION)
    without = sum(call.args[1] for call in charged.call_args_list if len(call.args) > 1)
    charged.reset_mock()
    _, plain = fetch(api, INTROSPECTION)
    charged.reset_mock()
    fetch(api, INTROSPECTION, Accept_Encoding="gzip")
    compressed = sum(call.args[1] for call in charged.call_args_list if len(call.args) > 1)
    assert compressed - without == pytest.approx(len(plain) / (128 * 1024))
    shared = Mock()
    monkeypatch.setattr(Shares, "charge", shared)
    fetch(api, INTROSPECTION, api.token("plant", "viewer"), Accept_Encoding="gzip")
    # Of compressing alone: introspections are executed once.
    [call] = shared.call_args_list
    assert call.args[0].endswith("viewer@test")
    assert call.args[1] > 0
