"""Backlogs of subscribers: however slow they are, they end with the stored points or know which ranges to read again."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.base.packed import MetricType, Series, instant_of, micros_of
from domain.telemetry.feed.backlog import series_merged
from domain.telemetry.feed.feed import FeedUpdate, InvalidatedRange, watch_build
from gql.live import topics
from gql.live.topics import Sent, Subscriber, Topic, TopicKey

WHO = [UUID(int=n) for n in range(1, 4)]
Stored = dict[tuple[UUID, int], float]


def series(who: UUID, points: Mapping[int, float]) -> Series:
    at = sorted(points)
    return Series(
        entity_id=who,
        metric="t",
        port=None,
        unit=None,
        type=MetricType.NUMBER,
        timestamps=np.array(at, dtype=np.float64),
        values=np.array([points[instant] for instant in at]),
        texts=None,
        truncated=False,
    )


def encode(positions: Mapping[int, int]) -> str:
    return base64.b64encode(json.dumps(sorted(positions.items())).encode()).decode()


@dataclass
class Plant:
    """What is stored, and what became of it, in order."""

    topic: Topic
    stored: Stored = field(default_factory=dict)
    position: int = 0

    def points(self, who: UUID, given: Mapping[int, float]) -> None:
        self.stored |= {(who, at): value for at, value in given.items()}
        self._send([series(who, given)], [])

    def take_back(self, who: UUID, begins: int, ends: int) -> None:
        for key in [key for key in self.stored if key[0] == who and begins <= key[1] < ends]:
            del self.stored[key]
        self._send([], [InvalidatedRange(who, "t", instant_of(begins * 1000), instant_of(ends * 1000))])

    def _send(self, parts: list[Series], taken: list[InvalidatedRange]) -> None:
        self.position += 1
        positions = {0: self.position}
        self.topic.send(Sent(0, self.position, parts, positions, encode(positions), taken))


@dataclass
class Client:
    """What one client knows: points it was sent, and ranges reported as missing."""

    subscriber: Subscriber
    known: Stored = field(default_factory=dict)
    open: list[tuple[UUID, int, int]] = field(default_factory=list)
    latest: dict[UUID, int] = field(default_factory=dict)
    updates: list[FeedUpdate] = field(default_factory=list)

    async def take(self) -> None:
        update = await self.subscriber.next(encode)
        assert update is not None
        self.updates.append(update)
        count = 0
        for series_ in update.series:
            assert list(series_.timestamps) == sorted(set(series_.timestamps))
            for at, value in zip(series_.timestamps, series_.values, strict=True):
                self.known[series_.entity_id, int(at)] = value
                count += 1
        for taken in (*update.invalidated, *update.gaps):
            self.open.append((taken.entity_id, _millis(taken.from_), _millis_up(taken.to)))
        assert (update.points_left_out > 0) == bool(update.gaps)
        assert not update.gaps or update.dropped > 0

    @property
    def is_waiting(self) -> bool:
        return bool(self.subscriber._waiting) or not self.subscriber._backlog.is_empty

    def is_open(self, who: UUID, at: int) -> bool:
        return any(who == key and begins <= at < ends for key, begins, ends in self.open)


def _millis(at: Any) -> int:
    return micros_of(at) // 1000


def _millis_up(at: Any) -> int:
    return -(-micros_of(at) // 1000)


def topic_of(interval_s: float = 0.0) -> Topic:
    key = TopicKey.of(1, entity_ids=WHO, under_id=None, metrics=None, interval_s=interval_s)
    return Topic(key, watch_build(revision=1, entity_ids=WHO, own_ids=WHO, links=[], metrics=None, units={}))


_ACTIONS = st.one_of(
    st.tuples(
        st.just("points"),
        st.sampled_from(WHO),
        st.dictionaries(st.integers(0, 30), st.integers(0, 100).map(float), min_size=1, max_size=5),
    ),
    st.tuples(st.just("take_back"), st.sampled_from(WHO), st.tuples(st.integers(0, 30), st.integers(1, 10))),
    st.tuples(st.just("read"), st.integers(0, 2), st.none()),
    st.tuples(st.just("flush"), st.none(), st.none()),
)


async def act(plant: Plant, clients: list[Client], what: str, who: Any, argument: Any) -> None:
    if what == "points":
        plant.points(who, argument)
    elif what == "take_back":
        plant.take_back(who, argument[0], sum(argument))
    elif what == "flush":
        plant.topic.flush()
    elif clients[who].is_waiting:
        await clients[who].take()


@given(st.lists(_ACTIONS, max_size=60), st.sampled_from([0.0, 60.0]), st.sampled_from([1, 4, 15]))
@settings(max_examples=300, deadline=None)
def test_every_client_ends_with_what_is_stored(actions: list[Any], interval_s: float, most: int) -> None:
    async def scenario() -> None:
        topic = topic_of(interval_s)
        plant = Plant(topic)
        clients = [Client(Subscriber(waiting_max=n)) for n in (10**9, most, most)]
        for client in clients:
            client.subscriber.begin({0: 0})
            topic.subscribers.add(client.subscriber)
        for action in actions:
            await act(plant, clients, *action)
        topic.flush()
        for client in clients:
            while client.is_waiting:
                await client.take()
            # Outside the ranges to read again everything is as stored; nothing is missing and nothing is extra.
            expected = {key: value for key, value in plant.stored.items() if not client.is_open(*key)}
            assert {key: value for key, value in client.known.items() if not client.is_open(*key)} == expected
            if client.updates:
                assert client.updates[-1].cursor == encode({0: plant.position})
            assert client.subscriber.weight == 0
        # One that keeps up, or may have it all wait, has nothing left out.
        assert not any(update.gaps or update.dropped for update in clients[0].updates)

    run(scenario())


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@given(st.lists(st.dictionaries(st.integers(0, 20), st.integers(0, 9).map(float), min_size=1), min_size=1, max_size=6))
def test_merging_keeps_every_point_as_it_last_was(parts: list[dict[int, float]]) -> None:
    expected: dict[int, float] = {}
    for part in parts:
        expected |= part
    [merged] = series_merged(series(WHO[0], part) for part in parts)
    assert dict(zip(merged.timestamps, merged.values, strict=True)) == expected
    assert list(merged.timestamps) == sorted(expected)
    assert not merged.truncated


def test_the_latest_value_is_never_left_out() -> None:
    """The latest of each series is what a slow client is sent, however much came before it and late."""

    async def scenario() -> None:
        topic = topic_of()
        plant, client = Plant(topic), Client(Subscriber(waiting_max=10))
        client.subscriber.begin({0: 0})
        topic.subscribers.add(client.subscriber)
        for n in range(500):
            plant.points(WHO[n % 3], {n: float(n), -1 - n: -1.0})
        await client.take()
        assert not client.is_waiting
        for who in WHO:
            latest = max(at for owner, at in plant.stored if owner == who)
            assert client.known[who, latest] == plant.stored[who, latest]
        [update] = client.updates
        assert update.points_left_out == 1_000 - len(WHO)
        assert all(series_.truncated for series_ in update.series)

    run(scenario())


def test_the_backlog_of_a_stalled_client_is_bounded() -> None:
    async def scenario() -> None:
        topic = topic_of()
        plant, subscriber = Plant(topic), Subscriber(waiting_max=100)
        subscriber.begin({0: 0})
        topic.subscribers.add(subscriber)
        sizes: list[int] = []
        for n in range(3_000):
            plant.points(WHO[n % 3], {n: float(n)})
            sizes.append(subscriber.weight + len(subscriber._waiting) + len(subscriber._backlog._latest))
        assert max(sizes[1_000:]) <= max(sizes[:1_000]) <= 2 * 100 + 3
        update = await subscriber.next(encode)
        assert update is not None
        assert len(update.series) == len(WHO)
        assert update.points_left_out == 3_000 - len(WHO)

    run(scenario())


def test_equal_updates_are_one_object() -> None:
    async def scenario() -> None:
        topic = topic_of()
        plant, subscribers = Plant(topic), [Subscriber() for _ in range(3)]
        topic.subscribers.update(subscribers)
        for n in range(4):
            plant.points(WHO[0], {n: float(n)})
        first, second, third = [await subscriber.next(encode) for subscriber in subscribers]
        assert first is second is third

    run(scenario())


def test_updates_keep_their_minimum_interval() -> None:
    async def scenario() -> None:
        topic, subscriber = topic_of(0.05), Subscriber()
        plant = Plant(topic)
        topic.subscribers.add(subscriber)
        plant.points(WHO[0], {0: 0.0})
        update = await subscriber.next(encode)
        assert update is not None
        for n in range(1, 10):
            plant.points(WHO[0], {n: float(n)})
        assert subscriber.weight == 0
        update = await subscriber.next(encode)
        assert update is not None
        [only] = update.series
        assert list(only.values) == [float(n) for n in range(1, 10)]

    run(scenario())


def test_a_backlog_of_many_series_is_handed_out_in_parts_and_its_cursor_waits() -> None:
    async def scenario() -> None:
        topic, subscriber = topic_of(), Subscriber(waiting_max=1)
        plant = Plant(topic)
        subscriber.begin({0: 0})
        topic.subscribers.add(subscriber)
        for n in range(2):
            for who in WHO:
                plant.points(who, {n: float(n)})
        cursors, seen, left_out = [], set(), 0
        for _ in range(2):
            update = await subscriber.next(encode)
            assert update is not None
            cursors.append(update.cursor)
            seen |= {series_.entity_id for series_ in update.series}
            left_out += update.points_left_out
        assert seen == set(WHO)
        assert left_out == len(WHO)
        assert cursors == [encode({0: 0}), encode({0: 6})]

    most, topics.SERIES_MAX = topics.SERIES_MAX, 2
    try:
        run(scenario())
    finally:
        topics.SERIES_MAX = most
