"""Read entity types, each with the telemetry schema in force at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Uuid, any_, cast, func, select
from sqlalchemy.orm import Session

from domain.definitions.entity_types.model import EntityType, SchemaReach, SchemaVersion
from domain.definitions.entity_types.tables import telemetry_schemas
from graph.errors import NotFoundError
from graph.instants import moment_resolve
from graph.json_bounds import text_is_storable
from graph.kinds import EntityKind
from graph.sql import any_of
from graph.tables import entities, entity_types


def entity_type_list(
    session: Session, *, organization_id: int, kind: EntityKind | None = None, as_of: datetime | None = None
) -> list[EntityType]:
    """Return all types, of one kind or of all, by kind and name. as_of: of the schemas (default now)."""
    conditions = [] if kind is None else [entity_types.c.kind == kind]
    return _select(session, organization_id, as_of, *conditions)


def entity_types_get(
    session: Session, *, organization_id: int, ids: Collection[UUID], as_of: datetime | None = None
) -> dict[UUID, EntityType]:
    """Return the types of these ids; one that does not exist is left out. Two statements."""
    if not ids:
        return {}
    result = _select(session, organization_id, as_of, entity_types.c.id == any_(cast(list(ids), ARRAY(Uuid))))
    return {item.id: item for item in result}


def entity_type_get(
    session: Session, *, organization_id: int, entity_type_id: UUID, as_of: datetime | None = None
) -> EntityType:
    """Return one type. Raises NotFoundError."""
    result = entity_types_get(session, organization_id=organization_id, ids=[entity_type_id], as_of=as_of)
    if entity_type_id not in result:
        raise NotFoundError(f"There is no entity type {entity_type_id}.", path=("id",))
    return result[entity_type_id]


def entity_type_by_name(
    session: Session, *, organization_id: int, kind: EntityKind, name: str, as_of: datetime | None = None
) -> EntityType | None:
    """Return the type of that kind and name, or None."""
    if not text_is_storable(name):
        return None
    result = _select(session, organization_id, as_of, entity_types.c.kind == kind, entity_types.c.name == name)
    return result[0] if result else None


def schema_versions(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> Mapping[UUID, list[SchemaVersion]]:
    """Return the versions of the telemetry schemas of these types, ascending by event time. One statement."""
    table = telemetry_schemas.c
    rows = session.execute(
        select(telemetry_schemas)
        .where(table.organization_id == organization_id, any_of(table.entity_type_id, ids))
        .order_by(table.entity_type_id, table.effective_from)
    )
    versions: dict[UUID, list[SchemaVersion]] = {}
    for row in rows:
        version = SchemaVersion(row.effective_from.astimezone(UTC), row.recorded_at.astimezone(UTC), row.schema)
        versions.setdefault(row.entity_type_id, []).append(version)
    return versions


def schema_reach(session: Session, *, organization_id: int, entity_type_id: UUID, begins: datetime) -> SchemaReach:
    """Return the reach of the schema version in force from `begins` on, after it was edited.

    An edit changes nothing that is stored. Whoever wants it to processes the raw readings within its reach again.
    Raises NotFoundError.
    """
    entity_type = entity_type_get(session, organization_id=organization_id, entity_type_id=entity_type_id)
    ends = session.execute(
        select(func.min(telemetry_schemas.c.effective_from)).where(
            telemetry_schemas.c.organization_id == organization_id,
            telemetry_schemas.c.entity_type_id == entity_type_id,
            telemetry_schemas.c.effective_from > begins,
        )
    ).scalar_one()
    return SchemaReach(entity_type.kind, entity_type.name, begins, None if ends is None else ends.astimezone(UTC))


def entity_type_users_count(session: Session, *, organization_id: int, kind: EntityKind, name: str) -> tuple[int, int]:
    """Return how many entities are of the type, and how many of those are deleted."""
    row = session.execute(
        select(func.count().label("users"), func.count(entities.c.deleted_at).label("deleted")).where(
            entities.c.organization_id == organization_id, entities.c.kind == kind, entities.c.type == name
        )
    ).one()
    return row.users, row.deleted


def _select(
    session: Session, organization_id: int, as_of: datetime | None, *conditions: ColumnElement[bool]
) -> list[EntityType]:
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=None)
    schema = (
        select(telemetry_schemas.c.schema)
        .where(
            telemetry_schemas.c.organization_id == entity_types.c.organization_id,
            telemetry_schemas.c.entity_type_id == entity_types.c.id,
            telemetry_schemas.c.effective_from <= moment.as_of,
        )
        .order_by(telemetry_schemas.c.effective_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(entity_types, schema.label("telemetry_schema"))
        .where(entity_types.c.organization_id == organization_id, *conditions)
        .order_by(entity_types.c.kind, entity_types.c.name)
    )
    return [_type_of_row(row) for row in rows]


def _type_of_row(row: Row[Any]) -> EntityType:
    return EntityType(
        row.id,
        EntityKind(row.kind),
        row.name,
        row.description,
        {} if row.telemetry_schema is None else row.telemetry_schema,
        row.attributes,
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
    )
