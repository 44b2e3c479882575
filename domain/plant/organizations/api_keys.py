"""API keys of an organization: for programs, each with a role. Only their hash is stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Row, Uuid, bindparam, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from domain.base.bearer_secrets import secret_hash, secret_text
from domain.plant.organizations.model import Organization
from domain.plant.organizations.tables import api_keys
from graph.change import GraphChange, change_record
from graph.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.instants import instant_utc, utc_of
from graph.json_bounds import text_check
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of
from graph.texts import text_nfc
from graph.walk.queries import entities_check

KEY_PREFIX: Final = "argus_key_"
NAME_CHARS_MAX: Final = 200
# Of an organization, those that are neither revoked nor expired.
KEYS_MAX: Final = 500
# Entities below which one key is good.
UNDER_MAX: Final = 100

_OWNER = text(
    "SELECT organization_id, public_id, slug, organization, key_id, name, role, expires_at,"
    " under_ids FROM api_key_owner(:hash)"
)
_ENDED = text("SELECT api_keys_ended(:organizations, :keys)").bindparams(
    bindparam("organizations", type_=ARRAY(Integer)), bindparam("keys", type_=ARRAY(Uuid))
)
_KEYSET: Final = Keyset("apiKeys", {"created_at": api_keys.c.created_at, "id": api_keys.c.id}, is_descending=True)


class KeyRole(StrEnum):
    """What the bearer of a key may do; each includes those before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, without the secret. All times are UTC.

    created_by: the actor. last_used_at: to the minute; None: never. expires_at None: never. under_ids: the entities
    below which its bearer may see and act; None: everywhere in the organization.
    """

    id: UUID
    name: str
    role: KeyRole
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    under_ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The organization of a key, and what the key is."""

    organization: Organization
    key_id: UUID
    name: str
    role: KeyRole
    expires_at: datetime | None
    under_ids: tuple[UUID, ...] | None


def api_key_create(
    session: Session,
    *,
    change: GraphChange,
    name: str,
    role: str,
    secret: bytes,
    expires_at: datetime | None = None,
    under_ids: Sequence[UUID] | None = None,
) -> tuple[ApiKey, str]:
    """Create a key; return it and, this once, its text. secret: SECRET_BYTES random bytes.

    under_ids: confines it to what lies below these entities; None: it is not confined.
    Raises BadInputError for a name of none or more than NAME_CHARS_MAX characters, for no such role, for a key that
    would have expired already and for one that is confined to nothing, NotFoundError for an entity that does not exist,
    LimitExceededError beyond KEYS_MAX and UNDER_MAX.
    """
    name = text_nfc(text_check(name, path=("name",), min_chars=1, max_chars=NAME_CHARS_MAX))
    if role not in list(KeyRole):
        raise BadInputError(f"role is one of {', '.join(KeyRole)}; it was {role!r}.", path=("role",))
    expires = None if expires_at is None else instant_utc(expires_at, path="expiresAt")
    if expires is not None and expires <= change.recorded:
        raise BadInputError("The key would have expired already.", path=("expiresAt",))
    under = None if under_ids is None else _under(session, change.organization_id, under_ids)
    usable = select(func.count()).where(
        api_keys.c.organization_id == change.organization_id,
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > change.recorded),
    )
    if session.execute(usable).scalar_one() >= KEYS_MAX:
        raise LimitExceededError(f"An organization has at most {KEYS_MAX} API keys; revoke one first.")
    key = secret_text(KEY_PREFIX, secret)
    created = ApiKey(change.new_id(), name, KeyRole(role), change.recorded, change.actor, expires, under_ids=under)
    session.execute(
        insert(api_keys),
        {
            "organization_id": change.organization_id,
            "id": created.id,
            "name": created.name,
            "role": created.role,
            "key_hash": secret_hash(key),
            "created_at": created.created_at,
            "created_by": created.created_by,
            "expires_at": created.expires_at,
            "under_ids": None if under is None else list(under),
        },
    )
    _record(session, change, "created", None, created)
    return created, key


