"""The bus on a real Valkey."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import redis

from domain.base.bus import Bus
from runtime.bus.redis_streams import RedisStreams, bus_connect, bus_trouble
from testing.waits import patient

STREAM, GROUP = "stream:0", "group"


@pytest.fixture
def streams(bus_url: str) -> Iterator[Bus]:
    client = bus_connect(bus_url)
    yield RedisStreams(client)
    client.close()


def read(streams: Bus, consumer: str = "one", count: int = 10) -> list[bytes]:
    return [payload for _, payload in streams.group_read(STREAM, GROUP, consumer=consumer, count=count, block_ms=1)]


def test_entries_are_read_once_in_order_by_a_group(streams: Bus) -> None:
    assert streams.publish(STREAM, [b"a", b"b", b"\xff\x00c"]) == 3
    assert read(streams, "one", 2) == [b"a", b"b"]
    assert read(streams, "two") == [b"\xff\x00c"]
    assert read(streams) == []


def test_unacknowledged_entries_can_be_claimed(streams: Bus) -> None:
    streams.publish(STREAM, [b"a", b"b"])
    [first, _] = streams.group_read(STREAM, GROUP, consumer="one", count=10, block_ms=1)
    streams.group_ack(STREAM, GROUP, [first[0]])
    assert streams.group_claim(STREAM, GROUP, consumer="two", idle_ms=60_000, count=10) == []
    assert [payload for _, payload in streams.group_claim(STREAM, GROUP, consumer="two", idle_ms=0, count=10)] == [b"b"]


def test_the_oldest_that_waits_is_read_or_not(streams: Bus) -> None:
    assert streams.oldest_waiting_ms(STREAM, GROUP) is None
    streams.publish(STREAM, [b"a", b"b"])
    oldest_ms = streams.oldest_waiting_ms(STREAM, GROUP)
    assert oldest_ms is not None
    assert 0 <= streams.now_ms() - oldest_ms < 60_000
    entries = streams.group_read(STREAM, GROUP, consumer="one", count=1, block_ms=1)
    assert streams.oldest_waiting_ms(STREAM, GROUP) == int(entries[0][0].partition("-")[0])
    entries = [*entries, *streams.group_read(STREAM, GROUP, consumer="one", count=1, block_ms=1)]
    streams.group_ack(STREAM, GROUP, [entry_id for entry_id, _ in entries])
    assert streams.oldest_waiting_ms(STREAM, GROUP) is None


def test_only_entries_acknowledged_by_every_group_are_trimmed(streams: Bus) -> None:
    streams.publish(STREAM, [b"a", b"b", b"c"])
    for group in (GROUP, "other"):
        streams.group_ensure(STREAM, group)
    entries = streams.group_read(STREAM, GROUP, consumer="one", count=10, block_ms=1)
    streams.group_ack(STREAM, GROUP, [entry_id for entry_id, _ in entries])
    assert streams.trim(STREAM, (GROUP, "other"), retention_ms=0) == 0
    entries = streams.group_read(STREAM, "other", consumer="one", count=2, block_ms=1)
    streams.group_ack(STREAM, "other", [entries[0][0]])
    assert streams.trim(STREAM, (GROUP, "other"), retention_ms=0) == 1
    streams.group_ack(STREAM, "other", [entries[1][0]])
    assert streams.trim(STREAM, (GROUP, "other"), retention_ms=0) == 1
    assert streams.length(STREAM) == 1
    assert [payload for _, payload in streams.group_read(STREAM, "other", consumer="one", count=2, block_ms=1)] == [
        b"c"
    ]


def test_a_stream_without_groups_keeps_what_is_young(streams: Bus) -> None:
    streams.publish(STREAM, [b"a"])
    assert streams.trim(STREAM, (), retention_ms=60_000) == 0
    assert streams.trim(STREAM, (), retention_ms=-1) == 1


def test_every_reader_without_a_group_reads_all(streams: Bus) -> None:
    assert list(streams.last_ids([STREAM])) == ["0-0"]
    assert streams.last_entry(STREAM) is None
    streams.publish(STREAM, [b"a", b"b"])
    for _ in range(2):
        read = streams.read_after({STREAM: "0-0", "none:0": "0-0"}, count=10, block_ms=1)
        assert {name: [payload for _, payload in entries] for name, entries in read.items()} == {STREAM: [b"a", b"b"]}
    last = streams.last_entry(STREAM)
    assert last is not None
    assert (last[1], list(streams.last_ids([STREAM]))) == (b"b", [last[0]])
    assert streams.read_after({STREAM: last[0]}, count=10, block_ms=1) == {}


def test_a_group_that_was_lost_is_made_again(streams: Bus, bus: redis.Redis) -> None:
    streams.publish(STREAM, [b"a"])
    assert read(streams) == [b"a"]
    bus.flushall()
    assert read(streams) == []
    assert streams.group_claim(STREAM, GROUP, consumer="one", idle_ms=0, count=1) == []
    streams.publish(STREAM, [b"b"])
    assert read(streams) == [b"b"]
    streams.group_ensure(STREAM, GROUP)


def test_a_server_that_is_unavailable_is_a_connection_error() -> None:
    streams: Bus = RedisStreams(bus_connect("redis://127.0.0.1:1"))
    for call in (
        lambda: streams.publish(STREAM, [b"a"]),
        lambda: streams.group_read(STREAM, GROUP, consumer="one", count=1, block_ms=1),
        lambda: streams.group_ensure(STREAM, GROUP),
        lambda: streams.trim(STREAM, (GROUP,), retention_ms=0),
        lambda: streams.read_after({STREAM: "0"}, count=1, block_ms=1),
    ):
        with pytest.raises(ConnectionError):
            call()


def test_a_frozen_bus_is_reported_in_time() -> None:
    """It takes connections, for the kernel does, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        begun_s = time.monotonic()
        assert bus_trouble(f"redis://127.0.0.1:{frozen.getsockname()[1]}/0") == "does not answer"
        assert time.monotonic() - begun_s < patient(4)


def test_every_error_of_the_server_is_a_connection_error(streams: Bus, bus: redis.Redis) -> None:
    bus.set(STREAM, b"no stream")
    with pytest.raises(ConnectionError):
        streams.publish(STREAM, [b"a"])
