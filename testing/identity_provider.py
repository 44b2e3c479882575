"""A small OpenID provider on the loopback: everybody who comes is signed in at once, as the test says."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "argus-console"
CLIENT_SECRET = "a secret: with % and +"


@dataclass
class IdentityProvider:
    """What the provider does. user: the claims of who signs in. changed: claims of its tokens that are otherwise.

    expired: codes are too old when they come. redeemed: the forms of codes that were redeemed.
    """

    issuer: str = ""
    named: str | None = None
    user: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    expired: bool = False
    broken: bool = False
    redeemed: list[dict[str, str]] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    signs_with: rsa.RSAPrivateKey | None = None
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def reset(self) -> None:
        """Behave again."""
        self.user, self.changed, self.expired, self.broken, self.signs_with = {}, {}, False, False, None
        self.redeemed.clear()

    def metadata(self) -> dict[str, Any]:
        """Return what it publishes of itself."""
        return {
            "issuer": self.named or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def keys(self) -> dict[str, Any]:
        """Return its public keys."""
        public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser goes with a code."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer for a code: each is good once, for whoever has begun."""
        begun = self._codes.pop(form.get("code", ""), None)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if pair != "argus-console:a+secret%3A+with+%25+and+%2B":
            return 401, {"error": "invalid_client"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_same = begun is not None and (
            begun["code_challenge"] == challenge.rstrip(b"=").decode()
            and begun["redirect_uri"] == form["redirect_uri"]
            and begun["client_id"] == form["client_id"] == CLIENT_ID
        )
        if begun is None or not is_same or self.expired:
            return 400, {"error": "invalid_grant"}
        self.redeemed.append(form)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": begun["nonce"],
            **self.user, **self.changed,
        }  # fmt: skip
        token = jwt.encode(claims, self.signs_with or self.key, algorithm="RS256", headers={"kid": "one"})
        return 200, {"id_token": token, "access_token": "none of ours", "token_type": "Bearer"}


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """Run a provider until the block ends."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if provider.broken:
                self.send_error(502)
            elif parts.path == "/.well-known/openid-configuration":
                self._json(200, provider.metadata())
            elif parts.path == "/keys":
                self._json(200, provider.keys())
            else:
                self.send_response(302)
                self.send_header("Location", provider.authorize(_form(parts.query)))
                self.send_header("Content-Length", "0")
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._json(*provider.redeem(_form(body), self.headers.get("Authorization", "")))

        def _json(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _form(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}
