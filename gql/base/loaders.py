"""Batch loaders: reads of single rows that are asked for at about the same time are one read. One set per operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from gql.base.context import Context

T = TypeVar("T")

BATCH_MAX: Final = 1000


class Loader:
    """Reads by id what many ask for. read: returns what there is of many ids, by id.

    Each caller waits for a future of its own, so that one who is cancelled leaves the others what they wait for. An id
    is read once; where a read fails, it fails for those who wait for it, and the next caller has it read again.
    """

    def __init__(self, read: Callable[[Sequence[UUID]], Any]) -> None:
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._known: dict[UUID, Any] = {}
        self._waiting: dict[UUID, list[asyncio.Future[Any]]] = {}
        self._queued: list[UUID] = []
        self._reads: set[asyncio.Task[None]] = set()

    async def load(self, entity_id: UUID) -> Any:
        """Return what there is of an id, None for nothing."""
        if entity_id in self._known:
            return self._known[entity_id]
        return await self._wait(entity_id)

    async def load_many(self, ids: Sequence[UUID]) -> list[Any]:
        """Return what there is of each id, None for nothing."""
        waiters = [self._wait(entity_id) for entity_id in ids if entity_id not in self._known]
        if len(waiters) == 1:
            await waiters[0]
        elif waiters:
            await asyncio.gather(*waiters)
        return [self._known[entity_id] for entity_id in ids]

    def _wait(self, entity_id: UUID) -> asyncio.Future[Any]:
        waiter: asyncio.Future[Any] = self._loop.create_future()
        waiters = self._waiting.get(entity_id)
        if waiters is None:
            self._waiting[entity_id] = [waiter]
            if not self._queued:
                # Behind the tasks that this turn of the loop starts: they ask, too.
                self._loop.call_soon(self._loop.call_soon, self._begin)
            self._queued.append(entity_id)
        else:
            waiters.append(waiter)
        return waiter

    def _begin(self) -> None:
        queued, self._queued = self._queued, []
        for first in range(0, len(queued), BATCH_MAX):
            task = self._loop.create_task(self._answer(queued[first : first + BATCH_MAX]))
            self._reads.add(task)
            task.add_done_callback(self._reads.discard)

    async def _answer(self, ids: Sequence[UUID]) -> None:
        try:
            loaded: Mapping[UUID, Any] = await self._read(ids)
        except BaseException as error:
            for waiter in self._taken(ids):
                if isinstance(error, asyncio.CancelledError):
                    waiter.cancel()
                elif not waiter.done():
                    waiter.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for entity_id in ids:
            value = self._known[entity_id] = loaded.get(entity_id)
            for waiter in self._waiting.pop(entity_id):
                if not waiter.done():
                    waiter.set_result(value)

    def _taken(self, ids: Sequence[UUID]) -> list[asyncio.Future[Any]]:
        return [waiter for entity_id in ids for waiter in self._waiting.pop(entity_id)]


async def load(
    context: Context,
    work: Callable[..., Mapping[Any, T]],
    entity_id: UUID,
    *,
    ids_as: str = "ids",
    work_key: Hashable = None,
    **arguments: Any,
) -> T | None:
    """Return `work(session, organization_id=..., ids=[...], **arguments)[entity_id]`, batched with its like.

    work: a domain function that answers for many ids at once. ids_as: the name of its argument for them.
    work_key: stands for `work` where that is made for each call, and is the same for calls that may share a batch.
    Arguments that differ make a separate batch; all of them can be hashed.
    """
    loaded: T | None = await _loader(context, work, ids_as, work_key, arguments).load(entity_id)
    return loaded


async def load_many(
    context: Context,
    work: Callable[..., Mapping[Any, T]],
    ids: Sequence[UUID],
    *,
    ids_as: str = "ids",
    **arguments: Any,
) -> list[T | None]:
    """Return what `load` returns for each of these ids."""
    return await _loader(context, work, ids_as, None, arguments).load_many(ids)


def _loader(
    context: Context, work: Callable[..., Any], ids_as: str, work_key: Hashable, arguments: Mapping[str, Any]
) -> Loader:
    key = (work_key or work, ids_as, *arguments.items())
    loader: Loader | None = context.loaders.get(key)
    if loader is None:

        async def read(ids: Sequence[UUID]) -> Mapping[Any, Any]:
            return await context.read(work, **{ids_as: list(ids)}, **arguments)

        loader = context.loaders[key] = Loader(read)
    return loader
