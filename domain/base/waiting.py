"""Waiting on the event loop for what goes on in a thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def thread_await(future: Future[T]) -> T:
    """Return what a thread's work returns. Who is cancelled meanwhile leaves the work to end by itself.

    Its error is then nobody's, and asyncio is not to log it as one that was never retrieved.
    """
    coming = asyncio.wrap_future(future)
    coming.add_done_callback(error_take)
    return await asyncio.shield(coming)


def error_take(done: asyncio.Future[T]) -> None:
    """Take the error of a future that nobody may wait for any more."""
    if not done.cancelled():
        done.exception()
