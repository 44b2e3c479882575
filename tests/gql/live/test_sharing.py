"""An update is resolved and encoded once for all subscribers with the same selection, and is freed afterwards."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from domain.telemetry.feed.feed import FeedUpdate
from gql.access.denials import Denials
from gql.access.principal import Principal, Role
from gql.base.context import Context
from gql.live.sharing import shared
from gql.schema import core_schema
from gql.server.execution import Executor
from gql.server.preparation import Prepared, Request
from gql.telemetry.telemetry import TelemetryUpdate
from testing.waits import wait_until_async

QUERY = "subscription S($after: String, $port: Boolean = true) { telemetry(after: $after) { %s } }"
PLAIN = QUERY % "cursor dropped series { metric port @include(if: $port) }"


class Feed:
    """Hands every subscriber the same updates."""

    def __init__(self) -> None:
        self.queues: list[asyncio.Queue[FeedUpdate]] = []
        self.joined: asyncio.Queue[None] = asyncio.Queue()
        self.waiting = 0

    async def subscribe(self, **_: Any) -> AsyncIterator[FeedUpdate]:
        mine: asyncio.Queue[FeedUpdate] = asyncio.Queue()
        self.queues.append(mine)
        self.joined.put_nowait(None)
        while True:
            self.waiting += 1
            update = await mine.get()
            self.waiting -= 1
            yield update

    def send(self, n: int) -> None:
        update = FeedUpdate([], [], n, f"cursor{n}")
        for queue in self.queues:
            queue.put_nowait(update)


class Counted(Executor):
    """Counts how often something is executed."""

    runs = 0
    failing = 0

    async def _run(self, prepared: Prepared, context: Context, *, root: Any = None) -> Any:
        self.runs += 1
        await asyncio.sleep(0)
        if self.failing:
            self.failing -= 1
            raise asyncio.CancelledError
        return await super()._run(prepared, context, root=root)


class Harness:
    """An executor and subscribers to a feed."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.executor = Counted(core_schema())
        self.here = 0

    async def subscriber(
        self, query: str = PLAIN, role: Role = Role.VIEWER, under: tuple[UUID, ...] | None = None, **variables: Any
    ) -> AsyncGenerator[bytes]:
        denials = Denials(bridge=cast("Any", None), new_id=uuid4, monotonic_s=time.monotonic)
        services = cast("Any", SimpleNamespace(feed=self.feed, denials=denials))
        principal = Principal(1, UUID(int=1), "plant", role, f"{role}{len(self.feed.queues)}", under=under)
        context = Context(services, principal, "trace", "graphql-ws")
        prepared = await self.executor.prepare(Request(query, None, variables), context)
        return self.executor.subscribe(prepared, context)

    async def answers(self, subscribers: list[AsyncGenerator[bytes]], n: int) -> list[bytes]:
        """Send the n-th update; return what each subscriber is answered."""
        waiting = [asyncio.ensure_future(anext(subscriber)) for subscriber in subscribers]
        for _ in range(len(subscribers) - self.here):
            await self.feed.joined.get()
        self.here = len(subscribers)
        self.feed.send(n)
        return list(await asyncio.gather(*waiting))


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_equal_selections_are_executed_once(harness: Harness) -> None:
    async def scenario() -> None:
        # What chose the events does not matter: each came back with a cursor of its own.
        same = [await harness.subscriber(after=f"c{n}") for n in range(5)]
        for n in range(3):
            answers = await harness.answers(same, n)
            assert all(answer is answers[0] for answer in answers)
            data = json.loads(answers[0])["data"]["telemetry"]
            assert data == {"cursor": f"cursor{n}", "dropped": n, "series": []}
        assert harness.executor.runs == 3

    asyncio.run(scenario())


def test_different_selections_get_different_answers(harness: Harness) -> None:
    async def scenario() -> None:
        different = [
            await harness.subscriber(),
            await harness.subscriber(port=False),
            await harness.subscriber(QUERY % "cursor series { port @include(if: $port) }"),
            await harness.subscriber(role=Role.ADMIN),
            await harness.subscriber(under=(UUID(int=1),)),
            await harness.subscriber(under=(UUID(int=2),)),
        ]
        answers = await harness.answers(different, 1)
        assert harness.executor.runs == len(different)
        assert "dropped" not in json.loads(answers[2])["data"]["telemetry"]

    asyncio.run(scenario())


def test_a_leader_that_disconnects_leaves_the_others_their_answers(harness: Harness) -> None:
    async def scenario() -> None:
        subscribers = [await harness.subscriber() for _ in range(3)]
        await harness.answers(subscribers, 1)
        harness.executor.failing = 1
        waiting = [asyncio.ensure_future(anext(subscriber)) for subscriber in subscribers]
        await wait_until_async(lambda: harness.feed.waiting == len(subscribers))
        harness.feed.send(2)
        first, *others = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        assert [json.loads(cast("bytes", other))["data"]["telemetry"]["dropped"] for other in others] == [2, 2]

    asyncio.run(scenario())


def test_updates_of_one_subscriber_are_not_shared() -> None:
    async def scenario() -> None:
        made: list[int] = []

        async def make() -> int:
            made.append(len(made))
            await asyncio.sleep(0)
            return made[-1]

        memo: dict[Any, Any] = {}
        await asyncio.gather(*(shared(memo, "key", make, is_for_all=lambda _: False) for _ in range(4)))
        assert len(made) == 4
        made.clear()
        await asyncio.gather(*(shared(memo, "other", make, is_for_all=lambda _: True) for _ in range(4)))
        assert len(made) == 1

    asyncio.run(scenario())


def test_an_answered_update_is_freed(harness: Harness) -> None:
    async def scenario() -> None:
        subscribers = [await harness.subscriber() for _ in range(3)]
        counts = []
        for first in range(0, 1_500, 500):
            for n in range(first, first + 500):
                await harness.answers(subscribers, n)
            gc.collect()
            counts.append(len(gc.get_objects()))
        # Less than one object an update; what the process does besides makes a few.
        assert counts[2] - counts[1] < 500, counts
        # Nor by what the collector of cycles has yet to find: what is large goes soon.
        for n in range(1_000):
            await harness.answers(subscribers, n)
        assert sum(isinstance(value, TelemetryUpdate) for value in gc.get_objects()) < 200

    asyncio.run(scenario())
