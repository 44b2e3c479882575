"""Choose an assignee: by role, and by the space that holds the targets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.orm import Session

# A space is looked for so many steps above the target.
LEVELS_MAX: Final = 32
# Entities of one level that are followed; a target has few places.
_LEVEL_MAX: Final = 1_000

_ABOVE = text(
    """
    SELECT DISTINCT n.id, n.kind FROM (
        SELECT e.target_id AS id, e.target_kind AS kind FROM entity_edges e
        WHERE e.organization_id = :organization_id AND e.source_id = ANY (:ids) AND e.relationship = 'LOCATED_IN'
            AND upper_inf(e.recorded) AND e.valid @> CAST(:at AS timestamptz)
        UNION ALL
        SELECT e.source_id, e.source_kind FROM entity_edges e
        WHERE e.organization_id = :organization_id AND e.target_id = ANY (:ids)
            AND e.relationship IN ('CONTAINS', 'HAS_PART', 'MONITORED_BY', 'CONTROLLED_BY')
            AND upper_inf(e.recorded) AND e.valid @> CAST(:at AS timestamptz)
    ) n ORDER BY n.id LIMIT :most
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_SPACES = text(
    "SELECT id FROM entities WHERE organization_id = :organization_id AND id = ANY (:ids) AND kind = 'SPACE'"
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_LEAST_BUSY = text(
    """
    SELECT p.id FROM entities p
    WHERE p.organization_id = :organization_id AND p.kind = 'PERSON' AND p.deleted_at IS NULL
        AND (p.attributes->>'role' = :role OR p.attributes->'roles' @> to_jsonb(CAST(:role AS text)))
        AND EXISTS (
            SELECT FROM entity_edges l
            WHERE l.organization_id = p.organization_id AND l.source_id = p.id AND l.relationship = 'LOCATED_IN'
                AND l.target_id = ANY (:ids) AND upper_inf(l.recorded) AND l.valid @> CAST(:at AS timestamptz))
    ORDER BY (
        SELECT count(*) FROM entity_edges w JOIN entities a ON a.organization_id = w.organization_id
            AND a.id = w.source_id
        WHERE w.organization_id = p.organization_id AND w.target_id = p.id AND w.relationship = 'ASSIGNED_TO'
            AND upper_inf(w.recorded) AND w.valid @> CAST(:at AS timestamptz)
            AND a.deleted_at IS NULL AND a.status NOT IN ('done', 'verified', 'cancelled')
    ), p.id
    LIMIT 1
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))


def assignee_choose(
    session: Session, *, organization_id: int, role: str, target_ids: Collection[UUID], at: datetime
) -> UUID | None:
    """Return the assignee for these targets; None where there is nobody.

    Who bears the role (attributes.role, or one of attributes.roles) and is located, at `at`, in the space that holds
    a target, or in the nearest space above it where somebody is. Of several: who has the fewest unfinished
    activities, then the smallest id. Two statements per level, of LEVELS_MAX levels at most.
    """
    level, seen = set(target_ids), set(target_ids)
    common = {"organization_id": organization_id, "at": at}
    spaces = set(session.scalars(_SPACES, {"organization_id": organization_id, "ids": list(level)}))
    for _ in range(LEVELS_MAX):
        if spaces:
            person = session.execute(_LEAST_BUSY, {**common, "role": role, "ids": list(spaces)}).one_or_none()
            if person is not None:
                return UUID(bytes=person.id.bytes)
        above = session.execute(_ABOVE, {**common, "ids": list(level), "most": _LEVEL_MAX}).all()
        level = {row.id for row in above} - seen
        spaces = {row.id for row in above if row.kind == "SPACE"} - seen
        seen |= level
        if not level:
            break
    return None
