"""Export what an organization has besides its graph: its readings, its points and its records, as JSON-able rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.packed import MetricType
from graph.instants import instant_text

PAGE_ROWS: Final = 2_000

# Tables whose rows are exported as they are stored.
RECORDS: Final = (
    "activities",
    "activity_steps",
    "activity_templates",
    "asset_profile_versions",
    "asset_profiles",
    "changes",
    "dead_letters",
    "event_annotations",
    "event_changes",
    "event_corrections",
    "events",
    "feature_flags",
    "group_members",
    "groups",
    "ingest_accounting",
    "maintenance_windows",
    "notifications",
    "processor_versions",
    "replays",
    "rollups",
    "rule_versions",
    "rules",
    "shelves",
    "telemetry_schemas",
)
# Columns of tables that are exported without their secrets.
REDACTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "api_keys": "id, name, role, created_at, created_by, expires_at, last_used_at, revoked_at, under_ids",
        "device_tokens": "id, device_id, issued_by, created_at, expires_at, last_used_at, revoked_at",
    }
)
# In the graph, the readings or the points.
ELSEWHERE: Final = frozenset(
    {
        "assets",
        "devices",
        "entities",
        "entity_edges",
        "entity_types",
        "persons",
        "relationships",
        "series",
        "spaces",
        "telemetry_history",
        "telemetry_raw",
    }
)
# What Argus computes of the rest, or keeps to get on with its own work; and secrets.
LEFT_OUT: Final = frozenset(
    {
        "convergence_checks",
        "convergence_differences",
        "convergence_progress",
        "derivation_faults",
        "derived_commits",
        "device_presence",
        "dirty_buckets",
        "dirty_hours",
        "dirty_windows",
        "erasures",
        "event_notification_states",
        "event_updates",
        "failed_items",
        "graph_clocks",
        "health_measured",
        "health_timers",
        "hours_progress",
        "latest_values",
        "raw_batches",
        "reading_keys",
        "rollup_entities",
        "rollup_input_changes",
        "rollup_partial_aggregates",
        "rule_states",
        "rule_timers",
        "series_hours",
        "session_ends",
        "shadow_differences",
        "shadows",
        "suppression_invalidations",
        "webhook_secrets",
    }
)

# docs/reference/ingest-http.md has the form.
_READINGS: Final = """
    SELECT r.device_id, e.external_id, e.deleted_at, r.port, r."timestamp", r.metrics
    FROM telemetry_raw r
    LEFT JOIN entities e ON e.organization_id = r.organization_id AND e.id = r.device_id
    WHERE r.organization_id = :organization_id ORDER BY r.received_at, r.id
"""
_POINTS: Final = """
    SELECT s.entity_id, s.port, s.metric, h."timestamp", h.type, h.value, h.text
    FROM telemetry_history h JOIN series s ON s.organization_id = h.organization_id AND s.id = h.series_id
    WHERE h.organization_id = :organization_id ORDER BY h.series_id, h."timestamp"
"""


def readings_export(session: Session, *, organization_id: int) -> Iterator[dict[str, Any]]:
    """Yield the readings of the raw log, each in the form in which the API takes it, in the order of their receipt.

    By the external id of its device; by its id where it has none, or is deleted.
    """
    for row in _rows(session, _READINGS, organization_id):
        record: dict[str, Any] = (
            {"deviceId": str(row.device_id)}
            if row.external_id is None or row.deleted_at is not None
            else {"externalId": row.external_id}
        )
        if row.port is not None:
            record["port"] = row.port
        yield record | {"timestamp": instant_text(row.timestamp), "metrics": row.metrics}


def points_export(session: Session, *, organization_id: int) -> Iterator[dict[str, Any]]:
    """Yield the points of all series, derived ones too, by series and time."""
    for row in _rows(session, _POINTS, organization_id):
        value: Any = row.value
        if row.type == MetricType.TEXT:
            value = row.text
        elif row.type == MetricType.BOOLEAN:
            value = bool(row.value)
        yield {
            "entityId": str(row.entity_id),
            "port": row.port,
            "metric": row.metric,
            "timestamp": instant_text(row.timestamp),
            "value": value,
        }


def records_export(session: Session, *, organization_id: int, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one table of RECORDS or REDACTED, by column."""
    columns = REDACTED.get(table, "*")
    statement = (
        f"SELECT to_jsonb(t) - 'organization_id' AS record FROM (SELECT {columns} FROM {table}"  # noqa: S608
        " WHERE organization_id = :organization_id) t"
    )
    for row in _rows(session, statement, organization_id):
        yield row.record


def _rows(session: Session, statement: str, organization_id: int) -> Iterator[Any]:
    """Yield the rows of a statement, which are read page by page."""
    values = {"organization_id": organization_id}
    yield from session.execute(text(statement), values, execution_options={"yield_per": PAGE_ROWS})
