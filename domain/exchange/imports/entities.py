"""Write the entities of a chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.definitions.profiles.queries import profile_ids_by_name
from domain.exchange.imports.files import remark_of
from domain.exchange.imports.outcome import Outcome
from domain.exchange.imports.records import EntityRecord, Remark
from domain.nodes.operations import KIND_SPECS, entity_delete
from domain.plant.entity_kind import details_get, typed_entities_create, typed_entity_update
from domain.work.activities.checklist import required_items_check
from domain.work.activities.lifecycle import state_of
from domain.work.activities.model import CATEGORY_DEFAULT, PRIORITY_DEFAULT
from domain.work.activities.queries import checklist_get
from graph.absent import ABSENT, Absent
from graph.change import GraphChange
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entities_by_external_id, entities_get
from graph.errors import ArgusError, ConflictError
from graph.ids import EntityId
from graph.json_bounds import json_same
from graph.kinds import EntityKind
from graph.texts import text_nfc

_DETAILS_DEFAULT: Final[dict[EntityKind, dict[str, Any]]] = {
    EntityKind.ASSET: {"profile_id": None},
    EntityKind.DEVICE: {"firmware_version": None},
    EntityKind.PERSON: {"email": None},
    EntityKind.ACTIVITY: {
        "category": CATEGORY_DEFAULT,
        "priority": PRIORITY_DEFAULT,
        "due_at": None,
        "checklist": [],
    },
}


def entities_apply(session: Session, *, change: GraphChange, records: Sequence[EntityRecord], outcome: Outcome) -> None:
    """Create missing entities and update differing ones; count both."""
    for wave in _waves(_profiled(session, change, records, outcome)):
        there = _there(session, change, wave)
        new = [record for record in wave if there[id(record)] is None]
        for kind in EntityKind:
            _create(session, change, kind, [record for record in new if record.kind is kind], outcome)
        known = [(record, before) for record in wave if (before := there[id(record)]) is not None]
        _update_where_different(session, change, known, outcome)


def entities_delete(
    session: Session, *, change: GraphChange, records: Sequence[EntityRecord], outcome: Outcome
) -> None:
    """Delete the entities that are still there, at the times of their records; count them."""
    by_record = {record.id: record for record in records if record.id is not None}
    by_id = entities_get(session, organization_id=change.organization_id, ids=list(by_record))
    for entity in by_id.values():
        record = by_record[entity.id]
        # One of another kind has been reported by now.
        if entity.deleted_at is not None or entity.kind is not record.kind:
            continue
        try:
            with session.begin_nested():
                entity_delete(session, change=change, entity_id=entity.id, at=record.deleted_at)
        except ArgusError as error:
            outcome.remarks.append(remark_of(error, subject=record.label, line=record.line))
        else:
            outcome.deleted += 1


def _profiled(
    session: Session, change: GraphChange, records: Sequence[EntityRecord], outcome: Outcome
) -> list[EntityRecord]:
    """Return the records with the ids of their profiles; report profiles that are not there, and ignored fields.

    One statement at most. An asset whose profile is not there is written without it, or stays with the one it has.
    """
    names = {record.profile for record in records if isinstance(record.profile, str)}
    ids = profile_ids_by_name(session, organization_id=change.organization_id, names=names)
    profiled: list[EntityRecord] = []
    for record in records:
        for name in record.ignored:
            message = f"{name} is of the installation that wrote the file; it is ignored."
            outcome.remarks.append(Remark(record.label, message, line=record.line, path=(name,)))
        if isinstance(record.profile, str) and record.profile not in ids:
            message = f"There is no asset profile {record.profile!r} here; all but the profile is imported."
            outcome.remarks.append(Remark(record.label, message, "NOT_FOUND", record.line, ("profile",)))
        elif not isinstance(record.profile, Absent):
            profile_id = None if record.profile is None else ids[record.profile]
            record = replace(record, details={**record.details, "profile_id": profile_id})  # noqa: PLW2901
        profiled.append(record)
    return profiled


def _update_where_different(
    session: Session, change: GraphChange, known: Sequence[tuple[EntityRecord, Entity]], outcome: Outcome
) -> None:
    """Change the entities of which the file says something else; to find that out costs the same for few and many."""
    had: dict[EntityId, Mapping[str, Any]] = {}
    for kind in {record.kind for record, _ in known if record.details}:
        ids = [before.id for record, before in known if record.kind is kind]
        had |= details_get(session, organization_id=change.organization_id, spec=KIND_SPECS[kind], ids=ids)
    for record, before in known:
        if record.deleted_at is not None and before.deleted_at is not None and before.kind is record.kind:
            outcome.unchanged += 1
            continue
        details = {
            name: value for name, value in record.details.items() if not _same(had.get(before.id, {}).get(name), value)
        }
        if not details and _says_the_same(record, before):
            outcome.unchanged += 1
            continue
        try:
            with session.begin_nested():
                _update(session, change, record, before, details, outcome)
        except ArgusError as error:
            outcome.remarks.append(remark_of(error, subject=record.label, line=record.line))


def _says_the_same(record: EntityRecord, before: Entity) -> bool:
    """Return True if a record certainly changes nothing; False if only the update can decide."""
    members = record.given
    return (
        before.deleted_at is None
        and before.kind is record.kind
        and record.external_id in {None, before.external_id}
        and ("name" not in members or record.name == before.name)
        and ("type" not in members or record.type == before.type)
        and ("status" not in members or record.status in {None, before.status})
        and ("attributes" not in members or json_same({**before.attributes, **record.attributes}, before.attributes))
        and ("location" not in members or json_same(record.location, before.location))
    )


def _waves(records: Iterable[EntityRecord]) -> Iterator[list[EntityRecord]]:
    """Yield the records in lists without repeated names, so that later records find what earlier ones created."""
    wave: list[EntityRecord] = []
    seen: set[object] = set()
    for record in records:
        names = {item for item in ((record.kind, record.external_id), record.id) if item is not None}
        names.discard((record.kind, None))
        if names & seen:
            yield wave
            wave, seen = [], set()
        wave.append(record)
        seen |= names
    if wave:
        yield wave


def _there(session: Session, change: GraphChange, records: Sequence[EntityRecord]) -> dict[int, Entity | None]:
    """Return, by the record's identity, the entity each is about."""
    organization_id = change.organization_id
    by_name: dict[EntityKind, dict[str, Entity]] = {}
    for kind in {record.kind for record in records}:
        names = [record.external_id for record in records if record.kind is kind and record.external_id is not None]
        by_name[kind] = entities_by_external_id(session, organization_id=organization_id, kind=kind, external_ids=names)
    ids = [record.id for record in records if record.id is not None]
    by_id: Mapping[UUID, Entity] = entities_get(session, organization_id=organization_id, ids=ids)  # type: ignore[assignment]
    existing: dict[int, Entity | None] = {}
    for record in records:
        named = None if record.external_id is None else by_name[record.kind].get(text_nfc(record.external_id))
        known = None if record.id is None else by_id.get(record.id)
        existing[id(record)] = named or known
    return existing


