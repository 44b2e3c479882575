"""Transient errors of the database: worth a retry."""

from __future__ import annotations

from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# program_limit_exceeded and its kind: the same data exceeds it at every try.
_LIMIT_CLASS: Final = "54"
# read_only_sql_transaction: a standby answers in the primary's place until it takes over.
_READ_ONLY: Final = "25006"
# insufficient_privilege, undefined_table, undefined_column, undefined_function.
_LACKING: Final = frozenset({"42501", "42P01", "42703", "42883"})
# disk_full, of PostgreSQL's class 53, "insufficient resources".
_DISK_FULL: Final = "53100"
# ENOSPC, as the C library words it and PostgreSQL hands it on.
_NO_SPACE: Final = "No space left on device"
# Reasons of transient errors for a person; the first for a database that does not answer.
NO_ANSWER: Final = "The database does not answer"
_TROUBLES: Final = {
    _DISK_FULL: "The database's disk is full",
    # query_canceled: by the statement's own time limit, or by the deadline of the operation.
    "57014": "A statement took longer than it may, and the database ended it",
    # lock_not_available, deadlock_detected, serialization_failure.
    "55P03": "Others hold what was to be written for too long",
    "40P01": "Others were writing the same at the same time",
    "40001": "Others were writing the same at the same time",
    _READ_ONLY: "The database takes no writes just now",
}


def is_transient(error: BaseException) -> bool:
    """Return whether an error is transient, no fault of the data.

    The database away or full, a deadlock, a serialization failure, a lock or a statement that timed out.
    """
    if isinstance(error, (ConnectionError, PoolTimeoutError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Hot paths speak to the driver itself.
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.InterfaceError):
        return True
    if isinstance(cause, psycopg.OperationalError):
        return not (cause.sqlstate or "").startswith(_LIMIT_CLASS)
    return _state(error) == _READ_ONLY


def is_lacking(error: BaseException) -> bool:
    """Return whether the database lacks a table, a column, a function or a right, as one of another release does."""
    return _state(error) in _LACKING


def is_retryable(error: BaseException) -> bool:
    """Return whether an error is transient, or the schema is another release's: retry without limit."""
    return is_transient(error) or is_lacking(error)


def is_disk_full(error: BaseException) -> bool:
    """Return whether the database's disk is full."""
    return _state(error) == _DISK_FULL


def transient_reason(error: BaseException) -> str:
    """Return the reason of a transient error for a person: the beginning of a sentence."""
    return _TROUBLES.get(_state(error) or "", NO_ANSWER)


def _state(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return None
    # A refused connection comes without its state: libpq hands on the server's words alone.
    return _DISK_FULL if cause.sqlstate is None and _NO_SPACE in str(cause) else cause.sqlstate
