"""Wake the subscriptions of one API process when something they follow was recorded.

However many follow, the database is asked once for each organization: whether anything is new. What it is, each
subscription reads by itself, from its own place on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from gql.live.hub import SessionRunner
from graph.errors import LimitExceededError

S = TypeVar("S")

# How often it is looked whether there is something new.
LOOK_S: Final = 0.25
SUBSCRIBERS_MAX: Final = 10_000
_BACKOFF_MAX_S: Final = 5.0

_log = structlog.get_logger(__name__)

# look(session, organization_id=..., seen=...): what there is now, to be handed back as `seen`, and whether that is more
# than what was seen before. seen None: nothing was.
Look = Callable[..., tuple[S, bool]]


@dataclass(slots=True)
class Following:
    """What a subscription waits for. version: rises whenever there may be something new to read."""

    version: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    # Who follows this organization, and the task that looks for them.
    count: int = 0
    task: asyncio.Task[None] | None = None

    async def newer(self, version: int) -> None:
        """Wait until the version is another than this."""
        while self.version == version:
            await self._changed.wait()

    def wake(self) -> None:
        """Let all who wait read."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()


class ChangeWatch(Generic[S]):
    """Looks for what is new in the organizations that somebody follows. Lives on one event loop.

    what: a word for what is followed, for messages. run: runs work in a transaction that acts for an organization.
    """

    def __init__(self, *, what: str, run: SessionRunner, look: Look[S]) -> None:
        self._what = what
        self._run = run
        self._look = look
        self._by_organization: dict[int, Following] = {}

    @property
    def subscribers(self) -> int:
        """The number of subscriptions that follow."""
        return sum(following.count for following in list(self._by_organization.values()))

    @asynccontextmanager
    async def follow(self, organization_id: int) -> AsyncIterator[Following]:
        """Follow an organization in the block. Raises LimitExceededError above SUBSCRIBERS_MAX subscriptions.

        Read, and where nothing is left wait for a version newer than the one from before the reading.
        """
        if self.subscribers >= SUBSCRIBERS_MAX:
            raise LimitExceededError(f"This process serves {SUBSCRIBERS_MAX} subscriptions to {self._what}.")
        following = self._by_organization.setdefault(organization_id, Following())
        following.count += 1
        if following.task is None:
            following.task = asyncio.create_task(self._watch(organization_id, following))
        try:
            yield following
        finally:
            following.count -= 1
            if following.count == 0:
                following.task.cancel()
                del self._by_organization[organization_id]

    async def _watch(self, organization_id: int, following: Following) -> None:
        seen: S | None = None
        pause_s = LOOK_S
        while True:
            try:
                work: Callable[[Session], tuple[S, bool]] = partial(
                    self._look, organization_id=organization_id, seen=seen
                )
                seen, is_new = await self._run(organization_id, work)
            except Exception as error:  # noqa: BLE001  (whatever it was, the subscribers stay and the next look may go)
                _log.warning("watch_failed", what=self._what, organization=organization_id, error=repr(error))
                pause_s = min(2 * pause_s, _BACKOFF_MAX_S)
            else:
                pause_s = LOOK_S
                if is_new:
                    following.wake()
            await asyncio.sleep(pause_s)
