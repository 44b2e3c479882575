"""Create organizations: done by the tables' owner, as no tenant may."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.plant.organizations.model import NAME_MAX_CHARS, Organization, slug_check, slug_of
from graph.errors import ConflictError
from graph.json_bounds import text_check
from graph.relationships.operations import relationships_install
from graph.tables import graph_clocks, organizations
from graph.tenancy import organization_set


def organization_create(
    session: Session, *, name: str, public_id: UUID, now: datetime, slug: str | None = None
) -> Organization:
    """Create an organization with its clock and the built-in relationships; bind the transaction to it.

    session: of the owner. slug None: made of the name.
    Raises BadInputError for a name or slug that cannot be, ConflictError where the slug is taken.
    """
    name = text_check(name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS)
    wanted = slug_of(name) if slug is None else slug_check(slug)
    row = {"public_id": public_id, "slug": wanted, "name": name, "created_at": now}
    created = session.execute(
        upsert(organizations)
        .values(row)
        .on_conflict_do_nothing(constraint="uq_organizations_slug")
        .returning(organizations.c.id)
    ).scalar_one_or_none()
    if created is None:
        other = session.scalar(select(organizations.c.name).where(organizations.c.slug == wanted))
        message = f"The slug {wanted!r} is taken, by {other!r}."
        raise ConflictError(message, path=("name",) if slug is None else ("slug",))
    session.execute(insert(graph_clocks), {"organization_id": created, "last_recorded": now, "revision": 0})
    organization_set(session, organization_id=created)
    relationships_install(session, organization_id=created, now=now)
    return Organization(created, public_id, wanted, name)
