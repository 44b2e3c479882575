"""A hub of the live feed against a real database; its entries come from a list that loses, repeats and delays on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from domain.telemetry.feed.feed import FeedEntry, FeedUpdate
from domain.telemetry.feed.reads import feed_refill
from gql.live.hub import FeedHub
from graph.walk.scopes import scope_bind
from runtime.database import transaction
from testing.rows import BELIEVED, T0, Plant, at
from testing.waits import patient, wait_until_async

T = TypeVar("T")
Engines = Callable[[str], Engine]

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
PARTITIONS = 2
PATIENCE_S = 20.0


class ListSource:
    """Returns the entries put into it."""

    partitions = range(PARTITIONS)

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[FeedEntry | Exception] = asyncio.Queue()
        self.positions: dict[int, int] = {}
        self.is_down = False
        self._is_busy = False

    async def tail(self) -> Mapping[int, int]:
        if self.is_down:
            raise ConnectionError
        return dict(self.positions)

    async def read(self) -> Sequence[FeedEntry]:
        if self._is_busy:
            # Whoever reads on is through with what it had.
            self.waiting.task_done()
        self._is_busy = False
        got = await self.waiting.get()
        self._is_busy = True
        if isinstance(got, Exception):
            raise got
        return [got]


class Feed:
    """A hub on a plant's database, and the normalize stage's part in it."""

    def __init__(self, plant: Plant, engines: Engines) -> None:
        self.plant = plant
        self.engines = engines
        self.source = ListSource()
        self.hub = self.hub_new()
        self.position = dict.fromkeys(range(PARTITIONS), 0)

    def hub_new(self, **arguments: Any) -> FeedHub:
        defaults: dict[str, Any] = {"source": self.source, "reconcile_s": 0.05}
        return FeedHub(run=self.run, clock=lambda: NOW, **{**defaults, **arguments})

    async def run(
        self, organization_id: int, work: Callable[[Session], T], /, *, under: Collection[UUID] | None = None
    ) -> T:
        def call() -> T:
            with transaction(self.engines("api"), organization_id) as session:
                if under is not None:
                    scope_bind(session, organization_id=organization_id, under=under)
                return work(session)

        return await asyncio.to_thread(call)

    async def store(
        self,
        device_id: UUID,
        points: Sequence[tuple[float, float]],
        *,
        partition: int = 0,
        plant: Plant | None = None,
        **arguments: Any,
    ) -> FeedEntry:
        """Commit a batch, as the normalize stage does; return the entry it would publish."""
        plant = plant or self.plant
        self.position[partition] += 1
        position = self.position[partition]
        given = [(at(minute), value) for minute, value in points]
        metric = arguments.pop("metric", "t")
        await asyncio.to_thread(
            lambda: plant.points(device_id, metric, given, partition=partition, position=position, **arguments)
        )
        (entry,) = await self.run(
            plant.organization_id,
            lambda session: feed_refill(
                session,
                organization_id=plant.organization_id,
                partition=partition,
                after=position - 1,
                until=position,
                recent=BELIEVED,
            ),
        )
        return entry

    async def publish(self, *entries: FeedEntry | Exception) -> None:
        for entry in entries:
            if isinstance(entry, FeedEntry):
                self.source.positions[entry.partition] = entry.position
            await self.source.waiting.put(entry)

    async def say(self, device_id: UUID, points: Sequence[tuple[float, float]], **arguments: Any) -> None:
        await self.publish(await self.store(device_id, points, **arguments))


class Reader:
    """Collects what a subscription yields."""

    def __init__(self, feed: Feed, hub: FeedHub | None = None, **arguments: Any) -> None:
        self.updates: list[FeedUpdate] = []
        self.points: list[tuple[UUID, str, int | None, float, float]] = []
        arguments = {"organization_id": feed.plant.organization_id, **arguments}
        self._hub = hub or feed.hub
        self.stream = self._hub.subscribe(**arguments)

    async def until(self, count: int) -> list[tuple[UUID, str, int | None, float, float]]:
        """Read on until so many points have come; return them all."""
        async with asyncio.timeout(patient(PATIENCE_S)):
            while len(self.points) < count:
                update = await anext(self.stream)
                self.updates.append(update)
                for s in update.series:
                    for t, v in zip(s.timestamps, s.values, strict=True):
                        minute = (t / 1000.0 - T0.timestamp()) / 60.0
                        self.points.append((s.entity_id, s.metric, s.port, minute, float(v)))
        return self.points

    async def values(self, count: int) -> list[float]:
        return [point[-1] for point in await self.until(count)]

    async def begin(self) -> asyncio.Task[Any]:
        """Subscribe, and return the task that waits for the first update."""
        before = self._hub.subscribers
        task = asyncio.ensure_future(self.until(1))
        await wait_until_async(lambda: self._hub.subscribers > before or task.done())
        return task

    async def close(self) -> None:
        await self.stream.aclose()  # type: ignore[attr-defined]


@asynccontextmanager
async def started(feed: Feed) -> AsyncIterator[Feed]:
    await feed.hub.start()
    try:
        yield feed
    finally:
        await feed.hub.stop()


def go(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)
