"""Find the entities that changed since a place in the audit trail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.orm import Session

from graph.entities.model import Entity
from graph.entities.queries import entities_get
from graph.kinds import EntityKind
from graph.tables import INSTANT
from graph.tenancy import unscoped

# Entries of the trail that are looked at in one go.
ENTRIES_MAX: Final = 100

_END = text(
    "SELECT recorded_at, id FROM changes WHERE organization_id = :organization_id AND action <> 'denied'"
    " ORDER BY recorded_at DESC, id DESC LIMIT 1"
)
_SINCE = text(
    """
    SELECT recorded_at, id, subject_type, subject_id FROM changes
    WHERE organization_id = :organization_id AND (recorded_at, id) > (:at, :id) AND action <> 'denied'
    ORDER BY recorded_at, id LIMIT :most
    """
).bindparams(bindparam("at", type_=INSTANT), bindparam("id", type_=Uuid))


@dataclass(frozen=True, slots=True)
class TrailPlace:
    """A place in the trail: after this entry. The trail only ever grows at its end.

    Denied attempts are left out: they change nothing, and are written beside the changes, in no order with these.
    """

    recorded_at: datetime
    id: UUID


_BEGINNING: Final = TrailPlace(datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class ChangedEntities:
    """Changed entities up to a place: each once, in its current state. is_end: nothing is left."""

    entities: list[Entity]
    place: TrailPlace
    is_end: bool


def trail_end(session: Session, *, organization_id: int) -> TrailPlace:
    """Return the end of the trail. Whoever commits later is found after it: changes of an organization take turns."""
    with unscoped(session):
        row = session.execute(_END, {"organization_id": organization_id}).one_or_none()
    return _BEGINNING if row is None else TrailPlace(row.recorded_at, row.id)


def entities_changed(
    session: Session,
    *,
    organization_id: int,
    after: TrailPlace,
    ids: Collection[UUID] | None = None,
    kinds: Collection[EntityKind] | None = None,
) -> ChangedEntities:
    """Return the entities that changed after a place, in the order of their first change; deleted ones too.

    ids, kinds: only those; None: all. An edge's change is none of its ends'. Two statements at most.
    """
    # Places in the trail are the same for all; a confined caller sees its own entities of what is found.
    with unscoped(session):
        rows = session.execute(
            _SINCE, {"organization_id": organization_id, "at": after.recorded_at, "id": after.id, "most": ENTRIES_MAX}
        ).all()
    if not rows:
        return ChangedEntities([], after, True)
    wanted = None if ids is None else set(ids)
    changed = dict.fromkeys(
        row.subject_id for row in rows if row.subject_type == "entity" and (wanted is None or row.subject_id in wanted)
    )
    entities = entities_get(session, organization_id=organization_id, ids=list(changed))
    entities_shown = [
        entities[item] for item in changed if item in entities and (kinds is None or entities[item].kind in kinds)
    ]
    return ChangedEntities(entities_shown, TrailPlace(rows[-1].recorded_at, rows[-1].id), len(rows) < ENTRIES_MAX)
