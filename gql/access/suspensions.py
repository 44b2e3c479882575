"""Organizations that are suspended: their callers are refused within a second, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from domain.plant.organizations.model import OrganizationSuspendedError
from domain.plant.organizations.queries import organizations_suspended
from gql.access.bridge import Bridge

FRESH_S: Final = 0.5


class Suspensions:
    """Which organizations are suspended, as a process knows it. bridge: as whoever verifies tokens."""

    def __init__(self, bridge: Bridge, monotonic_s: Callable[[], float]) -> None:
        self._bridge = bridge
        self._monotonic_s = monotonic_s
        self._suspended: set[int] = set()
        self._read_at_s: float | None = None
        self._lock = asyncio.Lock()

    async def check(self, organization_id: int) -> None:
        """Raise OrganizationSuspendedError where the organization is suspended, UnavailableError."""
        if await self.is_suspended(organization_id):
            raise OrganizationSuspendedError

    async def is_suspended(self, organization_id: int) -> bool:
        """Return whether an organization is suspended. Raises UnavailableError."""
        async with self._lock:
            now_s = self._monotonic_s()
            if self._read_at_s is None or now_s - self._read_at_s >= FRESH_S:
                self._suspended = await self._bridge.run(None, organizations_suspended)
                self._read_at_s = now_s
        return organization_id in self._suspended
