"""Create, rename, suspend and resume organizations: done by the tables' owner, as no tenant may."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.plant.organizations.model import NAME_MAX_CHARS, Organization, slug_check, slug_of
from graph.change import GraphChange, change_record
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


def organization_suspend(session: Session, *, change: GraphChange, organization: Organization) -> Organization:
    """Refuse the organization's callers, and its readings, from the change on. session: of the owner.

    Raises ConflictError where it is suspended already.
    """
    if organization.suspended_at is not None:
        raise ConflictError(f"{organization.slug} is suspended, since {organization.suspended_at.isoformat()}.")
    return _update(session, change, "suspended", organization, replace(organization, suspended_at=change.recorded))


def organization_resume(session: Session, *, change: GraphChange, organization: Organization) -> Organization:
    """End the suspension of an organization. session: of the owner. Raises ConflictError where it is not suspended."""
    if organization.suspended_at is None:
        raise ConflictError(f"{organization.slug} is not suspended.")
    return _update(session, change, "resumed", organization, replace(organization, suspended_at=None))


def organization_rename(
    session: Session,
    *,
    change: GraphChange,
    organization: Organization,
    name: str | None = None,
    slug: str | None = None,
) -> Organization:
    """Give an organization another name, another slug, or both. session: of the owner.

    None: as it is. Tokens that name the slug of before are refused from then on.
    Raises BadInputError for a name or slug that cannot be, ConflictError where the slug is taken.
    """
    after = organization
    if name is not None:
        after = replace(after, name=text_check(name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS))
    if slug is not None and slug_check(slug) != organization.slug:
        if session.scalar(select(organizations.c.id).where(organizations.c.slug == slug)) is not None:
            raise ConflictError(f"The slug {slug!r} is taken.", path=("slug",))
        after = replace(after, slug=slug)
    return organization if after == organization else _update(session, change, "renamed", organization, after)


def _update(
    session: Session, change: GraphChange, action: str, before: Organization, after: Organization
) -> Organization:
    session.execute(
        update(organizations)
        .where(organizations.c.id == before.id)
        .values(name=after.name, slug=after.slug, suspended_at=after.suspended_at)
    )
    change_record(
        session,
        change=change,
        action=action,
        subject_type="organization",
        subject_id=before.public_id,
        before=_state(before),
        after=_state(after),
    )
    return after


def _state(organization: Organization) -> dict[str, str | None]:
    suspended_at = organization.suspended_at
    return {
        "name": organization.name,
        "slug": organization.slug,
        "suspendedAt": None if suspended_at is None else suspended_at.isoformat(),
    }
