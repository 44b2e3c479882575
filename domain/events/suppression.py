"""Times in which events open, but nothing follows from them: shelves, and maintenance windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from domain.rules.tables import maintenance_windows, rules, shelves
from graph.change import GraphChange, change_record
from graph.entities.queries import entities_get
from graph.errors import BadInputError, NotFoundError
from graph.instants import instant_utc
from graph.json_bounds import text_check

NOTE_MAX_CHARS: Final = 4_000
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A shelf or a maintenance window: over [begins, ends), event time, UTC."""

    id: UUID
    begins: datetime
    ends: datetime
    note: str | None
    rule_id: UUID | None = None
    entity_id: UUID | None = None
    under_id: UUID | None = None


def events_shelve(
    session: Session,
    *,
    change: GraphChange,
    rule_id: UUID | None,
    entity_id: UUID | None,
    ends: datetime,
    begins: datetime | None = None,
    note: str | None = None,
) -> Suppression:
    """Let nothing follow from events of a rule, of an entity, or of a rule at an entity that open within a time.

    Raises BadInputError where neither is named or the time is none, NotFoundError for a rule or an entity there is not.
    """
    if rule_id is None and entity_id is None:
        raise BadInputError("Name a rule, an entity, or both.", path=("ruleId",))
    if rule_id is not None:
        named = select(rules.c.id).where(rules.c.organization_id == change.organization_id, rules.c.id == rule_id)
        if session.execute(named).one_or_none() is None:
            raise NotFoundError(f"There is no rule {rule_id}.", path=("ruleId",))
    _entity_check(session, change, entity_id, "entityId")
    shelf = _suppression(change, begins, ends, note)
    session.execute(insert(shelves).values(**_row(change, shelf), rule_id=rule_id, entity_id=entity_id))
    return _told(session, change, "shelf", Suppression(*shelf, rule_id=rule_id, entity_id=entity_id))


def events_unshelve(session: Session, *, change: GraphChange, shelf_id: UUID) -> Suppression:
    """End a shelf now; what opened by then stays suppressed. Raises NotFoundError for none, or one that is over."""
    where = (shelves.c.organization_id == change.organization_id, shelves.c.id == shelf_id)
    row = session.execute(select(shelves).where(*where, shelves.c.ends > change.recorded)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no shelf {shelf_id} that is not over.", path=("id",))
    # One that has not begun never does: it is left with no more than an instant, which is over.
    begins = min(row.begins.astimezone(UTC), change.recorded - _INSTANT)
    session.execute(update(shelves).where(*where).values(begins=begins, ends=change.recorded))
    ended = Suppression(shelf_id, begins, change.recorded, row.note, row.rule_id, row.entity_id)
    return _told(session, change, "shelf", ended, action="ended")


def maintenance_create(
    session: Session,
    *,
    change: GraphChange,
    under_id: UUID | None,
    ends: datetime,
    begins: datetime | None = None,
    note: str | None = None,
) -> Suppression:
    """Let nothing follow from events that open within a time below an entity, or anywhere.

    Raises BadInputError where the time is none, NotFoundError for an entity there is not.
    """
    _entity_check(session, change, under_id, "underId")
    window = _suppression(change, begins, ends, note)
    session.execute(insert(maintenance_windows).values(**_row(change, window), under_id=under_id))
    return _told(session, change, "maintenance_window", Suppression(*window, under_id=under_id))


_Span = tuple[UUID, datetime, datetime, str | None]


def _suppression(change: GraphChange, begins: datetime | None, ends: datetime, note: str | None) -> _Span:
    first = change.recorded if begins is None else instant_utc(begins, path="from")
    last = instant_utc(ends, path="to")
    if first >= last:
        raise BadInputError("It must end after it begins.", path=("to",))
    if note is not None:
        text_check(note, path=("note",), max_chars=NOTE_MAX_CHARS)
    return change.new_id(), first, last, note


def _row(change: GraphChange, span: _Span) -> dict[str, object]:
    identity, begins, ends, note = span
    return {
        "organization_id": change.organization_id,
        "id": identity,
        "begins": begins,
        "ends": ends,
        "note": note,
        "created_at": change.recorded,
        "actor": change.actor,
    }


def _entity_check(session: Session, change: GraphChange, entity_id: UUID | None, name: str) -> None:
    if entity_id is None:
        return
    if entity_id not in entities_get(session, organization_id=change.organization_id, ids=[entity_id]):
        raise NotFoundError(f"There is no entity {entity_id}.", path=(name,))


def _told(
    session: Session, change: GraphChange, subject: str, what: Suppression, *, action: str = "created"
) -> Suppression:
    named = {"ruleId": what.rule_id, "entityId": what.entity_id, "underId": what.under_id}
    change_record(
        session,
        change=change,
        action=action,
        subject_type=subject,
        subject_id=what.id,
        before=None,
        after={
            **{name: str(value) for name, value in named.items() if value is not None},
            "from": what.begins.isoformat(),
            "to": what.ends.isoformat(),
            "note": what.note,
        },
    )
    return what
