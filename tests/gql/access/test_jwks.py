"""Users' tokens from an identity provider: RS256 and ES256, with keys it publishes."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from runtime.clock import utc_now
from runtime.settings.model import TokenSettings
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
