"""Tokens by which devices are known. Only their hash is kept."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from domain.devices.tables import device_tokens
from graph.change import GraphChange, change_record
from graph.entities.queries import entity_get
from graph.errors import ConflictError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.kinds import EntityKind

TOKEN_PREFIX: Final = "argus_dev_"  # noqa: S105  (what a token begins with, no secret)
SECRET_BYTES: Final = 32
# Of one device, those not revoked: enough to change them one after the other, on several gateways.
TOKENS_MAX: Final = 20

_OWNER = text("SELECT organization_id, device_id, token_id FROM device_token_owner(:hash)")


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Whose token it is."""

    organization_id: int
    device_id: EntityId
    token_id: UUID


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """A token as it is kept: without the secret. All times are UTC."""

    id: UUID
    device_id: EntityId
    created_at: datetime
    revoked_at: datetime | None


def token_text(secret: bytes) -> str:
    """Return the token for SECRET_BYTES random bytes. Raises ValueError for another number of them."""
    if len(secret) != SECRET_BYTES:
        message = f"A token is made of {SECRET_BYTES} random bytes, not {len(secret)}."
        raise ValueError(message)
    return TOKEN_PREFIX + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """Return what is stored of a token. Its secret is random and long, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def device_token_issue(
    session: Session, *, change: GraphChange, device_id: UUID, secret: bytes
) -> tuple[DeviceToken, str]:
    """Give a device a token; return it and, for this once, its text. secret: SECRET_BYTES random bytes.

    Raises NotFoundError for no such device, LimitExceededError beyond TOKENS_MAX.
    """
    organization_id = change.organization_id
    device = entity_get(
        session,
        organization_id=organization_id,
        entity_id=device_id,
        kind=EntityKind.DEVICE,
        path=("deviceId",),
    )
    held = device_token_list(session, organization_id=organization_id, device_id=device_id)
    if sum(each.revoked_at is None for each in held) >= TOKENS_MAX:
        message = f"A device has at most {TOKENS_MAX} tokens; revoke one first."
        raise LimitExceededError(message, path=("deviceId",))
    token = token_text(secret)
    issued = DeviceToken(change.new_id(), device.id, change.recorded, None)
    session.execute(
        insert(device_tokens),
        {
            "organization_id": organization_id,
            "id": issued.id,
            "device_id": issued.device_id,
            "token_hash": token_hash(token),
            "created_at": issued.created_at,
        },
    )
    _record(session, change, "issued", None, issued)
    return issued, token


def device_token_revoke(session: Session, *, change: GraphChange, device_id: UUID, token_id: UUID) -> DeviceToken:
    """Refuse a token from the change on. A deleted device's can be revoked too.

    Raises NotFoundError where the device has no such token, ConflictError where it is revoked already.
    """
    held = device_token_list(session, organization_id=change.organization_id, device_id=device_id)
    before = next((each for each in held if each.id == token_id), None)
    if before is None:
        raise NotFoundError(f"Device {device_id} has no token {token_id}.", path=("tokenId",))
    if before.revoked_at is not None:
        message = f"The token was revoked at {before.revoked_at.isoformat()}."
        raise ConflictError(message, path=("tokenId",))
    after = DeviceToken(before.id, before.device_id, before.created_at, change.recorded)
    session.execute(
        update(device_tokens)
        .where(device_tokens.c.organization_id == change.organization_id, device_tokens.c.id == token_id)
        .values(revoked_at=change.recorded)
    )
    _record(session, change, "revoked", before, after)
    return after


def device_token_list(session: Session, *, organization_id: int, device_id: UUID) -> list[DeviceToken]:
    """Return all tokens a device ever had, oldest first."""
    rows = session.execute(
        select(device_tokens.c.id, device_tokens.c.device_id, device_tokens.c.created_at, device_tokens.c.revoked_at)
        .where(device_tokens.c.organization_id == organization_id, device_tokens.c.device_id == device_id)
        .order_by(device_tokens.c.created_at, device_tokens.c.id)
    )
    return [
        DeviceToken(
            row.id,
            EntityId(row.device_id),
            row.created_at.astimezone(UTC),
            None if row.revoked_at is None else row.revoked_at.astimezone(UTC),
        )
        for row in rows
    ]


def device_token_authenticate(session: Session, *, token: str) -> TokenOwner | None:
    """Return whose token it is; None for one unknown, revoked, or of a deleted device.

    Asked before the transaction is bound to any organization.
    """
    if not token.startswith(TOKEN_PREFIX) or not token.isascii():
        return None
    row = session.execute(_OWNER, {"hash": token_hash(token)}).one_or_none()
    return None if row is None else TokenOwner(row.organization_id, EntityId(row.device_id), row.token_id)


def _record(session: Session, change: GraphChange, action: str, before: DeviceToken | None, after: DeviceToken) -> None:
    change_record(
        session,
        change=change,
        action=action,
        subject_type="device_token",
        subject_id=after.device_id,
        before=None if before is None else _state(before),
        after=_state(after),
    )


def _state(token: DeviceToken) -> dict[str, str | None]:
    return {
        "tokenId": str(token.id),
        "deviceId": str(token.device_id),
        "createdAt": token.created_at.isoformat(),
        "revokedAt": None if token.revoked_at is None else token.revoked_at.isoformat(),
    }
