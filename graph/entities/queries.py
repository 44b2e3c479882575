"""Read entities: by id, by external id, in pages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, cast, select
from sqlalchemy.orm import Session

from graph.entities.model import Entity
from graph.entities.rows import ENTITY_COLUMNS, entity_of_row
from graph.errors import NotFoundError
from graph.ids import EntityId
from graph.json_bounds import text_is_storable
from graph.kinds import EntityKind
from graph.tables import entities
from graph.texts import text_nfc


def entities_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[EntityId, Entity]:
    """Return the entities of these ids, deleted ones too; one that does not exist is left out. One statement."""
    if not ids:
        return {}
    rows = session.execute(
        select(*ENTITY_COLUMNS).where(
            entities.c.organization_id == organization_id, entities.c.id == any_(cast(list(ids), ARRAY(Uuid)))
        )
    )
    return {EntityId(row.id): entity_of_row(row) for row in rows}


def entity_get(
    session: Session,
    *,
    organization_id: int,
    entity_id: UUID,
    kind: EntityKind | None = None,
    path: tuple[str, ...] = ("id",),
) -> Entity:
    """Return one entity that is not deleted, of that kind if one is given. Raises NotFoundError at `path`."""
    entity = entities_get(session, organization_id=organization_id, ids=[entity_id]).get(EntityId(entity_id))
    if entity is None or entity.deleted_at is not None or kind not in {None, entity.kind}:
        kind_name = "entity" if kind is None else kind.value.lower()
        raise NotFoundError(f"There is no {kind_name} {entity_id}.", path=path)
    return entity


def entity_by_external_id(
    session: Session, *, organization_id: int, kind: EntityKind, external_id: str
) -> Entity | None:
    """Return the entity that bears this identifier now, or None. Those of deleted ones are free again."""
    result = entities_by_external_id(session, organization_id=organization_id, kind=kind, external_ids=[external_id])
    return result.get(text_nfc(external_id))


def entities_by_external_id(
    session: Session, *, organization_id: int, kind: EntityKind, external_ids: Collection[str]
) -> dict[str, Entity]:
    """Return the entities that bear these identifiers now, by identifier as it is stored: in NFC. One statement."""
    storable = [text_nfc(external_id) for external_id in external_ids if text_is_storable(external_id)]
    if not storable:
        return {}
    rows: Any = session.execute(
        select(*ENTITY_COLUMNS).where(
            entities.c.organization_id == organization_id,
            entities.c.kind == kind,
            entities.c.external_id == any_(cast(storable, ARRAY(Text))),
            entities.c.deleted_at.is_(None),
        )
    )
    return {row.external_id: entity_of_row(row) for row in rows}
