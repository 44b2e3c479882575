"""Read dead letters: in pages, in groups, by id."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from domain.telemetry.dead_letters.model import DeadLetter, DeadLetterFilter, DeadLetterGroup, DeadLetterState
from domain.telemetry.store.tables import dead_letters
from graph.instants import instant_utc
from graph.json_bounds import texts_storable
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

GROUPS_MAX: Final = 500
_KEYSET: Final = Keyset(
    "dead letters", {"received_at": dead_letters.c.received_at, "id": dead_letters.c.id}, is_descending=True
)
_STATES: Final = {
    DeadLetterState.OPEN: and_(dead_letters.c.resolved_at.is_(None), dead_letters.c.discarded_at.is_(None)),
    DeadLetterState.RESOLVED: and_(dead_letters.c.resolved_at.is_not(None), dead_letters.c.discarded_at.is_(None)),
    DeadLetterState.DISCARDED: dead_letters.c.discarded_at.is_not(None),
}


def dead_letters_page(
    session: Session, *, organization_id: int, where: DeadLetterFilter, page: PageRequest
) -> Page[DeadLetter]:
    """Return one page, the last received first. One statement, and one more for the total if requested.

    Raises BadInputError for a cursor of another list.
    """
    rows = _KEYSET.page(session, select(dead_letters).where(*dead_letter_conditions(organization_id, where)), page)
    return rows.of([_of_row(row) for row in rows.items])


def dead_letter_groups(session: Session, *, organization_id: int, where: DeadLetterFilter) -> list[DeadLetterGroup]:
    """Return the number of dead letters by stage and code, the most first, at most GROUPS_MAX. One statement."""
    table = dead_letters.c
    rows = session.execute(
        select(
            table.stage,
            table.code,
            func.count().label("count"),
            func.count(table.device_id.distinct()).label("devices"),
            func.min(table.received_at).label("first"),
            func.max(table.received_at).label("last"),
            func.max(table.message).label("message"),
        )
        .where(*dead_letter_conditions(organization_id, where))
        .group_by(table.stage, table.code)
        .order_by(func.count().desc(), table.stage, table.code)
        .limit(GROUPS_MAX)
    )
    return [
        DeadLetterGroup(
            row.stage,
            row.code,
            row._mapping["count"],  # noqa: SLF001  (a row has a method of that name)
            row.devices,
            row.first.astimezone(UTC),
            row.last.astimezone(UTC),
            row.message,
        )
        for row in rows
    ]


def dead_letters_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, DeadLetter]:
    """Return the dead letters of these ids; one that does not exist is left out. One statement."""
    rows = session.execute(
        select(dead_letters).where(
            dead_letters.c.organization_id == organization_id,
            dead_letters.c.id == any_(cast(list(ids), ARRAY(Uuid))),
        )
    )
    return {row.id: _of_row(row) for row in rows}


def dead_letters_of_readings(
    session: Session, *, organization_id: int, raw_ids: Collection[int]
) -> dict[int, list[DeadLetter]]:
    """Return the dead letters of these readings, in every state, by raw id: by stage, then metric. One statement."""
    table = dead_letters.c
    rows = session.execute(
        select(dead_letters)
        .where(table.organization_id == organization_id, any_of(table.raw_id, raw_ids))
        .order_by(table.raw_id, table.stage, table.metric.nulls_first(), table.id)
    )
    result: dict[int, list[DeadLetter]] = {}
    for row in rows:
        result.setdefault(row.raw_id, []).append(_of_row(row))
    return result


def dead_letter_conditions(organization_id: int, where: DeadLetterFilter) -> list[ColumnElement[bool]]:
    """Return the filter as conditions on `dead_letters`."""
    table = dead_letters.c
    states = (DeadLetterState.OPEN,) if where.states is None else tuple(where.states)
    conditions: list[ColumnElement[bool]] = [
        table.organization_id == organization_id,
        or_(literal(False), *(_STATES[state] for state in states)),
    ]
    if where.ids is not None:
        conditions.append(table.id == any_(cast(list(where.ids), ARRAY(Uuid))))
    for column, words in ((table.stage, where.stages), (table.code, where.codes)):
        if words is not None:
            conditions.append(column == any_(cast(texts_storable(words), ARRAY(Text))))
    if where.device_id is not None:
        conditions.append(table.device_id == where.device_id)
    if where.begins is not None:
        conditions.append(table.received_at >= instant_utc(where.begins, path="from"))
    if where.ends is not None:
        conditions.append(table.received_at < instant_utc(where.ends, path="to"))
    return conditions


def _of_row(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        row.id,
        row.raw_id,
        row.device_id,
        row.stage,
        row.metric,
        row.code,
        row.message,
        row.payload,
        row.received_at.astimezone(UTC),
        row.attempts,
        row.failed_at.astimezone(UTC),
        None if row.resolved_at is None else row.resolved_at.astimezone(UTC),
        None if row.discarded_at is None else row.discarded_at.astimezone(UTC),
        row.discarded_by,
    )
