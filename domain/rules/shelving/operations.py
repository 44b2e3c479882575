"""Shelve events for a time, and set maintenance windows; end either early."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.orm import Session

from domain.rules.queries import rule_get
from domain.rules.shelving.model import MaintenanceWindow, Shelf
from domain.rules.shelving.queries import maintenance_windows_get, shelves_get
from domain.rules.tables import maintenance_windows, shelves
from graph.change import GraphChange, change_record
from graph.entities.queries import entities_get
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from graph.instants import instant_utc
from graph.json_bounds import text_check

NOTE_MAX_CHARS: Final = 10_000
LENGTH_MAX: Final = timedelta(days=366)
# Of an organization, those that are not over yet.
SHELVES_MAX: Final = 1_000
# Of an organization, those that are over too: they may be about the past.
WINDOWS_MAX: Final = 10_000

T = TypeVar("T", Shelf, MaintenanceWindow)


def shelf_create(
    session: Session,
    *,
    change: GraphChange,
    rule_id: UUID | None,
    entity_id: UUID | None,
    ends: datetime,
    begins: datetime | None = None,
    note: str | None = None,
) -> Shelf:
    """Shelve events of a rule, at an entity, or both, that open in [begins, ends). begins None: now.

    Raises BadInputError where neither rule nor entity is given, or for a span that is empty or longer than 366 days;
    NotFoundError; LimitExceededError above SHELVES_MAX that are not over.
    """
    organization_id = change.organization_id
    if rule_id is None and entity_id is None:
        raise BadInputError("A shelf is for a rule, an entity, or one at the other.", path=("ruleId",))
    if rule_id is not None:
        try:
            rule_get(session, organization_id=organization_id, rule_id=rule_id)
        except NotFoundError as error:
            raise NotFoundError(error.message, path=("ruleId",)) from None
    if entity_id is not None:
        _entity_check(session, organization_id, entity_id, "entityId")
    values = {"rule_id": rule_id, "entity_id": entity_id, **_span(change, begins, ends, note)}
    here = (shelves.c.organization_id == organization_id, shelves.c.ends > change.recorded)
    if session.execute(select(func.count()).where(*here)).scalar_one() >= SHELVES_MAX:
        raise LimitExceededError(f"An organization has at most {SHELVES_MAX} shelves that are not over.")
    return _make(session, change, shelves, shelves_get, values)


def shelf_end(session: Session, *, change: GraphChange, shelf_id: UUID) -> Shelf:
    """End a shelf now; one that had not begun is no more. Raises NotFoundError."""
    return _end(session, change, shelves, shelves_get, shelf_id)


def maintenance_window_create(
    session: Session,
    *,
    change: GraphChange,
    under_id: UUID | None,
    ends: datetime,
    begins: datetime | None = None,
    note: str | None = None,
) -> MaintenanceWindow:
    """Create a maintenance window over [begins, ends) of event time. begins None: now. under_id None: anywhere.

    Side effects so far stay. Raises BadInputError for a span that is empty or longer than 366 days;
    NotFoundError; LimitExceededError above WINDOWS_MAX.
    """
    organization_id = change.organization_id
    if under_id is not None:
        _entity_check(session, organization_id, under_id, "underId")
    values = {"under_id": under_id, **_span(change, begins, ends, note)}
    here = maintenance_windows.c.organization_id == organization_id
    if session.execute(select(func.count()).where(here)).scalar_one() >= WINDOWS_MAX:
        raise LimitExceededError(f"An organization has at most {WINDOWS_MAX} maintenance windows.")
    return _make(session, change, maintenance_windows, maintenance_windows_get, values)


def maintenance_window_end(session: Session, *, change: GraphChange, window_id: UUID) -> MaintenanceWindow:
    """End a window now; one that had not begun is no more. Raises NotFoundError."""
    return _end(session, change, maintenance_windows, maintenance_windows_get, window_id)


def _entity_check(session: Session, organization_id: int, entity_id: UUID, name: str) -> None:
    if not entities_get(session, organization_id=organization_id, ids=[entity_id]):
        raise NotFoundError(f"There is no entity {entity_id}.", path=(name,))


def _span(change: GraphChange, begins: datetime | None, ends: datetime, note: str | None) -> dict[str, Any]:
    if note is not None:
        text_check(note, path=("note",), max_chars=NOTE_MAX_CHARS)
    first = change.recorded if begins is None else instant_utc(begins, path="from")
    last = instant_utc(ends, path="to")
    if not first < last <= first + LENGTH_MAX:
        raise BadInputError("It ends after it begins, and within 366 days.", path=("to",))
    return {"begins": first, "ends": last, "note": note}


def _make(
    session: Session, change: GraphChange, table: Table, get: Callable[..., Mapping[UUID, T]], values: dict[str, Any]
) -> T:
    new_id_ = change.new_id()
    about = {"organization_id": change.organization_id, "created_at": change.recorded, "actor": change.actor}
    session.execute(insert(table), {"id": new_id_, **about, **values})
    created = get(session, organization_id=change.organization_id, ids=[new_id_])[new_id_]
    _record(session, change, "created", None, created)
    return created


def _end(
    session: Session, change: GraphChange, table: Table, get: Callable[..., Mapping[UUID, T]], identity: UUID
) -> T:
    organization_id = change.organization_id
    before = get(session, organization_id=organization_id, ids=[identity]).get(identity)
    if before is None:
        raise NotFoundError(f"There is nothing to end with the id {identity}.", path=("id",))
    if before.ends <= change.recorded:
        return before
    this = (table.c.organization_id == organization_id, table.c.id == identity)
    if before.begins >= change.recorded:
        session.execute(delete(table).where(*this))
        _record(session, change, "deleted", before, None)
        return before
    session.execute(update(table).where(*this).values(ends=change.recorded))
    after = get(session, organization_id=organization_id, ids=[identity])[identity]
    _record(session, change, "updated", before, after)
    return after


def _record(session: Session, change: GraphChange, action: str, before: T | None, after: T | None) -> None:
    subject = after or before
    if subject is not None:
        change_record(
            session,
            change=change,
            action=action,
            subject_type="shelf" if isinstance(subject, Shelf) else "maintenance_window",
            subject_id=subject.id,
            before=None if before is None else _state(before),
            after=None if after is None else _state(after),
        )


def _state(what: Shelf | MaintenanceWindow) -> dict[str, Any]:
    if isinstance(what, Shelf):
        about = {"ruleId": what.rule_id, "entityId": what.entity_id}
    else:
        about = {"underId": what.under_id}
    return {
        **{name: None if item is None else str(item) for name, item in about.items()},
        "from": what.begins.isoformat(),
        "to": what.ends.isoformat(),
        "note": what.note,
    }
