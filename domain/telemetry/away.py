"""Which errors of the database mean that it is away or gave up for now: what is worth trying again."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that the database cannot be reached or gave up, not that the data is bad."""
    if isinstance(error, (PoolTimeoutError, OperationalError, InterfaceError)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
