"""Updates of the live feed as a test wants them, in place of the hub's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from domain.telemetry.feed.feed import FeedUpdate
from graph.errors import ArgusError


class Source:
    """The source of updates of every subscription. open: subscriptions that wait for one, or are sent one, now.

    updates: of all of them, by cursor, after which they end; none: they are silent. endless: updates without an end
    instead. taken: how many of those were. error: raised at the end.
    """

    def __init__(self) -> None:
        self.open = 0
        self.endless: str | None = None
        self.taken = 0
        self.error: ArgusError | None = None
        self._updates: list[FeedUpdate] = []

    @property
    def updates(self) -> list[str]:
        """The cursors of updates."""
        return [update.cursor for update in self._updates]

    @updates.setter
    def updates(self, cursors: list[str]) -> None:
        # The same objects for all subscriptions, as the hub has them.
        self._updates = [FeedUpdate((), (), 0, cursor) for cursor in cursors]

    async def subscribe(self, **_: Any) -> AsyncIterator[FeedUpdate]:
        """Yield updates."""
        self.open += 1
        try:
            for update in self._updates:
                yield update
            while self.endless is not None:
                await asyncio.sleep(0.001)
                self.taken += 1
                yield FeedUpdate((), (), 0, self.endless)
            if self.error is not None:
                raise self.error
            if not self._updates:
                await asyncio.Event().wait()
        finally:
            self.open -= 1
