"""The hub of the live feed sends each point once and in order, from whatever cursor a client resumes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from testing.rows import at
from tests.gql.live.hub import Feed, ListSource, Reader, go, started


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


def test_entries_lost_by_the_bus_come_from_the_database(feed: Feed) -> None:
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


def test_a_subscriber_during_a_bus_outage_misses_nothing(feed: Feed) -> None:
    async def scenario() -> None:
        device = feed.plant.entity("DEVICE")
        feed.source.is_down = True
        before = await feed.store(device, [(0, 0.0)])
        # Long between two rounds: what comes, comes by the bus's return.
        hub = feed.hub_new(reconcile_s=60.0)
        await hub.start()
        reader = Reader(feed, hub, entity_ids=[device])
        first = await reader.begin()
        entries = [await feed.store(device, [(n, float(n))]) for n in range(1, 4)]
        feed.source.positions = {0: entries[1].position}
        feed.source.is_down = False
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


def test_after_returns_everything_committed_since_including_late_points(feed: Feed) -> None:
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
