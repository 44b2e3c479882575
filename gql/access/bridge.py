"""Run core functions from the event loop: each call in a thread, in a short transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from domain.base.waiting import thread_await
from gql.access.fair_threads import FairThreads
from gql.errors import UNAVAILABLE_MESSAGE, known
from graph.errors import BeyondScopeError, ConflictError, UnavailableError
from graph.stopping import Stop, stop_bound
from graph.walk.scopes import scope_bind

T = TypeVar("T")

ATTEMPTS = 3
# serialization_failure, deadlock_detected: the same transaction may succeed when it is run again.
_AGAIN = frozenset({"40001", "40P01"})
_INSUFFICIENT_PRIVILEGE = "42501"
# unique_violation, exclusion_violation.
_TAKEN = frozenset({"23505", "23P01"})
_TAKEN_ELSEWHERE = "Something that this token does not see has the same name, external id or exclusive place already."
_BEYOND = "This token is confined to what lies below some entities, and this concerns more than these."

_log = structlog.get_logger(__name__)


class TransactionFactory(Protocol):
    """Opens a transaction for an organization: committed when the block ends, rolled back when it raises."""

    def __call__(self, organization_id: int | None, /) -> AbstractContextManager[Session]:
        """Return the block."""
        ...


class Bridge:
    """Runs core functions for the API.

    threads: no more than the connections of the pool behind `transaction`, so that a waiting call waits here.
    interrupt: ends the statement that a session's connection is executing, called from another thread.
    is_silent: returns whether the database is known to give no answer, so that no thread need find out again.
    """

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        threads: int,
        interrupt: Callable[[Session], Callable[[], None]] | None = None,
        is_silent: Callable[[], bool] = lambda: False,
    ) -> None:
        self._transaction = transaction
        self._interrupt = interrupt
        self._is_silent = is_silent
        # Nobody's slow calls keep another's from being made.
        self._threads = FairThreads(threads, per_caller_max=threads // 2, name="bridge")

    async def run(
        self,
        organization_id: int | None,
        work: Callable[[Session], T],
        stop: Stop | None = None,
        *,
        under: Collection[UUID] | None = None,
    ) -> T:
        """Return what `work` returns, after its transaction has committed.

        under: the entities below which the caller may see and act; None: everywhere in the organization.
        stop: ends the work from outside: the statement it is in, and its loops at the next `stop_check`. A caller
        that is cancelled without it leaves the work to finish by itself: its connection is given back clean.
        Raises UnavailableError where the database is away.
        """
        if self._is_silent():
            raise UnavailableError(UNAVAILABLE_MESSAGE)
        if organization_id is not None and under is not None:
            work = partial(_read_confined, organization_id, under, work)
        job = partial(self._work, organization_id, work, stop)
        return await thread_await(self._threads.submit(job))

    def _work(self, organization_id: int | None, work: Callable[[Session], T], stop: Stop | None) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with stop_bound(stop):
                    return self._once(organization_id, work, stop)
            except DBAPIError as error:
                if stop is not None and stop.reason is not None:
                    # Whatever the interrupted statement says, this is why.
                    raise stop.reason from None
                if getattr(error.orig, "sqlstate", None) not in _AGAIN or attempt == ATTEMPTS:
                    raise known(error) or error from error
            except SQLAlchemyError as error:
                raise known(error) or error from error
        raise AssertionError("unreachable")

    def _once(self, organization_id: int | None, work: Callable[[Session], T], stop: Stop | None) -> T:
        if stop is None or self._interrupt is None:
            with self._transaction(organization_id) as session:
                return work(session)
        stop.check(0)
        with self._transaction(organization_id) as session, stop.interruptible(self._interrupt(session)):
            return work(session)

    def stop(self) -> None:
        """Let running work finish and take no more."""
        self._threads.shutdown(wait=True)


def _read_confined(organization_id: int, under: Collection[UUID], work: Callable[[Session], T], session: Session) -> T:
    with confined(session, organization_id=organization_id, under=under):
        return work(session)


@contextmanager
def confined(session: Session, *, organization_id: int, under: Collection[UUID]) -> Iterator[None]:
    """Confine what the session's transaction does in the block, and after it; see `graph.walk.scopes.scope_bind`.

    Raises BeyondScopeError where the database refuses it.
    """
    scope_bind(session, organization_id=organization_id, under=under)
    try:
        yield
    except DBAPIError as error:
        sqlstate = getattr(error.orig, "sqlstate", None)
        if sqlstate in _TAKEN:
            # Names are unique and places exclusive in the whole organization; the work saw a part of it.
            raise ConflictError(_TAKEN_ELSEWHERE) from None
        if sqlstate != _INSUFFICIENT_PRIVILEGE:
            raise
        # The wall itself; whoever runs into it would see or change what is elsewhere.
        _log.warning("scope_refused", organization=organization_id, error=str(error.orig))
        raise BeyondScopeError(_BEYOND) from None
