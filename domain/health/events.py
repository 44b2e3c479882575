"""Reads the events that count in the health of an asset, and what is made of its health, which does not."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.derivation.configured import Configured
from domain.health.score import OpenEvent
from domain.health.settings import METRIC
from domain.rules.conditions import condition_read, metrics_of
from domain.telemetry.arrays import arrays_enable
from domain.telemetry.attribution import END_US
from domain.telemetry.packed import instant_of, micros_of
from graph.errors import LimitExceededError

# Events of one asset that are read at once.
EVENTS_MAX: Final = 20_000

_EVENTS = text(
    """
    SELECT e.id, e.severity, e.opened_at, e.cleared_at, v.condition FROM events e
    LEFT JOIN rule_versions v ON v.organization_id = e.organization_id AND v.rule_id = e.rule_id AND v.id = e.version_id
    WHERE e.organization_id = :organization_id AND e.entity_id = :asset_id AND e.withdrawn_at IS NULL
        AND e.opened_at < :ends AND coalesce(e.cleared_at, 'infinity') >= :begins
    ORDER BY e.opened_at, e.id LIMIT :limit
    """
)
_USES = text(
    """
    SELECT e.kind, e.type, a.profile_id FROM entities e
    JOIN assets a ON a.organization_id = e.organization_id AND a.id = e.id
    WHERE e.organization_id = :organization_id AND e.id = :asset_id
    """
)


def events_open(
    session: Session, *, organization_id: int, asset_id: UUID, begins_us: int, ends_us: int, made: frozenset[str]
) -> list[OpenEvent]:
    """Return the events of an asset that were open in, opened before the end of or cleared from the begin of a time.

    made: what is made of its health: events of rules that read it do not count, or health would come of itself.
    One statement. Raises LimitExceededError above EVENTS_MAX.
    """
    arrays_enable(session)
    rows = session.execute(
        _EVENTS,
        {
            "organization_id": organization_id,
            "asset_id": asset_id,
            "begins": instant_of(begins_us),
            "ends": instant_of(ends_us),
            "limit": EVENTS_MAX + 1,
        },
    ).all()
    if len(rows) > EVENTS_MAX:
        raise LimitExceededError(f"The health of an asset takes notice of {EVENTS_MAX} events at once; it has more.")
    return [
        OpenEvent(
            row.id,
            row.severity,
            micros_of(row.opened_at),
            END_US if row.cleared_at is None else micros_of(row.cleared_at),
        )
        for row in rows
        if row.condition is None or not metrics_of(condition_read(row.condition)) & made
    ]


def made_of_health(session: Session, *, organization_id: int, asset_id: UUID, configured: Configured) -> frozenset[str]:
    """Return what is made of an asset's health: it, and what formulas make of it, at last. One statement."""
    row = session.execute(_USES, {"organization_id": organization_id, "asset_id": asset_id}).one_or_none()
    derivation = None if row is None else configured.get(row.kind, row.type, row.profile_id)
    made = {METRIC}
    grown = True
    while grown and derivation is not None:
        found = {f.metric for each in derivation.sets for f in each.formulas if not made.isdisjoint(f.inputs)}
        grown = not found <= made
        made |= found
    return frozenset(made)
