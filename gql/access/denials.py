"""Denied attempts: what callers asked for that they may not, in the audit trail.

They are counted in memory and written together, so that whoever repeats them costs the organization no change each.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from domain.plant.organizations.sessions import user_id
from gql.access.bridge import Bridge
from gql.access.principal import Principal, permit
from gql.errors import ForbiddenError
from graph.change import Audit, changes_record, graph_change_begin

WRITE_EVERY_S: Final = 2.0
# Different attempts that wait to be written; further ones are in the log alone.
WAITING_MAX: Final = 1_000

_log = structlog.get_logger(__name__)


class _Attempt(NamedTuple):
    bearer: Principal
    field: str
    message: str


class Denials:
    """The denied attempts of one process. bridge: to the core. new_id: draws identifiers."""

    def __init__(self, *, bridge: Bridge, new_id: Callable[[], UUID]) -> None:
        self._bridge = bridge
        self._new_id = new_id
        # Attempts are noted in whatever thread an operation is executed.
        self._lock = threading.Lock()
        self._waiting: Counter[_Attempt] = Counter()
        self._task: asyncio.Task[None] | None = None

    def permit(self, bearer: Principal | None, *, root: str, field: str) -> Principal:
        """Return the bearer where it may use a root field; see `principal.permit`. What is denied is written down."""
        try:
            return permit(bearer, root=root, field=field)
        except ForbiddenError as error:
            if bearer is not None:
                self._note(_Attempt(bearer, f"{root}.{field}", error.message))
            raise

    def start(self) -> None:
        """Begin to write what is denied."""
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    def _note(self, attempt: _Attempt) -> None:
        with self._lock:
            if attempt in self._waiting or len(self._waiting) < WAITING_MAX:
                self._waiting[attempt] += 1
                return
        _log.warning("denied", actor=attempt.bearer.actor, field=attempt.field)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self._write()

    async def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
        by_actor: defaultdict[tuple[int, str], list[tuple[_Attempt, int]]] = defaultdict(list)
        for attempt, count in waiting.items():
            by_actor[attempt.bearer.organization_id, attempt.bearer.actor].append((attempt, count))
        for (organization_id, actor), attempts in by_actor.items():
            work = partial(_record, actor=actor, attempts=attempts, new_id=self._new_id)
            try:
                await self._bridge.run(organization_id, partial(work, organization_id=organization_id))
            except Exception as error:  # noqa: BLE001  (the answer was given already, and others wait)
                _log.warning("denials_not_written", actor=actor, attempts=len(attempts), error=repr(error))


def _record(
    session: Session,
    *,
    organization_id: int,
    actor: str,
    attempts: list[tuple[_Attempt, int]],
    new_id: Callable[[], UUID],
) -> None:
    change = graph_change_begin(
        session, organization_id=organization_id, actor=actor, new_id=new_id, bears_on_derived=False
    )
    audits = []
    for (bearer, field, message), count in attempts:
        subject_type, subject_id = _subject(bearer)
        after = {"field": field, "role": bearer.role.value, "attempts": count, "message": message}
        audits.append(
            Audit(action="denied", subject_type=subject_type, subject_id=subject_id, before=None, after=after)
        )
    changes_record(session, change=change, audits=audits)


def _subject(bearer: Principal) -> tuple[str, UUID]:
    """Return who it was: a device, an API key or a user."""
    if bearer.device_id is not None:
        return "device", bearer.device_id
    if bearer.token_id is not None:
        return "api_key", bearer.token_id
    return "user", user_id(bearer.organization_id, bearer.subject)
