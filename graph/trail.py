"""Follow the audit trail: the changes of a graph in the order in which they were committed.

The changes of an organization take turns, and each bears a later instant than the one before. So a place in the trail
leaves nothing behind it that is committed later: who reads on from the last entry read misses nothing and gets nothing
twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.orm import Session

from graph.errors import BadInputError
from graph.instants import instant_read, instant_text
from graph.paging import CursorKey
from graph.tables import INSTANT
from graph.tenancy import unscoped

# Entries of the trail that are read at once.
ENTRIES_MAX: Final = 100

_END = text(
    "SELECT recorded_at, id FROM changes WHERE organization_id = :organization_id AND action <> 'denied'"
    " ORDER BY recorded_at DESC, id DESC LIMIT 1"
)
_AFTER = text(
    """
    SELECT recorded_at, id, action, subject_type, subject_id,
        CASE subject_type WHEN 'edge' THEN coalesce(after, before) END AS edge
    FROM changes
    WHERE organization_id = :organization_id AND (recorded_at, id) > (:at, :id) AND action <> 'denied'
    ORDER BY recorded_at, id LIMIT :most
    """
).bindparams(bindparam("at", type_=INSTANT), bindparam("id", type_=Uuid))


@dataclass(frozen=True, slots=True, order=True)
class TrailPlace:
    """A place in the trail: after this entry.

    Denied attempts are left out: they change nothing, and are written beside the changes, in no order with these.
    """

    recorded_at: datetime
    id: UUID


BEGINNING: Final = TrailPlace(datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """What was done to one subject. edge: of an edge, its state after the change, or before where there is none after.

    subject_type: entity, edge, ... as in the trail. place: that of the entry itself.
    """

    place: TrailPlace
    action: str
    subject_type: str
    subject_id: UUID
    edge: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Entries after a place. place: where to read on. is_end: nothing is left for now."""

    entries: Sequence[TrailEntry]
    place: TrailPlace
    is_end: bool


def trail_end(session: Session, *, organization_id: int) -> TrailPlace:
    """Return the end of the trail; whatever is committed later comes after it. One statement."""
    with unscoped(session):
        row = session.execute(_END, {"organization_id": organization_id}).one_or_none()
    return BEGINNING if row is None else TrailPlace(row.recorded_at.astimezone(UTC), row.id)


def trail_look(session: Session, *, organization_id: int, seen: TrailPlace | None) -> tuple[TrailPlace, bool]:
    """Return the end of the trail, and whether it is another than the one seen."""
    end = trail_end(session, organization_id=organization_id)
    return end, end != seen


def trail_after(session: Session, *, organization_id: int, after: TrailPlace) -> TrailPage:
    """Return the next entries after a place, at most ENTRIES_MAX. One statement.

    Those of the whole organization, of a confined caller too: it may be shown what it sees of their subjects, no more.
    """
    values = {"organization_id": organization_id, "at": after.recorded_at, "id": after.id, "most": ENTRIES_MAX}
    with unscoped(session):
        rows = session.execute(_AFTER, values).all()
    entries = [
        TrailEntry(
            TrailPlace(row.recorded_at.astimezone(UTC), row.id), row.action, row.subject_type, row.subject_id, row.edge
        )
        for row in rows
    ]
    return TrailPage(entries, entries[-1].place if entries else after, len(rows) < ENTRIES_MAX)


def place_key(place: TrailPlace, *, name: str) -> CursorKey:
    """Return a place as the values of a cursor. name: of the list or feed that the cursor is good for."""
    return (name, instant_text(place.recorded_at), str(place.id))


def place_of_key(key: CursorKey, *, name: str) -> TrailPlace:
    """Return the place of a cursor's values. Raises BadInputError where another list or feed made the cursor."""
    try:
        made_by, recorded, identity = key
        recorded_at = instant_read(str(recorded))
        if made_by == name and recorded_at is not None:
            return TrailPlace(recorded_at, UUID(str(identity)))
    except ValueError:
        pass
    raise BadInputError("This cursor does not belong to this subscription.", path=("after",))
