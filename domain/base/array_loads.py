"""PostgreSQL arrays as columns: received in binary, taken over whole by numpy. Hot path; the way back is `arrays`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from domain.base.packed import Instants, Values

# Of pg_type.oid, the same in every PostgreSQL.
_INT2, _INT4, _INT8, _FLOAT8, _TIMESTAMPTZ, _UUID = 1005, 1007, 1016, 1022, 1185, 2951
# Dimensions, has nulls, type of the elements, length, lower bound; then each element after its own length.
_HEADER = 20
_POSTGRES_EPOCH_US = 946_684_800_000_000


class _Fixed(Loader):
    """An array of elements of one size, without nulls."""

    format = Format.BINARY
    element: ClassVar[str]

    def elements(self, data: Buffer) -> NDArray[Any]:
        both = np.frombuffer(data, dtype=[("length", ">i4"), ("value", self.element)], offset=_HEADER)
        return both["value"]


class _Int2(_Fixed):
    element = ">i2"

    def load(self, data: Buffer) -> NDArray[np.int16]:
        return self.elements(data).astype(np.int16)


class _Int4(_Fixed):
    element = ">i4"

    def load(self, data: Buffer) -> NDArray[np.int32]:
        return self.elements(data).astype(np.int32)


class _Int8(_Fixed):
    element = ">i8"

    def load(self, data: Buffer) -> NDArray[np.int64]:
        return self.elements(data).astype(np.int64)


class _Float8(_Fixed):
    element = ">f8"

    def load(self, data: Buffer) -> Values:
        return self.elements(data).astype(np.float64)


class _Timestamptz(_Fixed):
    """To int64 microseconds since the Unix epoch."""

    element = ">i8"

    def load(self, data: Buffer) -> Instants:
        return self.elements(data).astype(np.int64) + _POSTGRES_EPOCH_US


class _Uuid(_Fixed):
    """To 16 bytes each, one after the other."""

    element = "V16"

    def load(self, data: Buffer) -> bytes:
        return self.elements(data).tobytes()


_LOADERS: dict[int, type[_Fixed]] = {
    _INT2: _Int2,
    _INT4: _Int4,
    _INT8: _Int8,
    _FLOAT8: _Float8,
    _TIMESTAMPTZ: _Timestamptz,
    _UUID: _Uuid,
}


def columns_register(cursor: Cursor[Any]) -> None:
    """Register loaders of number, time and uuid arrays as columns with a binary cursor. None may hold a null."""
    for oid, loader in _LOADERS.items():
        cursor.adapters.register_loader(oid, loader)
