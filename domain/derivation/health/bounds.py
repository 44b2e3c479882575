"""Find the bounds outside which an asset can have no health points."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array
from domain.base.packed import instant_of, micros_of
from domain.derivation.health.invalidate import DAY_US, Span
from domain.derivation.health.read import Plan
from domain.derivation.health.settings import METRIC
from domain.telemetry.store.links import series_rows, sources_list
from graph.relationships.builtin import HAS_PART
from graph.tables import entity_edges

_BOUNDS = text(
    """
    SELECT min(b.at) AS first, max(b.at) AS last FROM (
        SELECT p.at FROM unnest(:series) AS u (s)
        CROSS JOIN LATERAL (
            (SELECT h."timestamp" AS at FROM telemetry_history h
             WHERE h.organization_id = :organization_id AND h.series_id = u.s AND h."timestamp" >= :begins
                AND h."timestamp" < :ends ORDER BY h."timestamp" LIMIT 1)
            UNION ALL
            (SELECT h."timestamp" AS at FROM telemetry_history h
             WHERE h.organization_id = :organization_id AND h.series_id = u.s AND h."timestamp" >= :begins
                AND h."timestamp" < :ends ORDER BY h."timestamp" DESC LIMIT 1)
        ) p
        UNION ALL
        SELECT unnest(ARRAY[e.opened_at, e.cleared_at]) FROM events e
        WHERE e.organization_id = :organization_id AND e.entity_id = :asset_id AND e.withdrawn_at IS NULL
            AND e.opened_at < :ends AND coalesce(e.cleared_at, 'infinity') >= :begins
        UNION ALL
        SELECT unnest(ARRAY[lower(e.valid), upper(e.valid)]) FROM entity_edges e
        WHERE e.organization_id = :organization_id AND e.source_id = :asset_id AND e.relationship = :has_part
            AND upper_inf(e.recorded)
    ) b WHERE b.at >= :begins AND b.at < :ends
    """
)


def bounds_of(
    session: Session, *, organization_id: int, asset_id: UUID, plan: Plan | None, begins_us: int, ends_us: int
) -> Span | None:
    """Return the part of [begins_us, ends_us) in which there can be points of health, at bucket bounds.

    None: there can be none, and none is stored. Five statements.
    """
    arrays_enable(session)
    children = session.scalars(
        select(entity_edges.c.target_id).where(
            entity_edges.c.organization_id == organization_id,
            entity_edges.c.source_id == asset_id,
            entity_edges.c.relationship == HAS_PART,
            text("upper_inf(recorded)"),
        )
    )
    child_health = {asset_id, *children}
    rows = series_rows(session, organization_id=organization_id, entity_ids=child_health)
    series = {row.id for entity_rows in rows.values() for row in entity_rows if row.metric == METRIC}
    sources = sources_list(session, organization_id=organization_id, entity_ids=[asset_id], metrics=None)[asset_id]
    series |= {segment.series.id for source in sources for segment in source.segments}
    length, freshness = (DAY_US, 0) if plan is None else (plan.bucket_us, plan.freshness_us)
    row = session.execute(
        _BOUNDS,
        {
            "organization_id": organization_id,
            "asset_id": asset_id,
            "has_part": HAS_PART,
            "series": bigint_array(sorted(series)),
            # Earlier values count, and expire, up to one freshness later; those of a part from the end of its
            # own bucket on, which may be longer.
            "begins": instant_of(begins_us - freshness - DAY_US),
            "ends": instant_of(ends_us),
        },
    ).one()
    if row.first is None:
        return None
    first, last = micros_of(row.first), micros_of(row.last) + freshness + DAY_US
    begins, ends = max(begins_us, first - first % length), min(ends_us, last + -last % length)
    return (begins, ends) if begins < ends else None
