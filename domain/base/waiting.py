"""Await the result of a thread on the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def thread_await(future: Future[T]) -> T:
    """Await a thread's result. A cancelled caller leaves the work to end by itself.

    Its error is then nobody's, and asyncio is not to log it as one that was never retrieved.
    """
    coming = asyncio.wrap_future(future)
    coming.add_done_callback(error_take)
    return await asyncio.shield(coming)


def error_take(done: asyncio.Future[T]) -> None:
    """Retrieve the error of a future that is perhaps no longer awaited."""
    if not done.cancelled():
        done.exception()
