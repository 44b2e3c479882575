"""Read shadows and their differences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Text, Uuid, func, literal, select, tuple_
from sqlalchemy.orm import Session

from domain.definitions.processors.queries import stage_check
from domain.derivation.shadow.model import Shadow, ShadowDifference, ShadowFilter
from domain.derivation.shadow.tables import shadow_differences, shadows
from graph.errors import BadInputError
from graph.instants import instant_utc
from graph.json_bounds import text_is_storable
from graph.paging import CursorKey, Page, PageRequest
from graph.tables import INSTANT
from graph.texts import text_nfc

_CURSOR: Final = "shadow differences"


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
    after = [] if page.after is None else [_before(page.after)]
    rows = session.execute(
        select(shadow_differences)
        .where(*conditions, *after)
        .order_by(table.timestamp.desc(), table.entity_id.desc(), table.metric.desc())
        .limit(page.first + 1)
    ).all()
    items = [_of_row(row) for row in rows[: page.first]]
    count = select(func.count()).select_from(shadow_differences).where(*conditions)
    return Page(
        items,
        [(_CURSOR, item.timestamp.isoformat(), str(item.entity_id), item.metric) for item in items],
        len(rows) > page.first,
        page.after is not None,
        lambda: int(session.execute(count).scalar_one()),
    )


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


def _before(key: CursorKey) -> ColumnElement[bool]:
    fault = BadInputError("This cursor does not belong to this list.", path=("after",))
    if len(key) != 4 or key[0] != _CURSOR or not text_is_storable(str(key[3])):  # noqa: PLR2004  (list and key)
        raise fault
    try:
        instant, entity_id = instant_utc(datetime.fromisoformat(str(key[1])), path="after"), UUID(str(key[2]))
    except ValueError:
        raise fault from None
    table = shadow_differences.c
    last = tuple_(literal(instant, INSTANT), literal(entity_id, Uuid), literal(str(key[3]), Text))
    return tuple_(table.timestamp, table.entity_id, table.metric) < last


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
