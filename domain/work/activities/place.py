"""The place of automatic activities: of one rule and target, only one is unfinished at a time."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.work.activities.lifecycle import state_of
from domain.work.activities.tables import activities
from graph.change import GraphChange
from graph.errors import ConflictError


def place_check(
    session: Session,
    *,
    change: GraphChange,
    activity_id: UUID,
    before: str,
    after: str,
    path: tuple[str, ...] = ("id",),
) -> None:
    """Raise ConflictError where a reopened activity would be the second of its rule and target."""
    if not state_of(before).is_finished or state_of(after).is_finished:
        return
    mine = activities.alias()
    other = session.execute(
        select(activities.c.id)
        .join(
            mine,
            (mine.c.organization_id == activities.c.organization_id)
            & (mine.c.rule_id == activities.c.rule_id)
            & (mine.c.target_id == activities.c.target_id),
        )
        .where(
            mine.c.organization_id == change.organization_id,
            mine.c.id == activity_id,
            activities.c.holds_place,
            activities.c.id != activity_id,
        )
    ).scalar_one_or_none()
    if other is not None:
        message = f"The activity {other} of the same rule and target is unfinished; continue that one."
        raise ConflictError(message, path=path)
