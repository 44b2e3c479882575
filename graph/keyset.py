"""The order of a list in SQL, and its pages in both directions: the one place that makes and reads their cursors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Double, Row, Select, Uuid, column, func, literal, tuple_
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from graph.errors import BadInputError
from graph.instants import instant_utc
from graph.json_bounds import text_is_storable
from graph.paging import CursorKey, Page, PageRequest, cursor_foreign, page_of_read

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a page is read, as SQL. condition: "true" where nothing bounds it; order: of output columns."""

    condition: str
    values: Mapping[str, Any]
    order: str


@dataclass(frozen=True, slots=True)
class Keyset:
    """Columns that order a list, none of them null, the last one unique; all ascending or all descending.

    name: of the list; its cursors carry it, so that no other list accepts them. columns: by the name that each has in
    a row of the statement. Types are instants, UUIDs, doubles and texts.
    """

    name: str
    columns: Mapping[str, ColumnElement[Any]]
    is_descending: bool = False

    def page(
        self, session: Session, statement: Select[Any], page: PageRequest, *, count: Select[Any] | None = None
    ) -> Page[Row[Any]]:
        """Return one page of a statement's rows. One statement, and one more for the total if requested.

        count: counts the rows, where the statement's own joins need not be made for it.
        Raises BadInputError for a cursor of another list.
        """
        rows = session.execute(self.limited(statement, page)).all()
        counting = statement.with_only_columns(func.count(), maintain_column_froms=True) if count is None else count
        return page_of_read(rows, page, key=self.key, total=lambda: int(session.execute(counting).scalar_one()))

    def limited(self, statement: Select[Any], page: PageRequest) -> Select[Any]:
        """Return a statement for the rows of a page and one more, in the direction of the page."""
        order = self._directed(page, self.columns.values())
        return statement.where(*self.conditions(page)).order_by(*order).limit(page.size + 1)

    def order_by_labels(self, page: PageRequest) -> list[ColumnElement[Any]]:
        """Return the order of a page by the names of output columns, for a union."""
        return self._directed(page, [column(label) for label in self.columns])

    def conditions(self, page: PageRequest) -> list[ColumnElement[bool]]:
        """Return what must hold of the rows of a page: that they lie between its cursors. Raises BadInputError."""
        here, conditions = tuple_(*self.columns.values()), []
        for values, is_below in self._bounds(page):
            typed = zip(values, self.columns.values(), strict=True)
            there = tuple_(*(literal(value, expression.type) for value, expression in typed))
            conditions.append(here < there if is_below else here > there)
        return conditions

    def seek(self, page: PageRequest) -> Seek:
        """Return the same for a statement that is written as text. Raises BadInputError."""
        here = ", ".join(map(str, self.columns.values()))
        conditions: list[str] = []
        values: dict[str, Any] = {}
        for n, (bound, is_below) in enumerate(self._bounds(page)):
            named = {f"seek_{n}_{label}": value for label, value in zip(self.columns, bound, strict=True)}
            typed = zip(named, self.columns.values(), strict=True)
            there = ", ".join(f"CAST(:{key} AS {expression.type.compile(_DIALECT)})" for key, expression in typed)
            conditions.append(f"({here}) {'<' if is_below else '>'} ({there})")
            values |= named
        direction = " DESC" if self.is_descending is not page.is_backward else ""
        order = ", ".join(f"{label}{direction}" for label in self.columns)
        return Seek(" AND ".join(conditions) or "true", values, order)

    def key(self, row: Any) -> CursorKey:
        """Return the sort key of a row, or of an object that has its values under the same names."""
        return (self.name, *(_text(getattr(row, label)) for label in self.columns))

    def _bounds(self, page: PageRequest) -> Sequence[tuple[Sequence[Any], bool]]:
        """Return the keys that bound a page, each with whether the rows compare as less."""
        given = ((page.after, "after", self.is_descending), (page.before, "before", not self.is_descending))
        return [(self._read(key, path), is_below) for key, path, is_below in given if key is not None]

    def _read(self, key: CursorKey, path: str) -> list[Any]:
        values = [value for value in key[1:] if isinstance(value, str)]
        if not key or key[0] != self.name or not len(key) - 1 == len(values) == len(self.columns):
            raise cursor_foreign(path)
        typed = zip(values, self.columns.values(), strict=True)
        try:
            return [_value(value, expression) for value, expression in typed]
        except (ValueError, BadInputError):
            raise cursor_foreign(path) from None

    def _directed(self, page: PageRequest, columns: Any) -> list[ColumnElement[Any]]:
        is_descending = self.is_descending is not page.is_backward
        return [expression.desc() if is_descending else expression.asc() for expression in columns]


def _text(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _value(text: str, expression: ColumnElement[Any]) -> Any:
    if isinstance(expression.type, DateTime):
        return instant_utc(datetime.fromisoformat(text), path="after")
    if isinstance(expression.type, Uuid):
        return UUID(text)
    if isinstance(expression.type, Double):
        number = float(text)
        if not isfinite(number):
            raise ValueError
        return number
    if not text_is_storable(text):
        raise ValueError
    return text
