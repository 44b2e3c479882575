"""Write what an import file says: idempotent by external id, in chunks, one row's fault not stopping the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy.orm import Session

from domain.entities.operations import NOUNS
from domain.imports.records import EdgeRecord, EntityRecord, Model, Remark
from domain.noun import noun_create, noun_update
from graph.change import GraphChange
from graph.direction import Direction
from graph.edges.operations import edge_create
from graph.edges.queries import edges_of
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entities_by_external_id
from graph.errors import ArgusError
from graph.ids import EntityId
from graph.kinds import EntityKind

T = TypeVar("T")

CHUNK_ROWS: Final = 250


class ChangeRunner(Protocol):
    """Runs one change in a transaction of its own."""

    def __call__(self, work: Callable[[Session, GraphChange], T], /) -> T:
        """Return what `work` returns, committed."""
        ...


@dataclass(slots=True)
class Outcome:
    """What an import did, or would do. remarks: what was left out, and why."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    edges_created: int = 0
    edges_unchanged: int = 0
    remarks: list[Remark] = field(default_factory=list)


def model_apply(
    model: Model, *, run: ChangeRunner, valid_from: datetime | None, progress: Callable[[int, int], None]
) -> Outcome:
    """Write a model's entities and edges; return what changed.

    valid_from: from when on new edges are true; None: from now on. An edge that is already believed then stays as
    it is. progress: told the rows done and the rows in all after each chunk.
    """
    outcome = Outcome(remarks=list(model.remarks))
    total, done = len(model.entities) + len(model.edges), 0
    for chunk in _chunks(model.entities.values()):
        run(partial(_entities_apply, records=chunk, outcome=outcome))
        done += len(chunk)
        progress(done, total)
    kinds = {record.external_id: record.kind for record in model.entities.values()}
    for edges in _chunks(model.edges):
        run(partial(_edges_apply, records=edges, kinds=kinds, valid_from=valid_from, outcome=outcome))
        done += len(edges)
        progress(done, total)
    return outcome


def _entities_apply(
    session: Session, change: GraphChange, *, records: Sequence[EntityRecord], outcome: Outcome
) -> None:
    there = _entities_find(session, change, records)
    for record in records:
        before = there.get((record.kind, record.external_id))
        try:
            with session.begin_nested():
                _entity_apply(session, change, record, before, outcome)
        except ArgusError as error:
            outcome.remarks.append(Remark(record.external_id, f"{error.message} ({error.code}); left out"))


def _entity_apply(
    session: Session, change: GraphChange, record: EntityRecord, before: Entity | None, outcome: Outcome
) -> None:
    noun = NOUNS[record.kind]
    if before is None:
        draft = EntityDraft(
            name=record.name, external_id=record.external_id, type=record.type, attributes=record.attributes
        )
        noun_create(session, change=change, noun=noun, draft=draft, details=_details(record.kind))
        outcome.created += 1
        return
    # What others wrote into the attributes is theirs.
    attributes = {**before.attributes, **record.attributes}
    if (before.name, before.type, dict(before.attributes)) == (record.name, record.type, attributes):
        outcome.unchanged += 1
        return
    patch = EntityPatch(name=record.name, type=record.type, attributes=attributes)
    noun_update(session, change=change, noun=noun, entity_id=before.id, patch=patch)
    outcome.updated += 1


def _edges_apply(
    session: Session,
    change: GraphChange,
    *,
    records: Sequence[EdgeRecord],
    kinds: dict[str, EntityKind],
    valid_from: datetime | None,
    outcome: Outcome,
) -> None:
    ids = _ids_find(session, change, records, kinds)
    sources = sorted({ids[record.source] for record in records if record.source in ids})
    known = edges_of(
        session,
        organization_id=change.organization_id,
        entity_ids=sources,
        direction=Direction.OUT,
        as_of=valid_from,
    )
    there = {(edge.source_id, edge.relationship, edge.target_id) for edges in known.values() for edge in edges}
    for record in records:
        source, target = ids.get(record.source), ids.get(record.target)
        if source is None or target is None:
            outcome.remarks.append(Remark(record.source, f"{record.relationship} {record.target}: an end is missing"))
        elif (source, record.relationship, target) in there:
            outcome.edges_unchanged += 1
        else:
            _edge_apply(session, change, record, ends=(source, target), valid_from=valid_from, outcome=outcome)


def _edge_apply(
    session: Session,
    change: GraphChange,
    record: EdgeRecord,
    *,
    ends: tuple[EntityId, EntityId],
    valid_from: datetime | None,
    outcome: Outcome,
) -> None:
    try:
        with session.begin_nested():
            edge_create(
                session,
                change=change,
                source_id=ends[0],
                target_id=ends[1],
                relationship=record.relationship,
                valid_from=valid_from,
            )
    except ArgusError as error:
        message = f"{record.relationship} {record.target}: {error.message} ({error.code}); left out"
        outcome.remarks.append(Remark(record.source, message))
    else:
        outcome.edges_created += 1


def _entities_find(
    session: Session, change: GraphChange, records: Iterable[EntityRecord]
) -> dict[tuple[EntityKind, str], Entity]:
    by_kind: dict[EntityKind, list[str]] = {}
    for record in records:
        by_kind.setdefault(record.kind, []).append(record.external_id)
    return {
        (kind, external_id): entity
        for kind, names in by_kind.items()
        for external_id, entity in entities_by_external_id(
            session, organization_id=change.organization_id, kind=kind, external_ids=names
        ).items()
    }


def _ids_find(
    session: Session, change: GraphChange, records: Iterable[EdgeRecord], kinds: dict[str, EntityKind]
) -> dict[str, EntityId]:
    names = {end for record in records for end in (record.source, record.target)}
    found: dict[str, EntityId] = {}
    for kind in EntityKind:
        wanted = [name for name in names if kinds.get(name) is kind]
        entities = entities_by_external_id(
            session, organization_id=change.organization_id, kind=kind, external_ids=wanted
        )
        found |= {name: entity.id for name, entity in entities.items()}
    return found


def _details(kind: EntityKind) -> dict[str, Any]:
    return {EntityKind.DEVICE: {"firmware_version": None}, EntityKind.PERSON: {"email": None}}.get(kind, {})


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK_ROWS)):
        yield chunk
