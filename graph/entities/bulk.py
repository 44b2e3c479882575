"""Create or change many entities in one change, with a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, cast, column, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from graph.change import Audit, GraphChange, changes_record
from graph.edges.operations import edges_end_of_entities
from graph.entities.model import Entity, EntityDraft
from graph.entities.queries import entities_by_external_id
from graph.entities.rows import entity_state
from graph.entities.rules import STATUS_DEFAULT, draft_values
from graph.entities.types import type_ensure
from graph.errors import ArgusError, BeyondScopeError, ConflictError, LimitExceededError
from graph.ids import EntityId
from graph.json_bounds import json_same
from graph.kinds import EntityKind
from graph.sql import rows_insert
from graph.tables import entities

DRAFTS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntity:
    """An entity to create. details: those of its kind, in the contract's names. id None: one is drawn."""

    draft: EntityDraft
    details: Mapping[str, Any] = field(default_factory=dict)
    id: UUID | None = None


def entities_create(
    session: Session,
    *,
    change: GraphChange,
    kind: EntityKind,
    new: Sequence[NewEntity],
    status_default: str = STATUS_DEFAULT,
) -> list[Entity | ArgusError]:
    """Create entities; return, in order, each entity or the error that refused it.

    The errors are those of `entity_create`, and ConflictError for an id that is there, of a deleted one too.
    Raises LimitExceededError for more than DRAFTS_MAX.
    """
    if len(new) > DRAFTS_MAX:
        raise LimitExceededError(f"At most {DRAFTS_MAX} entities are written at once.", path=("entities",))
    organization_id = change.organization_id
    names = [item.draft.external_id for item in new if isinstance(item.draft.external_id, str)]
    taken: dict[str, UUID] = {
        name: entity.id
        for name, entity in entities_by_external_id(
            session, organization_id=organization_id, kind=kind, external_ids=names
        ).items()
    }
    ids = _ids_there(session, organization_id, [item.id for item in new if item.id is not None])
    results: list[Entity | ArgusError] = []
    rows: list[dict[str, Any]] = []
    audits: list[Audit] = []
    for item in new:
        try:
            values = _values(item, kind, taken, ids, status_default=status_default)
        except ArgusError as error:
            results.append(error)
            continue
        bounds = values.pop("bounds")
        created = Entity(
            id=EntityId(change.new_id() if item.id is None else item.id),
            kind=kind,
            created_at=change.recorded,
            updated_at=change.recorded,
            deleted_at=None,
            **values,
        )
        ids.add(created.id)
        if created.external_id is not None:
            taken[created.external_id] = created.id
        columns = {name: getattr(created, name) for name in Entity.__slots__}
        rows.append({"organization_id": organization_id, "bounds": bounds, **columns})
        audits.append(_audit(created, item.details))
        results.append(created)
    for name in sorted({row["type"] for row in rows} - {None}):
        type_ensure(session, change=change, kind=kind, name=name)
    if rows:
        rows_insert(session, entities, rows)
        changes_record(session, change=change, audits=audits)
    return results


def entities_detailed(
    session: Session,
    *,
    change: GraphChange,
    detailed: Sequence[tuple[Entity, Mapping[str, Any], Mapping[str, Any]]],
) -> None:
    """Record that details of entities read within this change are others: (entity, details before, after) each.

    Of those of which none is, nothing is recorded. The details themselves are written by the domain. Two statements.
    """
    audits: list[Audit] = []
    ids: list[UUID] = []
    for before, had, has in detailed:
        # Compared as the audit trail has them: details may be instants, which are no JSON.
        states = entity_state(before, had), entity_state(replace(before, updated_at=change.recorded), has)
        if json_same(states[0], {**states[1], "updatedAt": states[0]["updatedAt"]}):
            continue
        ids.append(before.id)
        audits.append(_audit_of("updated", before, states))
    if ids:
        session.execute(
            update(entities)
            .where(entities.c.organization_id == change.organization_id, entities.c.id == any_(cast(ids, ARRAY(Uuid))))
            .values(updated_at=change.recorded)
        )
        changes_record(session, change=change, audits=audits)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityUpdate:
    """A change of an entity read within the change. columns: as `patch_values` returns them; details: see NewEntity."""

    before: Entity
    columns: Mapping[str, Any]
    details_before: Mapping[str, Any] = field(default_factory=dict)
    details_after: Mapping[str, Any] = field(default_factory=dict)


