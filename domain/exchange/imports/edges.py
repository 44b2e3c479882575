"""Write the edges of a chunk."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.exchange.imports.files import remark_of
from domain.exchange.imports.outcome import Outcome
from domain.exchange.imports.records import EdgeRecord, Ref, Remark
from graph.change import GraphChange
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.errors import CycleError, OverlapError
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct
from graph.edges.queries import edges_believed_between
from graph.entities.queries import entities_by_external_id, entities_get
from graph.errors import ArgusError, BadInputError, ConflictError
from graph.ids import EdgeId, EntityId
from graph.json_bounds import json_same
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from graph.texts import text_nfc

Ends = tuple[EntityId, EntityId]
Fact = tuple[UUID, str, UUID, int | None]
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# So often corrections that were in each other's way are tried.
ROUNDS_MAX: Final = 16
# What refuses an edge for what others are.
_OF_OTHERS: Final = (ConflictError, OverlapError, CycleError)


@dataclass(frozen=True, slots=True)
class Postponed:
    """An edge that is not written, and may be once more of the file is. remark: why it is not."""

    record: EdgeRecord
    remark: Remark


@dataclass(frozen=True, slots=True)
class _Correction:
    record: EdgeRecord
    edge_id: EdgeId
    values: Mapping[str, Any]


def edges_apply(
    session: Session,
    *,
    change: GraphChange,
    records: Sequence[EdgeRecord],
    valid_from: datetime | None,
    outcome: Outcome,
) -> list[Postponed]:
    """Create missing edges and correct differing ones; return those that wait for an end, or for others to change."""
    if not records:
        return []
    ready, missing = _ends(session, change, records, outcome)
    postponed = [Postponed(record, _missing(record)) for record in missing]
    refused: list[tuple[EdgeRecord, ArgusError]] = []
    while ready:  # what is said twice is looked at again after the first was written
        ready, errors = _wave_apply(session, change, ready, valid_from, outcome)
        refused += errors
    remarks = [remark_of(error, subject=record.label, line=record.line) for record, error in refused]
    for (record, error), remark in zip(refused, _by_external_id(session, change, remarks), strict=True):
        if isinstance(error, _OF_OTHERS):
            postponed.append(Postponed(record, remark))
        else:
            outcome.remarks.append(remark)
    return postponed


def _missing(record: EdgeRecord) -> Remark:
    return Remark(record.label, "An end of this edge is not there.", "NOT_FOUND", record.line)


def _wave_apply(
    session: Session,
    change: GraphChange,
    ready: Sequence[tuple[EdgeRecord, Ends]],
    valid_from: datetime | None,
    outcome: Outcome,
) -> tuple[list[tuple[EdgeRecord, Ends]], list[tuple[EdgeRecord, ArgusError]]]:
    """Write the edges that are about different things; return those that say more of one of them, and the refused."""
    believed: dict[Fact, list[EdgeVersion]] = defaultdict(list)
    pairs = {ends for _, ends in ready}
    for version in edges_believed_between(session, organization_id=change.organization_id, pairs=pairs):
        believed[version.source_id, version.relationship, version.target_id, version.port].append(version)
    new: list[tuple[EdgeRecord, EdgeDraft]] = []
    different: list[_Correction] = []
    later: list[tuple[EdgeRecord, Ends]] = []
    seen: set[tuple[Fact, datetime | None]] = set()
    for record, (source, target) in ready:
        fact = (source, record.relationship, target, record.port)
        if (fact, record.valid_from) in seen:
            later.append((record, (source, target)))
            continue
        seen.add((fact, record.valid_from))
        same = _same(believed[fact], record, valid_from or change.recorded)
        undated = None if same else _undated(believed[fact], record, valid_from)
        before = same or undated
        if before is None:
            new.append((record, _draft(record, source, target, valid_from)))
        elif values := _corrections(record, before, valid_from=None if undated is None else valid_from):
            different.append(_Correction(record, before.edge_id, values))
        else:
            outcome.edges_unchanged += 1
    # What is corrected may make room for what is new.
    refused = _correct(session, change, different, outcome)
    created = edges_create(session, change=change, drafts=[draft for _, draft in new])
    for (record, _), edge in zip(new, created, strict=True):
        if isinstance(edge, ArgusError):
            refused.append((record, edge))
        else:
            outcome.edges_created += 1
            is_from_now = record.valid_from is None and valid_from is None
            outcome.links_from_now += is_from_now and record.relationship in LINKS
    return later, refused


def _by_external_id(session: Session, change: GraphChange, remarks: Sequence[Remark]) -> list[Remark]:
    """Return the remarks with entities named by their external ids, as the file names them. One statement at most."""
    ids = {UUID(match) for remark in remarks for match in _ID.findall(remark.message)}
    known = entities_get(session, organization_id=change.organization_id, ids=ids)
    names = {str(entity.id): entity.external_id for entity in known.values() if entity.external_id is not None}
    return [
        replace(remark, message=_ID.sub(lambda match: names.get(match[0], match[0]), remark.message))
        for remark in remarks
    ]


def _draft(record: EdgeRecord, source: EntityId, target: EntityId, valid_from: datetime | None) -> EdgeDraft:
    return EdgeDraft(
        source_id=source,
        target_id=target,
        relationship=record.relationship,
        port=record.port,
        exclusive=record.exclusive,
        valid_from=record.valid_from or valid_from,
        valid_until=record.valid_until,
        metadata=record.metadata,
    )


def _same(believed: Iterable[EdgeVersion], record: EdgeRecord, default: datetime) -> EdgeVersion | None:
    """Return the edge of a record: the one that begins at its time, or the current one if it has none."""
    for version in believed:
        if record.valid_from is None:
            if version.valid.contains(default):
                return version
        elif version.valid_from == record.valid_from:
            return version
    return None


def _undated(believed: Iterable[EdgeVersion], record: EdgeRecord, valid_from: datetime | None) -> EdgeVersion | None:
    """Return the edge that an import without a time has made, and one with an earlier time makes begin then."""
    if record.valid_from is not None or valid_from is None:
        return None
    later = [version for version in believed if version.valid_from > valid_from]
    return later[0] if len(later) == 1 and later[0].valid_until is None else None


def _corrections(record: EdgeRecord, before: EdgeVersion, *, valid_from: datetime | None) -> dict[str, Any]:
    """Return what a record says otherwise of an edge. valid_from: since when it is true, where that is to change."""
    corrections: dict[str, Any] = {} if valid_from is None else {"valid_from": valid_from}
    # A file that does not say since when has nothing to say of until when.
    if record.valid_from is not None and record.valid_until != before.valid_until:
        corrections["valid_until"] = record.valid_until
    if record.exclusive is not None and record.exclusive != before.exclusive:
        corrections["exclusive"] = record.exclusive
    if record.metadata and not json_same(record.metadata, before.metadata):
        corrections["metadata"] = record.metadata
    return corrections


def _correct(
    session: Session, change: GraphChange, corrections: Sequence[_Correction], outcome: Outcome
) -> list[tuple[EdgeRecord, ArgusError]]:
    """Correct edges in an order in which none is in another's way, where there is one; return what is refused.

    What is refused is tried again while others make room, each time in the opposite order, so that a chain of edges
    that follow each other takes two rounds.
    """
    refused: list[tuple[_Correction, ArgusError]] = []
    for _ in range(ROUNDS_MAX):
        refused = []
        for item in corrections:
            try:
                with session.begin_nested():
                    edge_correct(session, change=change, edge_id=item.edge_id, **item.values)
            except ArgusError as error:
                refused.append((item, error))
            else:
                outcome.edges_updated += 1
        if len(refused) in {0, len(corrections)}:
            break
        corrections = [item for item, _ in reversed(refused)]
    return [(item.record, error) for item, error in refused]


def _ends(
    session: Session, change: GraphChange, records: Sequence[EdgeRecord], outcome: Outcome
) -> tuple[list[tuple[EdgeRecord, Ends]], list[EdgeRecord]]:
    """Look up the ends of all; return those found with them, and those an end of which is missing."""
    refs = {ref for record in records for ref in (record.source, record.target)}
    known = _known(session, change, refs)
    ready: list[tuple[EdgeRecord, Ends]] = []
    missing: list[EdgeRecord] = []
    for record in records:
        try:
            source, target = (
                _end(known, ref, path) for ref, path in ((record.source, "source"), (record.target, "target"))
            )
        except ArgusError as error:
            outcome.remarks.append(remark_of(error, subject=record.label, line=record.line))
            continue
        if source is None or target is None:
            missing.append(record)
        else:
            ready.append((record, (source, target)))
    return ready, missing


def _known(
    session: Session, change: GraphChange, refs: Iterable[Ref]
) -> Mapping[str | UUID, Mapping[EntityKind, EntityId]]:
    organization_id = change.organization_id
    known: dict[str | UUID, dict[EntityKind, EntityId]] = defaultdict(dict)
    names = {ref.external_id for ref in refs if ref.external_id is not None}
    for kind in EntityKind:
        wanted = {ref.external_id for ref in refs if ref.external_id is not None and ref.kind in {kind, None}}
        for name, entity in entities_by_external_id(
            session, organization_id=organization_id, kind=kind, external_ids=wanted & names
        ).items():
            known[name][kind] = entity.id
    ids = [ref.id for ref in refs if ref.id is not None]
    for entity in entities_get(session, organization_id=organization_id, ids=ids).values():
        known[entity.id][entity.kind] = entity.id
    return known


def _end(known: Mapping[str | UUID, Mapping[EntityKind, EntityId]], ref: Ref, path: str) -> EntityId | None:
    """Return the entity; by its external id before its id. Raises BadInputError where several kinds have it."""
    for name in (None if ref.external_id is None else text_nfc(ref.external_id), ref.id):
        kinds = {} if name is None else known.get(name, {})
        if ref.kind is not None:
            kinds = {kind: item for kind, item in kinds.items() if kind is ref.kind}
        if len(kinds) > 1:
            several = " and a ".join(sorted(kind.value.lower() for kind in kinds))
            raise BadInputError(f"{ref.label!r} is the external id of a {several}: name the kind.", path=(path,))
        if kinds:
            return next(iter(kinds.values()))
    return None
