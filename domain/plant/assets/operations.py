"""Create, change assets. Deleting and restoring is the same for all kinds: domain/nodes/operations.py."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.error_paths import path_renamed
from domain.plant.assets.model import ASSET
from domain.plant.entity_kind import typed_entity_create, typed_entity_update
from graph.change import GraphChange
from graph.edges.operations import edge_create
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entity_get
from graph.kinds import EntityKind
from graph.relationships.builtin import HAS_PART


def asset_create(
    session: Session,
    *,
    change: GraphChange,
    draft: EntityDraft,
    parent_id: UUID | None = None,
    profile_id: UUID | None = None,
) -> Entity:
    """Create an asset; as a part (HAS_PART) of its parent from the change on, if one is given.

    profile_id: a profile there is, which the asset uses.

    Raises BadInputError, LimitExceededError, ConflictError where its external id is taken, NotFoundError where
    the parent is no asset.
    """
    if parent_id is not None:
        entity_get(
            session,
            organization_id=change.organization_id,
            entity_id=parent_id,
            kind=EntityKind.ASSET,
            path=("parentId",),
        )
    created = typed_entity_create(session, change=change, spec=ASSET, draft=draft, details={"profile_id": profile_id})
    if parent_id is not None:
        with path_renamed(sourceId="parentId"):
            edge_create(session, change=change, source_id=parent_id, target_id=created.id, relationship=HAS_PART)
    return created


def asset_update(session: Session, *, change: GraphChange, asset_id: UUID, patch: EntityPatch) -> Entity:
    """Change an asset. Raises NotFoundError, BadInputError, LimitExceededError, ConflictError."""
    return typed_entity_update(session, change=change, spec=ASSET, entity_id=asset_id, patch=patch)
