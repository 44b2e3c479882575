"""Who waits for what in the live feed: topics, their subscribers, and what waits for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.telemetry.feed import InvalidatedRange, Watch
from domain.telemetry.packed import Series
from graph.errors import ArgusError, LimitExceededError

# Updates that may wait for a slow client; what comes while so many wait is left out and counted.
QUEUE_MAX = 256
ENTITIES_MAX = 10_000
METRICS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class TopicKey:
    """What identical subscriptions have in common."""

    organization_id: int
    entity_ids: frozenset[UUID] | None
    under_id: UUID | None
    metrics: frozenset[str] | None

    @classmethod
    def of(
        cls,
        organization_id: int,
        *,
        entity_ids: Sequence[UUID] | None,
        under_id: UUID | None,
        metrics: Sequence[str] | None,
    ) -> TopicKey:
        """Make the key. Raises LimitExceededError for more than 10,000 entities or 1,000 metrics."""
        for name, given, limit in (
            ("entityIds", entity_ids, ENTITIES_MAX),
            ("metrics", metrics, METRICS_MAX),
        ):
            if given is not None and len(given) > limit:
                msg = f"{name} holds {len(given)}; a subscription takes at most {limit}."
                raise LimitExceededError(msg, path=(name,))
        return cls(
            organization_id,
            None if entity_ids is None else frozenset(entity_ids),
            under_id,
            None if metrics is None else frozenset(metrics),
        )

    @property
    def is_open(self) -> bool:
        """Whether what is watched is found by a walk or a list, not named."""
        return self.under_id is not None or self.entity_ids is None


@dataclass(frozen=True, slots=True)
class Sent:
    """One update on its way; the same object for all subscribers of a topic.

    positions: the hub's place after it, by partition; cursor: the same, encoded. dropped: left out before it.
    partition None: it is of no partition's, and everybody is sent it. invalidated: ranges to be read again.
    """

    partition: int | None
    position: int
    series: Sequence[Series]
    positions: Mapping[int, int]
    cursor: str
    dropped: int = 0
    invalidated: Sequence[InvalidatedRange] = ()


class Subscriber:
    """What waits for one client, bounded.

    floor: by partition, the position up to which it has everything already.
    """

    def __init__(self, queue_max: int = QUEUE_MAX) -> None:
        self.floor: Mapping[int, int] = {}
        self._queue: deque[Sent] = deque()
        self._queue_max = queue_max
        self._dropped = 0
        self._wake = asyncio.Event()
        self._is_closed = False
        self._error: ArgusError | None = None

    def put(self, sent: Sent) -> None:
        """Add an update, or count it as left out where too many wait."""
        if len(self._queue) >= self._queue_max:
            self._dropped += 1
            return
        if self._dropped:
            sent = replace(sent, dropped=self._dropped)
            self._dropped = 0
        self._queue.append(sent)
        self._wake.set()

    def drop(self, count: int) -> None:
        """Count updates that are lost to everybody."""
        self._dropped += count

    def close(self, error: ArgusError | None) -> None:
        """End the subscription after what waits, with an error or without."""
        self._is_closed, self._error = True, error
        self._wake.set()

    async def next(self) -> Sent | None:
        """Return the next update beyond the floor; None at the end. Raises what the subscription ended with."""
        while True:
            while self._queue:
                sent = self._queue.popleft()
                if sent.partition is None or sent.position > self.floor.get(sent.partition, 0):
                    return sent
            if self._is_closed:
                if self._error is not None:
                    raise self._error
                return None
            self._wake.clear()
            await self._wake.wait()

    def is_level(self, positions: Mapping[int, int]) -> bool:
        """Tell whether the hub has reached the floor everywhere; from then on the shared cursor holds."""
        if self.floor and all(positions.get(p, 0) >= position for p, position in self.floor.items()):
            self.floor = {}
        return not self.floor


@dataclass(slots=True, eq=False)
class Topic:
    """Subscribers that asked for the same, and what they see."""

    key: TopicKey
    watch: Watch
    loaded_at_s: float = 0.0
    subscribers: set[Subscriber] = field(default_factory=set)

    def floor(self, partition: int) -> int:
        """Return the position up to which every subscriber has everything."""
        return min((s.floor.get(partition, 0) for s in self.subscribers), default=0)

    def send(self, sent: Sent) -> None:
        """Hand an update to every subscriber."""
        for subscriber in self.subscribers:
            subscriber.put(sent)

    def drop(self, count: int) -> None:
        """Count updates that are lost to every subscriber."""
        for subscriber in self.subscribers:
            subscriber.drop(count)

    def close(self, error: ArgusError | None) -> None:
        """End every subscription."""
        for subscriber in self.subscribers:
            subscriber.close(error)


class OrganizationTopics:
    """The topics of one organization, found by the devices whose points they may be sent.

    revision: that of the graph which all of them have seen.
    """

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self._topics: dict[TopicKey, Topic] = {}
        self._by_device: dict[UUID, set[Topic]] = {}

    def __iter__(self) -> Iterator[Topic]:
        return iter(list(self._topics.values()))

    def __len__(self) -> int:
        return len(self._topics)

    def get(self, key: TopicKey) -> Topic | None:
        """Return the topic of that key, if there is one."""
        return self._topics.get(key)

    def add(self, topic: Topic) -> None:
        """Take a topic in."""
        self._topics[topic.key] = topic
        self.revision = min(self.revision, topic.watch.revision)
        for device_id in topic.watch.sending_ids:
            self._by_device.setdefault(device_id, set()).add(topic)

    def remove(self, topic: Topic) -> None:
        """Let a topic go."""
        del self._topics[topic.key]
        self._forget(topic)

    def renew(self, topic: Topic, watch: Watch, now_s: float) -> None:
        """Let a topic see the graph as it stands now; does nothing where the topic has gone meanwhile."""
        if self._topics.get(topic.key) is topic:
            self._forget(topic)
            topic.watch, topic.loaded_at_s = watch, now_s
            self.add(topic)

    @property
    def sending(self) -> Container[UUID]:
        """Whose points matter to any of these topics."""
        return self._by_device.keys()

    def touched(self, device_ids: Iterable[UUID]) -> set[Topic]:
        """Return the topics that may be sent points of any of these devices."""
        return set().union(*(self._by_device.get(device_id, ()) for device_id in device_ids))

    def _forget(self, topic: Topic) -> None:
        for device_id in topic.watch.sending_ids:
            of_device = self._by_device[device_id]
            of_device.discard(topic)
            if not of_device:
                del self._by_device[device_id]
