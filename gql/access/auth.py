"""Verification of bearer tokens: users' JWTs, programs' API keys and devices' own tokens.

A user's token carries `sub`, `org` (the organization's slug), `role` (viewer, operator, admin) and `exp`. Which
algorithm is right is a matter of configuration, never of the token's header.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy.orm import Session

from domain.base.transient import NO_ANSWER
from domain.plant.devices.tokens import TOKEN_PREFIX, TokenOwner, device_token_authenticate
from domain.plant.organizations.api_keys import KEY_PREFIX, api_key_authenticate
from domain.plant.organizations.queries import organization_by_slug, organization_get
from gql.access.bridge import Bridge
from gql.access.principal import Principal, Role
from gql.errors import UnauthenticatedError
from graph.errors import UnavailableError
from graph.json_bounds import text_is_storable
from graph.texts import text_nfc

TOKEN_LENGTH_MAX = 8192
SUBJECT_CHARS_MAX = 512
# A database that is frozen is noticed within 6 s; who waits for it then, connects again first.
VERIFY_WITHIN_S = 8.0
_LEEWAY_S = 10
_ORGANIZATION_FRESH_S = 10.0
_JWKS_TIMEOUT_S = 5
_CHALLENGE = 'Bearer realm="Argus"'
_NO_GOOD = "The token is not valid: {reason}."


class TokenVerifier:
    """Verifies bearer tokens.

    secret: for HS256; jwks_url: where the keys for RS256 and ES256 are published; exactly one of them.
    audience, issuer: what a token must name, where given.
    """

    def __init__(
        self,
        *,
        bridge: Bridge,
        secret: str | None,
        jwks_url: str | None,
        audience: str | None,
        issuer: str | None,
    ) -> None:
        self._bridge = bridge
        self._secret = secret
        self._keys = None if jwks_url is None else jwt.PyJWKClient(jwks_url, timeout=_JWKS_TIMEOUT_S)
        self._audience = audience
        self._issuer = issuer
        self._organizations: dict[str, tuple[float, tuple[int, UUID, str]]] = {}

    async def verify(self, token: str) -> Principal:
        """Return the bearer. Raises UnauthenticatedError, UnavailableError: after VERIFY_WITHIN_S at the latest."""
        try:
            async with asyncio.timeout(VERIFY_WITHIN_S):
                return await self._verified(token)
        except TimeoutError:
            raise UnavailableError(f"{NO_ANSWER} in time; try again.") from None

    async def _verified(self, token: str) -> Principal:
        if len(token) > TOKEN_LENGTH_MAX:
            raise UnauthenticatedError(_NO_GOOD.format(reason="it is too long"))
        if token.startswith(TOKEN_PREFIX):
            return await self._device(token)
        if token.startswith(KEY_PREFIX):
            return await self._key(token)
        claims = await self._claims(token)
        try:
            role = Role(str(claims.get("role")))
        except ValueError:
            role = Role.DEVICE
        if role is Role.DEVICE:
            raise UnauthenticatedError(_NO_GOOD.format(reason="its role is none of viewer, operator, admin"))
        subject, slug = text_nfc(str(claims["sub"])), str(claims["org"])
        # Who did what is written down under this name.
        if not 0 < len(subject) <= SUBJECT_CHARS_MAX or not (text_is_storable(subject) and text_is_storable(slug)):
            reason = f"its sub and org are not texts, of 1 to {SUBJECT_CHARS_MAX} characters, that can be stored"
            raise UnauthenticatedError(_NO_GOOD.format(reason=reason))
        organization_id, public_id, name = await self._organization(slug)
        return Principal(organization_id, public_id, name, role, subject, float(claims["exp"]))

    async def _device(self, token: str) -> Principal:

        def find(session: Session) -> TokenOwner | None:
            return device_token_authenticate(session, token=token)

        result = await self._bridge.run(None, find)
        if result is None:
            raise UnauthenticatedError(
                _NO_GOOD.format(reason="it is unknown, revoked or expired, or its device is deleted")
            )
        organization_id, device_id = result.organization_id, result.device_id
        organization = await self._bridge.run(
            organization_id, partial(organization_get, organization_id=organization_id)
        )
        return Principal(
            organization_id, organization.public_id, organization.name, Role.DEVICE, f"device:{device_id}",
            expires_at=None if result.expires_at is None else result.expires_at.timestamp(),
            device_id=device_id, token_id=result.token_id,
        )  # fmt: skip

    async def _key(self, token: str) -> Principal:
        owner = await self._bridge.run(None, partial(api_key_authenticate, key=token))
        if owner is None:
            raise UnauthenticatedError(_NO_GOOD.format(reason="the API key is unknown, revoked or expired"))
        organization = owner.organization
        return Principal(
            organization.id, organization.public_id, organization.name, Role(owner.role), f"key:{owner.name}",
            expires_at=None if owner.expires_at is None else owner.expires_at.timestamp(), token_id=owner.key_id,
        )  # fmt: skip

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key: Any = self._secret
            algorithms = ["HS256"]
            if self._keys is not None:
                signing = await asyncio.to_thread(self._keys.get_signing_key_from_jwt, token)
                key, algorithms = signing.key, ["RS256", "ES256"]
            if key is None:
                raise UnauthenticatedError("This Argus accepts no users' tokens: it was given no key for them.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub", "org", "role"]},
                audience=self._audience,
                issuer=self._issuer,
            )
        except jwt.PyJWKClientConnectionError:
            raise UnavailableError("The identity provider's keys cannot be fetched just now; try again.") from None
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError(_NO_GOOD.format(reason="it has expired")) from None
        except jwt.PyJWTError as error:
            reason = str(error) or type(error).__name__
            raise UnauthenticatedError(_NO_GOOD.format(reason=reason[0].lower() + reason[1:])) from None
        return claims

    async def _organization(self, slug: str) -> tuple[int, UUID, str]:
        now = time.monotonic()
        remembered = self._organizations.get(slug)
        if remembered is not None and now - remembered[0] < _ORGANIZATION_FRESH_S:
            return remembered[1]

        result = await self._bridge.run(None, partial(organization_by_slug, slug=slug))
        if result is None:
            raise UnauthenticatedError(_NO_GOOD.format(reason="its organization does not exist"))
        known = (result.id, result.public_id, result.name)
        self._organizations[slug] = (now, known)
        return known


def bearer_of(header: str | None) -> str | None:
    """Return the token of an Authorization header; None without a header.

    Raises UnauthenticatedError for any other scheme.
    """
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("The Authorization header must read: Bearer TOKEN.")
    return token.strip()


def challenge(*, has_token: bool) -> str:
    """Return the header WWW-Authenticate of an answer 401 (RFC 6750). has_token: a token came, and was refused."""
    return f'{_CHALLENGE}, error="invalid_token"' if has_token else _CHALLENGE
