"""Replace an entity in its edges by another from an instant on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.edges.checks import Fact, deletion_check, ends_load
from graph.edges.conflicts import conflicts_load
from graph.edges.model import EdgeVersion
from graph.edges.operations import edges_cut, edges_write, version_new
from graph.edges.queries import edges_touching_after
from graph.edges.rules import Interval, kinds_check, loop_check
from graph.errors import ArgusError, BadInputError, NotFoundError
from graph.instants import instant_utc
from graph.relationships.queries import relationships_by_name


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
    moving = edges_touching_after(
        session,
        organization_id=change.organization_id,
        entity_id=target_id,
        instant=instant,
        concerned=lambda edge: edge.target_id == target_id and edge.relationship in relationships,
    )
    plan = _plan(session, change, moving, replacement_id, instant)
    facts = [(moved.fact, moved.before.exclusive) for moved in plan]
    leaving = {moved.before.edge_id for moved in plan}
    with _at_replacement():
        conflicts = conflicts_load(session, change=change, facts=facts, without=leaving)
        for moved in plan:
            deletion_check(moved.fact, moved.valid)
            conflicts.check(moved.fact, moved.valid, exclusive=moved.before.exclusive)
    cut = edges_cut(session, change=change, cuts=[(moved.before, moved.remainder) for moved in plan])
    created = [
        version_new(
            change=change,
            fact=moved.fact,
            valid=moved.valid,
            exclusive=moved.before.exclusive,
            metadata=moved.before.metadata,
        )
        for moved in plan
    ]
    placed = [(version, moved.fact.place) for version, moved in zip(created, plan, strict=True)]
    edges_write(session, change=change, versions=placed)
    return Replacement(cut, created)


@dataclass(frozen=True, slots=True)
class _Move:
    """An edge that moves: what remains of it, if anything, and what the replacement has from then on."""

    before: EdgeVersion
    remainder: Interval | None
    valid: Interval
    fact: Fact


def _plan(
    session: Session, change: GraphChange, moving: Sequence[EdgeVersion], replacement_id: UUID, instant: datetime
) -> list[_Move]:
    known = relationships_by_name(session, organization_id=change.organization_id)
    ends = ends_load(session, change=change, ids={replacement_id, *(edge.source_id for edge in moving)})
    plan = []
    for before in moving:
        remainder, moved = before.valid.split(instant)
        if moved is not None:
            relationship = known[before.relationship]
            fact = Fact(relationship, ends[before.source_id], ends[replacement_id], before.port)
            _fact_check(fact)
            plan.append(_Move(before, remainder, moved, fact))
    return plan


def _fact_check(fact: Fact) -> None:
    with _at_replacement():
        kinds_check(fact.relationship, fact.source.kind, fact.target.kind)
        loop_check(fact.relationship, fact.source.id, fact.target.id)
    if fact.relationship.hierarchy:
        message = f"{fact.relationship.name} is a hierarchy; its edges are moved one by one."
        raise BadInputError(message, path=("relationships",))


@contextmanager
def _at_replacement() -> Iterator[None]:
    """Have what is refused refused at the replacement."""
    try:
        yield
    except ArgusError as fault:
        fault.path = ("replacementId",)
        raise
