"""Limit how many bytes a client may leave unread; beyond that, updates wait here, where a newer one replaces them.

The buffers between a server and a client's program take megabytes, minutes of updates for a client that reads slowly.
So the client is pinged after every so many bytes, and its pong says that it has read what came before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PING_EVERY_BYTES: Final = 64 * 1024
UNREAD_MAX_BYTES: Final = 256 * 1024
# Of answers to queries and mutations that wait to be sent on one socket.
UNSENT_MAX_BYTES: Final = 8 * 1024 * 1024
# A client that has not answered its first ping in this time does not answer pings: its socket's buffers bound it then.
PATIENCE_S: Final = 10.0


class Flow:
    """Counts the bytes of one socket."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._sent = self._read = 0
        # By ping, how much was sent before it.
        self._pings: deque[int] = deque()
        self._answered = asyncio.Event()
        self._has_answered = False
        self._is_silent = False

    def sent(self, count: int) -> bool:
        """Count what was sent; return whether it is time for a ping, which then is to be sent."""
        self._sent += count
        is_due = (
            not self._is_silent and self._sent - (self._pings[-1] if self._pings else self._read) > PING_EVERY_BYTES
        )
        if is_due:
            self._pings.append(self._sent)
        return is_due

    def pong(self) -> None:
        """Note that the client has read all before the oldest ping that it had not answered."""
        if self._pings:
            self._read = self._pings.popleft()
            self._has_answered = True
            self._answered.set()

    async def wait(self) -> None:
        """Wait until the client has read enough to be sent more."""
        while self._pings and self._sent - self._read > UNREAD_MAX_BYTES and not self._is_silent:
            self._answered.clear()
            try:
                async with asyncio.timeout(None if self._has_answered else self._patience_s):
                    await self._answered.wait()
            except TimeoutError:
                # Others may wait too, and it may have been answered meanwhile.
                self._is_silent = not self._has_answered
                self._answered.set()


class Unsent:
    """Counts the bytes of answers that wait to be sent on one socket. most: above it, nothing more is executed."""

    def __init__(self, most: int = UNSENT_MAX_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def room(self) -> None:
        """Wait until the client has taken enough of the answers before."""
        await self._has_room.wait()

    @contextmanager
    def holding(self, count: int) -> Iterator[None]:
        """Count an answer while it is being sent."""
        self._add(count)
        try:
            yield
        finally:
            self._add(-count)

    def _add(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._most:
            self._has_room.clear()
        else:
            self._has_room.set()
