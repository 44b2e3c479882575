"""Read rollups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, literal, select, tuple_
from sqlalchemy.orm import Session

from domain.derivation.rollups.model import Rollup, draft_of
from domain.derivation.rollups.tables import rollups
from graph.cursors import instant_key, instant_key_read
from graph.errors import NotFoundError
from graph.paging import Page, PageRequest
from graph.sql import any_of
from graph.tables import INSTANT

_CURSOR: Final = "rollups"


def rollups_list(session: Session, *, organization_id: int, with_deleted: bool = False) -> list[Rollup]:
    """Return all rollups, the oldest first. One statement."""
    statement = select(rollups).where(rollups.c.organization_id == organization_id)
    if not with_deleted:
        statement = statement.where(rollups.c.deleted_at.is_(None))
    return [_rollup(row) for row in session.execute(statement.order_by(rollups.c.created_at, rollups.c.id))]


def rollups_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, Rollup]:
    """Return the rollups of these ids; one that does not exist or was deleted is left out. One statement."""
    rows = session.execute(
        select(rollups).where(
            rollups.c.organization_id == organization_id, any_of(rollups.c.id, ids), rollups.c.deleted_at.is_(None)
        )
    )
    return {row.id: _rollup(row) for row in rows}


def rollup_get(session: Session, *, organization_id: int, rollup_id: UUID) -> Rollup:
    """Return a rollup. Raises NotFoundError."""
    rollup = rollups_get(session, organization_id=organization_id, ids=[rollup_id]).get(rollup_id)
    if rollup is None:
        raise NotFoundError(f"There is no rollup {rollup_id}.", path=("id",))
    return rollup


def rollups_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[Rollup]:
    """Return one page, the oldest first. One statement, and one more for the total if requested."""
    every = select(rollups).where(rollups.c.organization_id == organization_id, rollups.c.deleted_at.is_(None))
    statement = every
    if page.after is not None:
        instant, last = instant_key_read(page.after, of=_CURSOR)
        statement = every.where(
            tuple_(rollups.c.created_at, rollups.c.id) > tuple_(literal(instant, INSTANT), literal(last))
        )
    rows = session.execute(statement.order_by(rollups.c.created_at, rollups.c.id).limit(page.first + 1)).all()
    items = [_rollup(row) for row in rows[: page.first]]
    return Page(
        items,
        [instant_key(_CURSOR, item.created_at, item.id) for item in items],
        len(rows) > page.first,
        page.after is not None,
        lambda: len(session.execute(every).all()),
    )


def _rollup(row: Row[Any]) -> Rollup:
    return Rollup(
        row.id,
        draft_of(row.name, row.metric, row.definition),
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
        row.deleted_at is not None,
    )
