"""Read edges: one, those of many entities at once, pages of them, their history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.rows import EDGE_COLUMNS, edge_of_row
from graph.errors import BeyondScopeError, ConflictError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.instants import moment_resolve, moment_sql, moment_values
from graph.json_bounds import texts_storable
from graph.sql import uuids_text
from graph.tenancy import beyond_scope_check, beyond_scope_ids, unscoped

# Edges of one entity that a reader who wants all of them gets at most.
EDGES_EACH_MAX: Final = 10_000

_BY_ID = text(
    f"SELECT {EDGE_COLUMNS} FROM entity_edges e WHERE e.organization_id = :organization_id"  # noqa: S608
    " AND e.edge_id = coalesce((SELECT v.edge_id FROM entity_edges v"
    " WHERE v.organization_id = :organization_id AND v.id = :id), :id)"
    " ORDER BY lower(e.recorded) DESC LIMIT 1"
)
_VERSIONS = text(
    f"SELECT {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND e.id = ANY (CAST(:ids AS uuid[]))"
)
_NEWEST = text(
    f"SELECT DISTINCT ON (e.edge_id) {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND e.edge_id = ANY (CAST(:ids AS uuid[]))"
    " ORDER BY e.edge_id, lower(e.recorded) DESC"
)
_TOUCHING_AFTER = text(
    f"SELECT {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND (e.source_id = :entity_id OR e.target_id = :entity_id)"
    " AND (upper_inf(e.valid) OR upper(e.valid) > :instant) ORDER BY e.edge_id"
)
_TOUCHING_AFTER_MANY = text(
    f"SELECT {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND (e.source_id = ANY (CAST(:ids AS uuid[])) OR e.target_id = ANY (CAST(:ids AS uuid[])))"
    " AND (upper_inf(e.valid) OR upper(e.valid) > :instant) ORDER BY e.edge_id"
)
_PAIRS = text(
    f"SELECT {EDGE_COLUMNS} FROM entity_edges e"  # noqa: S608  (constants)
    " WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND (e.source_id, e.target_id) IN (SELECT * FROM unnest(CAST(:sources AS uuid[]), CAST(:targets AS uuid[])))"
)


def edge_versions_by_id(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, EdgeVersion]:
    """Return the versions of these version ids; one that does not exist is left out."""
    rows = session.execute(_VERSIONS, {"organization_id": organization_id, "ids": list(ids)})
    return {row.id: edge_of_row(row) for row in rows}


def edges_newest(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, EdgeVersion]:
    """Return the newest version of each of these edges, by `edge_id`; one that does not exist is left out."""
    rows = session.execute(_NEWEST, {"organization_id": organization_id, "ids": list(ids)})
    return {row.edge_id: edge_of_row(row) for row in rows}


def edge_believed(session: Session, *, organization_id: int, edge_id: UUID) -> EdgeVersion:
    """Return what is believed now of the edge that `edge_id`, of the edge or of a version, names.

    Raises NotFoundError, and ConflictError where the edge was retracted.
    """
    newest = _newest(session, organization_id, edge_id)
    if newest.retracted_at is not None:
        message = f"Edge {newest.edge_id} was retracted at {newest.retracted_at.isoformat()}."
        raise ConflictError(message, path=("id",))
    return newest


def edges_touching_after(
    session: Session,
    *,
    organization_id: int,
    entity_id: UUID,
    instant: datetime,
    concerned: Callable[[EdgeVersion], bool] = lambda _: True,
) -> list[EdgeVersion]:
    """Return the believed edges at an entity, as source or target, that are true at `instant` or later.

    concerned: which of them, for a change that concerns no others. Raises BeyondScopeError where one of these leads to
    an entity that a confined caller does not see: a part of them would not do.
    """
    with unscoped(session):
        rows = session.execute(
            _TOUCHING_AFTER, {"organization_id": organization_id, "entity_id": entity_id, "instant": instant}
        ).all()
    edges = [edge for edge in map(edge_of_row, rows) if concerned(edge)]
    ends = {end for edge in edges for end in (edge.source_id, edge.target_id)}
    beyond_scope_check(session, organization_id=organization_id, ids=ends, what=_beyond(entity_id))
    return edges


def edges_touching_after_many(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Collection[UUID],
    instant: datetime,
    concerned: Callable[[EdgeVersion], bool] = lambda _: True,
) -> tuple[list[EdgeVersion], dict[UUID, BeyondScopeError]]:
    """Return the same of many entities, each edge once; and which of them a confined caller may not change, and why.

    Two statements.
    """
    with unscoped(session):
        rows = session.execute(
            _TOUCHING_AFTER_MANY,
            {"organization_id": organization_id, "ids": uuids_text(entity_ids), "instant": instant},
        ).all()
    edges = [edge for edge in map(edge_of_row, rows) if concerned(edge)]
    ends = {end for edge in edges for end in (edge.source_id, edge.target_id)}
    beyond = beyond_scope_ids(session, organization_id=organization_id, ids=ends)
    if not beyond:
        return edges, {}
    refused = {
        end
        for edge in edges
        for end, other in ((edge.source_id, edge.target_id), (edge.target_id, edge.source_id))
        if other in beyond
    }
    return edges, {entity_id: BeyondScopeError(_beyond(entity_id)) for entity_id in entity_ids if entity_id in refused}


def edges_believed_between(
    session: Session, *, organization_id: int, pairs: Collection[tuple[UUID, UUID]]
) -> list[EdgeVersion]:
    """Return all believed edges, of any time, from the first to the second of each pair. One statement."""
    rows = session.execute(
        _PAIRS,
        {
            "organization_id": organization_id,
            "sources": [source for source, _ in pairs],
            "targets": [target for _, target in pairs],
        },
    )
    return [edge_of_row(row) for row in rows]


def edges_of(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Sequence[UUID],
    direction: Direction = Direction.ANY,
    relationships: Collection[str] | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[EntityId, list[EdgeVersion]]:
    """Return the edges of each entity at a moment, in the order of their edge ids.

    Two statements, however many entities. OUT: those it is the source of. relationships None: of all.
    An entity without any has an empty list.
    Raises LimitExceededError where one has more than EDGES_EACH_MAX.
    """
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
    statement = edges_sql(
        direction=direction,
        by_relationship=relationships is not None,
        condition=moment_sql(moment),
        order="edge_id",
    )
    rows = session.execute(
        text(statement),
        {
            "organization_id": organization_id,
            "ids": list(entity_ids),
            "relationships": None if relationships is None else texts_storable(relationships),
            "limit": EDGES_EACH_MAX + 1,
            **moment_values(moment),
        },
    )
    edges_by_entity: dict[EntityId, list[EdgeVersion]] = {EntityId(item): [] for item in entity_ids}
    for row in rows:
        edges_by_entity[row.entity_id].append(edge_of_row(row))
    for entity_id, edges in edges_by_entity.items():
        if len(edges) > EDGES_EACH_MAX:
            raise LimitExceededError(f"{entity_id} has more than {EDGES_EACH_MAX} edges; read them in pages.")
    return edges_by_entity


def edges_sql(*, direction: Direction, by_relationship: bool, condition: str, order: str) -> str:
    """Return the statement for rows (entity_id, EDGE_COLUMNS) of many entities, :limit for each.

    Parameters: organization_id, ids, limit, relationships where `by_relationship`, and those of `condition`,
    which speaks of the table as e. order: of output columns. An edge never leads from an entity to itself, so
    the two directions have no row in common.
    """
    branches = " UNION ALL ".join(
        f"SELECT {EDGE_COLUMNS}{branch}" for branch in _branches(direction, by_relationship, condition)
    )
    return (
        f"SELECT w.entity_id, e.* FROM {_REQUESTED}"  # noqa: S608  (constants)
        f" CROSS JOIN LATERAL ({branches} ORDER BY {order} LIMIT :limit) e ORDER BY w.entity_id, {order}"
    )


def edges_count_sql(*, direction: Direction, by_relationship: bool, condition: str) -> str:
    """Return the statement for rows (entity_id, edges): how many there are without :limit."""
    branches = " UNION ALL ".join(f"SELECT e.id{branch}" for branch in _branches(direction, by_relationship, condition))
    return (
        f"SELECT w.entity_id, count(*) AS edges FROM {_REQUESTED}"  # noqa: S608  (constants)
        f" CROSS JOIN LATERAL ({branches}) e GROUP BY w.entity_id"
    )


_REQUESTED = "(SELECT DISTINCT unnest(CAST(:ids AS uuid[])) AS entity_id) w"


def _branches(direction: Direction, by_relationship: bool, condition: str) -> list[str]:
    ends = {Direction.OUT: ["source_id"], Direction.IN: ["target_id"]}.get(direction, ["source_id", "target_id"])
    among = " AND e.relationship = ANY (CAST(:relationships AS text[]))" if by_relationship else ""
    return [
        f" FROM entity_edges e WHERE e.organization_id = :organization_id"
        f" AND e.{end} = w.entity_id{among} AND {condition}"
        for end in ends
    ]


def _beyond(entity_id: UUID) -> str:
    return f"{entity_id} has edges to what lies beyond the part of the plant that this token is confined to."


def _newest(session: Session, organization_id: int, edge_id: UUID) -> EdgeVersion:
    row = session.execute(_BY_ID, {"organization_id": organization_id, "id": edge_id}).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no edge {edge_id}.", path=("id",))
    return edge_of_row(row)
