"""Follow updates of events from a place in their log on, without a gap or a repeat.

Transactions that write to the log commit in another order than they begin. A place is therefore no position but a
*snapshot*: which transactions had committed when it was read. What comes after it is what that snapshot does not have
and the next one has, whoever was slow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.rules.events.queries import EventFilter, events_matching
from domain.rules.model import Event
from domain.telemetry.store.retention import EVENT_UPDATES
from graph.errors import BadInputError
from graph.instants import instant_read, instant_text
from graph.paging import CursorKey
from graph.tenancy import unscoped

# Updates that are read at once.
UPDATES_MAX: Final = 200
# A cursor is good for so long; its updates are retained a day longer.
CURSOR_AGE_MAX: Final = EVENT_UPDATES - timedelta(days=1)
_NAME: Final = "eventUpdates"
_SNAPSHOT: Final = re.compile(r"[0-9]{1,19}:[0-9]{1,19}:(?:[0-9]{1,19}(?:,[0-9]{1,19})*)?")

_NOW = "(SELECT system_identifier AS cluster, pg_current_snapshot() AS snapshot FROM pg_control_system())"
_END = text(f"SELECT n.cluster, CAST(n.snapshot AS text) AS snapshot FROM {_NOW} n")  # noqa: S608  (constants)
# The updates of whoever had not committed in `since`, and has in the snapshot up to which it is read: that of the page
# that was begun, or of this statement.
_BETWEEN = """
    FROM event_updates u
    WHERE u.organization_id = :organization_id AND u.cluster = n.cluster
        AND u.transaction >= pg_snapshot_xmin(CAST(:since AS pg_snapshot))
        AND NOT pg_visible_in_snapshot(u.transaction, CAST(:since AS pg_snapshot))
        AND pg_visible_in_snapshot(u.transaction, coalesce(CAST(:until AS pg_snapshot), n.snapshot))
