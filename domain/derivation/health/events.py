"""Read the events that count in the health of an asset: all but those that health itself caused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, uuid_array
from domain.base.packed import micros_of
from domain.derivation.formulas.config import Derivation, DerivationConfig
from domain.derivation.health.score import OpenEvent
from domain.derivation.health.settings import METRIC
from domain.rules.conditions import condition_read, metrics_of
from domain.telemetry.model.attribution import END_US
from graph.errors import LimitExceededError

# Events of one asset that are read at once.
EVENTS_MAX: Final = 20_000

_EVENTS = text(
    """
    SELECT u.n - 1 AS n, o.id, o.severity, o.opened_at, o.cleared_at, o.condition
    FROM unnest(:assets, :begins, :ends) WITH ORDINALITY AS u (a, b, t, n)
    CROSS JOIN LATERAL (
        SELECT e.id, e.severity, e.opened_at, e.cleared_at, v.condition FROM events e
        LEFT JOIN rule_versions v
            ON v.organization_id = e.organization_id AND v.rule_id = e.rule_id AND v.id = e.version_id
        WHERE e.organization_id = :organization_id AND e.entity_id = u.a AND e.withdrawn_at IS NULL
            AND e.opened_at < u.t AND coalesce(e.cleared_at, 'infinity') >= u.b
        ORDER BY e.opened_at, e.id LIMIT :limit
    ) o ORDER BY u.n, o.opened_at, o.id
    """
)
_USES = text(
    """
    SELECT e.id, e.kind, e.type, a.profile_id FROM entities e
    JOIN assets a ON a.organization_id = e.organization_id AND a.id = e.id
    WHERE e.organization_id = :organization_id AND e.id = ANY(:assets)
    """
)


def events_open(
    session: Session,
    *,
    organization_id: int,
    spans: Sequence[tuple[UUID, int, int]],
    from_health: Mapping[UUID, frozenset[str]],
) -> list[list[OpenEvent]]:
    """Return, for each (asset, begins_us, ends_us), its events that were open in that time or cleared at its begin.

    from_health: by asset, metrics computed from its health: events of rules that read it do not count, or health would
    depend on itself. One statement. Raises LimitExceededError above EVENTS_MAX of one asset.
    """
    arrays_enable(session)
    rows = session.execute(
        _EVENTS,
        {
            "organization_id": organization_id,
            "assets": uuid_array(b"".join(asset_id.bytes for asset_id, _, _ in spans)),
            "begins": instant_array([begins for _, begins, _ in spans]),
            "ends": instant_array([ends for _, _, ends in spans]),
            "limit": EVENTS_MAX + 1,
        },
    )
    events: list[list[OpenEvent]] = [[] for _ in spans]
    seen = [0] * len(spans)
    for row in rows:
        seen[row.n] += 1
        if seen[row.n] > EVENTS_MAX:
            msg = f"The health of an asset takes notice of {EVENTS_MAX} events at once; it has more."
            raise LimitExceededError(msg)
        if row.condition is None or not metrics_of(condition_read(row.condition)) & from_health[spans[row.n][0]]:
            cleared = END_US if row.cleared_at is None else micros_of(row.cleared_at)
            events[row.n].append(OpenEvent(row.id, row.severity, micros_of(row.opened_at), cleared))
    return events


def metrics_from_health(
    session: Session, *, organization_id: int, ids: Collection[UUID], config: DerivationConfig
) -> dict[UUID, frozenset[str]]:
    """Return the metrics of each asset that depend on its health: health itself, and what formulas make of it.

    One statement.
    """
    arrays_enable(session)
    assets = uuid_array(b"".join(asset_id.bytes for asset_id in ids))
    rows = session.execute(_USES, {"organization_id": organization_id, "assets": assets})
    metrics = dict.fromkeys(ids, frozenset((METRIC,)))
    for row in rows:
        metrics[row.id] = _metrics_from(config.get(row.kind, row.type, row.profile_id))
    return metrics


def _metrics_from(derivation: Derivation | None) -> frozenset[str]:
    metrics = {METRIC}
    grown = True
    while grown and derivation is not None:
        dependent = {
            f.metric
            for formula_set in derivation.sets
            for f in formula_set.formulas
            if not metrics.isdisjoint(f.inputs)
        }
        grown = not dependent <= metrics
        metrics |= dependent
    return frozenset(metrics)
