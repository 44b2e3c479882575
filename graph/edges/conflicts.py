"""Look up what could conflict with many new edges, at a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.edges.checks import Fact, refusal
from graph.edges.model import EdgeVersion
from graph.edges.queries import edges_believed_between
from graph.edges.rows import EDGE_COLUMNS, edge_of_row
from graph.edges.rules import Interval

# A place may have many shared edges; they are in the way of exclusive ones alone.
_PLACES = text(
    f"SELECT e.place, {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND e.place = ANY (CAST(:places AS text[])) AND e.exclusive"
    f" UNION ALL SELECT e.place, {EDGE_COLUMNS} FROM entity_edges e"
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND e.place = ANY (CAST(:exclusive_places AS text[])) AND NOT e.exclusive"
)


class Conflicts:
    """The believed edges that could conflict with new ones: those that state the same, and those at their places."""

    def __init__(self, same: Iterable[EdgeVersion], at_places: Iterable[tuple[str, EdgeVersion]]) -> None:
        self._same: dict[tuple[Any, ...], list[EdgeVersion]] = defaultdict(list)
        self._at_place: dict[tuple[str, bool], list[EdgeVersion]] = defaultdict(list)
        for version in same:
            self._same[_key(version)].append(version)
        for place, version in at_places:
            self._at_place[place, version.exclusive].append(version)

    def add(self, fact: Fact, version: EdgeVersion) -> None:
        """Add an edge that was written meanwhile."""
        self._same[_key(version)].append(version)
        if (place := fact.place) is not None:
            self._at_place[place.key, version.exclusive].append(version)

    def check(self, fact: Fact, valid: Interval, *, exclusive: bool) -> None:
        """Raise OverlapError or ConflictError where an edge is in the way for a part of that time."""
        key = (fact.source.id, fact.target.id, fact.relationship.name, fact.port)
        _meeting_refuse(fact, valid, self._same.get(key, ()), same=True)
        if (place := fact.place) is not None:
            _meeting_refuse(fact, valid, self._at_place.get((place.key, True), ()), same=False)
            if exclusive:
                _meeting_refuse(fact, valid, self._at_place.get((place.key, False), ()), same=False)


def conflicts_load(
    session: Session,
    *,
    change: GraphChange,
    facts: Sequence[tuple[Fact, bool]],
    without: Collection[UUID] = (),
) -> Conflicts:
    """Look up what could conflict with these facts, each with whether it is exclusive. Two statements.

    without: edges that are to be ignored.
    """
    organization_id = change.organization_id
    pairs = {(fact.source.id, fact.target.id) for fact, _ in facts}
    same = edges_believed_between(session, organization_id=organization_id, pairs=pairs)
    placed = [(place.key, exclusive) for fact, exclusive in facts if (place := fact.place) is not None]
    values = {
        "organization_id": organization_id,
        "places": list({key for key, _ in placed}),
        "exclusive_places": list({key for key, exclusive in placed if exclusive}),
    }
    at_places = [(row.place, edge_of_row(row)) for row in session.execute(_PLACES, values)]
    return Conflicts(
        [version for version in same if version.edge_id not in without],
        [(place, version) for place, version in at_places if version.edge_id not in without],
    )


def _key(version: EdgeVersion) -> tuple[Any, ...]:
    return (version.source_id, version.target_id, version.relationship, version.port)


def _meeting_refuse(fact: Fact, valid: Interval, others: Iterable[EdgeVersion], *, same: bool) -> None:
    for other in others:
        if other.valid.intersection(valid) is not None:
            raise refusal(fact, same=same, other=other)
