"""Users' tokens from an identity provider: RS256 and ES256, with keys it publishes."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gql.access.auth import claim_of
from runtime.clock import utc_now
from runtime.settings.model import ClaimSettings, TokenSettings
from testing.api import SECRET, Api, api_serve
from testing.installation import Client
from testing.servers import TestServers

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
KEYS = {
    "keys": [
        {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa", "alg": "RS256", "use": "sig"},
        {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec", "alg": "ES256", "use": "sig"},
    ]
}


class Provider(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(KEYS).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def api(servers: TestServers) -> Iterator[Api]:
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=provider.serve_forever)
    thread.start()
    database = servers.database_create()
    tokens = TokenSettings(None, f"http://127.0.0.1:{provider.server_port}/keys", "argus", "https://provider.example")
    try:
        with api_serve(database, servers.bus_server.url, tokens=tokens) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)
        provider.shutdown()
        provider.server_close()
        thread.join()


def claims(**changed: Any) -> dict[str, Any]:
    now = utc_now()
    return {
        "sub": "anna", "org": "plant", "role": "operator", "iat": now, "exp": now + timedelta(minutes=5),
        "aud": "argus", "iss": "https://provider.example", **changed,
    }  # fmt: skip


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec")])
def test_a_token_of_the_provider(api: Api, key: Any, algorithm: str, kid: str) -> None:
    token = jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": kid})
    assert Client(api.url, token).call("{ viewer { role subject } }").data["viewer"] == {
        "role": "operator",
        "subject": "anna",
    }


@pytest.mark.parametrize(
    "wrong",
    [{"aud": "other"}, {"iss": "https://elsewhere.example"}, {"role": "root"}, {"org": "nowhere"}, {"exp": 1_000_000}],
)
def test_a_token_that_claims_something_else(api: Api, wrong: dict[str, Any]) -> None:
    token = jwt.encode(claims(**wrong), RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})
    assert Client(api.url, token).call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]


def symmetric(secret: bytes) -> str:
    """Sign with HS256 and any bytes; PyJWT itself refuses to with a key that is public."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part, default=lambda at: int(at.timestamp())).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, claims())
    ]
    signature = hmac.digest(secret, b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_a_token_signed_otherwise(api: Api) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for token in (
        jwt.encode(claims(), other, algorithm="RS256", headers={"kid": "rsa"}),
        jwt.encode(claims(), RSA_KEY, algorithm="RS256", headers={"kid": "unknown"}),
        # The well-known confusion: the public key used as the secret of a symmetric algorithm.
        symmetric(public),
        jwt.encode(claims(), SECRET, algorithm="HS256"),
    ):
        assert Client(api.url, token).call("{ viewer { role } }").error_codes == ["UNAUTHENTICATED"]


@pytest.fixture(scope="module")
def mapped(servers: TestServers) -> Iterator[Api]:
    """An API whose identity provider has claims of its own making."""
    roles = {"plant-staff": "viewer", "shift lead": "operator", "it": "admin"}
    claims = ClaimSettings("email", "https://argus.example/plant", "realm_access.roles", "plant.under", roles)
    database = servers.database_create()
    try:
        tokens = TokenSettings(SECRET, None, None, None, claims)
        with api_serve(database, servers.bus_server.url, tokens=tokens) as served:
            served.organization("plant")
            yield served
    finally:
        servers.database_drop(database)


def their_token(*roles: Any, **changed: Any) -> str:
    now = utc_now()
    return jwt.encode(
        {
            "email": "anna@plant.example",
            "https://argus.example/plant": "plant",
            "realm_access": {"roles": list(roles)},
            "exp": now + timedelta(minutes=5),
            **changed,
        },
        SECRET,
        algorithm="HS256",
    )


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (["plant-staff"], "viewer"),
        (["uma_authorization", "plant-staff", "shift lead"], "operator"),
        (["it", "plant-staff"], "admin"),
        (["admin"], None),
        ([], None),
        ([7, None, ["it"]], None),
    ],
)
def test_claims_of_the_providers_own_making(mapped: Api, roles: list[Any], role: str | None) -> None:
    reply = Client(mapped.url, their_token(*roles)).call("{ viewer { role subject } }")
    if role is None:
        assert reply.error_codes == ["UNAUTHENTICATED"]
        assert "realm_access.roles" in reply.body["errors"][0]["message"]
    else:
        assert reply.data["viewer"] == {"role": role, "subject": "anna@plant.example"}


@pytest.mark.parametrize(
    "changed",
    [{"email": None}, {"email": 7}, {"email": ""}, {"email": "x" * 513}, {"https://argus.example/plant": ["plant"]},
     {"realm_access": "it"}, {"exp": utc_now() - timedelta(hours=1)}],
)  # fmt: skip
def test_claims_that_say_nothing_are_refused(mapped: Api, changed: dict[str, Any]) -> None:
    assert Client(mapped.url, their_token("it", **changed)).call("{ viewer { role } }").error_codes == [
        "UNAUTHENTICATED"
    ]


def test_argus_own_tokens_have_the_claims_that_it_reads(mapped: Api) -> None:
    assert mapped.client("plant", "operator").call("{ viewer { role } }").data["viewer"] == {"role": "operator"}


def test_a_claim_is_named_or_at_a_path() -> None:
    claims = {"a.b": 1, "a": {"b": 2, "c.d": {"e": 3}}, "x": {"y": None}, "text": "t"}
    assert [claim_of(claims, path) for path in ("a.b", "a.c.d.e", "x.y", "x.y.z", "text.t", "", ".", "a.")] == [
        1, 3, None, None, None, None, None, None,
    ]  # fmt: skip


def test_a_token_is_verified_once_in_a_while_and_always_when_it_has_expired(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = jwt.encode(claims(jti="1"), RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})
    client = Client(api.url, token)
    verified: list[object] = []
    decode = jwt.decode

    def counted(*arguments: Any, **named: Any) -> Any:
        verified.append(arguments[0])
        return decode(*arguments, **named)

    monkeypatch.setattr(jwt, "decode", counted)
    for _ in range(3):
        assert client.call("{ viewer { subject } }").data["viewer"] == {"subject": "anna"}
    assert verified == [token]
    # Beyond its end it is verified again.
    late = SimpleNamespace(time=lambda: time.time() + 400, monotonic=time.monotonic)
    monkeypatch.setattr("gql.access.auth.time", late)
    client.call("{ viewer { subject } }")
    assert verified == [token, token]