"""
_AFTER = text(
    f"""
    SELECT n.cluster, CAST(n.snapshot AS text) AS snapshot, l.id, l.event_id, l.what
    FROM {_NOW} n LEFT JOIN LATERAL (
        SELECT u.id, u.event_id, u.what {_BETWEEN} AND u.id > :id ORDER BY u.id LIMIT :most
    ) l ON true
    ORDER BY l.id
    """  # noqa: S608  (constants)
)
_IS_NEW = text(
    f"SELECT n.cluster, CAST(n.snapshot AS text) AS snapshot, EXISTS (SELECT {_BETWEEN}) AS is_new"  # noqa: S608
    f" FROM {_NOW} n"
)


@dataclass(frozen=True, slots=True)
class EventLogEnd:
    """The end of the log: which transactions had committed, as PostgreSQL writes a snapshot, of which cluster."""

    cluster: int
    snapshot: str


@dataclass(frozen=True, slots=True)
class EventLogPlace:
    """A place in the log: what `since` had, and of what `until` had besides, that up to an id.

    until None: nothing besides. Ids are drawn when a row is written, so updates of one event are in order by them.
    read_at: when it was read; UTC.
    """

    cluster: int
    read_at: datetime
    since: str
    until: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class EventUpdate:
    """What happened to an event, and the event as it is now. what: a kind of event change or of annotation."""

    event: Event
    what: str
    place: EventLogPlace


@dataclass(frozen=True, slots=True)
class EventUpdates:
    """Updates after a place. place: where to read on. is_end: nothing is left for now."""

    updates: Sequence[EventUpdate]
    place: EventLogPlace
    is_end: bool


def event_updates_end(session: Session, *, organization_id: int, now: datetime) -> EventLogPlace:  # noqa: ARG001
    """Return the end of the log: whatever has not committed yet comes after it. One statement."""
    row = session.execute(_END).one()
    return EventLogPlace(row.cluster, now, row.snapshot)


def event_updates_look(session: Session, *, organization_id: int, seen: EventLogEnd | None) -> tuple[EventLogEnd, bool]:
    """Return the end of the log, and whether something has come since the end that was seen. One statement."""
    if seen is None:
        row = session.execute(_END).one()
        return EventLogEnd(row.cluster, row.snapshot), True
    values = {"organization_id": organization_id, "since": seen.snapshot, "until": None}
    row = session.execute(_IS_NEW, values).one()
    return EventLogEnd(row.cluster, row.snapshot), row.is_new or row.cluster != seen.cluster


def event_updates(
    session: Session, *, organization_id: int, after: EventLogPlace, where: EventFilter, now: datetime
) -> EventUpdates:
    """Return the next updates of the events that fit a filter as they are now, at most UPDATES_MAX.

    Four statements at most. Raises BadInputError where the place is of another database.
    """
    values = {
        "organization_id": organization_id,
        "since": after.since,
        "until": after.until,
        "id": after.id,
        "most": UPDATES_MAX,
    }
    # The log is the same for all; a confined caller sees its own events of what is found.
    with unscoped(session):
        rows = session.execute(_AFTER, values).all()
    cluster, until = rows[0].cluster, after.until or rows[0].snapshot
    if cluster != after.cluster:
        message = "The cursor is of another database. List the events, and subscribe without it."
        raise BadInputError(message, path=("after",))
    changed = [row for row in rows if row.id is not None]
    places = [EventLogPlace(cluster, now, after.since, until, row.id) for row in changed]
    ids = list(dict.fromkeys(row.event_id for row in changed))
    [events] = events_matching(session, organization_id=organization_id, ids=ids, filters=[where]) if ids else [[]]
    by_id: dict[UUID, Event] = {event.id: event for event in events}
    updates = [
        EventUpdate(by_id[row.event_id], row.what, place)
        for row, place in zip(changed, places, strict=True)
        if row.event_id in by_id
    ]
    if len(changed) == UPDATES_MAX:
        return EventUpdates(updates, places[-1], False)
    # All of that snapshot was read. Behind a cursor within a page there may be more since.
    return EventUpdates(updates, EventLogPlace(cluster, now, until), after.until is None)


def place_key(place: EventLogPlace) -> CursorKey:
    """Return a place as the values of a cursor."""
    return (
        _NAME,
        str(place.cluster),
        instant_text(place.read_at),
        place.since,
        place.until,
        str(place.id),
    )


def place_of_key(key: CursorKey, *, now: datetime) -> EventLogPlace:
    """Return the place of a cursor's values.

    Raises BadInputError where another list or feed made the cursor, or it is older than CURSOR_AGE_MAX.
    """
    place = _place(key)
    if place is None:
        raise BadInputError("This cursor does not belong to this subscription.", path=("after",))
    if now - place.read_at > CURSOR_AGE_MAX:
        message = f"The cursor is older than {CURSOR_AGE_MAX.days} days. List the events, and subscribe without it."
        raise BadInputError(message, path=("after",))
    return place


def _place(key: CursorKey) -> EventLogPlace | None:
    try:
        made_by, cluster, read, since, until, identity = key
        read_at = instant_read(str(read))
        numbers = [int(str(number)) for number in (cluster, identity)]
    except ValueError:
        return None
    snapshots = [since] if until is None else [since, until]
    is_ours = (
        made_by == _NAME
        and read_at is not None
        and all(isinstance(item, str) and _is_snapshot(item) for item in snapshots)
        and all(-(2**63) <= number < 2**63 for number in numbers)
    )
    if not is_ours or read_at is None:
        return None
    return EventLogPlace(numbers[0], read_at, str(since), None if until is None else str(until), numbers[1])


def _is_snapshot(value: str) -> bool:
    """Return whether PostgreSQL reads a text as a snapshot: xmin:xmax:running, in order, within these bounds."""
    if not _SNAPSHOT.fullmatch(value):
        return False
    least, most, running = value.split(":")
    ids = [int(item) for item in running.split(",")] if running else []
    bounds_hold = 0 < int(least) <= int(most) < 2**63
    return bounds_hold and ids == sorted(set(ids)) and all(int(least) <= item < int(most) for item in ids)
