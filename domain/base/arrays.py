"""Columns as PostgreSQL arrays: built whole by numpy, sent in binary, unnested by one statement. Hot path."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format
from sqlalchemy.orm import Session

# Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01.
_POSTGRES_EPOCH_US = 946_684_800_000_000
# One dimension, its lower bound 1: dimensions, has nulls, type of the elements, length, lower bound.
_HEADER = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
_ENABLED = "argus.arrays"


class PgArray:
    """An array as PostgreSQL takes it in binary. `data`: header and elements."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _PgArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: PgArray) -> Buffer | None:
        return obj.data


class SmallIntArray(PgArray):
    """smallint[]."""

    __slots__ = ()


class IntArray(PgArray):
    """integer[]."""

    __slots__ = ()


class BigIntArray(PgArray):
    """bigint[]."""

    __slots__ = ()


class DoubleArray(PgArray):
    """double precision[]."""

    __slots__ = ()


class BooleanArray(PgArray):
    """boolean[]."""

    __slots__ = ()


class InstantArray(PgArray):
    """timestamptz[]."""

    __slots__ = ()


class UuidArray(PgArray):
    """uuid[]."""

    __slots__ = ()


class TextArray(PgArray):
    """text[]."""

    __slots__ = ()


# Type of the array, type of its elements (pg_type.oid, the same in every PostgreSQL).
_OIDS: dict[type[PgArray], tuple[int, int]] = {
    SmallIntArray: (1005, 21),
    IntArray: (1007, 23),
    BigIntArray: (1016, 20),
    DoubleArray: (1022, 701),
    BooleanArray: (1000, 16),
    InstantArray: (1185, 1184),
    UuidArray: (2951, 2950),
    TextArray: (1009, 25),
}
_DUMPERS = {kind: type(f"{kind.__name__}Dumper", (_PgArrayDumper,), {"oid": oids[0]}) for kind, oids in _OIDS.items()}


def arrays_enable(session: Session) -> None:
    """Register these arrays with the session's connection, once."""
    connection = session.connection()
    if _ENABLED in connection.info:
        return
    driver: Any = connection.connection.driver_connection
    for kind, dumper in _DUMPERS.items():
        driver.adapters.register_dumper(kind, dumper)
    connection.info[_ENABLED] = True


def _fixed(kind: type[PgArray], dtype: str, values: NDArray[Any] | Sequence[Any]) -> PgArray:
    column = np.asarray(values)
    elements = np.empty(len(column), dtype=[("length", ">i4"), ("value", dtype)])
    elements["length"] = elements.dtype["value"].itemsize
    elements["value"] = column
    return kind(_header(kind, len(column), has_nulls=False) + elements.tobytes())


def _header(kind: type[PgArray], length: int, *, has_nulls: bool) -> bytes:
    return _HEADER.pack(1, has_nulls, _OIDS[kind][1], length, 1)


smallint_array: Callable[[NDArray[Any] | Sequence[Any]], PgArray] = partial(_fixed, SmallIntArray, ">i2")
int_array: Callable[[NDArray[Any] | Sequence[Any]], PgArray] = partial(_fixed, IntArray, ">i4")
bigint_array: Callable[[NDArray[Any] | Sequence[Any]], PgArray] = partial(_fixed, BigIntArray, ">i8")
double_array: Callable[[NDArray[Any] | Sequence[Any]], PgArray] = partial(_fixed, DoubleArray, ">f8")
boolean_array: Callable[[NDArray[Any] | Sequence[Any]], PgArray] = partial(_fixed, BooleanArray, "?")


def instant_array(micros: NDArray[np.int64] | Sequence[int]) -> PgArray:
    """Return timestamptz[] of microseconds since the Unix epoch."""
    return _fixed(InstantArray, ">i8", np.asarray(micros, dtype=np.int64) - _POSTGRES_EPOCH_US)


def uuid_array(ids: bytes) -> PgArray:
    """Return uuid[] of identifiers of 16 bytes, one after the other."""
    column = np.frombuffer(ids, dtype="V16")
    return _fixed(UuidArray, "V16", column)


def text_array(values: Iterable[bytes | None]) -> PgArray:
    """Return text[] of UTF-8 texts, some of them null."""
    pack = _LENGTH.pack
    parts = [_NULL if value is None else pack(len(value)) + value for value in values]
    return TextArray(_header(TextArray, len(parts), has_nulls=_NULL in parts) + b"".join(parts))
