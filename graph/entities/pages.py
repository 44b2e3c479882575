"""Entities in pages: filtered, ordered, found by the key of the last one seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Row,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

from graph.entities.model import Entity, EntityFilter, EntityOrder
from graph.entities.rows import ENTITY_COLUMNS, entity_of_row
from graph.json_bounds import text_check, text_is_storable
from graph.keyset import Keyset
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest, page_of_read
from graph.sql import rows_read
from graph.tables import entities
from graph.texts import text_nfc

SEARCH_MAX_CHARS: Final = 500
_DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]


# Whoever has none comes first where the order is ascending.
_SORTED_BY: Final[Mapping[str, ColumnElement[Any]]] = {
    "NAME": entities.c.name,
    "CREATED": entities.c.created_at,
    "UPDATED": entities.c.updated_at,
    "TYPE": func.coalesce(entities.c.type, "", type_=Text),
    "STATUS": entities.c.status,
    "EXTERNAL_ID": func.coalesce(entities.c.external_id, "", type_=Text),
}


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order by what another table has. name: of the order, in its cursors. column: never null, see `Keyset`.

    source, on: the table, and the condition by which an entity has one row of it at most.
    """

    name: str
    column: ColumnElement[Any]
    source: FromClause
    on: ColumnElement[bool]
    is_descending: bool


def _keyset(order: EntityOrder | Sorting) -> Keyset:
    if isinstance(order, Sorting):
        return Keyset(order.name, {"sorted_by": order.column, "id": entities.c.id}, is_descending=order.is_descending)
    name, _, direction = order.value.rpartition("_")
    return Keyset(order.value, {"sorted_by": _SORTED_BY[name], "id": entities.c.id}, is_descending=direction == "DESC")


_KEYSETS: Final = {order: _keyset(order) for order in EntityOrder}


def entities_page(
    session: Session,
    *,
    organization_id: int,
    where: EntityFilter,
    page: PageRequest,
    order: EntityOrder | Sorting = EntityOrder.NAME_ASC,
) -> Page[Entity]:
    """Return one page of the entities that fit. One statement, and one more for the total if requested.

    Names are ordered as the database's collation has them, equal ones by id. A cursor holds for the order it
    was made in, under any filter. Raises BadInputError for a cursor of another list or order, or a search of
    more than SEARCH_MAX_CHARS.
    """
    keyset = _keyset(order) if isinstance(order, Sorting) else _KEYSETS[order]
    kinds = tuple(sorted(set(EntityKind if where.kinds is None else where.kinds)))
    rows: Sequence[Row[Any]] = []
    if isinstance(order, Sorting):
        # No index has this order: all that fits is sorted.
        columns = select(*ENTITY_COLUMNS, order.column.label("sorted_by"))
        joined = columns.select_from(entities.outerjoin(order.source, order.on))
        rows = session.execute(keyset.limited(joined.where(*entity_conditions(organization_id, where)), page)).all()
    elif kinds and page.is_whole and where.search is None and where.among is None and where.also is None:
        names = {"types": where.types, "statuses": where.statuses}
        given = {name: _storable(values) for name, values in names.items() if values is not None}
        statement, bound = _usual_statement(order, kinds, tuple(given), page, is_deleted=where.is_deleted)
        rows = rows_read(session, statement, **{**bound, "organization_id": organization_id, **given})
    elif kinds:
        by_kind = [where] if where.is_costly else [replace(where, kinds=[kind]) for kind in kinds]
        conditions = [entity_conditions(organization_id, part) for part in by_kind]
        rows = session.execute(_statement(conditions, keyset, page)).all()

    def total() -> int:
        count = select(func.count()).select_from(entities).where(*entity_conditions(organization_id, where))
        return int(session.execute(count).scalar_one())

    result = page_of_read(rows, page, key=keyset.key, total=total)
    return result.of([entity_of_row(row) for row in result.items])


@lru_cache(maxsize=256)
def _usual_statement(
    order: EntityOrder, kinds: tuple[EntityKind, ...], given: tuple[str, ...], page: PageRequest, *, is_deleted: bool
) -> tuple[str, Mapping[str, Any]]:
    """Return the statement of a list that is filtered by nothing but names, which are its parameters; and the others'.

    As text for the driver: composing it takes longer than all else that is done for a page, and executing what was
    composed as long as reading the rows. given: which names, of `types` and `statuses`.
    """
    columns = {"types": entities.c.type, "statuses": entities.c.status}
    deleted_at = entities.c.deleted_at
    common: list[ColumnElement[bool]] = [
        entities.c.organization_id == bindparam("organization_id", type_=Integer),
        deleted_at.is_not(None) if is_deleted else deleted_at.is_(None),
        *(columns[name] == any_(bindparam(name, type_=ARRAY(Text))) for name in given),
    ]
    statement = _statement([[*common, entities.c.kind == kind.value] for kind in kinds], _KEYSETS[order], page)
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), compiled.params


def _statement(
    conditions: Sequence[Sequence[ColumnElement[bool]]], keyset: Keyset, page: PageRequest
) -> Select[Any] | CompoundSelect[Any]:
    """Return the statement of a page. conditions: of each kind.

    Kind by kind, for each has an index in every order; all together would have to be sorted first.
    """
    columns = select(*ENTITY_COLUMNS, keyset.columns["sorted_by"].label("sorted_by"))
    return _merge([keyset.limited(columns.where(*of_kind), page) for of_kind in conditions], keyset, page)


def _merge(parts: list[Select[Any]], keyset: Keyset, page: PageRequest) -> Select[Any] | CompoundSelect[Any]:
    """Return the first of all parts. By labels, for making each part a table of its own takes longer than the query."""
    if len(parts) == 1:
        return parts[0]
    return union_all(*parts).order_by(*keyset.order_by_labels(page)).limit(page.size + 1)


def entity_conditions(organization_id: int, where: EntityFilter) -> list[ColumnElement[bool]]:
    """Return a filter as conditions on `entities`. Raises BadInputError for a search of more than SEARCH_MAX_CHARS."""
    deleted_at = entities.c.deleted_at
    conditions = [
        entities.c.organization_id == organization_id,
        deleted_at.is_not(None) if where.is_deleted else deleted_at.is_(None),
    ]
    return [*conditions, *entity_matches(organization_id, where)]


def entity_matches(
    organization_id: int, where: EntityFilter, *, path: tuple[str, ...] = ("filter",)
) -> list[ColumnElement[bool]]:
    """Return the same without those on the organization and on deletion, which a statement has. path: of the filter."""
    conditions: list[ColumnElement[bool]] = []
    if where.kinds is not None:
        kinds = list(where.kinds)
        conditions.append(entities.c.kind == kinds[0] if len(kinds) == 1 else _one_of(entities.c.kind, kinds))
    if where.types is not None:
        conditions.append(_one_of(entities.c.type, where.types))
    if where.statuses is not None:
        conditions.append(_one_of(entities.c.status, where.statuses))
    if where.search:
        text_check(where.search, path=(*path, "search"), max_chars=SEARCH_MAX_CHARS)
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
    return column == any_(cast(_storable(values), ARRAY(Text)))


def _storable(names: Collection[str]) -> list[str]:
    """Return names as they are stored; without those that cannot be."""
    return [text_nfc(name) for name in names if text_is_storable(name)]
