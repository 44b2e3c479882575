"""Read rollups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from domain.derivation.rollups.model import Rollup, draft_of
from domain.derivation.rollups.tables import rollups
from graph.errors import NotFoundError
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

_KEYSET: Final = Keyset("rollups", {"created_at": rollups.c.created_at, "id": rollups.c.id})


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
    rows = _KEYSET.page(session, every, page)
    return rows.of([_rollup(row) for row in rows.items])


def _rollup(row: Row[Any]) -> Rollup:
    return Rollup(
        row.id,
        draft_of(row.name, row.metric, row.definition),
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
        row.deleted_at is not None,
    )