def _create(
    session: Session, change: GraphChange, kind: EntityKind, records: Sequence[EntityRecord], outcome: Outcome
) -> None:
    if not records:
        return
    default = _DETAILS_DEFAULT.get(kind, {})
    records = [record for record in records if _done_check(record, outcome)]
    created = typed_entities_create(
        session,
        change=change,
        spec=KIND_SPECS[kind],
        new=[(_draft(record), {**default, **record.details}, record.id) for record in records],
    )
    for record, entity in zip(records, created, strict=True):
        if isinstance(entity, ArgusError):
            outcome.remarks.append(remark_of(entity, subject=record.label, line=record.line))
        else:
            outcome.created += 1


def _done_check(record: EntityRecord, outcome: Outcome) -> bool:
    """Return whether a new entity may have its status; note why not."""
    try:
        required_items_check(record.details.get("checklist", ()), state=state_of(record.status or ""), path=("status",))
    except ArgusError as error:
        outcome.remarks.append(remark_of(error, subject=record.label, line=record.line))
        return False
    return True


def _draft(record: EntityRecord) -> EntityDraft:
    return EntityDraft(
        name=record.name,
        external_id=record.external_id,
        type=record.type,
        status=record.status,
        attributes=record.attributes,
        location=record.location,
    )


def _update(  # noqa: PLR0917  (private)
    session: Session,
    change: GraphChange,
    record: EntityRecord,
    before: Entity,
    details: Mapping[str, Any],
    outcome: Outcome,
) -> None:
    if before.deleted_at is not None:
        raise ConflictError(f"{before.id} was deleted.", path=("id",))
    if before.kind is not record.kind:
        raise ConflictError(f"{before.id} is a {before.kind.value.lower()}.", path=("kind",))
    members, spec = record.given, KIND_SPECS[record.kind]
    if record.kind is EntityKind.ACTIVITY and ("status" in members or "checklist" in details):
        checklist = record.details.get("checklist")
        if checklist is None:
            checklist = checklist_get(session, organization_id=change.organization_id, activity_id=before.id)
        required_items_check(checklist, state=state_of(record.status or before.status), path=("status",))
    # What others wrote into the attributes is theirs.
    attributes = {**before.attributes, **record.attributes}
    patch = EntityPatch(
        name=record.name if "name" in members else ABSENT,
        external_id=record.external_id if record.external_id is not None else ABSENT,
        type=record.type if "type" in members else ABSENT,
        status=record.status if "status" in members and record.status is not None else ABSENT,
        attributes=attributes if "attributes" in members else ABSENT,
        location=record.location if "location" in members else ABSENT,
    )
    after = typed_entity_update(session, change=change, spec=spec, entity_id=before.id, patch=patch, details=details)
    if not details and replace(after, updated_at=before.updated_at) == before:
        outcome.unchanged += 1
    else:
        outcome.updated += 1


def _same(one: Any, other: Any) -> bool:
    """Return whether two values of a detail are the same: an instant, an id, or JSON."""
    if isinstance(one, datetime | UUID) or isinstance(other, datetime | UUID):
        return bool(one == other)
    return json_same(one, other)