def entities_update(session: Session, *, change: GraphChange, updates: Sequence[EntityUpdate]) -> set[UUID]:
    """Update entities, each as `entity_update` does; return those that became other than they were.

    All have the same columns, of which only attributes may differ from one to the other; external ids stay.
    """
    audits: list[Audit] = []
    changed: list[EntityUpdate] = []
    for item in updates:
        values = {name: value for name, value in item.columns.items() if name != "bounds"}
        after = replace(item.before, **values, updated_at=change.recorded)
        states = entity_state(item.before, item.details_before), entity_state(after, item.details_after)
        if json_same(states[0], {**states[1], "updatedAt": states[0]["updatedAt"]}):
            continue
        changed.append(item)
        audits.append(_audit_of("updated", item.before, states))
    if not changed:
        return set()
    columns = dict(changed[0].columns)
    if columns.get("type") is not None:
        for kind in sorted({item.before.kind for item in changed}):
            type_ensure(session, change=change, kind=kind, name=columns["type"])
    ids = [item.before.id for item in changed]
    statement = update(entities).where(entities.c.organization_id == change.organization_id)
    if "attributes" in columns:
        given = func.unnest(
            cast(ids, ARRAY(Uuid)), cast([item.columns["attributes"] for item in changed], ARRAY(JSONB))
        ).table_valued(column("id", Uuid), column("attributes", JSONB), name="given")
        given = given.render_derived()
        columns["attributes"] = given.c.attributes
        statement = statement.where(entities.c.id == given.c.id)
    else:
        statement = statement.where(entities.c.id == any_(cast(ids, ARRAY(Uuid))))
    session.execute(statement.values(**columns, updated_at=change.recorded))
    changes_record(session, change=change, audits=audits)
    return set(ids)


def entities_delete(
    session: Session, *, change: GraphChange, deleted: Sequence[tuple[Entity, Mapping[str, Any]]]
) -> dict[UUID, BeyondScopeError]:
    """Delete entities read within the change as of it, each as `entity_delete` does: (entity, details) each.

    Returns why those are refused that have edges to what a confined caller does not see.
    """
    refused = edges_end_of_entities(session, change=change, entity_ids=[entity.id for entity, _ in deleted])
    audits: list[Audit] = []
    ids: list[UUID] = []
    for before, details in deleted:
        if before.id not in refused:
            after = replace(before, deleted_at=change.recorded, updated_at=change.recorded)
            audits.append(_audit_of("deleted", before, (entity_state(before, details), entity_state(after, details))))
            ids.append(before.id)
    session.execute(
        update(entities)
        .where(entities.c.organization_id == change.organization_id, entities.c.id == any_(cast(ids, ARRAY(Uuid))))
        .values(deleted_at=change.recorded, updated_at=change.recorded)
    )
    changes_record(session, change=change, audits=audits)
    return refused


def _audit_of(action: str, before: Entity, states: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Audit:
    return Audit(action=action, subject_type="entity", subject_id=before.id, before=states[0], after=states[1])


def _values(
    new: NewEntity, kind: EntityKind, taken: Mapping[str, UUID], ids: set[UUID], *, status_default: str
) -> dict[str, Any]:
    values = draft_values(new.draft, status_default=status_default)
    other = taken.get(values["external_id"])
    if other is not None:
        message = f"The {kind.value.lower()} {other} has the external id {values['external_id']!r} already."
        raise ConflictError(message, path=("externalId",))
    if new.id in ids:
        raise ConflictError(f"There is an entity {new.id} already.", path=("id",))
    return values


def _ids_there(session: Session, organization_id: int, ids: Sequence[UUID]) -> set[UUID]:
    if not ids:
        return set()
    statement = select(entities.c.id).where(
        entities.c.organization_id == organization_id, entities.c.id == any_(cast(list(ids), ARRAY(Uuid)))
    )
    return set(session.scalars(statement))


def _audit(created: Entity, details: Mapping[str, Any]) -> Audit:
    return Audit(
        action="created",
        subject_type="entity",
        subject_id=created.id,
        before=None,
        after=entity_state(created, details),
    )
