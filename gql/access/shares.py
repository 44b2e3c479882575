"""Shares of a process, by token: concurrent operations, and time of execution.

An operation over the first waits for its turn; over the second it is refused, with a time to try again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from domain.base.errors import RateLimitedError
from domain.base.quotas import Buckets, Quota

# Half of the threads of a process that answers reads.
AT_ONCE: Final = 6
# Two WebSockets full of operations.
WAITING_MAX: Final = 200
_AGAIN_S: Final = 1.0


@dataclass(slots=True)
class _Share:
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Shares:
    """The shares of all tokens. work: seconds of execution, a second and at once; None: without limit.

    wait_max_s: for which an operation waits for its turn.
    """

    def __init__(
        self,
        *,
        work: Quota | None = None,
        wait_max_s: float = 30.0,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = None if work is None else Buckets[str](work)
        self._wait_max_s = wait_max_s
        self._monotonic_s = monotonic_s
        self._shares: dict[str, _Share] = {}
        self.refused = 0

    @asynccontextmanager
    async def slot(self, caller: str | None) -> AsyncIterator[None]:
        """Wait for the caller's share, then execute the block. None: a caller without bounds.

        Raises RateLimitedError.
        """
        if caller is None:
            yield
            return
        self._work_check(caller)
        share = self._shares.setdefault(caller, _Share())
        await self._wait(caller, share)
        began_s = self._monotonic_s()
        try:
            # What ran while it waited counts.
            self._work_check(caller)
            yield
        finally:
            self.charge(caller, self._monotonic_s() - began_s)
            self._leave(caller, share)

    def charge(self, caller: str | None, seconds: float) -> None:
        """Count time that was taken for a caller; None: a caller without bounds."""
        if self._work is None or caller is None:
            return
        now_s = self._monotonic_s()
        full_at_s = self._work.full_at_s(caller, now_s=now_s)
        self._work.put({caller: full_at_s + seconds / self._work.quota.readings_per_s}, now_s=now_s)

    async def _wait(self, caller: str, share: _Share) -> None:
        if share.running < AT_ONCE:
            share.running += 1
            return
        if len(share.waiting) >= WAITING_MAX:
            self._refuse(f"More than {WAITING_MAX} operations of this token wait for their turn", _AGAIN_S)
        slot = asyncio.get_running_loop().create_future()
        share.waiting.append(slot)
        try:
            async with asyncio.timeout(self._wait_max_s):
                await slot
        except BaseException as error:
            if slot.done() and not slot.cancelled():
                # It was granted all the same.
                self._leave(caller, share)
            else:
                with suppress(ValueError):
                    share.waiting.remove(slot)
            if isinstance(error, TimeoutError):
                self._refuse(f"{AT_ONCE} operations of this token are executed at a time, and took long", _AGAIN_S)
            raise

    def _leave(self, caller: str, share: _Share) -> None:
        while share.waiting:
            slot = share.waiting.popleft()
            if not slot.done():
                # The place passes on.
                slot.set_result(None)
                return
        share.running -= 1
        if not share.running:
            del self._shares[caller]

    def _work_check(self, caller: str) -> None:
        if self._work is None:
            return
        quota = self._work.quota
        wait_s = self._work.full_at_s(caller, now_s=self._monotonic_s()) - self._monotonic_s() - quota.full_after_s
        if wait_s > 0:
            self._refuse(
                f"This token's operations were executed for more than {quota.readings_per_s:g} s a second", wait_s
            )

    def _refuse(self, message: str, wait_s: float) -> None:
        self.refused += 1
        raise RateLimitedError(f"{message}; try again in {wait_s:.1f} s.", retry_after_s=wait_s)
