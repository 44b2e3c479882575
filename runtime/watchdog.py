"""A watchdog for the database: detects one that does not answer, and frees whoever waits for it.

A database that has died says so: its connections break. One that is frozen, or behind a network that drops packets,
says nothing, and a statement sent to it waits for as long as the connection lives. A thread of the watchdog asks on a
separate connection; where no answer comes in time, every connection of the engines it watches is broken. Their
statements then fail like those of a database that has died.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
import weakref
from collections.abc import Iterable
from typing import Any, Final

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import Engine, event, make_url

_log = logging.getLogger(__name__)

EVERY_S: Final = 2.0
# How long an answer to the smallest of statements may take.
ANSWER_WITHIN_S: Final = 4.0
_UNAVAILABLE_EVERY_S: Final = 0.5
SILENT: Final = "does not answer"
DISK_FULL: Final = "has no room left on its disk"


class SilentError(Exception):
    """No answer came in time."""


class DatabaseWatchdog:
    """Probes the database every few seconds. One per process, started after a fork; thread-safe.

    url: the SQLAlchemy address to ask at. engines: those whose connections are broken when it falls silent; hand them
    in before they have any.
    """

    def __init__(
        self,
        url: str,
        *,
        engines: Iterable[Engine],
        every_s: float = EVERY_S,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._every_s, self._answer_within_s = every_s, answer_within_s
        self._connections: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()
        self._connection: psycopg.Connection | None = None
        self._condition = threading.Condition()
        self._begun = self._finished = 0
        self._is_wanted = self._is_stopping = False
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="database-watchdog", daemon=True)
        for engine in engines:
            event.listen(engine, "connect", self._connected)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=self._answer_within_s * 2)

    @property
    def is_silent(self) -> bool:
        """Whether the last probe got no answer at all."""
        return self._trouble == SILENT

    def ask(self) -> str | None:
        """Probe now and return what is wrong with the database; None: it answers.

        Waits for the answer, and hardly longer than an answer may take.
        """
        with self._condition:
            # A question that is under way may have been put before what the caller wants to know of.
            wanted = self._begun + 1
            self._is_wanted = True
            self._condition.notify_all()
            if not self._condition.wait_for(lambda: self._finished >= wanted, timeout=self._answer_within_s * 1.1):
                return SILENT
            return self._trouble

    def _connected(self, connection: Any, _record: object) -> None:
        self._connections.add(connection)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._is_wanted = False
                self._begun += 1
            trouble = self._probe()
            with self._condition:
                if trouble != self._trouble:
                    _log.warning("The database %s.", trouble or "answers again")
                self._trouble = trouble
                self._finished = self._begun
                self._condition.notify_all()
            if trouble == SILENT:
                self._break()
            with self._condition:
                pause_s = self._every_s if trouble is None else _UNAVAILABLE_EVERY_S
                self._condition.wait_for(lambda: self._is_wanted or self._is_stopping, timeout=pause_s)
                if self._is_stopping:
                    break
        self._drop()

    def _probe(self) -> str | None:
        """Return what is wrong; None: an answer came in time."""
        deadline_s = time.monotonic() + self._answer_within_s
        try:
            if self._connection is None:
                self._connection = self._connect()
            _ask(self._connection, deadline_s)
        except (SilentError, psycopg.errors.ConnectionTimeout):
            self._drop()
            return SILENT
        except psycopg.Error as error:
            self._drop()
            # The server's own word, where it gave one: it is starting, or has no connection left.
            lines = str(error).strip().splitlines()
            if "No space left on device" in str(error):
                return DISK_FULL
            return f"refuses ({lines[0].strip()})" if lines else "refuses"
        except Exception as error:  # noqa: BLE001  (without this thread nobody would notice a silent database)
            self._drop()
            return f"cannot be asked ({error!r})"
        return None

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            self._address,
            autocommit=True,
            application_name="argus watchdog",
            connect_timeout=max(int(self._answer_within_s), 1),
        )

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _break(self) -> None:
        """Break every connection of the engines: their threads wake with an error, and new ones are made later."""
        broken = 0
        for connection in list(self._connections):
            # Between asking for the number and taking it the owner may have closed it: at worst another connection
            # of this process that has just been given the number breaks as well, and is rebuilt.
            with contextlib.suppress(psycopg.Error, OSError, ValueError):
                with socket.socket(fileno=socket.dup(connection.fileno())) as own:
                    own.shutdown(socket.SHUT_RDWR)
                broken += 1
        if broken:
            _log.warning("Broke %d connections to a database that is silent.", broken)


def _ask(connection: psycopg.Connection, deadline_s: float) -> None:
    """Send the smallest of statements and take its answer. Raises SilentError, psycopg.Error."""
    wire = connection.pgconn
    poll = select.poll()
    wire.send_query(b"SELECT 1")
    while True:
        flushed = wire.flush() == 0
        wire.consume_input()
        if flushed and not wire.is_busy():
            result = wire.get_result()
            if result is None:
                return
            # A plain number where psycopg is compiled.
            if result.status != ExecStatus.TUPLES_OK:
                raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
            continue
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise SilentError
        poll.register(wire.socket, select.POLLIN if flushed else select.POLLIN | select.POLLOUT)
        poll.poll(left_s * 1_000)
