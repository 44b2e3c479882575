"""Make entities parts of another one, from a change on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.edges.bulk import DRAFTS_MAX, EdgeDraft, edges_create
from graph.edges.model import EdgeVersion
from graph.edges.operations import edges_cut
from graph.edges.queries import edges_touching_after_many
from graph.entities.model import Entity
from graph.errors import ArgusError
from graph.kinds import EntityKind
from graph.relationships.builtin import CONTAINS, HAS_PART

# From a parent to its part, by the kind of both.
PARENT_RELATIONSHIPS: Final = {EntityKind.ASSET: HAS_PART, EntityKind.SPACE: CONTAINS}


def parents_set(
    session: Session, *, change: GraphChange, children: Sequence[Entity], parent_id: UUID | None
) -> tuple[set[UUID], dict[UUID, ArgusError]]:
    """Make entities parts of a parent of their kind alone, or of none; return which were moved, and why not others.

    What they are a part of at the change ends then. children: assets or spaces, of the parent's kind.
    Refused are those that would be above themselves, or whose parent a confined caller does not see.
    """
    kinds = {child.id: child.kind for child in children}

    def is_parent_now(edge: EdgeVersion) -> bool:
        kind = kinds.get(edge.target_id)
        is_of = kind is not None and edge.relationship == PARENT_RELATIONSHIPS[kind]
        return is_of and edge.valid.contains(change.recorded)

    edges, beyond = edges_touching_after_many(
        session,
        organization_id=change.organization_id,
        entity_ids=list(kinds),
        instant=change.recorded,
        concerned=is_parent_now,
    )
    refused: dict[UUID, ArgusError] = dict(beyond)
    ended: dict[UUID, list[EdgeVersion]] = {child.id: [] for child in children}
    at_home = set()
    for edge in edges:
        if edge.source_id == parent_id:
            at_home.add(edge.target_id)
        else:
            ended[edge.target_id].append(edge)
    while True:
        moved = [
            child
            for child in children
            if child.id not in refused and (ended[child.id] or (parent_id is not None and child.id not in at_home))
        ]
        arriving = [child for child in moved if parent_id is not None and child.id not in at_home]
        savepoint = session.begin_nested()
        cuts = [(edge, edge.valid.split(change.recorded)[0]) for child in moved for edge in ended[child.id]]
        edges_cut(session, change=change, cuts=cuts)
        errors = _arrive(session, change, arriving, parent_id)
        if not errors:
            savepoint.commit()
            return {child.id for child in moved}, refused
        # The others once more, without those: what was refused is a part of what it was.
        savepoint.rollback()
        refused |= errors


def _arrive(
    session: Session, change: GraphChange, arriving: Sequence[Entity], parent_id: UUID | None
) -> dict[UUID, ArgusError]:
    errors: dict[UUID, ArgusError] = {}
    if parent_id is None:
        return errors
    for first in range(0, len(arriving), DRAFTS_MAX):
        batch = arriving[first : first + DRAFTS_MAX]
        drafts = [
            EdgeDraft(source_id=parent_id, target_id=child.id, relationship=PARENT_RELATIONSHIPS[child.kind])
            for child in batch
        ]
        for child, made in zip(batch, edges_create(session, change=change, drafts=drafts), strict=True):
            if isinstance(made, ArgusError):
                made.path = ("parentId",)
                errors[child.id] = made
    return errors
