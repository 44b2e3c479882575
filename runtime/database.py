"""Engines and the one form of a transaction: short, for one organization, committed in one place."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from psycopg import Connection
from psycopg import Error as PsycopgError
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session

from runtime.json_values import json_read, json_write

_ORGANIZATION_SET = text("SELECT set_config('argus.organization_id', :organization_id, true)")

POOL_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5
CANCEL_TIMEOUT_S = 2.0
# Of what has come on an idle connection, before it counts as closed.
_READS_MAX = 8
# A peer that has gone without a word is given up after some 20 s, what was sent to it unacknowledged after 10 s.
# One that is there and silent is the watchdog's business (runtime/watchdog.py).
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def engine_create(url: str, *, pool_size: int = 8, statement_timeout_s: float = 0.0) -> Engine:
    """Return an engine with a bounded pool. Make it after a fork, never before.

    url: postgresql+psycopg://role:password@host:port/database. A connection that the server has closed is noticed
    before it is handed out. Waiting longer than POOL_TIMEOUT_S for one raises sqlalchemy.exc.TimeoutError.
    statement_timeout_s: a statement that takes longer is given up (OperationalError); 0: none is.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        json_deserializer=json_read,
        json_serializer=json_write,
        # Parameters hold tokens, attributes and readings: an error names its statement without them.
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "argus",
            **_KEEPALIVE,
            "options": f"-c statement_timeout={int(statement_timeout_s * 1000)}",
        },
    )
    event.listen(engine, "checkout", _check_open)
    return engine


def statement_interrupt(session: Session) -> Callable[[], None]:
    """Return a function that ends the running statement of the session's connection, for another thread.

    It returns after the request was sent. Where nothing is executed, or the server cannot be reached, it does
    nothing.
    """
    connection: Any = session.connection().connection.dbapi_connection

    def interrupt() -> None:
        with suppress(PsycopgError, OSError):
            connection.cancel_safe(timeout=CANCEL_TIMEOUT_S)

    return interrupt


@contextmanager
def transaction(
    engine: Engine, organization_id: int | None = None, *, info: Mapping[str, Any] | None = None
) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises.

    organization_id: whose rows it may touch; None where the role works without one. info: what the session carries
    along for those it is handed to.
    """
    with Session(engine, autoflush=False, expire_on_commit=False, info=dict(info or {})) as session, session.begin():
        if organization_id is not None:
            _begin(session, organization_id)
        yield session


@contextmanager
def snapshot(engine: Engine, organization_id: int) -> Iterator[Session]:
    """One transaction that reads: all of its statements see the database as it was at the first, none may write."""
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with transaction(reading, organization_id) as session:
        yield session


def _check_open(connection: Connection, *_record: Any) -> None:
    """Refuse a connection that the server has closed, so that the pool makes another. Without a round trip.

    What has come on an idle connection is read: a notice, a ticket of TLS, or its end.
    """
    poll = select.poll()
    try:
        poll.register(connection.fileno(), select.POLLIN)
        for _ in range(_READS_MAX):
            if not poll.poll(0):
                return
            connection.pgconn.consume_input()
    except (PsycopgError, OSError):
        pass
    raise DisconnectionError


def _begin(session: Session, organization_id: int) -> None:
    """Begin the transaction and say whose rows it may touch: in one round trip where it is an ordinary one."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101  (the engine's driver, for the type checker)
    is_ordinary = connection.isolation_level is None and connection.read_only is None and not connection.autocommit
    if is_ordinary and connection.pgconn.transaction_status == TransactionStatus.IDLE:
        begin = f"BEGIN; SELECT set_config('argus.organization_id', '{int(organization_id)}', true)"
        if connection.pgconn.exec_(begin.encode()).status == ExecStatus.TUPLES_OK:
            return
    # Also where that failed: the error comes again, in its ordinary form.
    session.execute(_ORGANIZATION_SET, {"organization_id": str(organization_id)})
