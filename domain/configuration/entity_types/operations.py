"""Create, update and delete entity types and their telemetry schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.configuration.entity_types.schema import telemetry_schema_check
from domain.configuration.profiles.cycles import circles_refuse
from domain.definitions.entity_types.model import EntityType
from domain.definitions.entity_types.queries import entity_type_by_name, entity_type_get, entity_type_users_count
from domain.definitions.entity_types.tables import telemetry_schemas
from domain.derivation.formulas.formulas import MEMBER
from domain.derivation.rollups.writers import formulas_refuse_type
from domain.telemetry.store.links import LINKED_KINDS
from graph.absent import ABSENT, Absent
from graph.change import GraphChange, change_record
from graph.entities.types import type_name_check
from graph.errors import BadInputError, ConflictError
from graph.instants import instant_utc
from graph.json_bounds import json_object_check, text_check
from graph.kinds import EntityKind
from graph.tables import entity_types

DESCRIPTION_MAX_CHARS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _SchemaEdit:
    schema: dict[str, Any]
    begins: datetime


def entity_type_create(
    session: Session,
    *,
    change: GraphChange,
    kind: EntityKind,
    name: str,
    description: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    telemetry_schema: Mapping[str, Any] | None = None,
    effective_from: datetime | None = None,
) -> EntityType:
    """Register a type. The schema, if any, is in force from `effective_from` (default: the change) on.

    Raises BadInputError, LimitExceededError, ConflictError where the kind has a type of that name, or a rollup writes
    a metric that the schema derives.
    """
    values = _values(name=name, description=description, attributes={} if attributes is None else attributes)
    edit = _edit(change, kind, ABSENT if telemetry_schema is None else telemetry_schema, effective_from)
    _name_check(session, change, kind, values["name"])
    entity_type_id = change.new_id()
    session.execute(
        insert(entity_types),
        {
            "organization_id": change.organization_id,
            "id": entity_type_id,
            "kind": kind,
            **values,
            "created_at": change.recorded,
            "updated_at": change.recorded,
        },
    )
    return _finish(session, change=change, before=None, entity_type_id=entity_type_id, edit=edit)


def entity_type_update(
    session: Session,
    *,
    change: GraphChange,
    entity_type_id: UUID,
    kind: EntityKind | Absent = ABSENT,
    name: str | Absent = ABSENT,
    description: str | Absent | None = ABSENT,
    attributes: Mapping[str, Any] | Absent | None = ABSENT,
    telemetry_schema: Mapping[str, Any] | Absent | None = ABSENT,
    effective_from: datetime | None = None,
) -> EntityType:
    """Change a type; ABSENT stays. A new name goes to all entities of the type; the kind never changes.

    A schema is in force from `effective_from` (default: the change) until the next one; None is the empty
    schema. One given for an instant that has one takes its place; the audit trail keeps the old one.
    Raises NotFoundError, BadInputError, LimitExceededError, ConflictError for another kind or a taken name, or
    where a rollup writes a metric that the schema derives.
    """
    before = entity_type_get(session, organization_id=change.organization_id, entity_type_id=entity_type_id)
    if not isinstance(kind, Absent) and kind is not before.kind:
        raise ConflictError(f"{before.name} is a type of {before.kind.value}; that cannot change.", path=("kind",))
    values = _values(name=name, description=description, attributes={} if attributes is None else attributes)
    edit = _edit(change, before.kind, {} if telemetry_schema is None else telemetry_schema, effective_from)
    if values.get("name", before.name) != before.name:
        _name_check(session, change, before.kind, values["name"])
    session.execute(
        update(entity_types)
        .where(entity_types.c.organization_id == change.organization_id, entity_types.c.id == before.id)
        .values(**values, updated_at=change.recorded)
    )
    return _finish(session, change=change, before=before, entity_type_id=before.id, edit=edit)


def entity_type_delete(session: Session, *, change: GraphChange, entity_type_id: UUID) -> EntityType:
    """Delete a type with its schemas; return what it was.

    Raises NotFoundError, ConflictError while an entity is of the type, a deleted one too: it may come back.
    """
    before = entity_type_get(session, organization_id=change.organization_id, entity_type_id=entity_type_id)
    users, deleted = entity_type_users_count(
        session, organization_id=change.organization_id, kind=before.kind, name=before.name
    )
    if users:
        counted = "1 entity is" if users == 1 else f"{users} entities are"
        among = f" ({deleted} of them deleted)" if deleted else ""
        raise ConflictError(f"{counted} of the type {before.name!r}{among}.", path=("id",))
    session.execute(
        delete(entity_types).where(
            entity_types.c.organization_id == change.organization_id, entity_types.c.id == before.id
        )
    )
    change_record(
        session,
        change=change,
        action="deleted",
        subject_type="entity_type",
        subject_id=before.id,
        before=_state(before),
        after=None,
    )
    return before


def _values(
    *, name: str | Absent, description: str | Absent | None, attributes: Mapping[str, Any] | Absent
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if not isinstance(name, Absent):
        values["name"] = type_name_check(name, path=("name",))
    if not isinstance(description, Absent):
        if description is not None:
            text_check(description, path=("description",), max_chars=DESCRIPTION_MAX_CHARS)
        values["description"] = description
    if not isinstance(attributes, Absent):
        values["attributes"] = json_object_check(attributes, path=("attributes",))
    return values


def _edit(
    change: GraphChange, kind: EntityKind, schema: Mapping[str, Any] | Absent, effective_from: datetime | None
) -> _SchemaEdit | None:
    if isinstance(schema, Absent):
        if effective_from is not None:
            message = "effectiveFrom is the time of a telemetrySchema; there is none."
            raise BadInputError(message, path=("effectiveFrom",))
        return None
    begins = change.recorded if effective_from is None else instant_utc(effective_from, path="effectiveFrom")
    checked = telemetry_schema_check(schema)
    if checked.get(MEMBER) and kind not in LINKED_KINDS:
        kinds = " or ".join(sorted(LINKED_KINDS))
        raise BadInputError(f"Metrics are derived for types of {kinds}.", path=("telemetrySchema", MEMBER))
    return _SchemaEdit(checked, begins)


def _name_check(session: Session, change: GraphChange, kind: EntityKind, name: str) -> None:
    other = entity_type_by_name(session, organization_id=change.organization_id, kind=kind, name=name)
    if other is not None:
        raise ConflictError(f"There is a type {name!r} of {kind.value} already: {other.id}.", path=("name",))


def _finish(
    session: Session,
    *,
    change: GraphChange,
    before: EntityType | None,
    entity_type_id: UUID,
    edit: _SchemaEdit | None,
) -> EntityType:
    """Write the schema, if there is one, and the audit row; return the type as stored."""
    was, now = {} if before is None else _state(before), {}
    if edit is not None:
        begins = edit.begins.isoformat()
        was |= {"telemetrySchema": _schema_write(session, change, entity_type_id, edit), "effectiveFrom": begins}
        now = {"telemetrySchema": edit.schema, "effectiveFrom": begins}
    after = entity_type_get(session, organization_id=change.organization_id, entity_type_id=entity_type_id)
    if edit is not None and edit.schema.get(MEMBER) and after.kind is EntityKind.ASSET:
        path = ("telemetrySchema", MEMBER)
        circles_refuse(session, organization_id=change.organization_id, path=path, type_name=after.name)
    if edit is not None or (before is not None and before.name != after.name):
        formulas_refuse_type(
            session,
            organization_id=change.organization_id,
            entity_type_id=after.id,
            kind=after.kind,
            name=after.name,
        )
    change_record(
        session,
        change=change,
        action="created" if before is None else "updated",
        subject_type="entity_type",
        subject_id=entity_type_id,
        before=None if before is None else was,
        after={**_state(after), **now},
    )
    return after


def _schema_write(session: Session, change: GraphChange, entity_type_id: UUID, edit: _SchemaEdit) -> Mapping[str, Any]:
    """Put a schema in force; return the one that was in force at that time."""
    organization_id = change.organization_id
    replaced = entity_type_get(
        session, organization_id=organization_id, entity_type_id=entity_type_id, as_of=edit.begins
    ).telemetry_schema
    row = {
        "organization_id": organization_id,
        "entity_type_id": entity_type_id,
        "effective_from": edit.begins,
        "recorded_at": change.recorded,
        "schema": edit.schema,
    }
    session.execute(
        upsert(telemetry_schemas)
        .values(row)
        .on_conflict_do_update(
            constraint="pk_telemetry_schemas", set_={"schema": edit.schema, "recorded_at": change.recorded}
        )
    )
    return replaced


def _state(entity_type: EntityType) -> dict[str, Any]:
    return {
        "id": str(entity_type.id),
        "kind": entity_type.kind.value,
        "name": entity_type.name,
        "description": entity_type.description,
        "telemetrySchema": dict(entity_type.telemetry_schema),
        "attributes": dict(entity_type.attributes),
    }
