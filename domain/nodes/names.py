"""Names that an organization uses, to tell a misspelt one from one that matches nothing just now."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

NAMES_MAX: Final = 5_000


class NameKind(StrEnum):
    """What a name is of."""

    TYPE = "type"
    STATUS = "status"
    METRIC = "metric"


_STATEMENTS: Final = {
    NameKind.TYPE: text("SELECT DISTINCT name FROM entity_types WHERE organization_id = :organization_id LIMIT :n"),
    NameKind.STATUS: text("SELECT DISTINCT status FROM entities WHERE organization_id = :organization_id LIMIT :n"),
    # Of series that are stored or read over links, and those that may come.
    NameKind.METRIC: text(
        """
        SELECT s.metric FROM series s JOIN entities e ON e.organization_id = s.organization_id AND e.id = s.entity_id
          WHERE s.organization_id = :organization_id
        UNION SELECT m.value FROM entity_edges e, jsonb_each_text(e.metadata -> 'metrics_mapping') m
          WHERE e.organization_id = :organization_id AND jsonb_typeof(e.metadata -> 'metrics_mapping') = 'object'
        UNION SELECT coalesce(m.value ->> 'rename', m.key) FROM telemetry_schemas s, jsonb_each(s.schema -> 'metrics') m
          WHERE s.organization_id = :organization_id AND jsonb_typeof(s.schema -> 'metrics') = 'object'
        UNION SELECT jsonb_object_keys(s.schema -> 'derived') FROM telemetry_schemas s
          WHERE s.organization_id = :organization_id AND jsonb_typeof(s.schema -> 'derived') = 'object'
        UNION SELECT metric FROM rollups WHERE organization_id = :organization_id
        LIMIT :n
        """
    ),
}


def names_used(session: Session, *, organization_id: int, kind: NameKind) -> list[str]:
    """Return the names that an organization uses, at most NAMES_MAX. One statement, which reads whole tables."""
    return list(session.scalars(_STATEMENTS[kind], {"organization_id": organization_id, "n": NAMES_MAX}))
