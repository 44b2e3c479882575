"""Tokens that Argus signs for the console itself: sessions, links that begin one, and sign-ins that are on their way.

All are signed with a key derived from a secret that all processes have, so that any of them accepts what another made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import jwt

from gql.access.principal import Principal, Role
from gql.errors import UnauthenticatedError

# What such a token begins with where it is a bearer's. The point lets a log recognise what follows.
SESSION_PREFIX: Final = "argus-session."
# A session that began with an identity provider, or with a link.
SESSION_S: Final = 12 * 3600.0
SESSION_BY_LINK_S: Final = 30 * 24 * 3600.0
LINK_S: Final = 12 * 3600.0
# From the way to the identity provider until the way back.
SIGN_IN_S: Final = 600.0
_ALGORITHM: Final = "HS256"


class Use(StrEnum):
    """What a token is for. One is never taken for another."""

    SESSION = "session"
    LINK = "link"
    SIGN_IN = "sign-in"


class Signer:
    """Signs and reads such tokens. secret: as all processes have it."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), b"argus console", hashlib.sha256).digest()
        # Tells this Argus's cookies from those of another on the same host: cookies know no ports.
        self.identity = hashlib.sha256(self._key).hexdigest()[:8]

    def sign(self, use: Use, claims: Mapping[str, Any], *, lifetime_s: float) -> str:
        """Return a token that expires; it has a number of its own."""
        own = {"use": use.value, "jti": secrets.token_urlsafe(12), "exp": time.time() + lifetime_s}
        return jwt.encode({**claims, **own}, self._key, algorithm=_ALGORITHM)

    def read(self, use: Use, token: str) -> dict[str, Any]:
        """Return the claims of a token. Raises UnauthenticatedError: for one of another use, too."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], options={"require": ["exp", "use", "jti"]}
            )
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError("It has expired; sign in again.") from None
        except jwt.PyJWTError:
            raise UnauthenticatedError("It is not valid; sign in again.") from None
        if claims["use"] != use:
            raise UnauthenticatedError("It is not valid; sign in again.")
        return claims

    def session(self, bearer: Principal, organization: str, *, lifetime_s: float) -> str:
        """Return a session's token. organization: its slug. It ends with the others of the user: see `sessions.py`."""
        claims = session_claims(
            organization=organization,
            role=bearer.role,
            subject=bearer.subject,
            under=None if bearer.under is None else [str(entity) for entity in bearer.under],
            issued_at=bearer.issued_at,
        )
        return SESSION_PREFIX + self.sign(Use.SESSION, claims, lifetime_s=lifetime_s)


def session_claims(
    *, organization: str, role: str, subject: str, under: list[str] | None, issued_at: float | None
) -> dict[str, Any]:
    """Return the claims of a session or of a link. issued_at: when the user proved who they are, Unix seconds."""
    claims: dict[str, Any] = {
        "org": organization,
        "role": Role(role).value,
        "sub": subject,
        "iat": time.time() if issued_at is None else issued_at,
    }
    return claims if under is None else {**claims, "under": under}
