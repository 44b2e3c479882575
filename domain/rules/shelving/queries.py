"""Read shelves and maintenance windows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, Table, select
from sqlalchemy.orm import Session

from domain.rules.shelving.model import MaintenanceWindow, Shelf
from domain.rules.tables import maintenance_windows, shelves
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

T = TypeVar("T", Shelf, MaintenanceWindow)


def shelves_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, Shelf]:
    """Return the shelves of these ids, those that are over too. One statement."""
    return _get(session, organization_id, ids, shelves, _shelf)


def shelves_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[Shelf]:
    """Return one page, the one that ends last first. One statement, and one more for the total if requested."""
    return _page(session, organization_id, page, shelves, _shelf)


def maintenance_windows_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[UUID, MaintenanceWindow]:
    """Return the windows of these ids, those that are over too. One statement."""
    return _get(session, organization_id, ids, maintenance_windows, _window)


def maintenance_windows_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[MaintenanceWindow]:
    """Return one page, the one that ends last first. One statement, and one more for the total if requested."""
    return _page(session, organization_id, page, maintenance_windows, _window)


def _get(
    session: Session, organization_id: int, ids: Collection[UUID], table: Table, read: Callable[[Row[Any]], T]
) -> dict[UUID, T]:
    rows = session.execute(select(table).where(table.c.organization_id == organization_id, any_of(table.c.id, ids)))
    return {row.id: read(row) for row in rows}


def _page(
    session: Session, organization_id: int, page: PageRequest, table: Table, read: Callable[[Row[Any]], T]
) -> Page[T]:
    keyset = Keyset(table.name, {"ends": table.c.ends, "id": table.c.id}, is_descending=True)
    rows = keyset.page(session, select(table).where(table.c.organization_id == organization_id), page)
    return rows.of([read(row) for row in rows.items])


def _shelf(row: Row[Any]) -> Shelf:
    begins, ends, created = (item.astimezone(UTC) for item in (row.begins, row.ends, row.created_at))
    return Shelf(row.id, row.rule_id, row.entity_id, begins, ends, row.note, created, row.actor)


def _window(row: Row[Any]) -> MaintenanceWindow:
    begins, ends, created = (item.astimezone(UTC) for item in (row.begins, row.ends, row.created_at))
    return MaintenanceWindow(row.id, row.under_id, begins, ends, row.note, created, row.actor)
