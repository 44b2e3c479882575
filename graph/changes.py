"""Read the audit trail: who changed what, and what an entity was like at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Text, Uuid, any_, cast, func, insert, null, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from graph.instants import instant_utc, known_resolve
from graph.json_bounds import text_is_storable
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.tables import changes
from graph.tenancy import scope_bound
from graph.texts import text_nfc

_KEYSET: Final = Keyset("changes", {"recorded_at": changes.c.recorded_at, "id": changes.c.id}, is_descending=True)


DENIED: Final = "denied"
# Members of an entity's state that name what may lie elsewhere than the entity: an event at another target of its own.
_OF_ELSEWHERE: Final = frozenset({"closingSuggestion"})


def denials_record(session: Session, *, organization_id: int, denials: Sequence[Mapping[str, Any]]) -> None:
    """Write denied attempts beside the changes: each an id, an actor, a subject and what was denied (`after`).

    They bear the time at which they are written. They are no changes of the graph: its clock and its revision stay.
    """
    common = {
        "organization_id": organization_id,
        "action": DENIED,
        "recorded_at": func.clock_timestamp(),
        "before": null(),
        "reason": None,
    }
    session.execute(insert(changes).values([{**common, **denial} for denial in denials]))


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the trail. before, after: the states, JSON in the contract's names; None: there was none.

    subject_type: entity, edge, entity_type, relationship, device_token, api_key, ... recorded_at: UTC.
    """

    id: UUID
    recorded_at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: UUID
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """Which entries; None: no condition; an empty collection: none. [begins, ends): of the time of recording."""

    subject_ids: Collection[UUID] | None = None
    actors: Collection[str] | None = None
    actions: Collection[str] | None = None
    begins: datetime | None = None
    ends: datetime | None = None


def changes_page(session: Session, *, organization_id: int, where: ChangeFilter, page: PageRequest) -> Page[Change]:
    """Return one page of the trail, newest first; those of one instant with the id drawn last first.

    One statement, and one more for the total if requested. Raises BadInputError for a cursor of another list.
    """
    rows = _KEYSET.page(session, select(changes).where(*_conditions(organization_id, where)), page)
    return rows.of(_changes_of(session, rows.items))


def changes_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, Change]:
    """Return the entries of these ids; one that does not exist is left out. One statement."""
    rows = session.execute(
        select(changes).where(
            changes.c.organization_id == organization_id, changes.c.id == any_(cast(list(ids), ARRAY(Uuid)))
        )
    )
    return {change.id: change for change in _changes_of(session, rows.all())}


def entities_as_recorded(
    session: Session, *, organization_id: int, ids: Collection[UUID], at: datetime
) -> dict[UUID, Change]:
    """Return, of each of these entities, the newest entry recorded by `at`: its `after` is the entity's state then.

    A deleted entity's state has its `deletedAt`. One that did not exist yet, or does not at all, is left out. Three
    statements. Raises BadInputError where `at` lies in the future.
    """
    instant = known_resolve(session, organization_id=organization_id, known_at=at, path="at")
    rows = session.execute(
        select(changes)
        .where(
            changes.c.organization_id == organization_id,
            changes.c.subject_id == any_(cast(list(ids), ARRAY(Uuid))),
            changes.c.subject_type == "entity",
            changes.c.recorded_at <= instant,
        )
        .ext(distinct_on(changes.c.subject_id))
        # Several entries of one change bear one instant; ids rise within it.
        .order_by(changes.c.subject_id, changes.c.recorded_at.desc(), changes.c.id.desc())
    )
    return {row.subject_id: _change_of_row(row) for row in rows}


def _conditions(organization_id: int, where: ChangeFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [changes.c.organization_id == organization_id]
    if where.subject_ids is not None:
        conditions.append(changes.c.subject_id == any_(cast(list(where.subject_ids), ARRAY(Uuid))))
    for column, words in ((changes.c.actor, where.actors), (changes.c.action, where.actions)):
        if words is not None:
            storable = [text_nfc(word) for word in words if text_is_storable(word)]
            conditions.append(column == any_(cast(storable, ARRAY(Text))))
    if where.begins is not None:
        conditions.append(changes.c.recorded_at >= instant_utc(where.begins, path="from"))
    if where.ends is not None:
        conditions.append(changes.c.recorded_at < instant_utc(where.ends, path="to"))
    return conditions


def _changes_of(session: Session, rows: Sequence[Row[Any]]) -> list[Change]:
    """Return the entries of rows; for a confined caller without what names things that it may not see."""
    entries = [_change_of_row(row) for row in rows]
    if scope_bound(session) is None:
        return entries
    return [replace(entry, before=_confined(entry.before), after=_confined(entry.after)) for entry in entries]


def _confined(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if state is None else {name: value for name, value in state.items() if name not in _OF_ELSEWHERE}


def _change_of_row(row: Row[Any]) -> Change:
    return Change(
        row.id,
        row.recorded_at.astimezone(UTC),
        row.actor,
        row.action,
        row.subject_type,
        row.subject_id,
        row.before,
        row.after,
        row.reason,
    )
