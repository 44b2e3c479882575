"""Create, change spaces. Deleting and restoring is the same for all kinds: domain/nodes/operations.py."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.error_paths import path_renamed
from domain.plant.entity_kind import typed_entity_create, typed_entity_update
from domain.plant.spaces.model import SPACE
from graph.change import GraphChange
from graph.edges.operations import edge_create
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entity_get
from graph.kinds import EntityKind
from graph.relationships.builtin import CONTAINS


def space_create(session: Session, *, change: GraphChange, draft: EntityDraft, parent_id: UUID | None = None) -> Entity:
    """Create a space; contained (CONTAINS) in its parent from the change on, if one is given.

    Raises BadInputError, LimitExceededError, ConflictError where its external id is taken, NotFoundError where
    the parent is no space.
    """
    if parent_id is not None:
        entity_get(
            session,
            organization_id=change.organization_id,
            entity_id=parent_id,
            kind=EntityKind.SPACE,
            path=("parentId",),
        )
    created = typed_entity_create(session, change=change, spec=SPACE, draft=draft)
    if parent_id is not None:
        with path_renamed(sourceId="parentId"):
            edge_create(session, change=change, source_id=parent_id, target_id=created.id, relationship=CONTAINS)
    return created


def space_update(session: Session, *, change: GraphChange, space_id: UUID, patch: EntityPatch) -> Entity:
    """Change a space. Raises NotFoundError, BadInputError, LimitExceededError, ConflictError."""
    return typed_entity_update(session, change=change, spec=SPACE, entity_id=space_id, patch=patch)
