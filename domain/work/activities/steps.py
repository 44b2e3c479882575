"""The history of activities: write a step, read the steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, insert, text
from sqlalchemy.orm import Session

from domain.work.activities.model import Step, StepKind
from domain.work.activities.tables import activity_steps
from graph.change import GraphChange
from graph.json_bounds import text_check

NOTE_MAX_CHARS: Final = 2_000
# The newest so many of an activity are shown.
HISTORY_MAX: Final = 500
_HISTORY = text(
    """
    SELECT s.id, s.activity_id, s.recorded_at, s.actor, s.step, s.from_status, s.to_status, s.item_id, s.note,
        -- A confined caller may see the activity and not these.
        (SELECT e.id FROM entities e WHERE e.organization_id = s.organization_id AND e.id = s.person_id) AS person_id,
        (SELECT v.id FROM events v WHERE v.organization_id = s.organization_id AND v.id = s.event_id) AS event_id
    FROM (SELECT DISTINCT unnest(:ids) AS activity_id) w
    CROSS JOIN LATERAL (
        SELECT * FROM activity_steps s
        WHERE s.organization_id = :organization_id AND s.activity_id = w.activity_id
        ORDER BY s.recorded_at DESC, s.id DESC LIMIT :most
    ) s
    ORDER BY s.recorded_at, s.id
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))


def note_check(note: str | None) -> str | None:
    """Return a note. Raises BadInputError."""
    return None if note is None else text_check(note, path=("note",), max_chars=NOTE_MAX_CHARS)


def step_write(
    session: Session,
    *,
    change: GraphChange,
    activity_id: UUID,
    kind: StepKind,
    note: str | None = None,
    **values: Any,
) -> None:
    """Write a step. values: from_status, to_status, person_id, item_id, event_id, those it has."""
    steps_write(session, change=change, kind=kind, steps=[(activity_id, {"note": note, **values})])


def steps_write(
    session: Session, *, change: GraphChange, kind: StepKind, steps: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Write steps of one kind: (activity, values) each, all of which have the same values. One statement."""
    if not steps:
        return
    common = {
        "organization_id": change.organization_id,
        "recorded_at": change.recorded,
        "actor": change.actor,
        "step": kind.value,
        "note": None,
    }
    session.execute(
        insert(activity_steps),
        [{**common, "id": change.new_id(), "activity_id": activity_id, **values} for activity_id, values in steps],
    )


def activity_history_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, list[Step]]:
    """Return the steps of each activity, the oldest first; of the newest HISTORY_MAX. One statement."""
    history: dict[UUID, list[Step]] = {}
    rows = session.execute(_HISTORY, {"organization_id": organization_id, "ids": list(ids), "most": HISTORY_MAX})
    for row in rows:
        step = Step(
            row.id,
            row.activity_id,
            row.recorded_at.astimezone(UTC),
            row.actor,
            StepKind(row.step),
            row.from_status,
            row.to_status,
            row.person_id,
            row.item_id,
            row.event_id,
            row.note,
        )
        history.setdefault(row.activity_id, []).append(step)
    return history
