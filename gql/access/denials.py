"""Denied attempts: what callers asked for that they may not, in the audit trail.

They are counted in memory and written together, beside the graph's changes: whoever repeats them neither holds up a
change nor has anybody read the graph again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from domain.plant.organizations.sessions import user_id
from gql.access.bridge import Bridge
from gql.access.principal import Principal, permit
from gql.errors import ForbiddenError
from graph.changes import denials_record

WRITE_EVERY_S: Final = 2.0
# The same attempt of the same caller is written at most so often, with how often it was made.
REPEATED_EVERY_S: Final = 60.0
# Different attempts of an organization that are counted; further ones are in the log alone.
COUNTED_MAX: Final = 500

_log = structlog.get_logger(__name__)


class _Attempt(NamedTuple):
    actor: str
    role: str
    subject_type: str
    subject_id: UUID
    field: str
    message: str


@dataclass(slots=True)
class _Count:
    """How often an attempt was made since it was last written, and when that was."""

    attempts: int = 0
    written_s: float = float("-inf")


class Denials:
    """The denied attempts of one process. bridge: to the core. new_id: draws identifiers. monotonic_s: a clock."""

    def __init__(self, *, bridge: Bridge, new_id: Callable[[], UUID], monotonic_s: Callable[[], float]) -> None:
        self._bridge = bridge
        self._new_id = new_id
        self._monotonic_s = monotonic_s
        # Attempts are noted in whatever thread an operation is executed.
        self._lock = threading.Lock()
        # By organization.
        self._counted: defaultdict[int, dict[_Attempt, _Count]] = defaultdict(dict)
        self._task: asyncio.Task[None] | None = None

    def permit(self, bearer: Principal | None, *, root: str, field: str) -> Principal:
        """Return the bearer where it may use a root field; see `principal.permit`. What is denied is written down."""
        try:
            return permit(bearer, root=root, field=field)
        except ForbiddenError as error:
            if bearer is not None:
                self.note(bearer, field=f"{root}.{field}", message=error.message)
            raise

    def note(self, bearer: Principal, *, field: str, message: str) -> None:
        """Count an attempt that was denied. field: what was asked for."""
        attempt = _Attempt(bearer.actor, bearer.role.value, *_subject(bearer), field, message)
        with self._lock:
            counts = self._counted[bearer.organization_id]
            if attempt in counts or len(counts) < COUNTED_MAX:
                counts.setdefault(attempt, _Count()).attempts += 1
                return
        _log.warning("denied", actor=bearer.actor, field=field)

    def start(self) -> None:
        """Begin to write what is denied."""
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write(is_last=True)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self._write()

    async def _write(self, *, is_last: bool = False) -> None:
        for organization_id, attempts in self._due(is_last=is_last).items():
            work = partial(_record, organization_id=organization_id, attempts=attempts, new_id=self._new_id)
            try:
                await self._bridge.run(organization_id, work)
            except Exception as error:  # noqa: BLE001  (the answer was given already, and others wait)
                _log.warning("denials_not_written", attempts=len(attempts), error=repr(error))

    def _due(self, *, is_last: bool) -> dict[int, list[tuple[_Attempt, int]]]:
        """Take what is to be written; forget what was not made again since it was."""
        now_s = self._monotonic_s()
        due: dict[int, list[tuple[_Attempt, int]]] = {}
        with self._lock:
            for organization_id, counts in list(self._counted.items()):
                for attempt, count in list(counts.items()):
                    if not is_last and now_s - count.written_s < REPEATED_EVERY_S:
                        continue
                    if not count.attempts:
                        del counts[attempt]
                        continue
                    due.setdefault(organization_id, []).append((attempt, count.attempts))
                    count.attempts, count.written_s = 0, now_s
                if not counts:
                    del self._counted[organization_id]
        return due


def _record(
    session: Session, *, organization_id: int, attempts: Sequence[tuple[_Attempt, int]], new_id: Callable[[], UUID]
) -> None:
    denials_record(
        session,
        organization_id=organization_id,
        denials=[
            {
                "id": new_id(),
                "actor": attempt.actor,
                "subject_type": attempt.subject_type,
                "subject_id": attempt.subject_id,
                "after": {
                    "field": attempt.field,
                    "role": attempt.role,
                    "attempts": count,
                    "message": attempt.message,
                },
            }
            for attempt, count in attempts
        ],
    )


def _subject(bearer: Principal) -> tuple[str, UUID]:
    """Return who it was: a device, an API key or a user."""
    if bearer.device_id is not None:
        return "device", bearer.device_id
    if bearer.token_id is not None:
        return "api_key", bearer.token_id
    return "user", user_id(bearer.organization_id, bearer.subject)
