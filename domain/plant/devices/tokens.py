"""Device tokens. Only their hash is stored."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Row, Uuid, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from domain.base.bearer_secrets import secret_hash, secret_text
from domain.plant.devices.tables import device_tokens
from graph.change import GraphChange, change_record
from graph.entities.queries import entity_get
from graph.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.instants import utc_of
from graph.kinds import EntityKind
from graph.sql import any_of

TOKEN_PREFIX: Final = "argus_dev_"  # noqa: S105  (what a token begins with, no secret)
# Of one device, those not revoked: enough to change them one after the other, on several gateways.
TOKENS_MAX: Final = 20

# Of one device, those that are shown: newest first.
TOKENS_SHOWN_MAX: Final = 100

_OWNER = text("SELECT organization_id, device_id, token_id, expires_at FROM device_token_owner(:hash)")
_ENDED = text("SELECT device_tokens_ended(:organizations, :tokens)").bindparams(
    bindparam("organizations", type_=ARRAY(Integer)), bindparam("tokens", type_=ARRAY(Uuid))
)


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """The owner of a token. expires_at: UTC; None: never."""

    organization_id: int
    device_id: EntityId
    token_id: UUID
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """A stored token, without the secret. All times are UTC.

    last_used_at: to the hour. expires_at None: never.
    """

    id: UUID
    device_id: EntityId
    created_at: datetime
    revoked_at: datetime | None
    issued_by: str = ""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Return whether the token is valid."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


def device_token_issue(
    session: Session, *, change: GraphChange, device_id: UUID, secret: bytes, expires_at: datetime | None = None
) -> tuple[DeviceToken, str]:
    """Issue a token to a device; return it and, this once, its text. secret: SECRET_BYTES random bytes.

    Raises NotFoundError for no such device, LimitExceededError beyond TOKENS_MAX, BadInputError for a token that
    would have expired already.
    """
    if expires_at is not None and expires_at <= change.recorded:
        raise BadInputError("The token would have expired already.", path=("expiresAt",))
    organization_id = change.organization_id
    device = entity_get(
        session,
        organization_id=organization_id,
        entity_id=device_id,
        kind=EntityKind.DEVICE,
        path=("deviceId",),
    )
    tokens = device_token_list(session, organization_id=organization_id, device_id=device_id)
    if sum(item.is_good(change.recorded) for item in tokens) >= TOKENS_MAX:
        message = f"A device has at most {TOKENS_MAX} tokens; revoke one first."
        raise LimitExceededError(message, path=("deviceId",))
    token = secret_text(TOKEN_PREFIX, secret)
    issued = DeviceToken(change.new_id(), device.id, change.recorded, None, change.actor, expires_at)
    session.execute(
        insert(device_tokens),
        {
            "organization_id": organization_id,
            "id": issued.id,
            "device_id": issued.device_id,
            "token_hash": secret_hash(token),
            "created_at": issued.created_at,
            "issued_by": issued.issued_by,
            "expires_at": issued.expires_at,
        },
    )
    _record(session, change, "issued", None, issued)
    return issued, token


def device_token_revoke(session: Session, *, change: GraphChange, device_id: UUID, token_id: UUID) -> DeviceToken:
    """Revoke a token from the change on. A deleted device's can be revoked too.

    Raises NotFoundError where the device has no such token, ConflictError where it is revoked already.
    """
    tokens = device_token_list(session, organization_id=change.organization_id, device_id=device_id)
    before = next((item for item in tokens if item.id == token_id), None)
    if before is None:
        raise NotFoundError(f"Device {device_id} has no token {token_id}.", path=("tokenId",))
    if before.revoked_at is not None:
        message = f"The token was revoked at {before.revoked_at.isoformat()}."
        raise ConflictError(message, path=("tokenId",))
    after = replace(before, revoked_at=change.recorded)
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
        select(device_tokens)
        .where(device_tokens.c.organization_id == organization_id, device_tokens.c.device_id == device_id)
        .order_by(device_tokens.c.created_at, device_tokens.c.id)
    )
    return [_token(row) for row in rows]


def device_tokens_newest(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[UUID, list[DeviceToken]]:
    """Return the newest TOKENS_SHOWN_MAX tokens of each of these devices, newest first. One statement."""
    place = func.row_number().over(
        partition_by=device_tokens.c.device_id, order_by=[device_tokens.c.created_at.desc(), device_tokens.c.id.desc()]
    )
    ranked = (
        select(device_tokens, place.label("place"))
        .where(device_tokens.c.organization_id == organization_id, any_of(device_tokens.c.device_id, ids))
        .subquery()
    )
    tokens: dict[UUID, list[DeviceToken]] = {device_id: [] for device_id in ids}
    for row in session.execute(select(ranked).where(ranked.c.place <= TOKENS_SHOWN_MAX).order_by(ranked.c.place)):
        tokens[row.device_id].append(_token(row))
    return tokens


def device_tokens_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, DeviceToken]:
    """Return the tokens with these ids. One statement."""
    rows = session.execute(
        select(device_tokens).where(device_tokens.c.organization_id == organization_id, any_of(device_tokens.c.id, ids))
    )
    return {row.id: _token(row) for row in rows}


def device_tokens_ended(session: Session, *, owners: Collection[TokenOwner]) -> set[UUID]:
    """Return the ids of those tokens that are no longer valid: revoked, expired, or of a deleted device. One statement.

    Asked of all organizations at once, in a transaction that is bound to none.
    """
    values = {
        "organizations": [owner.organization_id for owner in owners],
        "tokens": [owner.token_id for owner in owners],
    }
    return set(session.execute(_ENDED, values).scalars())


def device_token_authenticate(session: Session, *, token: str) -> TokenOwner | None:
    """Return the owner of a token; None for one unknown, revoked, expired, or of a deleted device. Records its use.

    Asked before the transaction is bound to any organization.
    """
    if not token.startswith(TOKEN_PREFIX) or not token.isascii():
        return None
    row = session.execute(_OWNER, {"hash": secret_hash(token)}).one_or_none()
    if row is None:
        return None
    return TokenOwner(row.organization_id, EntityId(row.device_id), row.token_id, utc_of(row.expires_at))


def _token(row: Row[Any]) -> DeviceToken:
    return DeviceToken(
        row.id,
        EntityId(row.device_id),
        row.created_at.astimezone(UTC),
        utc_of(row.revoked_at),
        row.issued_by,
        utc_of(row.expires_at),
        utc_of(row.last_used_at),
    )


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
        "expiresAt": None if token.expires_at is None else token.expires_at.isoformat(),
    }
