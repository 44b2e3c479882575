"""Event loops of threads that execute one operation after another: made once for each thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ThreadLoops:
    """An event loop for each thread that runs something. Making one takes as long as many an operation."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def run(self, work: Coroutine[Any, Any, T], context: contextvars.Context) -> T:
        """Run a coroutine in the loop of this thread, as `asyncio.run` does: nothing it began outlives it."""
        own: _Loop | None = getattr(self._of_thread, "loop", None)
        if own is None:
            own = self._of_thread.loop = _Loop()
        try:
            return own.runner.run(work, context=context)
        finally:
            if asyncio.all_tasks(own.runner.get_loop()):
                own.runner.run(_others_end())


class _Loop:
    """The loop of a thread, closed with it."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def __del__(self) -> None:
        self.runner.close()


async def _others_end() -> None:
    """Cancel the tasks that are left in this loop, and wait until they have ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.gather(*others, return_exceptions=True)
