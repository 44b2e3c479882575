"""Walk over all of valid time at once: who is above or below whom, and when. Edges as believed now.

A way holds for as long as all its edges hold together; what several ways say of one node is joined. A node is walked
on from only for the time that is new to it, so circles end. Times are microseconds since the Unix epoch, half-open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from graph.errors import LimitExceededError
from graph.ids import EntityId
from graph.relationships.builtin import LINKS, LOCATED_IN, TARGETS
from graph.stopping import stop_check
from graph.walk.model import NODES_MAX

# Open ends of time: beyond PostgreSQL's own bounds of timestamptz.
BEGIN_US: Final = -(2**62)
END_US: Final = 2**62
ALL_TIME: Final = (BEGIN_US, END_US)

Span = tuple[int, int]
Spans = list[Span]


@dataclass(frozen=True, slots=True)
class Hops:
    """Which edges lead down. out: from source to target. hierarchies: all hierarchies, too, from source to target.

    into: from target to source. last: those of `into` that lead to where a walk ends.
    """

    out: tuple[str, ...] = ()
    hierarchies: bool = False
    into: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


# See `below.py`: the same meaning.
BELOW: Final = Hops(out=LINKS, hierarchies=True, into=(LOCATED_IN, TARGETS), last=(TARGETS,))


def hierarchy_hops(relationship: str, *, located: bool = False) -> Hops:
    """Return the hops down one hierarchy. located: what is located in any of its nodes is below it, too."""
    return Hops(out=(relationship,), into=(LOCATED_IN,) if located else ())


def spans_below(
    session: Session, *, organization_id: int, ids: Collection[UUID], hops: Hops, nodes_max: int = NODES_MAX
) -> dict[EntityId, dict[EntityId, Spans]]:
    """Return when each node is below each of these, by these; each is below itself for ever. A statement a level.

    Raises LimitExceededError where more than `nodes_max` pairs of nodes come together.
    """
    return _walk(session, organization_id, ids, hops, nodes_max, is_down=True)


def spans_above(
    session: Session, *, organization_id: int, ids: Collection[UUID], hops: Hops, nodes_max: int = NODES_MAX
) -> dict[EntityId, dict[EntityId, Spans]]:
    """Return when each of these is below each node, by these; each is below itself for ever. A statement a level.

    Raises LimitExceededError where more than `nodes_max` pairs of nodes come together.
    """
    return _walk(session, organization_id, ids, hops, nodes_max, is_down=False)


def spans_joined(spans: Iterable[Span]) -> Spans:
    """Join spans that overlap or adjoin; ascending."""
    joined: Spans = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined


def spans_within(spans: Sequence[Span], begins_us: int, ends_us: int) -> Spans:
    """Return the parts of spans that lie in [begins_us, ends_us)."""
    return [(max(b, begins_us), min(e, ends_us)) for b, e in spans if b < ends_us and e > begins_us]


def spans_without(spans: Sequence[Span], known: Sequence[Span]) -> Spans:
    """Return the parts of spans that are in none of `known`; both ascending and disjoint."""
    remaining: Spans = []
    for begins, ends in spans:
        at = begins
        for known_begins, known_ends in known:
            if known_ends <= at:
                continue
            if known_begins >= ends:
                break
            if known_begins > at:
                remaining.append((at, known_begins))
            at = known_ends
        if at < ends:
            remaining.append((at, ends))
    return remaining


@dataclass(frozen=True, slots=True)
class _Edge:
    """An edge as a walk goes along it. is_last: it leads down to where a walk ends."""

    far: EntityId
    begins_us: int
    ends_us: int
    is_last: bool


def _walk(
    session: Session, organization_id: int, ids: Collection[UUID], hops: Hops, nodes_max: int, *, is_down: bool
) -> dict[EntityId, dict[EntityId, Spans]]:
    spans_by_start = {EntityId(entity_id): {EntityId(entity_id): [ALL_TIME]} for entity_id in ids}
    frontiers: dict[EntityId, dict[EntityId, Spans]] = {start: dict(nodes) for start, nodes in spans_by_start.items()}
    edges: dict[EntityId, list[_Edge]] = {}
    statement = _edges_sql(hops, is_down=is_down)
    ended: dict[EntityId, dict[EntityId, Spans]] = {start: {} for start in spans_by_start}
    pairs = len(spans_by_start)
    is_first = True
    while frontiers:
        missing = {node for frontier in frontiers.values() for node in frontier if node not in edges}
        edges.update(_edges_read(session, statement, organization_id, missing, hops))
        following: dict[EntityId, dict[EntityId, Spans]] = {}
        for start, frontier in frontiers.items():
            known = spans_by_start[start]
            before = len(known) + len(ended[start])
            fresh = _advance(frontier, edges, (known, ended[start]), is_down=is_down, is_first=is_first)
            if fresh:
                following[start] = fresh
            pairs += len(known) + len(ended[start]) - before
            if pairs > nodes_max:
                raise LimitExceededError(f"The walk comes to more than {nodes_max} entities.")
        frontiers = following
        is_first = False
    for start, last in ended.items():
        for node, spans in last.items():
            spans_by_start[start][node] = spans_joined([*spans_by_start[start].get(node, ()), *spans])
    return spans_by_start


def _advance(
    frontier: Mapping[EntityId, Spans],
    edges: Mapping[EntityId, Sequence[_Edge]],
    reached: tuple[dict[EntityId, Spans], dict[EntityId, Spans]],
    *,
    is_down: bool,
    is_first: bool,
) -> dict[EntityId, Spans]:
    """Go one hop on from a start's frontier; return what is new, to be gone on from.

    reached: all so far, to which this adds: what is gone on from, and where ways end.
    """
    known, ended = reached
    fresh: dict[EntityId, Spans] = {}
    for node, spans in frontier.items():
        stop_check()
        for edge in edges[node]:
            # Downward such an edge ends a way; seen from below it can only be the first.
            if edge.is_last and not is_down and not is_first:
                continue
            common = spans_within(spans, edge.begins_us, edge.ends_us)
            if common:
                (ended if edge.is_last and is_down else fresh).setdefault(edge.far, []).extend(common)
    onward: dict[EntityId, Spans] = {}
    for node, spans in fresh.items():
        new = spans_without(spans_joined(spans), known.get(node, ()))
        if new:
            onward[node] = new
            known[node] = spans_joined([*known.get(node, ()), *new])
    return onward


def _edges_read(
    session: Session, statement: TextClause, organization_id: int, nodes: Collection[EntityId], hops: Hops
) -> dict[EntityId, list[_Edge]]:
    edges: dict[EntityId, list[_Edge]] = {node: [] for node in nodes}
    if not nodes:
        return edges
    rows = session.execute(
        statement,
        {
            "organization_id": organization_id,
            "ids": list(nodes),
            "out": list(hops.out),
            "into": list(hops.into),
            "last": list(hops.last),
            "begin": BEGIN_US,
            "end": END_US,
        },
    )
    for near, far, begins, ends, is_last in rows:
        edges[near].append(_Edge(far, begins, ends, is_last))
    return edges


def _edges_sql(hops: Hops, *, is_down: bool) -> TextClause:
    """Return the statement that reads the edges that lead on from nodes."""
    out = "e.relationship = ANY (CAST(:out AS text[]))"
    if hops.hierarchies:
        out += (
            " OR e.relationship IN"
            " (SELECT name FROM relationships WHERE organization_id = :organization_id AND hierarchy)"
        )
    into = "e.relationship = ANY (CAST(:into AS text[]))"
    is_last = "e.relationship = ANY (CAST(:last AS text[]))"
    branches = (
        ("source", "target", out if is_down else into, "false" if is_down else is_last),
        ("target", "source", into if is_down else out, is_last if is_down else "false"),
    )
    return text(
        " UNION ALL ".join(
            f"SELECT e.{near}_id, e.{far}_id,"  # noqa: S608  (constants)
            " coalesce(CAST(extract(epoch FROM lower(e.valid)) * 1000000 AS bigint), :begin),"
            " coalesce(CAST(extract(epoch FROM upper(e.valid)) * 1000000 AS bigint), :end),"
            f" {last} FROM entity_edges e WHERE e.organization_id = :organization_id"
            f" AND e.{near}_id = ANY (CAST(:ids AS uuid[])) AND ({which}) AND upper_inf(e.recorded)"
            for near, far, which, last in branches
        )
    )
