"""The latest point of a metric of every entity, as SQL: the points that `domain.telemetry.store.latest` reads."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.orm import Session

from graph.relationships.builtin import LINKS
from graph.tenancy import scope_bound

_LINKS: Final = """
    SELECT source_id, target_id, port, metadata, valid FROM entity_edges
    WHERE organization_id = :organization_id AND relationship = ANY (:links) AND target_kind = 'DEVICE'
        AND upper_inf(recorded)
"""
# Of devices that have left the caller's access scope, too.
_LINKS_OF_SCOPE: Final = "SELECT source_id, target_id, port, metadata, valid FROM links_of_scope(:organization_id)"
# What is renamed by its link, by the one; by the metric and then its links, all else. Each has an index of its own.
# A device has one latest point for each port. An asset or a space has one: the last of its own series and of those of
# its devices, each while it is linked; of equal times that of the series that goes first.
_POINTS: Final = """
        SELECT s.entity_id AS id, v."timestamp" AS at, v.value, v.text
        FROM series s
        JOIN devices d ON d.organization_id = s.organization_id AND d.id = s.entity_id
        JOIN latest_values v ON v.organization_id = s.organization_id AND v.series_id = s.id
        WHERE s.organization_id = :organization_id AND s.metric = {metric}
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT ON (o.id) o.id, o.at, o.value, o.text FROM (
                SELECT s.entity_id AS id, v."timestamp" AS at, v.value, v.text, 0 AS place, s.entity_id AS source,
                    s.port, s.metric
                FROM series s
                JOIN entities n ON n.organization_id = s.organization_id AND n.id = s.entity_id
                    AND n.kind IN ('ASSET', 'SPACE')
                JOIN latest_values v ON v.organization_id = s.organization_id AND v.series_id = s.id
                WHERE s.organization_id = :organization_id AND s.metric = {metric}
                UNION ALL
                SELECT e.source_id, w.at, w.value, w.text, 1, s.entity_id, s.port, s.metric
                FROM (
                    SELECT e.source_id, e.valid, s.id FROM series s JOIN ({links}) e ON e.target_id = s.entity_id
                        AND e.port IS NOT DISTINCT FROM s.port
                        AND jsonb_typeof(e.metadata -> 'metrics_mapping') IS DISTINCT FROM 'object'
                    WHERE s.organization_id = :organization_id AND s.metric = {metric}
                    UNION ALL
                    SELECT e.source_id, e.valid, s.id FROM ({links}) e JOIN series s
                        ON s.organization_id = :organization_id AND s.entity_id = e.target_id
                        AND s.port IS NOT DISTINCT FROM e.port
                        AND jsonb_typeof(e.metadata -> 'metrics_mapping' -> s.metric) = 'string'
                        AND e.metadata -> 'metrics_mapping' ->> s.metric = {metric}
                    WHERE jsonb_typeof(e.metadata -> 'metrics_mapping') = 'object'
                ) e
                JOIN series s ON s.organization_id = :organization_id AND s.id = e.id
                JOIN latest_values v ON v.organization_id = s.organization_id AND v.series_id = s.id
                CROSS JOIN LATERAL (
                    SELECT v."timestamp" AS at, v.value, v.text WHERE e.valid @> v."timestamp"
                    UNION ALL (
                        SELECT h."timestamp", h.value, h.text FROM telemetry_history h
                        WHERE v."timestamp" >= upper(e.valid) AND h.organization_id = s.organization_id
                            AND h.series_id = s.id AND h."timestamp" >= lower(e.valid)
                            AND h."timestamp" < upper(e.valid)
                        ORDER BY h."timestamp" DESC LIMIT 1
                    )
                ) w
            ) o
            ORDER BY o.id, o.at DESC, o.place, o.source, coalesce(o.port, -1), o.metric COLLATE "C"
        ) q
"""


def points_of(session: Session, metric: str = ":metric") -> str:
    """Return a statement of the points: `id` of the entity, `at`, `value`, `text`.

    metric: the parameter that names it.
    """
    links = _LINKS if scope_bound(session) is None else _LINKS_OF_SCOPE
    return _POINTS.format(links=links, metric=metric)


def points_values(session: Session, *, organization_id: int) -> dict[str, Any]:
    """Return the other parameters of such a statement."""
    links = {"links": list(LINKS)} if scope_bound(session) is None else {}
    return {"organization_id": organization_id, **links}
