"""Conditions and values of SQL statements that several readers share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def any_of(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return `column = ANY (values)` with one array as parameter: a statement takes 65,535 parameters at most."""
    return column == any_(literal(list(values), ARRAY(column.type)))
