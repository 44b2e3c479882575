"""Read a snapshot from the database, whole or what came since. One statement each, so that it is of one revision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.errors import NotFoundError
from graph.kinds import EntityKind
from graph.walk.snapshot.edges import EdgeColumns
from graph.walk.snapshot.model import AddedEdge, ClosedEdge, Delta, Snapshot, tables_of
from graph.walk.snapshot.nodes import Nodes, uuid_pairs

# More changes than this are not applied one by one: the graph is read again.
DELTA_MAX: Final = 20_000

# A column of a million rows arrives as one value, laid end to end as PostgreSQL sends it: sixteen bytes a UUID, eight
# a time (microseconds since 2000; infinity is the largest number, and so is FOREVER), four an integer, all big-endian.
# The aggregates of one SELECT see the rows in one order. Types and relationships are numbered, for their names repeat.
_WHOLE = text(
    """
    WITH types AS MATERIALIZED (
        SELECT kind, name, dense_rank() OVER (ORDER BY name)::int - 1 AS code
        FROM entity_types WHERE organization_id = :organization_id
    ), names AS MATERIALIZED (
        SELECT name, hierarchy, row_number() OVER (ORDER BY name)::int - 1 AS code
        FROM relationships WHERE organization_id = :organization_id
    )
    SELECT c.revision, c.last_recorded, n.*, e.*,
        (SELECT coalesce(array_agg(DISTINCT name ORDER BY name), '{}') FROM types) AS type_names,
        (SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM names) AS relationships,
        (SELECT coalesce(array_agg(name), '{}') FROM names WHERE hierarchy) AS hierarchies
    FROM graph_clocks c CROSS JOIN (
        SELECT string_agg(uuid_send(n.id), ''::bytea) AS node_ids,
            string_agg(int4send(array_position(CAST(:kinds AS text[]), n.kind) - 1), ''::bytea) AS node_kinds,
            string_agg(int4send(coalesce(t.code, -1)), ''::bytea) AS node_types
        FROM entities n LEFT JOIN types t ON t.kind = n.kind AND t.name = n.type
        WHERE n.organization_id = :organization_id
    ) n CROSS JOIN (
        SELECT string_agg(uuid_send(e.id), ''::bytea) AS edge_ids,
            string_agg(uuid_send(e.source_id), ''::bytea) AS sources,
            string_agg(uuid_send(e.target_id), ''::bytea) AS targets,
            string_agg(int4send(r.code), ''::bytea) AS edge_relationships,
            string_agg(timestamptz_send(lower(e.valid)), ''::bytea) AS begins,
            string_agg(timestamptz_send(coalesce(upper(e.valid), 'infinity')), ''::bytea) AS ends
        FROM entity_edges e JOIN names r ON r.name = e.relationship
        WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)
    ) e WHERE c.organization_id = :organization_id
    """
)

# Each edge written since is listed by itself; one that was written and closed between two looks is in both lists.
_SINCE = text(
    """
    WITH since AS MATERIALIZED (SELECT * FROM edges_recorded_since(:organization_id, :since, :most))
    SELECT c.revision, c.last_recorded, a.added, d.closed, t.types, s.renamed, h.hierarchies
    FROM graph_clocks c CROSS JOIN (
        SELECT jsonb_agg(jsonb_build_array(e.id, e.relationship, e.source_id, e.source_kind, s.type,
            e.target_id, e.target_kind, t.type, lower(e.valid) AT TIME ZONE 'UTC',
            upper(e.valid) AT TIME ZONE 'UTC')) AS added
        FROM since JOIN entity_edges e ON e.organization_id = :organization_id AND e.id = since.id AND since.believed
        JOIN entities s ON s.organization_id = e.organization_id AND s.id = e.source_id
        JOIN entities t ON t.organization_id = e.organization_id AND t.id = e.target_id
    ) a CROSS JOIN (
        SELECT jsonb_agg(jsonb_build_array(e.id, e.source_id)) AS closed
        FROM since e WHERE NOT e.believed
    ) d CROSS JOIN (
        SELECT jsonb_agg(jsonb_build_array(n.id, n.type)) AS types
        FROM (SELECT DISTINCT subject_id FROM changes WHERE organization_id = :organization_id
            AND recorded_at > :since AND subject_type = 'entity' AND action = 'updated'
            AND before ->> 'type' IS DISTINCT FROM after ->> 'type' LIMIT :most) u
        JOIN entities n ON n.organization_id = :organization_id AND n.id = u.subject_id
    ) t CROSS JOIN (
        SELECT EXISTS (SELECT FROM changes WHERE organization_id = :organization_id AND recorded_at > :since
            AND subject_type = 'entity_type' AND before ->> 'name' IS DISTINCT FROM after ->> 'name'
            AND before IS NOT NULL)
            -- Of what was erased no edge is left that says that it was closed.
            OR EXISTS (SELECT FROM erasures
                WHERE organization_id = :organization_id AND finished_at > :since) AS renamed
    ) s CROSS JOIN (
        SELECT array_agg(name) AS hierarchies FROM relationships
        WHERE organization_id = :organization_id AND hierarchy
    ) h WHERE c.organization_id = :organization_id
    """
)
_COUNT = text("SELECT count(*) FROM (SELECT FROM entity_edges WHERE organization_id = :organization_id LIMIT :most) e")


def edges_count(session: Session, *, organization_id: int, most: int) -> int:
    """Return how many edge versions there are, closed ones too, counting to `most`."""
    return int(session.execute(_COUNT, {"organization_id": organization_id, "most": most}).scalar_one())


def snapshot_load(session: Session, *, organization_id: int) -> Snapshot:
    """Read an organization's graph. Raises NotFoundError where it is not the transaction's own."""
    values = {"organization_id": organization_id, "kinds": [kind.value for kind in EntityKind]}
    row = session.execute(_WHOLE, values).one_or_none()
    if row is None:
        raise NotFoundError("There is no such organization.")
    nodes = _nodes(row)
    columns = EdgeColumns(
        nodes.find_pairs(*uuid_pairs(bytes(row.sources or b""))),
        nodes.find_pairs(*uuid_pairs(bytes(row.targets or b""))),
        _numbers(row.begins, ">i8", np.int64),
        _numbers(row.ends, ">i8", np.int64),
        _numbers(row.edge_relationships, ">i4", np.uint16),
        *uuid_pairs(bytes(row.edge_ids or b"")),
    )
    return Snapshot(
        row.revision,
        row.last_recorded.astimezone(UTC),
        nodes,
        tuple(row.relationships),
        frozenset(row.hierarchies),
        tables_of(columns, nodes=len(nodes)),
    )


def delta_load(session: Session, *, organization_id: int, since: datetime) -> Delta | None:
    """Read the changes after `since`; None where they are too many, or require a full reload."""
    row = session.execute(
        _SINCE, {"organization_id": organization_id, "since": since, "most": DELTA_MAX + 1}
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such organization.")
    parts: Sequence[Any] = row.added or (), row.closed or (), row.types or ()
    if row.renamed or any(len(part) > DELTA_MAX for part in parts):
        return None
    added, closed, types = parts
    return Delta(
        row.revision,
        row.last_recorded.astimezone(UTC),
        [_added(item) for item in added],
        [ClosedEdge(UUID(edge), UUID(source)) for edge, source in closed],
        [(UUID(type_name), name) for type_name, name in types],
        frozenset(row.hierarchies or ()),
    )


def _nodes(row: Any) -> Nodes:
    high, low = uuid_pairs(bytes(row.node_ids or b""))
    kinds = _numbers(row.node_kinds, ">i4", np.uint8)
    types = _numbers(row.node_types, ">i4", np.int32)
    order = np.lexsort((low, high))
    return Nodes(high[order], low[order], kinds[order], types[order], len(order), tuple(row.type_names))


def _added(row: list[Any]) -> AddedEdge:
    edge, relationship, source, source_kind, source_type, target, target_kind, target_type, begins, ends = row
    return AddedEdge(
        UUID(edge),
        relationship,
        UUID(source),
        EntityKind(source_kind),
        source_type,
        UUID(target),
        EntityKind(target_kind),
        target_type,
        datetime.fromisoformat(begins).replace(tzinfo=UTC),
        None if ends is None else datetime.fromisoformat(ends).replace(tzinfo=UTC),
    )


def _numbers(raw: Any, wire: str, dtype: Any) -> Any:
    return np.frombuffer(bytes(raw or b""), dtype=wire).astype(dtype)
