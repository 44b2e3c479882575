"""Find what is below an entity: one meaning for filters, rule scopes, subscriptions and access.

X, then repeatedly: OUT over hierarchies, IN over LOCATED_IN, OUT over MONITORED_BY and CONTROLLED_BY, IN over
TARGETS, from where it goes no further. Never over FEEDS or ASSIGNED_TO. Each once; order means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, column, select, text
from sqlalchemy.orm import Session

from graph.edges.rules import interval_of
from graph.ids import EntityId
from graph.instants import Moment, moment_sql, moment_values
from graph.relationships.builtin import LINKS, LOCATED_IN, TARGETS

# Followed from source to target, besides the hierarchies, from target to source, and the last of a walk.
BELOW_OUT = LINKS
BELOW_IN = (LOCATED_IN, TARGETS)
BELOW_LAST = TARGETS

OUT_SQL = (
    "(e.relationship IN (SELECT name FROM relationships"  # noqa: S608  (constants)
    " WHERE organization_id = :organization_id AND hierarchy)"
    f" OR e.relationship IN ({', '.join(map(repr, BELOW_OUT))}))"
)
_IN = f"e.relationship IN ({', '.join(map(repr, BELOW_IN))})"
_FURTHER = f"e.relationship <> {BELOW_LAST!r}"


def below_select(*, organization_id: int, entity_ids: Sequence[UUID], moment: Moment) -> Select[UUID]:
    """Return the ids below and including these entities as a query, to be used inside another."""
    here = f"e.organization_id = :organization_id AND {moment_sql(moment)}"
    statement = f"""
        WITH RECURSIVE below (id, further) AS (
            SELECT unnest(CAST(:ids AS uuid[])), true
            UNION
            SELECT next.id, next.further FROM below b CROSS JOIN LATERAL (
                SELECT e.target_id, true FROM entity_edges e WHERE e.source_id = b.id AND {here} AND {OUT_SQL}
                UNION ALL
                SELECT e.source_id, {_FURTHER} FROM entity_edges e
                WHERE e.target_id = b.id AND {here} AND {_IN}
            ) AS next (id, further) WHERE b.further
        )
        SELECT DISTINCT id FROM below
    """  # noqa: S608  (constants)
    values = {"organization_id": organization_id, "ids": list(entity_ids), **moment_values(moment)}
    bound = text(statement).bindparams(*(bindparam(name, value, unique=True) for name, value in values.items()))
    below_ids = bound.columns(column("id", Uuid)).subquery("below_ids")
    return select(below_ids.c.id)


def below_during(
    session: Session, *, organization_id: int, entity_ids: Sequence[UUID], begins: datetime, ends: datetime
) -> list[EntityId]:
    """Return what is believed to be below these entities at any instant of [begins, ends), them included.

    A way down counts for as long as all its edges hold together.
    """
    valid = interval_of(begins, ends)
    here = "e.organization_id = :organization_id AND upper_inf(e.recorded) AND e.valid && b.during"
    statement = f"""
        WITH RECURSIVE below (id, further, during) AS (
            SELECT unnest(CAST(:ids AS uuid[])), true,
                tstzrange(CAST(:begins AS timestamptz), CAST(:ends AS timestamptz))
            UNION
            SELECT next.id, next.further, next.during FROM below b CROSS JOIN LATERAL (
                SELECT e.target_id, true, b.during * e.valid FROM entity_edges e
                WHERE e.source_id = b.id AND {here} AND {OUT_SQL}
                UNION ALL
                SELECT e.source_id, {_FURTHER}, b.during * e.valid FROM entity_edges e
                WHERE e.target_id = b.id AND {here} AND {_IN}
            ) AS next (id, further, during) WHERE b.further
        )
        SELECT DISTINCT id FROM below ORDER BY id
    """  # noqa: S608  (constants)
    values: dict[str, Any] = {
        "organization_id": organization_id,
        "ids": list(entity_ids),
        "begins": valid.start,
        "ends": valid.end,
    }
    return [EntityId(row.id) for row in session.execute(text(statement), values)]
