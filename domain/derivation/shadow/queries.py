"""Read shadows and their differences."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, literal, select
from sqlalchemy.orm import Session

from domain.definitions.processors.queries import stage_check
from domain.derivation.shadow.model import Shadow, ShadowDifference, ShadowFilter
from domain.derivation.shadow.tables import shadow_differences, shadows
from graph.instants import instant_utc
from graph.json_bounds import text_is_storable
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.texts import text_nfc

_KEYSET: Final = Keyset(
    "shadow differences",
    {name: shadow_differences.c[name] for name in ("timestamp", "entity_id", "metric")},
    is_descending=True,
)


def shadow_get(session: Session, *, organization_id: int, stage: str) -> Shadow | None:
    """Return a stage's shadow, or None where none runs. One statement.

    Raises NotFoundError for a stage that has no versions.
    """
    row = session.execute(
        select(shadows).where(shadows.c.organization_id == organization_id, shadows.c.stage == stage_check(stage))
    ).one_or_none()
    if row is None:
        return None
    return Shadow(
        row.stage,
        row.version,
        row.since.astimezone(UTC),
        row.compared,
        row.different,
        row.omitted,
        row.errors,
        row.last_error,
    )


def shadow_differences_page(
    session: Session, *, organization_id: int, stage: str, where: ShadowFilter, page: PageRequest
) -> Page[ShadowDifference]:
    """Return one page, the newest points first. One statement, and one more for the total if requested.

    Raises NotFoundError for a stage that has no versions, BadInputError for a cursor of another list.
    """
    table = shadow_differences.c
    conditions = [table.organization_id == organization_id, table.stage == stage_check(stage), *_conditions(where)]
    rows = _KEYSET.page(session, select(shadow_differences).where(*conditions), page)
    return rows.of([_of_row(row) for row in rows.items])


def _conditions(where: ShadowFilter) -> list[ColumnElement[bool]]:
    table = shadow_differences.c
    conditions: list[ColumnElement[bool]] = []
    if where.entity_id is not None:
        conditions.append(table.entity_id == where.entity_id)
    if where.metric is not None:
        known = text_is_storable(where.metric)
        conditions.append(table.metric == text_nfc(where.metric) if known else literal(value=False))
    if where.begins is not None:
        conditions.append(table.timestamp >= instant_utc(where.begins, path="from"))
    if where.ends is not None:
        conditions.append(table.timestamp < instant_utc(where.ends, path="to"))
    return conditions


def _of_row(row: Row[Any]) -> ShadowDifference:
    return ShadowDifference(
        row.entity_id,
        row.metric,
        row.timestamp.astimezone(UTC),
        row.version,
        row.value,
        row.shadow_version,
        row.shadow_value,
    )
