"""The feed from a real Valkey, which is killed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from sqlalchemy import Engine

from domain.base.streams import NORM, stream_name
from domain.telemetry.feed.entries import NormEntry, feed_entry, norm_encode
from domain.telemetry.feed.feed import FeedEntry
from domain.telemetry.model.readings import NO_PORT
from gql.live.source import BusFeedSource
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.embedded import valkey
from testing.rows import Plant, at
from testing.servers import TestServers
from tests.gql.live.hub import PARTITIONS, Feed, Reader

Engines = Callable[[str], Engine]


def payload(entry: FeedEntry) -> bytes:
    """The entry of the normalize stage for a batch of one series."""
    (group,) = entry.groups()
    count = len(group.points.at)
    return norm_encode(
        NormEntry(
            organization_id=entry.organization_id,
            batch_id=entry.position,
            partition=entry.partition,
            position=entry.position,
            revision=entry.revision,
            received_us=0,
            devices=group.device_id.bytes * count,
            ports=np.full(count, NO_PORT, dtype=np.int32),
            timestamps=group.points.at,
            names=[group.metric],
            readings=np.arange(count, dtype=np.int32),
            metrics=np.zeros(count, dtype=np.int32),
            types=group.points.types,
            values=group.points.values,
            texts={},
        )
    )


def test_valkey_killed_and_back_loses_and_repeats_nothing(engine: Engines, servers: TestServers, bus_url: str) -> None:
    bus = RedisStreams(bus_connect(bus_url))
    feed = Feed(Plant(engine("owner")), engine)
    device, asset = feed.plant.entity("DEVICE"), feed.plant.entity("ASSET")
    feed.plant.link(asset, device, begins=at(0))

    async def stored(n: int) -> FeedEntry:
        return await feed.store(device, [(n, float(n))], unit="Cel")

    def publish(*payloads: bytes) -> None:
        bus.publish(stream_name(NORM, 0), payloads)

    async def scenario() -> None:
        publish(payload(await stored(0)))
        hub = feed.hub_new(source=BusFeedSource(bus=bus, partitions=PARTITIONS, decode=feed_entry))
        await hub.start()
        reader = Reader(feed, hub, entity_ids=[asset])
        first = await reader.begin()
        one = payload(await stored(1))
        publish(one, b"not an entry", one)
        await first
        servers.bus_process.kill()
        servers.bus_process.wait()
        await stored(2)
        three = payload(await stored(3))
        assert await reader.values(3) == [1.0, 2.0, 3.0]
        # On this thread: a server ends with the thread that started it.
        servers.bus_process = valkey.start(servers.bus_server)
        publish(three, payload(await stored(4)))
        assert await reader.values(4) == [1.0, 2.0, 3.0, 4.0]
        assert reader.updates[0].series[0].unit == "Cel"
        await hub.stop()

    asyncio.run(scenario())
