"""How errors of the database are classified and reported."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from argus.cli.errors import database_message
from domain.base.transient import NO_ANSWER, is_disk_full, is_transient, transient_reason

REFUSED = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: '
FULL = f"{REFUSED}FATAL:  could not write init file: No space left on device"


@pytest.mark.parametrize("error", [psycopg.OperationalError(FULL), psycopg.errors.DiskFull("could not extend file")])
def test_a_full_disk_is_reported_whether_a_statement_or_a_connection_failed(error: psycopg.Error) -> None:
    """The error of a connection has no SQLSTATE."""
    for failure in (error, OperationalError("SELECT 1", None, error)):
        assert (is_transient(failure), is_disk_full(failure)) == (True, True)
        assert transient_reason(failure) == "The database's disk is full"
    assert database_message(OperationalError("SELECT 1", None, error)).startswith("The database's disk is full.")


def test_another_refused_connection_is_a_database_that_is_unavailable() -> None:
    error = psycopg.OperationalError(f"{REFUSED}Connection refused")
    assert (is_transient(error), is_disk_full(error), transient_reason(error)) == (True, False, NO_ANSWER)
