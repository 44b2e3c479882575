"""Transient errors of the database: it is away or gave up for now, and what was tried is worth trying again."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# program_limit_exceeded and its kind: the same data exceeds it at every try.
_LIMIT_CLASS: Final = "54"
# read_only_sql_transaction: a standby answers in the primary's place until it takes over.
_READ_ONLY: Final = "25006"


def is_away(error: BaseException) -> bool:
    """Tell whether an error is transient, no fault of the data.

    The database away or full, a deadlock, a serialization failure, a lock or a statement that timed out.
    """
    if isinstance(error, (ConnectionError, PoolTimeoutError, InterfaceError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, OperationalError):
        return not state.startswith(_LIMIT_CLASS)
    return state == _READ_ONLY or error.connection_invalidated
