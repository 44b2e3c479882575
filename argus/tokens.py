"""Users' tokens of an Argus that signs its own (HS256)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt

from gql.access.sign_in import LINK_S, Signer, Use, session_claims
from runtime.settings.kinds import SettingsError
from runtime.settings.model import Settings

ROLES = ("admin", "operator", "viewer")


def token_create(
    settings: Settings,
    *,
    organization: str,
    role: str,
    subject: str,
    now: datetime,
    ttl: timedelta,
    under: Sequence[str] | None = None,
) -> str:
    """Return a bearer token. organization: its slug. under: ids of the entities to which it is confined; None: to none.

    Raises SettingsError where tokens come from an identity provider.
    """
    if settings.tokens.secret is None:
        msg = "Tokens come from your identity provider (ARGUS_JWT_JWKS_URL is set), so Argus makes none itself."
        raise SettingsError(msg)
    names = settings.tokens.claims
    called = next((theirs for theirs, own in names.roles.items() if own == role), None)
    if called is None:
        msg = f"ARGUS_JWT_ROLES names nothing that is {role}."
        raise SettingsError(msg)
    claims: dict[str, Any] = {
        names.subject: subject,
        names.organization: organization,
        names.role: called,
        "iat": now,
        "exp": now + ttl,
    }
    if under is not None:
        claims[names.under] = list(under)
    if settings.tokens.audience is not None:
        claims["aud"] = settings.tokens.audience
    if settings.tokens.issuer is not None:
        claims["iss"] = settings.tokens.issuer
    return jwt.encode(claims, settings.tokens.secret, algorithm="HS256")


def signer_of(settings: Settings) -> Signer | None:
    """Return what signs the console's sessions; None where no secret is known to all processes."""
    key = settings.tokens.session_key
    return None if key is None else Signer(key)


def link_create(
    settings: Settings, *, address: str, organization: str, role: str, subject: str, under: Sequence[str] | None = None
) -> str:
    """Return a link that signs in to the console, once. address: of the console, with a slash at the end.

    Raises SettingsError where users come from an identity provider.
    """
    signer = signer_of(settings)
    if signer is None or settings.tokens.secret is None:
        msg = "Users come from your identity provider (ARGUS_JWT_JWKS_URL is set), so Argus makes no links itself."
        raise SettingsError(msg)
    claims = session_claims(
        organization=organization,
        role=role,
        subject=subject,
        under=None if under is None else list(under),
        issued_at=None,
    )
    return f"{address}sign-in?code={signer.sign(Use.LINK, claims, lifetime_s=LINK_S)}"


def short_token(settings: Settings, organization: str, subject: str) -> str:
    """Return a token for a command's own use: an operator's, for a day at most."""
    from runtime.clock import utc_now

    return token_create(
        settings, organization=organization, role="operator", subject=subject, now=utc_now(), ttl=timedelta(days=1)
    )
