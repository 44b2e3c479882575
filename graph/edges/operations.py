"""Create, end, correct and retract edges, within a change, which holds the organization's lock.

All is looked up before anything is written: a function that raises has changed nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from graph.absent import ABSENT, Absent
from graph.change import Audit, GraphChange, changes_record
from graph.edges.checks import Fact, fact_check, fact_load
from graph.edges.model import EdgeVersion
from graph.edges.queries import edge_believed, edges_touching_after, edges_touching_after_many
from graph.edges.rows import edge_audit, versions_close, versions_insert
from graph.edges.rules import (
    Interval,
    Place,
    exclusive_of,
    interval_of,
    kinds_check,
    loop_check,
    place_of,
    port_check,
    shorten,
)
from graph.errors import ArgusError, BadInputError, BeyondScopeError
from graph.ids import EdgeId, EdgeVersionId, EntityId
from graph.instants import instant_utc
from graph.json_bounds import json_object_check, json_same
from graph.relationships.model import Relationship
from graph.relationships.queries import relationships_by_name

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


def edge_create(
    session: Session,
    *,
    change: GraphChange,
    source_id: UUID,
    target_id: UUID,
    relationship: str,
    port: int | None = None,
    exclusive: bool | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    metadata: Mapping[str, Any] = _EMPTY,
) -> EdgeVersion:
    """Record that source RELATIONSHIP target from `valid_from` (default: the change) to `valid_until`.

    exclusive: no other edge of the relationship, from an entity of the source's kind, leads to that port of the device
    at the same time; None: as the relationship says, which leaves most shared.
    Raises NotFoundError for an end that does not exist, KindNotAllowedError, OverlapError where the same is
    recorded for a part of that time, ConflictError where an exclusive place is taken or an end is deleted
    before, CycleError, LimitExceededError for too much metadata, BadInputError for anything else.
    """
    valid = interval_of(change.recorded if valid_from is None else valid_from, valid_until)
    stored = json_object_check(metadata, path=("metadata",))
    fact = fact_load(
        session, change=change, source_id=source_id, target_id=target_id, relationship=relationship, port=port
    )
    if fact.relationship.retired_at is not None:
        raise BadInputError(f"{relationship} is retired: no new edge may have it.", path=("relationship",))
    kinds_check(fact.relationship, fact.source.kind, fact.target.kind)
    loop_check(fact.relationship, source_id, target_id)
    port_check(fact.relationship, fact.target.kind, port)
    alone = exclusive_of(fact.relationship, fact.place, wanted=exclusive)
    fact_check(session, change=change, fact=fact, valid=valid, exclusive=alone)
    created = version_new(change=change, fact=fact, valid=valid, exclusive=alone, metadata=stored)
    edges_write(session, change=change, versions=[(created, fact.place)])
    return created


def edge_end(session: Session, *, change: GraphChange, edge_id: UUID, at: datetime | None = None) -> EdgeVersion:
    """Record that the edge stopped being true at `at` (default: the change). It only ever shortens.

    edge_id: of the edge or of a version; what is believed now is ended.
    Raises NotFoundError, ConflictError for a retracted edge, BadInputError unless `at` lies strictly inside
    its validity.
    """
    before = edge_believed(session, organization_id=change.organization_id, edge_id=edge_id)
    valid = shorten(before.valid, change.recorded if at is None else at)
    [ended] = edges_cut(session, change=change, cuts=[(before, valid)])
    return ended


def edge_correct(
    session: Session,
    *,
    change: GraphChange,
    edge_id: UUID,
    valid_from: datetime | Absent = ABSENT,
    valid_until: datetime | Absent | None = ABSENT,
    exclusive: bool | Absent = ABSENT,
    metadata: Mapping[str, Any] | Absent = ABSENT,
) -> EdgeVersion:
    """Correct an edge: close the current belief and write a new one.

    edge_id: of the edge or of a version; what is believed now is corrected. An ABSENT argument stays as
    it is; valid_until None opens the edge again. A correction that changes nothing writes nothing.
    Raises NotFoundError, ConflictError for a retracted edge, and what `edge_create` raises for what is new.
    """
    before = edge_believed(session, organization_id=change.organization_id, edge_id=edge_id)
    valid = interval_of(
        before.valid_from if isinstance(valid_from, Absent) else valid_from,
        before.valid_until if isinstance(valid_until, Absent) else valid_until,
    )
    new_metadata = before.metadata
    if not isinstance(metadata, Absent):
        new_metadata = json_object_check(metadata, path=("metadata",))
    wanted = before.exclusive if isinstance(exclusive, Absent) else exclusive
    if valid == before.valid and wanted == before.exclusive and json_same(new_metadata, before.metadata):
        return before
    return _rewrite(
        session,
        change=change,
        before=before,
        valid=valid,
        exclusive=wanted,
        metadata=new_metadata,
    )


def edge_retract(session: Session, *, change: GraphChange, edge_id: UUID) -> EdgeVersion:
    """Retract an edge, as never true; return its last version, closed.

    edge_id: of the edge or of a version. Raises NotFoundError, ConflictError where it is retracted already.
    """
    before = edge_believed(session, organization_id=change.organization_id, edge_id=edge_id)
    [retracted] = edges_cut(session, change=change, cuts=[(before, None)])
    return retracted


def edges_end_of_entity(session: Session, *, change: GraphChange, entity_id: UUID, at: datetime) -> list[EdgeVersion]:
    """End all edges of an entity at `at`, retract those that had not begun by then; return what was changed.

    Part of deleting the entity. An edge that had ended by then stays as it is.
    """
    instant = instant_utc(at, path="at")
    cut_edges = edges_touching_after(
        session, organization_id=change.organization_id, entity_id=entity_id, instant=instant
    )
    return edges_cut(session, change=change, cuts=[(edge, edge.valid.split(instant)[0]) for edge in cut_edges])


def edges_end_of_entities(
    session: Session, *, change: GraphChange, entity_ids: Collection[UUID]
) -> dict[UUID, BeyondScopeError]:
    """End all edges of many entities at the change, as `edges_end_of_entity` does, at a constant number of statements.

    Returns why entities are refused that have edges to what a confined caller does not see; theirs stay.
    """
    edges, refused = edges_touching_after_many(
        session, organization_id=change.organization_id, entity_ids=entity_ids, instant=change.recorded
    )
    ended = set(entity_ids) - refused.keys()
    cuts = [edge for edge in edges if edge.source_id in ended or edge.target_id in ended]
    edges_cut(session, change=change, cuts=[(edge, edge.valid.split(change.recorded)[0]) for edge in cuts])
    return refused


def edges_cut(
    session: Session, *, change: GraphChange, cuts: Sequence[tuple[EdgeVersion, Interval | None]]
) -> list[EdgeVersion]:
    """Cut edges, each to a part of its validity; None retracts it. At a constant number of statements.

    Such a cut needs no check. Returns, in their order, the new version of each, or its last one, closed.
    """
    known = relationships_by_name(session, organization_id=change.organization_id)
    results: list[EdgeVersion] = []
    written: list[tuple[EdgeVersion, Place | None]] = []
    audits: list[Audit] = []
    for before, remainder in cuts:
        if remainder is None:
            results.append(replace(before, retracted_at=change.recorded))
            audits.append(edge_audit("retracted", before=before, after=None))
            continue
        after = _successor(change, before, valid=remainder, exclusive=before.exclusive, metadata=before.metadata)
        results.append(after)
        written.append((after, _place(known[before.relationship], after)))
        audits.append(edge_audit("ended", before=before, after=after))
    versions_close(session, change=change, versions=[before for before, _ in cuts])
    versions_insert(session, change=change, versions=written)
    changes_record(session, change=change, audits=audits)
    return results


def edges_write(session: Session, *, change: GraphChange, versions: Sequence[tuple[EdgeVersion, Place | None]]) -> None:
    """Write the first versions of edges that have passed all checks, each with its place."""
    versions_insert(session, change=change, versions=versions)
    audits = [edge_audit("created", before=None, after=version) for version, _ in versions]
    changes_record(session, change=change, audits=audits)


def version_new(
    *, change: GraphChange, fact: Fact, valid: Interval, exclusive: bool, metadata: Mapping[str, Any]
) -> EdgeVersion:
    """Return the first version of a new edge, which is believed from the change on."""
    return EdgeVersion(
        EdgeVersionId(change.record_id()),
        EdgeId(change.record_id()),
        fact.relationship.name,
        EntityId(fact.source.id),
        fact.source.kind,
        EntityId(fact.target.id),
        fact.target.kind,
        fact.port,
        exclusive,
        dict(metadata),
        valid.start,
        valid.end,
        change.recorded,
    )


def _rewrite(
    session: Session,
    *,
    change: GraphChange,
    before: EdgeVersion,
    valid: Interval,
    exclusive: bool,
    metadata: Mapping[str, Any],
) -> EdgeVersion:
    fact = fact_load(
        session,
        change=change,
        source_id=before.source_id,
        target_id=before.target_id,
        relationship=before.relationship,
        port=before.port,
    )
    if exclusive != before.exclusive:
        exclusive_of(fact.relationship, fact.place, wanted=exclusive)
    grew = before.valid.intersection(valid) != valid or (exclusive and not before.exclusive)
    if grew:  # in time or in what it refuses: something may be in the way
        try:
            fact_check(session, change=change, fact=fact, valid=valid, exclusive=exclusive, without=(before.edge_id,))
        except ArgusError as fault:
            # At what was corrected: a correction has no ends and no port.
            earlier = "validFrom" if valid.start < before.valid_from else "validUntil"
            fault.path = ("exclusive",) if exclusive and not before.exclusive else (earlier,)
            raise
    after = _successor(change, before, valid=valid, exclusive=exclusive, metadata=metadata)
    versions_close(session, change=change, versions=[before])
    versions_insert(session, change=change, versions=[(after, fact.place)])
    changes_record(session, change=change, audits=[edge_audit("corrected", before=before, after=after)])
    return after


def _successor(
    change: GraphChange, before: EdgeVersion, *, valid: Interval, exclusive: bool, metadata: Mapping[str, Any]
) -> EdgeVersion:
    # What one change writes and corrects is one version and keeps its name.
    written_now = before.recorded_at == change.recorded
    return replace(
        before,
        id=before.id if written_now else EdgeVersionId(change.record_id()),
        exclusive=exclusive,
        metadata=dict(metadata),
        valid_from=valid.start,
        valid_until=valid.end,
        recorded_at=change.recorded,
    )


def _place(relationship: Relationship, version: EdgeVersion) -> Place | None:
    return place_of(
        relationship,
        source_id=version.source_id,
        source_kind=version.source_kind,
        target_id=version.target_id,
        port=version.port,
    )