def api_key_revoke(session: Session, *, change: GraphChange, key_id: UUID) -> ApiKey:
    """Revoke a key from the change on. Raises NotFoundError, ConflictError where it is revoked already."""
    before = api_keys_get(session, organization_id=change.organization_id, ids=[key_id]).get(key_id)
    if before is None:
        raise NotFoundError(f"There is no API key {key_id}.", path=("id",))
    if before.revoked_at is not None:
        raise ConflictError(f"The key was revoked at {before.revoked_at.isoformat()}.", path=("id",))
    after = replace(before, revoked_at=change.recorded)
    session.execute(
        update(api_keys)
        .where(api_keys.c.organization_id == change.organization_id, api_keys.c.id == key_id)
        .values(revoked_at=change.recorded)
    )
    _record(session, change, "revoked", before, after)
    return after


def api_keys_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[ApiKey]:
    """Return one page of the keys, revoked and expired ones too, newest first."""
    rows = _KEYSET.page(session, select(api_keys).where(api_keys.c.organization_id == organization_id), page)
    return rows.of([_key(row) for row in rows.items])


def api_keys_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, ApiKey]:
    """Return the keys with these ids. One statement."""
    rows = session.execute(
        select(api_keys).where(api_keys.c.organization_id == organization_id, any_of(api_keys.c.id, ids))
    )
    return {row.id: _key(row) for row in rows}


def api_key_authenticate(session: Session, *, key: str) -> KeyOwner | None:
    """Return the owner of a key; None for one unknown, revoked or expired. Records its use.

    Asked before the transaction is bound to any organization.
    """
    if not key.startswith(KEY_PREFIX) or not key.isascii():
        return None
    row = session.execute(_OWNER, {"hash": secret_hash(key)}).one_or_none()
    if row is None:
        return None
    organization = Organization(row.organization_id, row.public_id, row.slug, row.organization)
    return KeyOwner(organization, row.key_id, row.name, KeyRole(row.role), utc_of(row.expires_at), _ids(row.under_ids))


def api_keys_ended(session: Session, *, keys: Collection[tuple[int, UUID]]) -> set[UUID]:
    """Return the ids of those keys that are no longer valid: revoked or expired. One statement.

    keys: each with its organization. Asked of all at once, in a transaction that is bound to none.
    """
    values = {"organizations": [number for number, _ in keys], "keys": [key_id for _, key_id in keys]}
    return set(session.execute(_ENDED, values).scalars())


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        KeyRole(row.role),
        row.created_at.astimezone(UTC),
        row.created_by,
        utc_of(row.expires_at),
        utc_of(row.last_used_at),
        utc_of(row.revoked_at),
        _ids(row.under_ids),
    )


def _ids(stored: Sequence[UUID] | None) -> tuple[UUID, ...] | None:
    return None if stored is None else tuple(stored)


def _under(session: Session, organization_id: int, under_ids: Sequence[UUID]) -> tuple[UUID, ...]:
    if not under_ids:
        message = "A key that is confined names at least one entity; leave underIds out for the whole organization."
        raise BadInputError(message, path=("underIds",))
    if len(under_ids) > UNDER_MAX:
        raise LimitExceededError(f"underIds names at most {UNDER_MAX} entities.", path=("underIds",))
    return tuple(entities_check(session, organization_id=organization_id, ids=under_ids, path="underIds"))


def _record(session: Session, change: GraphChange, action: str, before: ApiKey | None, after: ApiKey) -> None:
    change_record(
        session,
        change=change,
        action=action,
        subject_type="api_key",
        subject_id=after.id,
        before=None if before is None else _state(before),
        after=_state(after),
    )


def _state(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "role": key.role,
        "underIds": None if key.under_ids is None else [str(entity_id) for entity_id in key.under_ids],
        "createdAt": key.created_at.isoformat(),
        "expiresAt": None if key.expires_at is None else key.expires_at.isoformat(),
        "revokedAt": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
