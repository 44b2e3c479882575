"""Write many edges in one change, with a constant number of statements.

What could conflict with any is looked up for all at once. Only where hierarchies could form a circle does each
of their edges ask for a separate walk. Each edge is checked as `edge_create` checks it, those before it in the list
having been written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.edges.checks import End, Fact, circle_is_possible, cycle_check, deletion_check, ends_load
from graph.edges.conflicts import Conflicts, conflicts_load
from graph.edges.model import EdgeVersion
from graph.edges.operations import edges_write, version_new
from graph.edges.rules import Interval, Place, exclusive_of, interval_of, kinds_check, loop_check, port_check
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from graph.json_bounds import json_object_check
from graph.relationships.model import Relationship
from graph.relationships.queries import relationship_unknown, relationships_by_name

DRAFTS_MAX: Final = 5_000


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
            lookup.conflicts.check(fact, valid, exclusive=exclusive)
            if circles and fact.relationship.hierarchy:
                _flush(session, change, pending)  # the walk must see those before
                cycle_check(session, change, fact, valid, ())
        except ArgusError as error:
            results.append(error)
            continue
        created = version_new(change=change, fact=fact, valid=valid, exclusive=exclusive, metadata=metadata)
        lookup.conflicts.add(fact, created)
        pending.append((created, place))
        results.append(created)
    _flush(session, change, pending)
    return results


@dataclass(frozen=True, slots=True)
class _Lookup:
    relationships: Mapping[str, Relationship]
    ends: Mapping[UUID, End]
    conflicts: Conflicts
    facts: Sequence[Fact]


def _lookup(session: Session, change: GraphChange, drafts: Sequence[EdgeDraft]) -> _Lookup:
    known = relationships_by_name(session, organization_id=change.organization_id)
    ends = ends_load(session, change=change, ids={item for d in drafts for item in (d.source_id, d.target_id)})
    possible = [
        (draft, Fact(known[draft.relationship], ends[draft.source_id], ends[draft.target_id], draft.port))
        for draft in drafts
        if draft.relationship in known and draft.source_id in ends and draft.target_id in ends
    ]
    # One that the draft leaves to the relationship is exclusive only where all at its place are.
    conflicts = conflicts_load(
        session, change=change, facts=[(fact, bool(draft.exclusive)) for draft, fact in possible]
    )
    return _Lookup(known, ends, conflicts, [fact for _, fact in possible])


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


def _flush(session: Session, change: GraphChange, pending: list[tuple[EdgeVersion, Place | None]]) -> None:
    edges_write(session, change=change, versions=pending)
    pending.clear()
