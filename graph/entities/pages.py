"""Entities in pages: filtered, ordered, found by the key of the last one seen."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from graph.entities.model import Entity, EntityFilter, EntityOrder
from graph.entities.rows import ENTITY_COLUMNS, entity_of_row
from graph.errors import BadInputError
from graph.instants import instant_utc
from graph.json_bounds import text_check, text_is_storable
from graph.kinds import EntityKind
from graph.paging import CursorKey, Page, PageRequest
from graph.tables import INSTANT, entities
from graph.texts import text_nfc

SEARCH_MAX_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class _Ordering:
    column: str
    descending: bool


_ORDERINGS: Final = {
    EntityOrder.NAME_ASC: _Ordering("name", descending=False),
    EntityOrder.NAME_DESC: _Ordering("name", descending=True),
    EntityOrder.CREATED_ASC: _Ordering("created_at", descending=False),
    EntityOrder.CREATED_DESC: _Ordering("created_at", descending=True),
    EntityOrder.UPDATED_DESC: _Ordering("updated_at", descending=True),
}


def entities_page(
    session: Session,
    *,
    organization_id: int,
    where: EntityFilter,
    page: PageRequest,
    order: EntityOrder = EntityOrder.NAME_ASC,
) -> Page[Entity]:
    """Return one page of the entities that fit. One statement, and one more for the total if requested.

    Names are ordered as the database's collation has them, equal ones by id. A cursor holds for the order it
    was made in, under any filter. Raises BadInputError for a cursor of another list or order, or a search of
    more than SEARCH_MAX_CHARS.
    """
    by = _ORDERINGS[order]
    after = None if page.after is None else _after(by, _cursor_read(order, by, page.after))
    kinds = sorted(set(EntityKind if where.kinds is None else where.kinds))
    # Kind by kind, for each has an index in every order; all together would have to be sorted first.
    parts = [_part(organization_id, replace(where, kinds=[kind]), by, after, page.first + 1) for kind in kinds]
    rows = session.execute(_merge(parts, by, page.first + 1)).all() if parts else []
    items = [entity_of_row(row) for row in rows[: page.first]]
    count = select(func.count()).select_from(entities).where(*_conditions(organization_id, where))
    return Page(
        items,
        [_key(order, by, entity) for entity in items],
        len(rows) > page.first,
        page.after is not None,
        lambda: int(session.execute(count).scalar_one()),
    )


def _part(
    organization_id: int, where: EntityFilter, by: _Ordering, after: ColumnElement[bool] | None, limit: int
) -> Select[Any]:
    conditions = _conditions(organization_id, where)
    if after is not None:
        conditions.append(after)
    ordered = [_directed(entities.c[name], by) for name in (by.column, "id")]
    return select(*ENTITY_COLUMNS).where(*conditions).order_by(*ordered).limit(limit)


def _merge(parts: list[Select[Any]], by: _Ordering, limit: int) -> Select[Any] | CompoundSelect[Any]:
    """Return the first of all parts. By labels, for making each part a table of its own takes longer than the query."""
    if len(parts) == 1:
        return parts[0]
    labels: list[ColumnElement[Any]] = [column(by.column), column("id")]
    return union_all(*parts).order_by(*(_directed(label, by) for label in labels)).limit(limit)


def _directed(column: ColumnElement[Any], by: _Ordering) -> ColumnElement[Any]:
    return column.desc() if by.descending else column.asc()


def _conditions(organization_id: int, where: EntityFilter) -> list[ColumnElement[bool]]:
    deleted_at = entities.c.deleted_at
    conditions = [
        entities.c.organization_id == organization_id,
        deleted_at.is_not(None) if where.is_deleted else deleted_at.is_(None),
    ]
    if where.kinds is not None:
        kinds = list(where.kinds)
        conditions.append(entities.c.kind == kinds[0] if len(kinds) == 1 else _one_of(entities.c.kind, kinds))
    if where.types is not None:
        conditions.append(_one_of(entities.c.type, where.types))
    if where.statuses is not None:
        conditions.append(_one_of(entities.c.status, where.statuses))
    if where.search:
        text_check(where.search, path=("filter", "search"), max_chars=SEARCH_MAX_CHARS)
        conditions.append(_named_like(organization_id, where.search, is_deleted=where.is_deleted))
    if isinstance(where.among, Select):
        conditions.append(entities.c.id.in_(where.among))
    elif where.among is not None:
        conditions.append(entities.c.id == any_(cast(list(where.among), ARRAY(Uuid))))
    if where.also is not None:
        conditions.append(where.also)
    return conditions


def _named_like(organization_id: int, search: str, *, is_deleted: bool) -> ColumnElement[bool]:
    """Return the condition that a name or an external id has this part, by way of the index of their parts.

    Case, accents and form make no difference (migrations/functions/texts.sql). The index has no deleted ones, which are
    few.
    """
    pattern = func.search_pattern(search)
    if is_deleted:
        return or_(*(func.text_folded(entities.c[name]).like(pattern) for name in ("name", "external_id")))
    return entities.c.id.in_(select(func.entities_named_like(organization_id, pattern).column_valued("found")))


def _one_of(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    return column == any_(cast([text_nfc(value) for value in values if text_is_storable(value)], ARRAY(Text)))


def _after(by: _Ordering, key: tuple[str | datetime, UUID]) -> ColumnElement[bool]:
    value, entity_id = key
    column = entities.c[by.column]
    last = tuple_(literal(value, INSTANT if isinstance(value, datetime) else Text), literal(entity_id, Uuid))
    here = tuple_(column, entities.c.id)
    return and_(here < last if by.descending else here > last)


def _key(order: EntityOrder, by: _Ordering, entity: Entity) -> CursorKey:
    value = getattr(entity, by.column)
    return (order.value, value.isoformat() if isinstance(value, datetime) else value, str(entity.id))


def _cursor_read(order: EntityOrder, by: _Ordering, key: CursorKey) -> tuple[str | datetime, UUID]:
    fault = BadInputError(f"This cursor does not belong to this list in the order {order}.", path=("after",))
    if len(key) != 3 or key[0] != order.value:  # noqa: PLR2004  (order, value, id)
        raise fault
    _, value, entity_id = key
    if not isinstance(value, str) or not isinstance(entity_id, str) or not text_is_storable(value):
        raise fault
    read: Callable[[str], str | datetime] = str if by.column == "name" else _instant
    try:
        return read(value), UUID(entity_id)
    except ValueError:
        raise fault from None


def _instant(value: str) -> datetime:
    return instant_utc(datetime.fromisoformat(value), path="after")
