"""Create, change, delete and restore entities, within a change, which holds the organization's lock.

All is looked up before anything is written: a function that raises has changed nothing. What a kind has besides
(its details) is written by the domain; here it goes into the audit trail beside the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from graph.absent import ABSENT, Absent
from graph.change import GraphChange, change_record
from graph.edges.operations import edges_end_of_entity
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entities_get, entity_by_external_id, entity_get
from graph.entities.rows import entity_state
from graph.entities.rules import STATUS_DEFAULT, draft_values, patch_values
from graph.entities.types import type_ensure
from graph.errors import BadInputError, ConflictError, NotFoundError
from graph.ids import EntityId
from graph.instants import instant_utc
from graph.json_bounds import json_same
from graph.kinds import EntityKind
from graph.tables import entities
from graph.tenancy import scope_bound, unscoped

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


def entity_create(
    session: Session,
    *,
    change: GraphChange,
    kind: EntityKind,
    draft: EntityDraft,
    details: Mapping[str, Any] = _NONE,
    status_default: str = STATUS_DEFAULT,
) -> Entity:
    """Create an entity as of the change. A type that nobody registered is registered.

    details: what the kind has besides, JSON in the contract's names, for the audit trail.
    Raises BadInputError, LimitExceededError, ConflictError where the external id is taken.
    """
    values = draft_values(draft, status_default=status_default)
    _external_id_check(session, change, kind, values["external_id"], path="externalId")
    if values["type"] is not None:
        type_ensure(session, change=change, kind=kind, name=values["type"])
    bounds = values.pop("bounds")
    created = Entity(
        id=EntityId(change.new_id()),
        kind=kind,
        created_at=change.recorded,
        updated_at=change.recorded,
        deleted_at=None,
        **values,
    )
    row = {"organization_id": change.organization_id, "bounds": bounds}
    row |= {name: getattr(created, name) for name in Entity.__slots__}
    session.execute(insert(entities), row)
    _record(session, change, "created", None, entity_state(created, details))
    return created


def entity_update(
    session: Session,
    *,
    change: GraphChange,
    before: Entity,
    patch: EntityPatch,
    details_before: Mapping[str, Any] = _NONE,
    details_after: Mapping[str, Any] = _NONE,
) -> Entity:
    """Change an entity that was read within this change; what changes nothing writes nothing.

    Raises BadInputError, LimitExceededError, ConflictError where the external id is taken or the entity has
    been changed since `patch.if_updated_at`.
    """
    _seen_check(before, patch)
    values = patch_values(patch, attributes=before.attributes)
    bounds = {"bounds": values.pop("bounds")} if "bounds" in values else {}
    after = replace(before, **values, updated_at=change.recorded)
    states = entity_state(before, details_before), entity_state(after, details_after)
    if json_same(states[0], {**states[1], "updatedAt": states[0]["updatedAt"]}):
        return before
    if after.external_id != before.external_id:
        _external_id_check(session, change, before.kind, after.external_id, path="externalId")
    if after.type is not None and after.type != before.type:
        type_ensure(session, change=change, kind=before.kind, name=after.type)
    _write(session, change, before.id, {**values, **bounds, "updated_at": change.recorded})
    _record(session, change, "updated", *states)
    return after


def entity_delete(
    session: Session,
    *,
    change: GraphChange,
    entity_id: UUID,
    kind: EntityKind | None = None,
    at: datetime | None = None,
    details: Mapping[str, Any] = _NONE,
) -> Entity:
    """Delete an entity as of `at` (default: the change): lists leave it out, earlier times still reach it.

    Edges valid then end then, those not yet begun are retracted. Its external id is free again.
    Raises NotFoundError, also where it is deleted already, BadInputError where `at` is later than the change.
    """
    deleted_at = change.recorded if at is None else instant_utc(at, path="deletedAt")
    if deleted_at > change.recorded:
        raise BadInputError("An entity cannot be deleted in the future.", path=("deletedAt",))
    before = entity_get(session, organization_id=change.organization_id, entity_id=entity_id, kind=kind)
    edges_end_of_entity(session, change=change, entity_id=before.id, at=deleted_at)
    after = replace(before, deleted_at=deleted_at, updated_at=change.recorded)
    _write(session, change, before.id, {"deleted_at": deleted_at, "updated_at": change.recorded})
    _record(session, change, "deleted", entity_state(before, details), entity_state(after, details))
    return after


def entity_restore(
    session: Session,
    *,
    change: GraphChange,
    entity_id: UUID,
    external_id: str | Absent | None = ABSENT,
    details: Mapping[str, Any] = _NONE,
) -> Entity:
    """Restore a deleted entity as it was, without edges: the caller reconnects it.

    external_id: the one it has from now on, None: none; for its own may be another's by now.
    Raises NotFoundError, BadInputError, ConflictError where it is not deleted or another bears that external id.
    """
    values = patch_values(EntityPatch(external_id=external_id))
    result = entities_get(session, organization_id=change.organization_id, ids=[entity_id])
    before = result.get(EntityId(entity_id))
    if before is None:
        raise NotFoundError(f"There is no entity {entity_id}.", path=("id",))
    if before.deleted_at is None:
        raise ConflictError(f"{entity_id} is not deleted.", path=("id",))
    after = replace(before, **values, deleted_at=None, updated_at=change.recorded)
    _external_id_check(session, change, before.kind, after.external_id, path="externalId" if values else "id")
    _write(session, change, before.id, {**values, "deleted_at": None, "updated_at": change.recorded})
    _record(session, change, "restored", entity_state(before, details), entity_state(after, details))
    return after


def _seen_check(before: Entity, patch: EntityPatch) -> None:
    if patch.if_updated_at is None:
        return
    if instant_utc(patch.if_updated_at, path="ifUpdatedAt") != before.updated_at:
        message = f"{before.id} has been changed since, at {before.updated_at.isoformat()}."
        raise ConflictError(message, path=("ifUpdatedAt",))


def _external_id_check(
    session: Session, change: GraphChange, kind: EntityKind, external_id: str | None, *, path: str
) -> None:
    if external_id is None:
        return
    with unscoped(session):
        other = entity_by_external_id(
            session, organization_id=change.organization_id, kind=kind, external_id=external_id
        )
    if other is not None:
        # Whose it is, is not for a confined caller.
        which = (
            f"The {kind.value.lower()} {other.id}" if scope_bound(session) is None else f"Another {kind.value.lower()}"
        )
        raise ConflictError(f"{which} has the external id {external_id!r} already.", path=(path,))


def _write(session: Session, change: GraphChange, entity_id: EntityId, values: Mapping[str, Any]) -> None:
    session.execute(
        update(entities)
        .where(entities.c.organization_id == change.organization_id, entities.c.id == entity_id)
        .values(**values)
    )


def _record(
    session: Session, change: GraphChange, action: str, before: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    change_record(
        session,
        change=change,
        action=action,
        subject_type="entity",
        subject_id=UUID(after["id"]),
        before=before,
        after=after,
    )
