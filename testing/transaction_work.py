"""Count what transactions do: statements sent, rows read and rows written, by PostgreSQL's own statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, event

_ROWS = """
    SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0), n_tup_ins + n_tup_upd + n_tup_del
    FROM pg_stat_xact_user_tables
"""


@dataclass(slots=True)
class TransactionWork:
    """What transactions did: statements sent by the code; rows read and written, by table (a partition is a table)."""

    statements: int = 0
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)


@contextmanager
def work_counted(engine: Engine) -> Iterator[TransactionWork]:
    """Count what the transactions within the block do; it is there once they have committed."""
    work = TransactionWork()
    before: dict[int, tuple[Counter[str], Counter[str]]] = {}

    def rows(connection: Connection) -> tuple[Counter[str], Counter[str]]:
        # Past the engine's events: this is no statement of the code's.
        driver = connection.connection.dbapi_connection
        assert driver is not None
        tables = driver.cursor().execute(_ROWS).fetchall()
        read = Counter({name: count for name, count, _ in tables})
        return read, Counter({name: count for name, _, count in tables})

    def begun(connection: Connection) -> None:
        before[id(connection)] = rows(connection)

    def committing(connection: Connection) -> None:
        first, last = before[id(connection)], rows(connection)
        work.read += last[0] - first[0]
        work.written += last[1] - first[1]

    def sent(*_: object) -> None:
        work.statements += 1

    hooks = (("begin", begun), ("commit", committing), ("before_cursor_execute", sent))
    for name, hook in hooks:
        event.listen(engine, name, hook)
    try:
        yield work
    finally:
        for name, hook in hooks:
            event.remove(engine, name, hook)
