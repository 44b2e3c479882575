"""Adversary for the order of rows: makes the planner of test databases choose other access paths than its own.

Nothing but ORDER BY promises an order. By itself the planner reads small, fresh tables through their indexes, and so in
an order that happens to be right. `pytest --planner MODE`, or ARGUS_TEST_PLANNER=MODE, takes that away from every
database of the tests:

analyze   statistics are gathered after each commit, as they are on a running installation: small tables are then read
          from one end to the other.
noindex   no table is read through an index.
shuffled  the same, no join keeps an order that could be lost, and after each commit the rows written lie shuffled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, Pool

NONE: Final = "none"
ANALYZE: Final = "analyze"
NOINDEX: Final = "noindex"
SHUFFLED: Final = "shuffled"
MODES: Final = (NONE, ANALYZE, NOINDEX, SHUFFLED)

_NO_INDEX: Final = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
_OFF: Final[Mapping[str, tuple[str, ...]]] = {
    NONE: (),
    ANALYZE: (),
    NOINDEX: _NO_INDEX,
    SHUFFLED: (*_NO_INDEX, "enable_mergejoin", "enable_nestloop", "enable_incremental_sort"),
}
_WRITES: Final = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:public\.)?\"?([a-z_]+)", re.IGNORECASE)
_WRITTEN: Final = "argus_tests_written"
_COMMITTED: Final = "argus_tests_committed"
_DATABASE: Final = "argus_tests_database"
# Tables with their first column, which every one may be given again.
_TABLES: Final = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relname = ANY (%s) ORDER BY c.relname
"""


def planner_set(dsn: str, database: str, mode: str) -> None:
    """Have the planner of a database work in a mode, for connections made from now on. dsn: of a superuser."""
    if not _OFF[mode]:
        return
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in _OFF[mode]:
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = off").format(sql.Identifier(database), sql.Identifier(name))
            )


def commits_observe(dsn: str, mode: str) -> None:
    """From now on apply the mode after each commit of any engine. dsn: of a superuser, any database."""
    if mode not in {ANALYZE, SHUFFLED}:
        return

    def note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        connection.info.setdefault(_WRITTEN, set()).update(name.lower() for name in _WRITES.findall(statement))

    def forget(connection: Connection) -> None:
        connection.info.pop(_WRITTEN, None)

    def commit(connection: Connection) -> None:
        written = connection.info.pop(_WRITTEN, None)
        if written:
            connection.info.setdefault(_COMMITTED, set()).update(written)
            connection.info[_DATABASE] = connection.engine.url.database

    def checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
        # The pool gets a connection back only after its commit.
        written = record.info.pop(_COMMITTED, None)
        if written and str(record.info[_DATABASE]).startswith("argus_test_"):
            _tables_disturb(dsn, record.info[_DATABASE], sorted(written), mode)

    event.listen(Engine, "after_cursor_execute", note)
    event.listen(Engine, "rollback", forget)
    event.listen(Engine, "commit", commit)
    event.listen(Pool, "checkin", checkin)


def _tables_disturb(dsn: str, database: str, names: list[str], mode: str) -> None:
    """Gather statistics of tables, or shuffle their rows. What somebody else holds is left as it is."""
    with psycopg.connect(dsn, dbname=database, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '100ms'")
        if mode == ANALYZE:
            statement = "ANALYZE {0}"
        else:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET enable_hashjoin = off")
            connection.execute("SET enable_mergejoin = off")
            connection.execute("SET enable_nestloop = on")
            connection.execute("SET enable_tidscan = on")
            # A row that is updated is stored again behind the others.
            statement = (
                "UPDATE {0} t SET {1} = t.{1} FROM (SELECT tableoid AS o, ctid AS c FROM {0} ORDER BY random()) s"
                " WHERE t.tableoid = s.o AND t.ctid = s.c"
            )
        for name, column in connection.execute(_TABLES, [names]).fetchall():
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(column)))
