"""Shared by the five kinds: an entity of the graph, and a typed table with its details."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Table, Uuid, any_, bindparam, cast, insert, select, update
from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.entities.bulk import NewEntity, entities_create, entities_detailed
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.operations import entity_create, entity_update
from graph.entities.queries import entities_get, entity_get
from graph.entities.rules import STATUS_DEFAULT
from graph.errors import ArgusError
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.sql import rows_insert

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EntityKindSpec:
    """A kind, its typed table, and the columns of it that are details, each with its name in the contract."""

    kind: EntityKind
    table: Table
    columns: Mapping[str, str]
    status_default: str = STATUS_DEFAULT


def typed_entity_create(
    session: Session,
    *,
    change: GraphChange,
    spec: EntityKindSpec,
    draft: EntityDraft,
    details: Mapping[str, Any] = _NONE,
) -> Entity:
    """Create an entity with its details. details: by column, checked; one for each column of the kind.

    Raises what `graph.entities.operations.entity_create` raises.
    """
    created = entity_create(
        session,
        change=change,
        kind=spec.kind,
        draft=draft,
        details=details_named(spec, details),
        status_default=spec.status_default,
    )
    session.execute(insert(spec.table), {"organization_id": change.organization_id, "id": created.id, **details})
    return created


def typed_entities_create(
    session: Session,
    *,
    change: GraphChange,
    spec: EntityKindSpec,
    new: Sequence[tuple[EntityDraft, Mapping[str, Any], UUID | None]],
    besides: Sequence[Mapping[str, Any]] | None = None,
) -> list[Entity | ArgusError]:
    """Create many entities of a kind: (draft, details by column, id or None) each; see `entities_create`.

    besides: of each, columns of the kind's table that are no details and not in the audit trail.
    """
    others = [_NONE] * len(new) if besides is None else besides
    created = entities_create(
        session,
        change=change,
        kind=spec.kind,
        new=[
            NewEntity(draft=draft, details=details_named(spec, details), id=entity_id)
            for draft, details, entity_id in new
        ],
        status_default=spec.status_default,
    )
    rows = [
        {"organization_id": change.organization_id, "id": entity.id, **details, **other}
        for entity, (_, details, _), other in zip(created, new, others, strict=True)
        if isinstance(entity, Entity)
    ]
    rows_insert(session, spec.table, rows)
    return created


def typed_entity_update(
    session: Session,
    *,
    change: GraphChange,
    spec: EntityKindSpec,
    entity_id: UUID,
    patch: EntityPatch,
    details: Mapping[str, Any] = _NONE,
) -> Entity:
    """Change an entity and those of its details that are given, by column and checked.

    Raises NotFoundError for none of this kind, and what `graph.entities.operations.entity_update` raises.
    """
    organization_id = change.organization_id
    before = entity_get(session, organization_id=organization_id, entity_id=entity_id, kind=spec.kind)
    had = details_get(session, organization_id=organization_id, spec=spec, ids=[before.id]).get(before.id, {})
    after = entity_update(
        session,
        change=change,
        before=before,
        patch=patch,
        details_before=details_named(spec, had),
        details_after=details_named(spec, {**had, **details}),
    )
    if details:
        session.execute(
            update(spec.table)
            .where(spec.table.c.organization_id == organization_id, spec.table.c.id == before.id)
            .values(**details)
        )
    return after


def entity_details_update(
    session: Session, *, change: GraphChange, spec: EntityKindSpec, details: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Change details of many entities, each by column and checked. Five statements; what is deleted is left out."""
    organization_id = change.organization_id
    entities = entities_get(session, organization_id=organization_id, ids=details)
    had = details_get(session, organization_id=organization_id, spec=spec, ids=details)
    entities_detailed(
        session,
        change=change,
        detailed=[
            (
                entities[entity_id],
                details_named(spec, had[entity_id]),
                details_named(spec, {**had[entity_id], **details[entity_id]}),
            )
            for entity_id in had
        ],
    )
    columns = {name for columns_of_one in details.values() for name in columns_of_one}
    table = spec.table
    rows = [
        {"key_id": entity_id, **{name: details[entity_id].get(name, columns_of_one[name]) for name in columns}}
        for entity_id, columns_of_one in had.items()
    ]
    if rows and columns:
        session.execute(
            update(table)
            .where(table.c.organization_id == organization_id, table.c.id == bindparam("key_id"))
            .values({name: bindparam(name) for name in columns}),
            rows,
        )


def details_get(
    session: Session, *, organization_id: int, spec: EntityKindSpec, ids: Collection[UUID]
) -> dict[EntityId, dict[str, Any]]:
    """Return the details, by column, of those of these entities that are of the kind. At most one statement."""
    if not ids or not spec.columns:
        return {}
    table = spec.table
    rows = session.execute(
        select(table.c.id, *(table.c[name] for name in spec.columns)).where(
            table.c.organization_id == organization_id, table.c.id == any_(cast(list(ids), ARRAY(Uuid)))
        )
    )
    return {EntityId(row.id): {name: _utc(getattr(row, name)) for name in spec.columns} for row in rows}


def details_named(spec: EntityKindSpec, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details under the contract's names, as the audit trail shows them."""
    return {spec.columns[column]: str(value) if isinstance(value, UUID) else value for column, value in details.items()}


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
