"""Which errors of the database mean that it is away or gave up for now: what is worth trying again."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# disk_full, of PostgreSQL's class 53, "insufficient resources".
_DISK_FULL = "53100"


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that the database cannot be reached or gave up, not that the data is bad."""
    if isinstance(error, (PoolTimeoutError, OperationalError, InterfaceError)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_disk_full(error: BaseException) -> bool:
    """Tell whether the database had no room for what was to be written."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DISK_FULL
