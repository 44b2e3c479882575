"""Assignees of activities, kept in step with the activity's state."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from domain.work.activities.lifecycle import ActivityState
from graph.change import GraphChange
from graph.edges.model import EdgeVersion
from graph.edges.operations import edges_cut
from graph.edges.queries import edges_touching_after
from graph.errors import ConflictError
from graph.relationships.builtin import ASSIGNED_TO


def assignments_of(session: Session, *, change: GraphChange, activity_id: UUID) -> list[EdgeVersion]:
    """Return the ASSIGNED_TO edges of an activity that are valid at the change or later."""
    return edges_touching_after(
        session,
        organization_id=change.organization_id,
        entity_id=activity_id,
        instant=change.recorded,
        concerned=lambda edge: edge.relationship == ASSIGNED_TO and edge.source_id == activity_id,
    )


def assignments_end(session: Session, *, change: GraphChange, edges: Sequence[EdgeVersion]) -> None:
    """End these edges at the change."""
    edges_cut(session, change=change, cuts=[(edge, edge.valid.split(change.recorded)[0]) for edge in edges])


def assignments_update(
    session: Session,
    *,
    change: GraphChange,
    activity_id: UUID,
    before: ActivityState,
    after: ActivityState,
    path: tuple[str, ...] = ("to",),
) -> None:
    """Keep assignments in step with a transition: ASSIGNED has an assignee, going back to OPEN has none.

    What was finished and is opened again stays with whom it was. Raises ConflictError at `path` where it would be
    ASSIGNED to nobody.
    """
    if after is not ActivityState.ASSIGNED and (before, after) != (ActivityState.ASSIGNED, ActivityState.OPEN):
        return
    assigned = assignments_of(session, change=change, activity_id=activity_id)
    if after is ActivityState.OPEN:
        assignments_end(session, change=change, edges=assigned)
    elif not assigned:
        raise ConflictError("It has no assignee; assign it to a person.", path=path)
