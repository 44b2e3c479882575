"""Sign in at an identity provider: OpenID Connect's authorization code flow, with PKCE, state and nonce."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt

from gql.errors import UnauthenticatedError
from graph.errors import UnavailableError

ALGORITHMS: Final = ("RS256", "ES256")
_DISCOVERY: Final = "/.well-known/openid-configuration"
_TIMEOUT_S: Final = 5.0
_ANSWER_MAX_BYTES: Final = 256 * 1024
_METADATA_FRESH_S: Final = 3600.0
_LEEWAY_S: Final = 10
_CODE_CHARS_MAX: Final = 4096
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_UNAVAILABLE: Final = "The identity provider does not answer as it should; try again."
_REFUSED: Final = "The sign-in was not completed: {reason}. Try again."


class _WithoutRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent to the provider goes nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


_OPENER: Final = urllib.request.build_opener(_WithoutRedirects)


@dataclass(frozen=True, slots=True)
class Client:
    """How Argus is known to the provider. secret: None: it has none, PKCE alone proves who redeems a code."""

    issuer: str
    identity: str
    secret: str | None
    scopes: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun. url: where the browser goes. remembered: what its end is compared with."""

    url: str
    remembered: Mapping[str, str]


@dataclass(slots=True)
class Provider:
    """An identity provider, by what it publishes of itself."""

    client: Client
    _metadata: Mapping[str, Any] = field(default_factory=dict)
    _read_s: float = float("-inf")
    _keys: jwt.PyJWKClient | None = None

    @property
    def name(self) -> str:
        """What people may recognise it by."""
        return urlsplit(self.client.issuer).hostname or self.client.issuer

    async def begin(self, redirect_uri: str) -> Begun:
        """Begin a sign-in that ends at `redirect_uri`. Raises UnavailableError."""
        metadata = await self._known()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code",
            "client_id": self.client.identity,
            "redirect_uri": redirect_uri,
            "scope": self.client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        endpoint = str(metadata["authorization_endpoint"])
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        return Begun(url, {"state": state, "nonce": nonce, "verifier": verifier})

    @staticmethod
    def state_check(answer: Mapping[str, str], remembered: Mapping[str, Any]) -> None:
        """Raise UnauthenticatedError where an answer is not to the sign-in that this browser has begun."""
        if not hmac.compare_digest(answer.get("state", "").encode(), str(remembered.get("state", "")).encode()):
            raise UnauthenticatedError(_REFUSED.format(reason="it was not begun in this browser, or another one was"))

    async def finish(
        self, answer: Mapping[str, str], remembered: Mapping[str, Any], redirect_uri: str
    ) -> Mapping[str, Any]:
        """Return the claims of the user who has signed in.

        answer: what the provider sent the browser back with. remembered: of `begin`, of this browser.
        Raises UnauthenticatedError, UnavailableError.
        """
        self.state_check(answer, remembered)
        if answer.get("iss", self.client.issuer) != self.client.issuer:
            raise UnauthenticatedError(_REFUSED.format(reason="another identity provider answered"))
        code = answer.get("code", "")
        if not code or len(code) > _CODE_CHARS_MAX:
            # What the provider says is shown as text, and no longer than it need be.
            reason = answer.get("error", "")[:100] or "the identity provider gave no code"
            raise UnauthenticatedError(_REFUSED.format(reason=reason))
        token = await self._redeem(code, str(remembered.get("verifier", "")), redirect_uri)
        claims = await self._claims(token)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), str(remembered.get("nonce", "")).encode()):
            raise UnauthenticatedError(_REFUSED.format(reason="the identity provider's token is of another sign-in"))
        return claims

    async def _redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Return the id token that the provider gives for a code."""
        metadata = await self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.client.identity,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        secret = self.client.secret
        if secret is not None:
            ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in ways:
                pair = f"{quote_plus(self.client.identity)}:{quote_plus(secret)}"
                headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = secret
        request = urllib.request.Request(  # noqa: S310  (see `_address`)
            str(metadata["token_endpoint"]), data=urlencode(form).encode(), headers=headers
        )
        answer = await asyncio.to_thread(_fetch, request)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise UnauthenticatedError(_REFUSED.format(reason="the identity provider gave no id token"))
        return token

    async def _claims(self, token: str) -> dict[str, Any]:
        """Return the claims of an id token that is the provider's, for this client."""
        client = self.client
        await self._known()
        assert self._keys is not None  # noqa: S101  (known with the rest)
        try:
            key = await asyncio.to_thread(self._keys.get_signing_key_from_jwt, token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=ALGORITHMS,
                audience=client.identity,
                issuer=client.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud"], "verify_sub": False},
            )
        except jwt.PyJWKClientConnectionError:
            raise UnavailableError(_UNAVAILABLE) from None
        except jwt.PyJWTError as error:
            reason = str(error) or type(error).__name__
            message = f"the identity provider's token is not valid: {reason[0].lower() + reason[1:]}"
            raise UnauthenticatedError(_REFUSED.format(reason=message)) from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client.identity) != client.identity:
            raise UnauthenticatedError(_REFUSED.format(reason="the identity provider's token is for another client"))
        return claims

    async def _known(self) -> Mapping[str, Any]:
        """Return what the provider publishes of itself, as of an hour ago at most."""
        now_s = time.monotonic()
        if now_s - self._read_s < _METADATA_FRESH_S:
            return self._metadata
        address = _address(self.client.issuer.rstrip("/") + _DISCOVERY)
        metadata = await asyncio.to_thread(_fetch, urllib.request.Request(address))  # noqa: S310  (see `_address`)
        if metadata.get("issuer") != self.client.issuer:
            raise UnavailableError("The identity provider calls itself otherwise than ARGUS_OIDC_ISSUER.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _address(str(metadata.get(name, "")))
        self._keys = jwt.PyJWKClient(str(metadata["jwks_uri"]), timeout=_TIMEOUT_S)
        self._metadata, self._read_s = metadata, now_s
        return metadata


def _address(url: str) -> str:
    """Return an address that may be called: by https, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise UnavailableError("The identity provider names an address that is not https.")


def _fetch(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_S) as response:
            answer = json.loads(response.read(_ANSWER_MAX_BYTES))
    except urllib.error.HTTPError as refused:
        with refused:
            if refused.code not in {400, 401, 403}:
                raise UnavailableError(_UNAVAILABLE) from None
            raise UnauthenticatedError(_REFUSED.format(reason=_reason(refused))) from None
    except (OSError, HTTPException, ValueError):
        raise UnavailableError(_UNAVAILABLE) from None
    if not isinstance(answer, dict):
        raise UnavailableError(_UNAVAILABLE)
    return answer


def _reason(refused: urllib.error.HTTPError) -> str:
    try:
        named = str(json.loads(refused.read(_ANSWER_MAX_BYTES))["error"])[:100]
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        named = f"status {refused.code}"
    return f"the identity provider refused the code ({named})"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
