"""Resolve host names in separate threads: a hanging resolver delays only the callers for that name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

THREADS: Final = 64
# A lookup cannot be broken off and may outlast its call by far.
OF_ORGANIZATION: Final = 8


class Names:
    """The name lookups in progress in one process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._free: dict[int, asyncio.Semaphore] = {}

    async def lookup(self, organization_id: int, host: str, port: int) -> Sequence[str]:
        """Return a host's addresses, for an organization: of one only so many are looked up at once.

        Raises OSError, UnicodeError.
        """
        try:
            # An address needs nobody's answer.
            return _addresses(host, port, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            pass
        free = self._free.setdefault(organization_id, asyncio.Semaphore(OF_ORGANIZATION))
        await free.acquire()
        loop = asyncio.get_running_loop()
        addresses = self._threads.submit(_addresses, host, port)

        def give_back(_done: Future[Sequence[str]]) -> None:
            # Only when the thread is done, whoever has waited for it.
            loop.call_soon_threadsafe(free.release)

        addresses.add_done_callback(give_back)
        return await asyncio.wrap_future(addresses)

    def stop(self) -> None:
        """Shut down without waiting for lookups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int, *, flags: int = 0) -> Sequence[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=flags)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
