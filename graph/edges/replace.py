"""Replace an entity in its edges by another from an instant on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.edges.checks import Fact, ends_load, fact_check, fact_load
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_cut, edge_write
from graph.edges.queries import edges_touching_after
from graph.edges.rules import Interval, kinds_check, loop_check
from graph.errors import ArgusError, BadInputError, NotFoundError
from graph.instants import instant_utc


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a replacement did. cut: the old target's edges, ended or retracted; created: the new target's."""

    cut: list[EdgeVersion]
    created: list[EdgeVersion]


def edges_replace_target(
    session: Session,
    *,
    change: GraphChange,
    target_id: UUID,
    replacement_id: UUID,
    relationships: Collection[str],
    at: datetime | None = None,
) -> Replacement:
    """Redirect the edges over `relationships` that lead to `target_id` to `replacement_id`, from `at` on.

    at: default the change. An edge valid at `at` is split there, one that begins at or after it moves whole,
    one that ended by then stays. Port, metadata, the end of validity and whether it is exclusive go along. For
    relationships that are no hierarchy.
    Raises NotFoundError for the replacement, and refuses all of it with KindNotAllowedError, OverlapError or
    ConflictError where one edge cannot move.
    """
    instant = change.recorded if at is None else instant_utc(at, path="at")
    if replacement_id == target_id:
        raise BadInputError("An entity cannot replace itself.", path=("replacementId",))
    if replacement_id not in ends_load(session, change=change, ids=[replacement_id]):
        raise NotFoundError(f"There is no entity {replacement_id}.", path=("replacementId",))
    moving = [
        before
        for before in edges_touching_after(
            session, organization_id=change.organization_id, entity_id=target_id, instant=instant
        )
        if before.target_id == target_id and before.relationship in relationships
    ]
    plan: list[tuple[EdgeVersion, Interval | None, Interval, Fact]] = []
    for before in moving:
        remainder, moved = before.valid.split(instant)
        if moved is not None:
            plan.append((before, remainder, moved, _successor(session, change, before, replacement_id)))
    leaving = [before.edge_id for before, *_ in plan]
    for before, _, moved, fact in plan:
        try:
            fact_check(session, change=change, fact=fact, valid=moved, exclusive=before.exclusive, without=leaving)
        except ArgusError as fault:
            fault.path = ("replacementId",)
            raise
    cut = [edge_cut(session, change=change, before=before, remainder=remainder) for before, remainder, *_ in plan]
    created = [
        edge_write(session, change=change, fact=fact, valid=moved, exclusive=before.exclusive, metadata=before.metadata)
        for before, _, moved, fact in plan
    ]
    return Replacement(cut, created)


def _successor(session: Session, change: GraphChange, before: EdgeVersion, replacement_id: UUID) -> Fact:
    try:
        fact = fact_load(
            session,
            change=change,
            source_id=before.source_id,
            target_id=replacement_id,
            relationship=before.relationship,
            port=before.port,
        )
        kinds_check(fact.relationship, fact.source.kind, fact.target.kind)
        loop_check(fact.relationship, fact.source.id, fact.target.id)
    except ArgusError as fault:
        fault.path = ("replacementId",)
        raise
    if fact.relationship.hierarchy:
        message = f"{fact.relationship.name} is a hierarchy; its edges are moved one by one."
        raise BadInputError(message, path=("relationships",))
    return fact
