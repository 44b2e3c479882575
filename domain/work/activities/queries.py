"""Read the details of activities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlalchemy.orm import Session

from domain.plant.entity_kind import details_get
from domain.work.activities.lifecycle import ActivityState, state_of
from domain.work.activities.model import ACTIVITY, ActivityDetails, ActivitySource
from domain.work.activities.tables import activities, activity_steps
from graph.ids import EntityId
from graph.sql import any_of

_CURRENT = text(
    """
    SELECT u.n - 1 AS n, s.id, s.status FROM unnest(:rules, :targets) WITH ORDINALITY AS u (r, t, n)
    CROSS JOIN LATERAL (
        SELECT a.id, e.status FROM activities a
        JOIN entities e ON e.organization_id = a.organization_id AND e.id = a.id
        WHERE a.organization_id = :organization_id AND a.rule_id = u.r AND a.target_id = u.t
            AND e.deleted_at IS NULL
        ORDER BY a.holds_place DESC, e.created_at DESC, a.id DESC LIMIT 1
    ) s
    """
).bindparams(bindparam("rules", type_=ARRAY(Uuid)), bindparam("targets", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class CurrentActivity:
    """An activity of a rule and target."""

    id: UUID
    state: ActivityState


def activity_details_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[EntityId, ActivityDetails]:
    """Return the details of these activities; ids of anything else are left out. One statement."""
    result = details_get(session, organization_id=organization_id, spec=ACTIVITY, ids=ids)
    return {activity_id: ActivityDetails(**details) for activity_id, details in result.items()}


def checklist_get(session: Session, *, organization_id: int, activity_id: EntityId) -> Sequence[Mapping[str, Any]]:
    """Return the checklist of an activity that is there. One statement."""
    return activity_details_get(session, organization_id=organization_id, ids=[activity_id])[activity_id].checklist


def activity_sources_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[UUID, ActivitySource]:
    """Return where these activities come from; ids of anything else are left out. One statement."""
    table = activities.c
    rows = session.execute(
        select(table.id, table.template_id, table.rule_id, table.event_id, table.target_id).where(
            table.organization_id == organization_id, any_of(table.id, ids)
        )
    )
    return {row.id: ActivitySource(row.template_id, row.rule_id, row.event_id, row.target_id) for row in rows}


def activities_of_events(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[UUID, list[EntityId]]:
    """Return the activities of each event: that it made, or that it was noted at; the first first. One statement."""
    steps = activity_steps.c
    by_event: dict[UUID, list[EntityId]] = {}
    rows = session.execute(
        select(steps.event_id, steps.activity_id)
        .where(steps.organization_id == organization_id, any_of(steps.event_id, ids))
        .order_by(steps.recorded_at, steps.id)
    )
    for event_id, activity_id in rows:
        of_event = by_event.setdefault(event_id, [])
        if activity_id not in of_event:
            of_event.append(EntityId(activity_id))
    return by_event


def activities_current(
    session: Session, *, organization_id: int, pairs: Sequence[tuple[UUID, UUID]]
) -> list[CurrentActivity | None]:
    """Return the current activity of each (rule, target): the unfinished one, else the newest. One statement."""
    current: list[CurrentActivity | None] = [None] * len(pairs)
    if pairs:
        values = {"rules": [rule_id for rule_id, _ in pairs], "targets": [target_id for _, target_id in pairs]}
        for row in session.execute(_CURRENT, {"organization_id": organization_id, **values}):
            current[row.n] = CurrentActivity(row.id, state_of(row.status))
    return current
