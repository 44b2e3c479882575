"""Find what an entity is in: the way up from it, the reverse of what is below (`graph/walk/below.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.ids import EntityId
from graph.instants import moment_resolve, moment_sql, moment_values
from graph.relationships.builtin import CONTAINS, CONTROLLED_BY, HAS_PART, LOCATED_IN, MONITORED_BY
from graph.walk.below import BELOW_IN, OUT_SQL

PATH_MAX: Final = 16
# Over which relationship it goes up where there are several: the first of these, else the last.
_PREFERRED: Final = (HAS_PART, CONTAINS, MONITORED_BY, CONTROLLED_BY, LOCATED_IN)


def paths_above(session: Session, *, organization_id: int, ids: Sequence[UUID]) -> Mapping[EntityId, list[str]]:
    """Return the names of what each entity is in now, the outermost first, at most PATH_MAX: those that are nearest.

    One way up: to the whole it is a part of, else to what it measures or moves, else to where it is located; of several
    alike the first by name, then id. An entity that is in nothing has an empty list. Two statements.
    """
    moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    here = f"e.organization_id = :organization_id AND {moment_sql(moment)}"
    preferred = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(_PREFERRED))
    backward = ", ".join(map(repr, BELOW_IN))
    statement = f"""
        WITH RECURSIVE up (start_id, id, name, depth, passed) AS (
            SELECT s.id, s.id, NULL::text, 0, ARRAY[s.id] FROM unnest(CAST(:ids AS uuid[])) AS s (id)
            UNION ALL
            SELECT u.start_id, next.id, next.name, u.depth + 1, u.passed || next.id
            FROM up u CROSS JOIN LATERAL (
                SELECT n.id, n.name FROM (
                    SELECT e.source_id AS id, e.relationship FROM entity_edges e
                    WHERE e.target_id = u.id AND {here} AND {OUT_SQL}
                    UNION ALL
                    SELECT e.target_id, e.relationship FROM entity_edges e
                    WHERE e.source_id = u.id AND {here} AND e.relationship IN ({backward})
                ) AS way
                JOIN entities n ON n.organization_id = :organization_id AND n.id = way.id AND n.deleted_at IS NULL
                WHERE way.id <> ALL (u.passed)
                ORDER BY CASE way.relationship {preferred} ELSE {len(_PREFERRED)} END, n.name, n.id LIMIT 1
            ) AS next
            WHERE u.depth < {PATH_MAX}
        )
        SELECT start_id, array_agg(name ORDER BY depth DESC) AS names FROM up WHERE depth > 0 GROUP BY start_id
    """  # noqa: S608  (constants)
    values = {"organization_id": organization_id, "ids": list(dict.fromkeys(ids)), **moment_values(moment)}
    paths: dict[EntityId, list[str]] = {EntityId(entity_id): [] for entity_id in ids}
    return paths | {EntityId(row.start_id): row.names for row in session.execute(text(statement), values)}
