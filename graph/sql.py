"""Conditions and values of SQL statements that several readers share, and the insertion of many rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, TextClause, any_, literal, text
from sqlalchemy.dialects.postgresql import ARRAY, Range
from sqlalchemy.orm import Session

# Of a statement's rows as JSON.
_STATEMENT_MAX_CHARS: Final = 32 * 1024 * 1024


def any_of(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return `column = ANY (values)` with one array as parameter: a statement takes 65,535 parameters at most."""
    return column == any_(literal(list(values), ARRAY(column.type)))


def rows_read(session: Session, statement: str, **parameters: Any) -> Sequence[Any]:
    """Return all rows of a statement in the driver's form, `%(name)s` for a parameter. For hot paths.

    Nothing is compiled, and the driver has a statement prepared that comes again; values come as the driver reads them.
    """
    return session.connection().exec_driver_sql(statement, parameters).all()


def uuids_text(values: Iterable[UUID]) -> str:
    """Return UUIDs as the text of an array, which is faster than an array of them as a parameter."""
    return "{" + ",".join(f"{value.int:032x}" for value in values) + "}"


def rows_insert(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in their order, in one statement unless they are very large; none where there are none.

    rows: by column, all of the same columns; None is NULL. One by one, though sent together, they take the database
    twice as long.
    """
    if not rows:
        return
    written = json.dumps(rows, default=_written)
    if len(written) > _STATEMENT_MAX_CHARS and len(rows) > 1:
        middle = len(rows) // 2
        rows_insert(session, table, rows[:middle])
        rows_insert(session, table, rows[middle:])
        return
    session.execute(_insertion(table.name, tuple(rows[0])), {"rows": written})


@lru_cache(maxsize=64)
def _insertion(table: str, columns: tuple[str, ...]) -> TextClause:
    named = ", ".join(f'"{column}"' for column in columns)
    # The names are those of tables and columns in the code.
    return text(
        f"INSERT INTO {table} ({named})"  # noqa: S608
        f" SELECT {named} FROM json_populate_recordset(CAST(NULL AS {table}), CAST(:rows AS json))"
    )


def _written(value: object) -> Any:
    """Return a value that is no JSON as the text that PostgreSQL reads."""
    match value:
        case UUID() | Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case bytes():
            return f"\\x{value.hex()}"
        case Range():
            begin, end = ("" if bound is None else bound.isoformat() for bound in (value.lower, value.upper))
            return f"{value.bounds[0]}{begin},{end}{value.bounds[1]}"
        case _:
            raise TypeError(f"{type(value).__name__} has no form in a row")
