"""Conditions on the latest point of a metric, as SQL: the points that `domain.telemetry.store.latest` reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from unicodedata import normalize

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, column, not_, select, text
from sqlalchemy.orm import Session

from domain.base.metrics import NAME_CHARS_MAX
from domain.nodes.filters.model import LatestCondition, Path
from graph.errors import BadInputError
from graph.json_bounds import text_check
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from graph.sql import any_of
from graph.tables import entities
from graph.tenancy import scope_bound

TEXT_MAX_CHARS: Final = 10_000
_KINDS: Final = (EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE)
_OPERATORS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

_LINKS: Final = """
    SELECT source_id, target_id, port, metadata, valid FROM entity_edges
    WHERE organization_id = :organization_id AND relationship = ANY (:links) AND target_kind = 'DEVICE'
        AND upper_inf(recorded)
"""
# Of devices that have left the caller's access scope, too.
_LINKS_OF_SCOPE: Final = "SELECT source_id, target_id, port, metadata, valid FROM links_of_scope(:organization_id)"
# A device has one latest point for each port. An asset or a space has one: the last of its own series and of those of
# its devices, each while it is linked; of equal times that of the series that goes first.
_POINTS: Final = """
    SELECT p.id FROM (
        SELECT s.entity_id AS id, v."timestamp" AS at, v.value, v.text
        FROM series s
        JOIN devices d ON d.organization_id = s.organization_id AND d.id = s.entity_id
        JOIN latest_values v ON v.organization_id = s.organization_id AND v.series_id = s.id
        WHERE s.organization_id = :organization_id AND s.metric = :metric
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT ON (o.id) o.id, o.at, o.value, o.text FROM (
                SELECT s.entity_id AS id, v."timestamp" AS at, v.value, v.text, 0 AS place, s.entity_id AS source,
                    s.port, s.metric
                FROM series s
                JOIN entities n ON n.organization_id = s.organization_id AND n.id = s.entity_id
                    AND n.kind IN ('ASSET', 'SPACE')
                JOIN latest_values v ON v.organization_id = s.organization_id AND v.series_id = s.id
                WHERE s.organization_id = :organization_id AND s.metric = :metric
                UNION ALL
                SELECT e.source_id, w.at, w.value, w.text, 1, s.entity_id, s.port, s.metric
                FROM ({links}) e
                JOIN series s ON s.organization_id = :organization_id AND s.entity_id = e.target_id
                    AND s.port IS NOT DISTINCT FROM e.port
                    AND CASE WHEN jsonb_typeof(e.metadata -> 'metrics_mapping') = 'object'
                        THEN jsonb_typeof(e.metadata -> 'metrics_mapping' -> s.metric) = 'string'
                            AND e.metadata -> 'metrics_mapping' ->> s.metric = :metric
                        ELSE s.metric = :metric END
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
    ) p WHERE {condition}
"""


def latest_condition(
    session: Session, condition: LatestCondition, *, organization_id: int, now: datetime, path: Path
) -> ColumnElement[bool]:
    """Return a condition on the latest point of a metric as a condition on `entities`. path: of the condition.

    Raises BadInputError.
    """
    metric = text_check(condition.metric, path=(*path, "metric"), min_chars=1, max_chars=NAME_CHARS_MAX)
    values: dict[str, Any] = {name: bound for name in _OPERATORS if (bound := getattr(condition, name)) is not None}
    conditions = [f"p.value {operator} :{name}" for name, operator in _OPERATORS.items() if name in values]
    if condition.text is not None:
        checked = text_check(condition.text, path=(*path, "text"), max_chars=TEXT_MAX_CHARS)
        # A text is kept in the form of Unicode in which it came.
        values["texts"] = list(dict.fromkeys((condition.text, checked, normalize("NFD", checked))))
        conditions.append("p.text = ANY (:texts)")
    if condition.older_than is not None:
        if conditions:
            raise BadInputError("olderThan is given alone.", path=(*path, "olderThan"))
        values["since"] = now - condition.older_than
        conditions.append("p.at >= :since")
    if not conditions:
        raise BadInputError("A condition on the latest point needs a comparison, or olderThan.", path=path)
    links = _LINKS if scope_bound(session) is None else _LINKS_OF_SCOPE
    statement = _POINTS.format(links=links, condition=" AND ".join(conditions))
    values |= {"organization_id": organization_id, "metric": metric}
    if scope_bound(session) is None:
        values["links"] = list(LINKS)
    bound = text(statement).bindparams(*(bindparam(name, value, unique=True) for name, value in values.items()))
    fitting = entities.c.id.in_(select(bound.columns(column("id", Uuid)).subquery().c.id))
    if condition.older_than is None:
        return fitting
    return and_(any_of(entities.c.kind, [kind.value for kind in _KINDS]), not_(fitting))
