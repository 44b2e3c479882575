"""The hub against a real database; the entries come from a list that loses, repeats and delays as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from domain.telemetry.feed import FeedEntry, FeedUpdate, cursor_encode
from domain.telemetry.feed_reads import feed_refill
from gql.feed import FeedHub
from gql.feed_topic import QUEUE_MAX
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from runtime.database import transaction
from tests.domain.telemetry.rows import BELIEVED, T0, Plant, at

T = TypeVar("T")
Engines = Callable[[str], Engine]

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
PARTITIONS = 2
PATIENCE_S = 20.0


class ListSource:
    """Hands out what was put into it."""

    partitions = range(PARTITIONS)

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[FeedEntry | Exception] = asyncio.Queue()
        self.positions: dict[int, int] = {}
        self.is_away = False
        self._is_busy = False

    async def tail(self) -> Mapping[int, int]:
        if self.is_away:
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

    async def run(self, organization_id: int, work: Callable[[Session], T], /) -> T:
        def call() -> T:
            with transaction(self.engines("api"), organization_id) as session:
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
        self.stream = (hub or feed.hub).subscribe(**arguments)

    async def until(self, count: int) -> list[tuple[UUID, str, int | None, float, float]]:
        """Read on until so many points have come; return them all."""
        async with asyncio.timeout(PATIENCE_S):
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
        task = asyncio.ensure_future(self.until(1))
        await asyncio.sleep(0.3)
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


@pytest.fixture
def feed(engine: Engines) -> Feed:
    return Feed(Plant(engine("owner")), engine)


def go(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_device_and_asset_are_each_sent_their_own_series(feed: Feed) -> None:
    async def scenario() -> None:
        device, other, asset = (feed.plant.entity(kind) for kind in ("DEVICE", "DEVICE", "ASSET"))
        feed.plant.link(asset, device, begins=at(2), mapping={"t": "temp"})
        async with started(feed):
            reader = Reader(feed, entity_ids=[device, asset])
            first = await reader.begin()
            await feed.say(other, [(1, 9.0)])
            await feed.say(device, [(1, 1.0), (2, 2.0)], partition=1)
            await first
            assert sorted(await reader.until(3), key=lambda p: p[3:]) == [
                (device, "t", None, 1.0, 1.0),
                (device, "t", None, 2.0, 2.0),
                (asset, "temp", None, 2.0, 2.0),
            ]
            assert len(reader.updates) == 1

    go(scenario())


def test_repeats_are_passed_over_and_gaps_are_refilled_in_order(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            entries = [await feed.store(device, [(n, float(n))]) for n in range(6)]
            await feed.publish(entries[0], entries[0], RuntimeError("the bus went away"), entries[4], entries[2])
            await feed.publish(entries[4], entries[5])
            await first
            assert await reader.values(6) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    go(scenario())


def test_what_the_bus_never_brings_comes_from_the_database(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            await feed.say(device, [(0, 0.0)])
            await first
            await feed.store(device, [(1, 1.0)])
            assert await reader.values(2) == [0.0, 1.0]

    go(scenario())


def test_who_subscribed_while_the_bus_was_away_misses_nothing(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        feed.source.is_away = True
        before = await feed.store(device, [(0, 0.0)])
        # Long between two rounds: what comes, comes by the bus's return.
        hub = feed.hub_new(reconcile_s=60.0)
        await hub.start()
        reader = Reader(feed, hub, entity_ids=[device])
        first = await reader.begin()
        entries = [await feed.store(device, [(n, float(n))]) for n in range(1, 4)]
        feed.source.positions = {0: entries[1].position}
        feed.source.is_away = False
        await feed.publish(before, *entries[2:])
        await first
        assert await reader.values(3) == [1.0, 2.0, 3.0]
        await hub.stop()

    go(scenario())


def test_the_unit_is_that_of_the_stored_series(feed: Feed) -> None:
    async def scenario() -> None:
        device, asset = feed.plant.entity("DEVICE"), feed.plant.entity("ASSET")
        feed.plant.link(asset, device, begins=at(0))
        async with started(feed):
            reader = Reader(feed, entity_ids=[asset, device])
            first = await reader.begin()
            # The series is new, and the bus does not carry units.
            stored = await feed.store(device, [(0, 0.0)], unit="Cel")
            groups = [replace(group, unit=None) for group in stored.groups()]
            await feed.publish(replace(stored, decode=lambda _: groups))
            await first
            assert {(s.entity_id, s.unit) for s in reader.updates[0].series} == {(asset, "Cel"), (device, "Cel")}

    go(scenario())


def test_since_goes_over_into_live_without_gap_or_repeat(feed: Feed) -> None:
    async def scenario() -> None:
        device, asset = feed.plant.entity("DEVICE"), feed.plant.entity("ASSET")
        feed.plant.link(asset, device, begins=at(0))
        entries = [await feed.store(device, [(n, float(n))], partition=n % 2) for n in range(6)]
        feed.source.positions = {0: 1, 1: 1}
        async with started(feed):
            reader = Reader(feed, entity_ids=[asset], since=at(1))
            first = await reader.begin()
            # The hub lags: these are in the database, and so among the stored points already.
            await feed.publish(*entries[2:])
            await first
            await feed.say(device, [(9, 9.0)])
            assert await reader.values(6) == [1.0, 2.0, 3.0, 4.0, 5.0, 9.0]
            # A cursor from the middle leads on from there.
            again = Reader(feed, entity_ids=[asset], after=reader.updates[0].cursor)
            assert await again.values(1) == [9.0]

    go(scenario())


def test_after_brings_everything_committed_since_late_points_too(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            await feed.say(device, [(50, 50.0)])
            await first
            cursor = reader.updates[-1].cursor
            await reader.close()
            await feed.say(device, [(60, 60.0)])
            await feed.say(device, [(10, 10.0)], partition=1)
            again = Reader(feed, entity_ids=[device], after=cursor)
            assert sorted(await again.values(2)) == [10.0, 60.0]
            await feed.say(device, [(20, 20.0)])
            assert (await again.values(3))[2] == 20.0
            # Each update's own cursor resumes right behind it.
            for n, update in enumerate(again.updates):
                resumed = Reader(feed, entity_ids=[device], after=update.cursor)
                if expected := again.points[n + 1 :]:
                    # Between partitions there is no order.
                    assert sorted(await resumed.until(len(expected))) == sorted(expected)
                await resumed.close()

    go(scenario())


def test_a_reader_that_keeps_restarting_sees_everything_once(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            await feed.say(device, [(0, 0.0)])
            await first
            seen = list(reader.points)
            sender = asyncio.ensure_future(_send(feed, device, range(1, 25)))
            while len(seen) < 25:
                cursor = reader.updates[-1].cursor
                await reader.close()
                if len(seen) % 2:
                    reader = Reader(feed, entity_ids=[device], after=cursor)
                    seen += await reader.until(1)
                    continue
                # Another process, which begins at the end of the feed, and whose bus then falls silent.
                silent = ListSource()
                silent.positions = dict(feed.source.positions)
                hub = feed.hub_new(source=silent)
                await hub.start()
                reader = Reader(feed, hub, entity_ids=[device], after=cursor)
                seen += await reader.until(1)
                await hub.stop()
            await sender
            assert [point[-1] for point in seen] == [float(n) for n in range(25)]

    go(scenario())


async def _send(feed: Feed, device: UUID, numbers: Sequence[int]) -> None:
    for n in numbers:
        await feed.say(device, [(n, float(n))])


def test_a_changed_link_holds_at_once(feed: Feed) -> None:
    async def scenario() -> None:
        first_device, second_device = feed.plant.entity("DEVICE"), feed.plant.entity("DEVICE")
        asset = feed.plant.entity("ASSET")
        link = feed.plant.link(asset, first_device, begins=at(0))
        async with started(feed):
            reader = Reader(feed, entity_ids=[asset])
            first = await reader.begin()
            await feed.say(first_device, [(1, 1.0)])
            await first
            feed.plant.disbelieve(link)
            feed.plant.link(asset, second_device, begins=at(0))
            await feed.say(first_device, [(2, 2.0)])
            await feed.say(second_device, [(2, 20.0)])
            assert await reader.values(2) == [1.0, 20.0]
            # What was shown before came through the other device: it is to be read again, from the link's beginning.
            [told] = [update for update in reader.updates if update.invalidated]
            [changed] = told.invalidated
            assert (changed.entity_id, changed.metric, changed.from_) == (asset, None, at(0))
            assert changed.to >= NOW

    go(scenario())


def test_a_link_corrected_in_the_past_is_told_without_any_reading(feed: Feed) -> None:
    async def scenario() -> None:
        device, asset, other = feed.plant.entity("DEVICE"), feed.plant.entity("ASSET"), feed.plant.entity("ASSET")
        link = feed.plant.link(asset, device, begins=at(0), ends=at(60))
        async with started(feed):
            reader = Reader(feed, entity_ids=[asset, other])
            first = await reader.begin()
            feed.plant.disbelieve(link)
            feed.plant.link(asset, device, begins=at(0), ends=at(40))
            feed.plant.link(other, device, begins=at(40), ends=at(60))
            told: dict[UUID, set[tuple[datetime, datetime]]] = {asset: set(), other: set()}
            await asyncio.sleep(0.3)
            await feed.say(device, [(50, 5.0)])
            await first
            assert reader.points == [(other, "t", None, 50.0, 5.0)]
            for update in reader.updates:
                for each in update.invalidated:
                    told[each.entity_id].add((each.from_, each.to))
            # Between the two changes the asset may have been seen without any link.
            assert (at(40), at(60)) in told[other]
            assert {to for _, to in told[asset]} <= {at(60), at(40)}
            assert max(to for _, to in told[asset]) == at(60)

    go(scenario())


def test_under_an_entity_and_of_one_metric(feed: Feed) -> None:
    async def scenario() -> None:
        inside, outside, asset = (feed.plant.entity(kind) for kind in ("DEVICE", "DEVICE", "ASSET"))
        feed.plant.link(asset, inside, begins=at(0))
        async with started(feed):
            reader = Reader(feed, under_id=asset, metrics=["t"])
            first = await reader.begin()
            await feed.say(outside, [(1, 1.0)])
            await feed.say(inside, [(1, 2.0)], metric="humidity")
            await feed.say(inside, [(1, 3.0)])
            await first
            assert sorted(p[0] for p in await reader.until(2)) == sorted([asset, inside])
            feed.plant.link(asset, outside, begins=at(5))
            await feed.say(outside, [(4, 4.0), (6, 6.0)])
            points = (await reader.until(5))[2:]
            assert sorted(points, key=lambda p: p[3:]) == [
                (outside, "t", None, 4.0, 4.0),
                *sorted([(outside, "t", None, 6.0, 6.0), (asset, "t", None, 6.0, 6.0)], key=lambda p: p[0] == asset),
            ]

    go(scenario())


def test_a_slow_client_is_told_how_many_updates_it_missed(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            entry = await feed.store(device, [(0, 0.0)])
            await feed.publish(entry)
            await first
            extra = 7
            for n in range(2, QUEUE_MAX + 2 + extra):
                await feed.publish(
                    FeedEntry(entry.organization_id, 0, n, entry.revision, entry.decode),
                )
            await feed.source.waiting.join()
            await reader.until(QUEUE_MAX + 1)
            assert {update.dropped for update in reader.updates} == {0}
            feed.position[0] = QUEUE_MAX + 1 + extra
            await feed.say(device, [(1, 1.0)])
            await reader.until(QUEUE_MAX + 2)
            assert reader.updates[-1].dropped == extra

    go(scenario())


def test_identical_subscriptions_share_their_updates(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            one, two = Reader(feed, entity_ids=[device]), Reader(feed, entity_ids=[device, device])
            tasks = [await one.begin(), await two.begin()]
            await feed.say(device, [(0, 0.0)])
            await asyncio.gather(*tasks)
            assert one.updates[0].series is two.updates[0].series

    go(scenario())


def test_another_organization_is_neither_seen_nor_reached(feed: Feed, engine: Engines) -> None:
    async def scenario() -> None:
        other = Plant(engine("owner"), "two")
        own, foreign = feed.plant.entity("DEVICE"), other.entity("DEVICE")
        async with started(feed):
            for arguments in ({"entity_ids": [own, foreign]}, {"under_id": foreign}, {"entity_ids": [uuid4()]}):
                with pytest.raises(NotFoundError):
                    await Reader(feed, **arguments).until(1)
            reader = Reader(feed)
            first = await reader.begin()
            await feed.say(foreign, [(0, 0.0)], plant=other)
            await feed.say(own, [(1, 1.0)])
            await first
            assert reader.points == [(own, "t", None, 1.0, 1.0)]
            stolen = reader.updates[0].cursor
            with pytest.raises(BadInputError):
                await Reader(feed, organization_id=other.organization_id, after=stolen).until(1)

    go(scenario())


def test_bad_cursors_and_bounds_are_told(feed: Feed) -> None:
    async def scenario() -> None:
        organization_id = feed.plant.organization_id
        device = feed.plant.entity("DEVICE")
        old = cursor_encode({0: 1}, organization_id=organization_id, now=BELIEVED)
        good = cursor_encode({0: 1}, organization_id=organization_id, now=NOW)
        cases: list[tuple[dict[str, Any], type[ArgusError], tuple[str, ...]]] = [
            ({"after": "nonsense"}, BadInputError, ("after",)),
            ({"after": ""}, BadInputError, ("after",)),
            ({"after": good[:-6]}, BadInputError, ("after",)),
            ({"after": "W10"}, BadInputError, ("after",)),
            ({"after": old}, BadInputError, ("after",)),
            ({"after": good, "since": at(0)}, BadInputError, ("after",)),
            ({"entity_ids": [device] * 10_001}, LimitExceededError, ("entityIds",)),
            ({"metrics": ["x"] * 1_001}, LimitExceededError, ("metrics",)),
        ]
        async with started(feed):
            for arguments, error, path in cases:
                with pytest.raises(error) as refused:
                    await Reader(feed, **arguments).until(1)
                assert refused.value.path == path
            full = feed.hub_new(subscribers_max=0)
            with pytest.raises(LimitExceededError):
                await Reader(feed, full, entity_ids=[device]).until(1)

    go(scenario())
