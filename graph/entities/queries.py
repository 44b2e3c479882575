"""Read entities: by id, by external id, in pages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from graph.entities.model import Entity
from graph.entities.rows import ENTITY_COLUMNS, entity_of_row
from graph.errors import NotFoundError
from graph.ids import EntityId
from graph.json_bounds import text_is_storable
from graph.kinds import EntityKind
from graph.sql import rows_read, uuids_text
from graph.texts import text_nfc

_SELECT: Final = f"SELECT {', '.join(column.name for column in ENTITY_COLUMNS)} FROM entities"  # noqa: S608  (names of columns)
_BY_IDS: Final = f"{_SELECT} WHERE organization_id = %(organization_id)s AND id = ANY(%(ids)s::uuid[])"
_BY_EXTERNAL_IDS: Final = (
    f"{_SELECT} WHERE organization_id = %(organization_id)s AND kind = %(kind)s"
    " AND external_id = ANY(%(external_ids)s::text[]) AND deleted_at IS NULL"
)


def entities_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[EntityId, Entity]:
    """Return the entities of these ids, deleted ones too; one that does not exist is left out. One statement."""
    if not ids:
        return {}
    rows = rows_read(session, _BY_IDS, organization_id=organization_id, ids=uuids_text(ids))
    return {row[0]: entity_of_row(row) for row in rows}


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
    rows = rows_read(session, _BY_EXTERNAL_IDS, organization_id=organization_id, kind=kind.value, external_ids=storable)
    entities = map(entity_of_row, rows)
    return {entity.external_id: entity for entity in entities if entity.external_id is not None}
