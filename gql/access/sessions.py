"""Users' sessions that were ended: a token that was issued before is refused within a second, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from domain.plant.organizations.sessions import sessions_ended_after
from gql.access.bridge import Bridge
from gql.access.principal import Principal
from gql.errors import UnauthenticatedError

FRESH_S: Final = 0.5
# So many before the newest one seen are read again: a transaction that took long is committed after later ones.
_OVERLAP: Final = 1_000


class Sessions:
    """Which users' sessions were ended, as a process knows it. bridge: as whoever verifies tokens."""

    def __init__(self, bridge: Bridge, monotonic_s: Callable[[], float]) -> None:
        self._bridge = bridge
        self._monotonic_s = monotonic_s
        # By organization and subject, Unix seconds.
        self._ended: dict[tuple[int, str], float] = {}
        self._newest = 0
        self._read_at_s: float | None = None
        self._lock = asyncio.Lock()

    async def check(self, bearer: Principal) -> None:
        """Raise UnauthenticatedError where the session of a user's token was ended, UnavailableError."""
        if await self.has_ended(bearer):
            raise UnauthenticatedError("The token is not valid: the user's sessions were ended; sign in again.")

    async def has_ended(self, bearer: Principal) -> bool:
        """Return whether the sessions of a user were ended after the token was issued. Raises UnavailableError.

        A token that does not say when it was issued is taken for an old one.
        """
        await self._renew()
        ended_at = self._ended.get((bearer.organization_id, bearer.subject))
        return ended_at is not None and (bearer.issued_at or 0.0) < ended_at

    async def _renew(self) -> None:
        async with self._lock:
            now_s = self._monotonic_s()
            if self._read_at_s is not None and now_s - self._read_at_s < FRESH_S:
                return
            after = self._newest - _OVERLAP
            for end in await self._bridge.run(None, partial(sessions_ended_after, after=after)):
                self._ended[end.organization_id, end.subject] = end.ended_at.timestamp()
                self._newest = max(self._newest, end.number)
            self._read_at_s = now_s
