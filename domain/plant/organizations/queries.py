"""Find organizations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.plant.organizations.model import Organization
from graph.errors import NotFoundError
from graph.instants import utc_of
from graph.json_bounds import text_is_storable
from graph.tables import organizations

_BY_SLUG = text("SELECT id, public_id, name FROM organization_by_slug(:slug)")
_SUSPENDED = text("SELECT organizations_suspended()")
_COLUMNS = (
    organizations.c.id,
    organizations.c.public_id,
    organizations.c.slug,
    organizations.c.name,
    organizations.c.suspended_at,
)


def organization_by_slug(session: Session, *, slug: str) -> Organization | None:
    """Return the organization of that slug, or None. Asks before the transaction is bound to any."""
    if not text_is_storable(slug):
        return None
    row = session.execute(_BY_SLUG, {"slug": slug}).one_or_none()
    return None if row is None else Organization(row.id, row.public_id, slug, row.name)


def organization_get(session: Session, *, organization_id: int) -> Organization:
    """Return the organization the transaction is bound to. Raises NotFoundError for another."""
    row = session.execute(select(*_COLUMNS).where(organizations.c.id == organization_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such organization.")
    return _organization(row)


def organizations_suspended(session: Session) -> set[int]:
    """Return the ids of all organizations that are suspended. Asked before the transaction is bound to any."""
    return set(session.scalars(_SUSPENDED))


def organization_exists(session: Session, *, organization_id: int) -> bool:
    """Return whether there is an organization. As argus_pipeline: any."""
    rows = session.execute(select(organizations.c.id).where(organizations.c.id == organization_id))
    return rows.first() is not None


def organization_list(session: Session) -> list[Organization]:
    """Return all organizations that the session's role may see, by slug: of the owner and the pipeline, all."""
    rows = session.execute(select(*_COLUMNS).order_by(organizations.c.slug))
    return [_organization(row) for row in rows]


def _organization(row: Any) -> Organization:
    return Organization(row.id, row.public_id, row.slug, row.name, utc_of(row.suspended_at))
