"""Subscribers of the live feed: filters, changing links, permissions and backpressure."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.base.packed import Points, micros_of
from domain.telemetry.feed.feed import FeedEntry, FeedGroup, cursor_encode
from gql.live.hub import FeedHub
from gql.live.topics import BURST_POINTS_MAX, INTERVAL_S, WAITING_POINTS_MAX
from graph.errors import ArgusError, BadInputError, LimitExceededError, NotFoundError
from testing.rows import BELIEVED, Plant, at
from testing.waits import patient, quiet_period_async, wait_until_async
from tests.gql.live.hub import NOW, Engines, Feed, Reader, go, started


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
            [sent] = [update for update in reader.updates if update.invalidated]
            [changed] = sent.invalidated
            assert (changed.entity_id, changed.metric, changed.from_) == (asset, None, at(0))
            assert changed.to >= NOW

    go(scenario())


def test_a_link_corrected_in_the_past_is_sent_without_any_reading(feed: Feed) -> None:
    async def scenario() -> None:
        device, asset, other = feed.plant.entity("DEVICE"), feed.plant.entity("ASSET"), feed.plant.entity("ASSET")
        link = feed.plant.link(asset, device, begins=at(0), ends=at(60))
        async with started(feed):
            reader = Reader(feed, entity_ids=[asset, other])
            first = await reader.begin()
            feed.plant.disbelieve(link)
            feed.plant.link(asset, device, begins=at(0), ends=at(40))
            feed.plant.link(other, device, begins=at(40), ends=at(60))

            def ranges(entity_id: UUID) -> set[tuple[datetime, datetime]]:
                invalidated = [item for update in reader.updates for item in update.invalidated]
                return {(item.from_, item.to) for item in invalidated if item.entity_id == entity_id}

            await wait_until_async(lambda: ranges(asset) and (at(40), at(60)) in ranges(other))
            await feed.say(device, [(50, 5.0)])
            await first
            assert reader.points == [(other, "t", None, 50.0, 5.0)]
            # Between the two changes the asset may have been seen without any link.
            assert {to for _, to in ranges(asset)} <= {at(60), at(40)}
            assert max(to for _, to in ranges(asset)) == at(60)

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


def test_a_backlog_is_sent_in_one_update_with_every_point(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            await feed.say(device, [(0, 0.0)])
            await first
            for n in range(1, 20):
                await feed.say(device, [(n, float(n))])
            await feed.source.waiting.join()
            # Nobody takes an update meanwhile: that it waits and grows is the point.
            await quiet_period_async(patient(2 * INTERVAL_S))
            assert await reader.values(20) == [float(n) for n in range(20)]
            # Twenty batches: an update each, where nothing was collected.
            assert len(reader.updates) < 10
            assert {(update.dropped, update.points_left_out) for update in reader.updates} == {(0, 0)}

    go(scenario())


def _given(groups: Sequence[FeedGroup], _among: Any) -> Sequence[FeedGroup]:
    return groups


def test_a_slow_client_is_sent_the_latest_and_the_number_of_dropped_updates(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with started(feed):
            reader = Reader(feed, entity_ids=[device])
            first = await reader.begin()
            entry = await feed.store(device, [(0, 0.0)])
            await feed.publish(entry)
            await first
            [group] = entry.groups()
            count = BURST_POINTS_MAX + 1
            batches = WAITING_POINTS_MAX // count + 2
            for n in range(2, batches + 2):
                start = int(group.points.at[0]) + n * count
                points = Points(
                    np.arange(start, start + count), np.full(count, float(n)), np.zeros(count, dtype=np.int8), None
                )
                groups = [replace(group, points=points)]
                await feed.publish(FeedEntry(entry.organization_id, 0, n, entry.revision, partial(_given, groups)))
            await feed.source.waiting.join()
            feed.position[0] = batches + 1
            assert (await reader.values(2))[1] == float(batches + 1)
            update = reader.updates[-1]
            [series], [gap] = update.series, update.gaps
            assert series.truncated
            assert update.points_left_out == batches * count - 1 == feed.hub.points_left_out
            assert update.dropped == batches
            assert micros_of(gap.from_) == int(group.points.at[0]) + 2 * count
            assert micros_of(gap.to) == round(series.timestamps[0] * 1000)
            # It has caught up: what comes now, it is sent as it comes.
            await feed.say(device, [(1, 1.0)])
            assert (await reader.values(3))[2] == 1.0
            assert (reader.updates[-1].dropped, reader.updates[-1].gaps) == (0, ())
            # And from the cursor of what it had, it can have every point.
            again = Reader(feed, entity_ids=[device], after=reader.updates[1].cursor)
            assert await again.values(1) == [1.0]

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


def test_bad_cursors_and_bounds_are_reported(feed: Feed) -> None:
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


def test_those_who_subscribe_at_once_are_registered_with_one_read(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        reads: list[int] = []
        read = FeedHub._offsets_read

        def counted(hub: FeedHub, organization_id: int, *others: Any) -> Any:
            reads.append(organization_id)
            return read(hub, organization_id, *others)

        monkeypatch.setattr(FeedHub, "_offsets_read", counted)
        device = feed.plant.entity("DEVICE")
        feed.hub = feed.hub_new(subscribers_max=20, reconcile_s=3_600.0)
        readers = [Reader(feed, entity_ids=[device]) for _ in range(22)]
        tasks = [asyncio.ensure_future(reader.until(1)) for reader in readers]
        await wait_until_async(lambda: feed.hub.subscribers == 20)
        # One that goes leaves nothing behind.
        tasks[0].cancel()
        await wait_until_async(lambda: feed.hub.subscribers == 19)
        assert len(reads) <= 2
        async with started(feed):
            await feed.say(device, [(1, 2.0)])
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(end, LimitExceededError) for end in ended) == 2
        assert sum(isinstance(end, list) for end in ended) == 19

    go(scenario())


def test_one_that_goes_while_it_waits_to_be_registered_leaves_nothing_behind(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        async with feed.hub._lock:
            tasks = [asyncio.ensure_future(Reader(feed, entity_ids=[device]).until(1)) for _ in range(3)]
            await wait_until_async(lambda: sum(map(len, feed.hub._joining.values())) == 3)
            tasks[1].cancel()
            await asyncio.gather(tasks[1], return_exceptions=True)
        await wait_until_async(lambda: feed.hub.subscribers == 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (feed.hub.subscribers, feed.hub._topics, feed.hub._joining) == (0, {}, {})

    go(scenario())
