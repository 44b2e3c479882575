from __future__ import annotations

import asyncio
from uuid import UUID

from domain.telemetry.feed.feed import Watch, watch_build
from gql.live.topics import HANDED_AT_ONCE, OrganizationTopics, Sent, Subscriber, Topic, TopicKey

ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))


def watch(*device_ids: UUID, revision: int = 1) -> Watch:
    return watch_build(revision=revision, entity_ids=device_ids, own_ids=device_ids, links=[], metrics=None, units={})


def topic(*device_ids: UUID) -> Topic:
    key = TopicKey.of(1, entity_ids=device_ids, under_id=None, metrics=None)
    return Topic(key, watch(*device_ids))


def test_topics_are_found_by_device_as_they_see_now() -> None:
    topics, first, second = OrganizationTopics(1), topic(ONE, TWO), topic(TWO)
    topics.add(first)
    topics.add(second)
    assert topics.receiving([ONE]) == {first}
    assert topics.receiving([TWO, THREE]) == {first, second}
    topics.renew(first, watch(THREE, revision=2), 5.0)
    assert topics.receiving([ONE]) == set()
    assert topics.receiving([THREE]) == {first}
    topics.remove(second)
    assert topics.receiving([TWO]) == set()
    assert len(topics) == 1


def test_a_removed_topic_is_not_restored_by_a_late_renewal() -> None:
    topics, gone = OrganizationTopics(1), topic(ONE)
    topics.add(gone)
    topics.remove(gone)
    topics.renew(gone, watch(ONE, revision=2), 5.0)
    assert len(topics) == 0
    assert topics.receiving([ONE]) == set()


def sent(position: int) -> Sent:
    return Sent(0, position, (), {0: position}, f"c{position}")


async def cursors(subscriber: Subscriber, count: int) -> list[str]:
    updates = [await subscriber.next(lambda positions: f"c{positions[0]}") for _ in range(count)]
    return [update.cursor for update in updates if update is not None]


def test_many_subscribers_are_handed_a_burst_little_by_little() -> None:
    async def scenario() -> None:
        many = topic(ONE)
        first = [Subscriber() for _ in range(2 * HANDED_AT_ONCE + 1)]
        many.subscribers.update(first)
        many.send(sent(1))
        many.flush()
        have = sum(bool(subscriber._waiting) for subscriber in first)
        assert have == HANDED_AT_ONCE
        # One that comes meanwhile is not sent what was collected before, and one that goes harms nobody.
        late = Subscriber()
        many.subscribers.add(late)
        gone = next(iter(many.subscribers))
        many.subscribers.discard(gone)
        many.send(sent(2))
        many.flush()
        rest = [subscriber for subscriber in first if subscriber is not gone]
        for _ in range(10):
            await asyncio.sleep(0)
        assert all(len(subscriber._waiting) == 2 for subscriber in rest)
        assert {tuple(await cursors(subscriber, 1)) for subscriber in rest} == {("c2",)}
        assert await cursors(late, 1) == ["c2"]

    asyncio.run(scenario())


def test_the_end_comes_after_what_was_still_to_be_handed() -> None:
    async def scenario() -> None:
        many = topic(ONE)
        subscribers = [Subscriber() for _ in range(2 * HANDED_AT_ONCE)]
        many.subscribers.update(subscribers)
        many.send(sent(1))
        many.close(None)
        assert {tuple(await cursors(subscriber, 2)) for subscriber in subscribers} == {("c1",)}

    asyncio.run(scenario())
