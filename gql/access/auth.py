"""Verification of bearer tokens: users' JWTs and sessions, programs' API keys and devices' own tokens.

A user's token carries `sub`, `org` (the organization's slug), `role` (viewer, operator, admin), `exp` and, where the
user is confined to a part of the plant, `under` (ids of entities), or what the settings name instead. Which
algorithm is right is a matter of configuration, never of the token's header.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Protocol, TypeGuard
from uuid import UUID

import jwt
from sqlalchemy.orm import Session

from domain.base.transient import NO_ANSWER
from domain.plant.devices.tokens import TOKEN_PREFIX, TokenOwner, device_token_authenticate
from domain.plant.organizations.api_keys import KEY_PREFIX, UNDER_MAX, api_key_authenticate
from domain.plant.organizations.model import OrganizationSuspendedError
from domain.plant.organizations.queries import organization_by_slug, organization_get
from gql.access.bridge import Bridge
from gql.access.principal import Principal, Role
from gql.access.sessions import Sessions
from gql.access.sign_in import SESSION_PREFIX, Signer, Use
from gql.access.suspensions import Suspensions
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
# So long a token's signature is not verified again; that its session goes on is looked at each time. The keys of a
# provider are remembered for longer.
CLAIMS_FRESH_S = 10.0
_CLAIMS_REMEMBERED_MAX = 10_000
_JWKS_TIMEOUT_S = 5
_CHALLENGE = 'Bearer realm="Argus"'
_NO_GOOD = "The token is not valid: {reason}."


class ClaimNames(Protocol):
    """Which claims say who a token is, by name or by the path to a member; and what their roles are called."""

    @property
    def subject(self) -> str:
        """Of the user's name."""

    @property
    def organization(self) -> str:
        """Of the slug of the organization."""

    @property
    def role(self) -> str:
        """Of the role, or of a list of roles."""

    @property
    def under(self) -> str:
        """Of the id of an entity, or of a list of ids, to which the user is confined."""

    @property
    def roles(self) -> Mapping[str, str]:
        """The role of Argus, by what the claim calls it."""


