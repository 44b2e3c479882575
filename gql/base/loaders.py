"""Batch loaders: reads of single rows that are asked for at about the same time are one read. One set per operation.

Short reads that begin in the same turn of the loop also share a transaction, and so a connection and a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from gql.base.context import Context

T = TypeVar("T")

BATCH_MAX: Final = 1000


class _Batch:
    """Ids that are read together, and who waits for them: each has a future of its own, see `Loader`."""

    __slots__ = ("ids", "waiters")

    def __init__(self) -> None:
        self.ids: list[UUID] = []
        self.waiters: list[asyncio.Future[None]] = []


class Loader:
    """Reads by id what many ask for. read: returns what there is of many ids, by id.

    Each caller waits for a future of its own for each batch that has any of its ids, so that one who is cancelled
    leaves the others what they wait for. An id is read once; where a read fails, it fails for those who wait for it,
    and the next caller has it read again.
    """

    def __init__(self, read: Callable[[Sequence[UUID]], Any]) -> None:
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._known: dict[UUID, Any] = {}
        # By id, while it is being read or waits for that.
        self._batches: dict[UUID, _Batch] = {}
        self._queued: list[_Batch] = []
        self._reads: set[asyncio.Task[None]] = set()

    async def load(self, entity_id: UUID) -> Any:
        """Return what there is of an id, None for nothing."""
        if entity_id not in self._known:
            await self._wait(self._batch_of(entity_id))
        return self._known[entity_id]

    async def load_many(self, ids: Sequence[UUID]) -> list[Any]:
        """Return what there is of each id, None for nothing."""
        known = self._known
        if not known and not self._batches and len(ids) <= BATCH_MAX:
            batches = self._first_of(ids)
        else:
            # By identity, each once, in order.
            batches = {id(batch): batch for batch in map(self._batch_of, [key for key in ids if key not in known])}
        waiters = [self._wait(batch) for batch in batches.values()]
        if len(waiters) == 1:
            await waiters[0]
        elif waiters:
            await asyncio.gather(*waiters)
        return [known.get(entity_id) for entity_id in ids]

    def _wait(self, batch: _Batch) -> asyncio.Future[None]:
        waiter: asyncio.Future[None] = self._loop.create_future()
        batch.waiters.append(waiter)
        return waiter

    def _first_of(self, ids: Sequence[UUID]) -> dict[int, _Batch]:
        """Return the first batch there is, of these ids: few of which are hashed twice, for that takes time."""
        self._batches = dict.fromkeys(ids, batch := _Batch())
        if not self._batches:
            return {}
        batch.ids = list(self._batches)
        self._queued.append(batch)
        self._loop.call_soon(self._loop.call_soon, self._begin)
        return {0: batch}

    def _batch_of(self, entity_id: UUID) -> _Batch:
        """Return the batch that an id is read with, which is queued where it is not yet."""
        batch = self._batches.get(entity_id)
        if batch is None:
            if not self._queued:
                # Behind the tasks that this turn of the loop starts: they ask, too.
                self._loop.call_soon(self._loop.call_soon, self._begin)
            if not self._queued or len(self._queued[-1].ids) == BATCH_MAX:
                self._queued.append(_Batch())
            batch = self._batches[entity_id] = self._queued[-1]
            batch.ids.append(entity_id)
        return batch

    def _begin(self) -> None:
        queued, self._queued = self._queued, []
        for batch in queued:
            task = self._loop.create_task(self._answer(batch))
            self._reads.add(task)
            task.add_done_callback(self._reads.discard)

    async def _answer(self, batch: _Batch) -> None:
        try:
            loaded: Mapping[UUID, Any] = await self._read(batch.ids)
        except BaseException as error:
            self._end(batch)
            for waiter in batch.waiters:
                if isinstance(error, asyncio.CancelledError):
                    waiter.cancel()
                elif not waiter.done():
                    waiter.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        if len(loaded) == len(batch.ids):
            self._known.update(loaded)
        else:
            self._known.update((entity_id, loaded.get(entity_id)) for entity_id in batch.ids)
        self._end(batch)
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _end(self, batch: _Batch) -> None:
        if len(batch.ids) == len(self._batches):
            self._batches.clear()
        else:
            for entity_id in batch.ids:
                del self._batches[entity_id]


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
    work_key: Hashable = None,
    is_short: bool = False,
    **arguments: Any,
) -> list[T | None]:
    """Return what `load` returns for each of these ids.

    is_short: it may wait for other short reads in the same transaction, rather than be made at the same time as they.
    """
    return await _loader(context, work, ids_as, work_key, arguments, is_short=is_short).load_many(ids)


class ShortReads:
    """Reads of one operation, those that begin in the same turn of the loop in one transaction, one after the other."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Callable[..., Any], asyncio.Future[Any]]] = []
        self._transactions: set[asyncio.Task[None]] = set()

    def read(self, work: Callable[..., Any]) -> asyncio.Future[Any]:
        """Return the future of what `work(session, organization_id=...)` returns."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._waiting:
            self._loop.call_soon(self._begin)
        self._waiting.append((work, future))
        return future

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        task = self._loop.create_task(self._answer(waiting))
        self._transactions.add(task)
        task.add_done_callback(self._transactions.discard)

    async def _answer(self, reads: Sequence[tuple[Callable[..., Any], asyncio.Future[Any]]]) -> None:
        try:
            answers = await self._context.read(_all_read, works=[work for work, _ in reads])
        except asyncio.CancelledError:
            for _, future in reads:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  (it is the readers')
            if len(reads) == 1:
                [(_, future)] = reads
                if not future.done():
                    future.set_exception(error)
            else:
                # The error is that of one of them: the others are not to suffer for it.
                for read in reads:
                    await self._answer([read])
            return
        for (_, future), answer in zip(reads, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _all_read(session: Session, *, organization_id: int, works: Sequence[Callable[..., Any]]) -> list[Any]:
    return [work(session, organization_id=organization_id) for work in works]


def _loader(
    context: Context,
    work: Callable[..., Any],
    ids_as: str,
    work_key: Hashable,
    arguments: Mapping[str, Any],
    *,
    is_short: bool = False,
) -> Loader:
    key = (work_key or work, ids_as, *arguments.items())
    loader: Loader | None = context.loaders.get(key)
    if loader is None:

        async def read(ids: Sequence[UUID]) -> Mapping[Any, Any]:
            loaded: Mapping[Any, Any]
            if is_short:
                loaded = await _short_reads(context).read(partial(work, **{ids_as: list(ids)}, **arguments))
            else:
                loaded = await context.read(work, **{ids_as: list(ids)}, **arguments)
            return loaded

        loader = context.loaders[key] = Loader(read)
    return loader


def _short_reads(context: Context) -> ShortReads:
    reads: ShortReads | None = context.loaders.get(ShortReads)
    if reads is None:
        reads = context.loaders[ShortReads] = ShortReads(context)
    return reads
