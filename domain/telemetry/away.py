"""Transient errors of the database: it is away or gave up for now, and what was tried is worth trying again."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# program_limit_exceeded and its kind: the same data exceeds it at every try.
_LIMIT_CLASS: Final = "54"
# read_only_sql_transaction: a standby answers in the primary's place until it takes over.
_READ_ONLY: Final = "25006"
# disk_full, of PostgreSQL's class 53, "insufficient resources".
_DISK_FULL: Final = "53100"


def is_away(error: BaseException) -> bool:
    """Tell whether an error is transient, no fault of the data.

    The database away or full, a deadlock, a serialization failure, a lock or a statement that timed out.
    """
    if isinstance(error, (ConnectionError, PoolTimeoutError, InterfaceError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = _state(error)
    if isinstance(error, OperationalError):
        return not state.startswith(_LIMIT_CLASS)
    return state == _READ_ONLY or error.connection_invalidated


def is_disk_full(error: BaseException) -> bool:
    """Tell whether the database had no room for what was to be written."""
    return isinstance(error, DBAPIError) and _state(error) == _DISK_FULL


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