class TokenVerifier:
    """Verifies bearer tokens.

    secret: for HS256; jwks_url: where the keys for RS256 and ES256 are published; exactly one of them.
    audience, issuer: what a token must name, where given. claims: which of its claims say who it is. sessions: which
    users' sessions were ended. suspensions: which organizations are suspended. signer: of the console's sessions; None:
    there are none.
    """

    def __init__(
        self,
        *,
        bridge: Bridge,
        secret: str | None,
        jwks_url: str | None,
        audience: str | None,
        issuer: str | None,
        claims: ClaimNames,
        sessions: Sessions,
        suspensions: Suspensions,
        signer: Signer | None = None,
    ) -> None:
        self._bridge = bridge
        self._secret = secret
        self._keys = None if jwks_url is None else jwt.PyJWKClient(jwks_url, timeout=_JWKS_TIMEOUT_S)
        self._audience = audience
        self._issuer = issuer
        self._names = claims
        self._sessions = sessions
        self._suspensions = suspensions
        self._signer = signer
        # By the digest of the token, so that no token lies about in memory.
        self._claims_verified: dict[bytes, tuple[float, Mapping[str, Any]]] = {}
        self._organizations: dict[str, tuple[float, tuple[int, UUID, str]]] = {}

    async def verify(self, token: str) -> Principal:
        """Return the bearer.

        Raises UnauthenticatedError, OrganizationSuspendedError, UnavailableError: after VERIFY_WITHIN_S at the latest.
        """
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
        if token.startswith(SESSION_PREFIX):
            if self._signer is None:
                raise UnauthenticatedError(_NO_GOOD.format(reason="there are no sessions here"))
            return await self.bearer_of_session(self._signer.read(Use.SESSION, token.removeprefix(SESSION_PREFIX)))
        return await self.bearer_of_claims(await self._claims(token))

    async def bearer_of_claims(self, claims: Mapping[str, Any]) -> Principal:
        """Return the user that verified claims are of, by the names that the settings give them.

        Raises UnauthenticatedError, UnavailableError.
        """
        names = self._names
        role = role_of(claim_of(claims, names.role), names.roles)
        if role is None:
            reason = f"its {names.role} is none of {', '.join(names.roles)}"
            raise UnauthenticatedError(_NO_GOOD.format(reason=reason))
        named, slug = claim_of(claims, names.subject), claim_of(claims, names.organization)
        # Who did what is written down under this name.
        if not (_is_name(named) and _is_name(slug)):
            reason = (
                f"its {names.subject} and {names.organization} are not texts, of 1 to {SUBJECT_CHARS_MAX} characters, "
                "that can be stored"
            )
            raise UnauthenticatedError(_NO_GOOD.format(reason=reason))
        return await self._user(
            claims, slug=slug, role=role, subject=text_nfc(named), under=claim_of(claims, names.under)
        )

    async def bearer_of_session(self, claims: Mapping[str, Any]) -> Principal:
        """Return the user of a session, or of a link that begins one. Raises UnauthenticatedError, UnavailableError."""
        return await self._user(
            claims, slug=claims["org"], role=Role(claims["role"]), subject=claims["sub"], under=claims.get("under")
        )

    def organization_of(self, claims: Mapping[str, Any]) -> str:
        """Return the slug of the organization that verified claims name."""
        return str(claim_of(claims, self._names.organization))

    async def _user(self, claims: Mapping[str, Any], *, slug: str, role: Role, subject: str, under: Any) -> Principal:
        confined = under_of(under)
        organization_id, public_id, name = await self._organization(slug)
        bearer = Principal(
            organization_id, public_id, name, role, subject, float(claims["exp"]),
            issued_at=float(claims["iat"]) if "iat" in claims else None, under=confined,
        )  # fmt: skip
        await self._sessions.check(bearer)
        try:
            await self._suspensions.check(organization_id)
        except OrganizationSuspendedError:
            # It may be deleted next.
            self._organizations.pop(slug, None)
            raise
        return bearer

    async def _device(self, token: str) -> Principal:

        def find(session: Session) -> TokenOwner | None:
            return device_token_authenticate(session, token=token)

        result = await self._bridge.run(None, find)
        if result is None:
            raise UnauthenticatedError(
                _NO_GOOD.format(reason="it is unknown, revoked or expired, or its device is deleted")
            )
        organization_id, device_id = result.organization_id, result.device_id
        await self._suspensions.check(organization_id)
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
        await self._suspensions.check(organization.id)
        return Principal(
            organization.id, organization.public_id, organization.name, Role(owner.role), f"key:{owner.name}",
            expires_at=None if owner.expires_at is None else owner.expires_at.timestamp(), token_id=owner.key_id,
            under=owner.under_ids,
        )  # fmt: skip

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token whose signature is good. One that was verified a moment ago is not again."""
        now_s, digest = time.monotonic(), sha256(token.encode(errors="surrogatepass")).digest()
        verified_s, claims = self._claims_verified.get(digest, (-math.inf, {}))
        # A token that has expired since is refused as any other.
        if now_s - verified_s < CLAIMS_FRESH_S and time.time() < float(claims["exp"]):
            return claims
        claims = await self._claims_verify(token)
        if len(self._claims_verified) >= _CLAIMS_REMEMBERED_MAX:
            self._claims_verified.clear()
        self._claims_verified[digest] = (now_s, claims)
        return claims

    async def _claims_verify(self, token: str) -> Mapping[str, Any]:
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
                options={"require": ["exp"], "verify_sub": False},
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


def claim_of(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim by its name, or else a member by the path to it; None where there is none."""
    if path in claims:
        return claims[path]
    for place, sign in enumerate(path):
        inner = claims.get(path[:place]) if sign == "." else None
        if isinstance(inner, dict) and (member := claim_of(inner, path[place + 1 :])) is not None:
            return member
    return None


def role_of(claim: Any, roles: Mapping[str, str]) -> Role | None:
    """Return the role that a claim names; of several the one that may most. roles: by the claim's names for them."""
    names = claim if isinstance(claim, list) else [claim]
    known = {roles[name] for name in names if isinstance(name, str) and name in roles}
    return next((role for role in (Role.ADMIN, Role.OPERATOR, Role.VIEWER) if role.value in known), None)


def under_of(claim: Any) -> tuple[UUID, ...] | None:
    """Return the entities to which a claim confines; None without one.

    Raises UnauthenticatedError for any other claim than an id or a list of up to UNDER_MAX: what cannot be understood
    must not give more than was meant.
    """
    if claim is None:
        return None
    ids = claim if isinstance(claim, list) else [claim]
    try:
        if len(ids) <= UNDER_MAX and all(isinstance(item, str) for item in ids):
            return tuple(sorted({UUID(item) for item in ids}))
    except ValueError:
        pass
    reason = f"the claim that confines it is not the id of an entity or a list of at most {UNDER_MAX}"
    raise UnauthenticatedError(_NO_GOOD.format(reason=reason))


def _is_name(claim: Any) -> TypeGuard[str]:
    return isinstance(claim, str) and 0 < len(claim) <= SUBJECT_CHARS_MAX and text_is_storable(claim)


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
