from __future__ import annotations

from uuid import UUID

from domain.telemetry.feed.feed import Watch, watch_build
from gql.live.topics import OrganizationTopics, Topic, TopicKey

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
