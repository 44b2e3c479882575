"""Write many edges in one change, with a constant number of statements.

What could conflict with any is looked up for all at once. Only where hierarchies could form a circle does each
of their edges ask for a separate walk. Each edge is checked as `edge_create` checks it, those before it in the list
having been written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from graph.change import Audit, GraphChange, changes_record
from graph.edges.checks import End, Fact, circle_is_possible, cycle_check, deletion_check, ends_load, refusal
from graph.edges.model import EdgeVersion
from graph.edges.operations import version_new
from graph.edges.queries import edges_believed_between
from graph.edges.rows import EDGE_COLUMNS, edge_audit, edge_of_row, versions_insert
from graph.edges.rules import Interval, Place, exclusive_of, interval_of, kinds_check, loop_check, port_check
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from graph.json_bounds import json_object_check
from graph.relationships.model import Relationship
from graph.relationships.queries import relationship_of_row, relationship_unknown
from graph.tables import relationships

DRAFTS_MAX: Final = 5_000

# A place may have many shared edges; they are in the way of exclusive ones alone.
_PLACES = text(
    f"SELECT e.place, {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND e.place = ANY (CAST(:places AS text[])) AND e.exclusive"
    f" UNION ALL SELECT e.place, {EDGE_COLUMNS} FROM entity_edges e"
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND e.place = ANY (CAST(:exclusive_places AS text[])) AND NOT e.exclusive"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeDraft:
    """An edge to create. valid_from None: from the change on; valid_until None: open; exclusive: as `edge_create`."""

    source_id: UUID
    target_id: UUID
    relationship: str
    port: int | None = None
    exclusive: bool | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def edges_create(
    session: Session, *, change: GraphChange, drafts: Sequence[EdgeDraft]
) -> list[EdgeVersion | ArgusError]:
    """Create edges; return, in the order of the drafts, each edge or the error that refused it.

    The errors are those of `edge_create`. Raises LimitExceededError for more than DRAFTS_MAX.
    """
    if len(drafts) > DRAFTS_MAX:
        raise LimitExceededError(f"At most {DRAFTS_MAX} edges are written at once.", path=("edges",))
    lookup = _lookup(session, change, drafts)
    circles = circle_is_possible(session, change=change, facts=lookup.facts)
    results: list[EdgeVersion | ArgusError] = []
    pending: list[tuple[EdgeVersion, Place | None]] = []
    for draft in drafts:
        try:
            metadata = json_object_check(draft.metadata, path=("metadata",))
            fact, valid = _checked(change, draft, lookup)
            place = fact.place
            exclusive = exclusive_of(fact.relationship, place, wanted=draft.exclusive)
            lookup.taken.check(fact, valid, exclusive=exclusive)
            if circles and fact.relationship.hierarchy:
                _write(session, change, pending)  # the walk must see those before
                cycle_check(session, change, fact, valid, ())
        except ArgusError as error:
            results.append(error)
            continue
        created = version_new(change=change, fact=fact, valid=valid, exclusive=exclusive, metadata=metadata)
        lookup.taken.add(created)
        if place is not None:
            lookup.taken.add_at(place.key, created)
        pending.append((created, place))
        results.append(created)
    _write(session, change, pending)
    return results


class _Taken:
    """The believed edges that could conflict, by their fact and by their place: shared ones and exclusive ones."""

    def __init__(self) -> None:
        self._same: dict[tuple[Any, ...], list[EdgeVersion]] = defaultdict(list)
        self._at_place: dict[tuple[str, bool], list[EdgeVersion]] = defaultdict(list)

    def add(self, version: EdgeVersion) -> None:
        self._same[version.source_id, version.target_id, version.relationship, version.port].append(version)

    def add_at(self, place: str, version: EdgeVersion) -> None:
        self._at_place[place, version.exclusive].append(version)

    def check(self, fact: Fact, valid: Interval, *, exclusive: bool) -> None:
        """Raise OverlapError or ConflictError where something holds during a part of that time."""
        for other in self._same.get((fact.source.id, fact.target.id, fact.relationship.name, fact.port), ()):
            if other.valid.intersection(valid) is not None:
                raise refusal(fact, same=True, other=other)
        place = fact.place
        if place is None:
            return
        for of_exclusive in (True, False) if exclusive else (True,):
            for other in self._at_place.get((place.key, of_exclusive), ()):
                if other.valid.intersection(valid) is not None:
                    raise refusal(fact, same=False, other=other)


@dataclass(frozen=True, slots=True)
class _Lookup:
    relationships: Mapping[str, Relationship]
    ends: Mapping[UUID, End]
    taken: _Taken
    facts: Sequence[Fact]


def _lookup(session: Session, change: GraphChange, drafts: Sequence[EdgeDraft]) -> _Lookup:
    organization_id = change.organization_id
    rows = session.execute(select(relationships).where(relationships.c.organization_id == organization_id))
    known = {row.name: relationship_of_row(row) for row in rows}
    ends = ends_load(session, change=change, ids={item for d in drafts for item in (d.source_id, d.target_id)})
    possible = [
        (draft, Fact(known[draft.relationship], ends[draft.source_id], ends[draft.target_id], draft.port))
        for draft in drafts
        if draft.relationship in known and draft.source_id in ends and draft.target_id in ends
    ]
    places: set[str] = set()
    exclusive_places: set[str] = set()
    for draft, fact in possible:
        if (place := fact.place) is not None:
            places.add(place.key)
            if draft.exclusive and not place.always:
                exclusive_places.add(place.key)
    pairs = {(draft.source_id, draft.target_id) for draft in drafts}
    taken = _Taken()
    for version in edges_believed_between(session, organization_id=organization_id, pairs=pairs):
        taken.add(version)
    at_places = {
        "organization_id": organization_id,
        "places": list(places),
        "exclusive_places": list(exclusive_places),
    }
    for row in session.execute(_PLACES, at_places):
        taken.add_at(row.place, edge_of_row(row))
    return _Lookup(known, ends, taken, [fact for _, fact in possible])


def _checked(change: GraphChange, draft: EdgeDraft, lookup: _Lookup) -> tuple[Fact, Interval]:
    valid = interval_of(change.recorded if draft.valid_from is None else draft.valid_from, draft.valid_until)
    relationship = lookup.relationships.get(draft.relationship)
    if relationship is None:
        raise relationship_unknown(draft.relationship, lookup.relationships.values())
    for end_id, path in ((draft.source_id, "sourceId"), (draft.target_id, "targetId")):
        if end_id not in lookup.ends:
            raise NotFoundError(f"There is no entity {end_id}.", path=(path,))
    fact = Fact(relationship, lookup.ends[draft.source_id], lookup.ends[draft.target_id], draft.port)
    if relationship.retired_at is not None:
        raise BadInputError(f"{relationship.name} is retired: no new edge may have it.", path=("relationship",))
    kinds_check(relationship, fact.source.kind, fact.target.kind)
    loop_check(relationship, draft.source_id, draft.target_id)
    port_check(relationship, fact.target.kind, draft.port)
    deletion_check(fact, valid)
    return fact, valid


def _write(session: Session, change: GraphChange, pending: list[tuple[EdgeVersion, Place | None]]) -> None:
    if not pending:
        return
    versions_insert(session, change=change, versions=pending)
    audits: list[Audit] = [edge_audit("created", before=None, after=version) for version, _ in pending]
    changes_record(session, change=change, audits=audits)
    pending.clear()
