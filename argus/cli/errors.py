"""Report errors of commands: a sentence on standard error and an exit status, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.base.transient import NO_ANSWER, is_transient, transient_reason
from graph.errors import ArgusError
from migrations.run import SchemaRefusedError
from runtime.embedded.account import AccountError
from runtime.embedded.home import HomeError
from runtime.embedded.process import ServerError
from runtime.settings.kinds import SettingsError

# undefined_table, undefined_column, undefined_function
_NO_SCHEMA = frozenset({"42P01", "42703", "42883"})
# query_canceled
_TIMED_OUT = "57014"


class CommandError(Exception):
    """A command failed. status: 1 failed, 2 used wrongly."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def errors_reported() -> Iterator[None]:
    """Turn errors that an operator can fix into a CommandError; let defects through."""
    try:
        yield
    except (SettingsError, HomeError) as error:
        raise CommandError(str(error), status=2) from error
    except (AccountError, ServerError, SchemaRefusedError) as error:
        raise CommandError(str(error)) from error
    except ArgusError as error:
        raise CommandError(error.message) from error
    except (SQLAlchemyError, psycopg.Error) as error:
        raise CommandError(database_message(error)) from error


def database_message(error: SQLAlchemyError | psycopg.Error) -> str:
    """Return the database's message for an operator, never the statement."""
    # Hot paths speak to the driver itself.
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return "The database could not be used: no connection was free in time."
    state = cause.sqlstate
    if state in _NO_SCHEMA:
        return "The database has no schema of Argus, or an older one: run `argus migrate`."
    if state == _TIMED_OUT:
        return "The database took too long, and the statement was given up. Nothing was changed."
    trouble = transient_reason(error) if is_transient(error) else None
    if trouble is not None and trouble != NO_ANSWER:
        return f"{trouble}. What was not written yet is not kept; run it again later."
    words = str(cause).strip().splitlines()
    sentence = f" It said: {words[0]}" if words else ""
    if state is None or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return f"{NO_ANSWER}.{sentence}"
    return f"The database refused ({state}).{sentence}"
