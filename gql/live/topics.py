"""Topics of the live feed, their subscribers, and each subscriber's backlog."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import length_hint
from uuid import UUID

from domain.base.packed import Series
from domain.telemetry.feed.backlog import Backlog, ranges_merged, series_merged
from domain.telemetry.feed.feed import FeedUpdate, InvalidatedRange, Watch, positions_max
from graph.errors import ArgusError, LimitExceededError
from graph.texts import text_nfc

# What a client is sent is collected for so long, where it came to something just before.
INTERVAL_S = 0.25
# Points that wait for a client before all but the latest of each series are left out; those of one burst always may.
WAITING_POINTS_MAX = 20_000
# Points after which a burst is sent without waiting for its time.
BURST_POINTS_MAX = 5_000
# Series, and ranges of one sort, in one update to a client that fell behind.
SERIES_MAX = 5_000
ENTITIES_MAX = 10_000
METRICS_MAX = 1_000
# Subscribers that are handed a burst in one turn of the event loop: between two turns, others are served.
HANDED_AT_ONCE = 250
# Makes a cursor of a place.
Encode = Callable[[Mapping[int, int]], str]


@dataclass(frozen=True, slots=True)
class TopicKey:
    """The key of identical subscriptions.

    under: the entities below which the caller may see; None: everywhere in the organization.
    """

    organization_id: int
    entity_ids: frozenset[UUID] | None
    under_id: UUID | None
    metrics: frozenset[str] | None
    interval_s: float = INTERVAL_S
    under: tuple[UUID, ...] | None = None

    @classmethod
    def of(
        cls,
        organization_id: int,
        *,
        entity_ids: Sequence[UUID] | None,
        under_id: UUID | None,
        metrics: Sequence[str] | None,
        interval_s: float = INTERVAL_S,
        under: tuple[UUID, ...] | None = None,
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
            None if metrics is None else frozenset(map(text_nfc, metrics)),
            interval_s,
            under,
        )

    @property
    def is_open(self) -> bool:
        """Whether which entities are watched depends on a walk or a list, not on their names alone."""
        return self.under_id is not None or self.entity_ids is None or self.under is not None


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry of the feed, as a topic sends it.

    positions: the hub's place after it, by partition; cursor: the same, encoded.
    partition None: it is of no partition's, and everybody is sent it. invalidated: ranges to be read again.
    """

    partition: int | None
    position: int
    series: Sequence[Series]
    positions: Mapping[int, int]
    cursor: str
    invalidated: Sequence[InvalidatedRange] = ()

    @property
    def weight(self) -> int:
        """The number of points and ranges in it."""
        return sum(len(series.timestamps) for series in self.series) + len(self.invalidated)


class Burst:
    """The entries of a topic within an interval, in order; the same object for all its subscribers.

    number: of its topic, counted from one. lost: updates that nobody has, before it.
    """

    def __init__(self, number: int, parts: Sequence[Sent], *, lost: int = 0) -> None:
        self.number = number
        self.parts = parts
        self.lost = lost
        self.weight = sum(part.weight for part in parts)
        # What those are sent who take it together with others: by the first one's number, and the place of the cursor.
        self._updates: dict[tuple[int, tuple[tuple[int, int], ...]], FeedUpdate] = {}

    @property
    def end(self) -> Sent:
        """The last part, with the position after all of it."""
        return self.parts[-1]

    def update(self, bursts: Sequence[Burst], place: Mapping[int, int], encode: Encode) -> FeedUpdate:
        """Return the update of bursts up to this one: one object for all subscribers of the same bursts."""
        is_shared_place = place == self.end.positions
        key = (bursts[0].number, () if is_shared_place else tuple(sorted(place.items())))
        if key not in self._updates:
            parts = [part for burst in bursts for part in burst.parts]
            cursor = self.end.cursor if is_shared_place else encode(place)
            self._updates[key] = update_of(parts, cursor, dropped=sum(burst.lost for burst in bursts))
        return self._updates[key]


def update_of(parts: Sequence[Sent], cursor: str, *, dropped: int = 0) -> FeedUpdate:
    """Merge parts into one update."""
    return FeedUpdate(
        series_merged(series for part in parts for series in part.series),
        ranges_merged(range_ for part in parts for range_ in part.invalidated),
        dropped,
        cursor,
    )


class Subscriber:
    """The backlog of one client: bursts while it keeps up, then the latest point of each series.

    floor: by partition, the position up to which it has everything already. One task takes what waits.
    """

    # There may be thousands, most of which wait.
    __slots__ = (
        "_backlog", "_end", "_error", "_is_closed", "_reported", "_waiting", "_waiting_max", "_wake", "_weight",
        "floor",
    )  # fmt: skip

    def __init__(self, waiting_max: int = WAITING_POINTS_MAX) -> None:
        self.floor: Mapping[int, int] = {}
        self._waiting: list[Burst] = []
        self._weight = 0
        self._waiting_max = waiting_max
        self._backlog = Backlog()
        # The place that the backlog leads to, and the one that the last update led to.
        self._end: Sent | None = None
        self._reported: Mapping[int, int] = {}
        self._wake: asyncio.Future[None] | None = None
        self._is_closed = False
        self._error: ArgusError | None = None

    @property
    def weight(self) -> int:
        """The number of points and ranges that wait in bursts, which are shared with others."""
        return self._weight

    def begin(self, floor: Mapping[int, int]) -> None:
        """Note the position after which the subscriber is sent updates."""
        self.floor = self._reported = floor

    def put(self, burst: Burst) -> None:
        """Add a burst; where more waits than may, keep the latest of each series of all that waits."""
        self._waiting.append(burst)
        self._weight += burst.weight
        if (self._weight > self._waiting_max and len(self._waiting) > 1) or not self._backlog.is_empty:
            self._thin()
        self._awake()

    def close(self, error: ArgusError | None) -> None:
        """End the subscription after its backlog, with an error or without."""
        self._is_closed, self._error = True, error
        self._awake()

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def next(self, encode: Encode) -> FeedUpdate | None:
        """Return the whole backlog beyond the floor in one update; None at the end. Raises the error it ended with.

        encode: called where the place is not the one that all are sent.
        """
        while True:
            if not self._backlog.is_empty:
                return self._thinned(encode)
            if self._waiting:
                bursts = list(self._waiting)
                self._waiting.clear()
                self._weight = 0
                update = self._update(bursts, encode)
                if update is not None:
                    return update
            elif self._is_closed:
                if self._error is not None:
                    raise self._error
                return None
            else:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
                self._wake = None

    def _update(self, bursts: Sequence[Burst], encode: Encode) -> FeedUpdate | None:
        positions = bursts[-1].end.positions
        parts = self._beyond(bursts)
        self._reported = positions_max(positions, self.floor) if self.floor else positions
        self._level(positions)
        if len(parts) == sum(len(burst.parts) for burst in bursts):
            return bursts[-1].update(bursts, self._reported, encode)
        lost = sum(burst.lost for burst in bursts)
        return update_of(parts, encode(self._reported), dropped=lost) if parts or lost else None

    def _thinned(self, encode: Encode) -> FeedUpdate:
        """Return what was thinned, so much of it as one update may hold.

        Its cursor is behind all that was left out only once nothing of it waits: until then it is the last one.
        """
        assert self._end is not None  # noqa: S101  (it is there with the backlog)
        thinned = self._backlog.take(SERIES_MAX)
        if self._backlog.is_empty:
            self._reported = positions_max(self._end.positions, self.floor)
            self._level(self._end.positions)
        cursor = encode(self._reported)
        return FeedUpdate(
            thinned.series, thinned.invalidated, thinned.dropped, cursor, thinned.gaps, thinned.points_left_out
        )

    def _thin(self) -> None:
        """Move waiting updates into the backlog."""
        bursts = list(self._waiting)
        self._waiting.clear()
        self._weight = 0
        for burst in bursts:
            self._backlog.dropped += burst.lost
        for part in self._beyond(bursts):
            self._backlog.add(part.series, part.invalidated)
        self._end = bursts[-1].end

    def _beyond(self, bursts: Sequence[Burst]) -> list[Sent]:
        """Return the parts that the subscriber does not have."""
        return [
            part
            for burst in bursts
            for part in burst.parts
            if part.partition is None or part.position > self.floor.get(part.partition, 0)
        ]

    def _level(self, positions: Mapping[int, int]) -> None:
        """Forget the floor once the hub has reached it everywhere."""
        if all(positions.get(p, 0) >= position for p, position in self.floor.items()):
            self.floor = {}


@dataclass(slots=True, eq=False)
class Topic:
    """The subscribers of identical subscriptions, their watch, and what is collected for them."""

    key: TopicKey
    watch: Watch
    loaded_at_s: float = 0.0
    subscribers: set[Subscriber] = field(default_factory=set)
    _parts: list[Sent] = field(default_factory=list)
    _weight: int = 0
    _lost: int = 0
    _number: int = 0
    _flushed_at_s: float = -math.inf
    _timer: asyncio.TimerHandle | None = None
    # Bursts with the subscribers that are not handed them yet.
    _handed: deque[tuple[Burst, Iterator[Subscriber]]] = field(default_factory=deque)
    _handing: asyncio.Handle | None = None

    def floor(self, partition: int) -> int:
        """Return the position up to which every subscriber has everything."""
        return min((s.floor.get(partition, 0) for s in self.subscribers), default=0)

    def send(self, sent: Sent) -> None:
        """Send an update to every subscriber: at once where none was for an interval, else at the end of it."""
        self._parts.append(sent)
        self._weight += sent.weight
        loop = asyncio.get_running_loop()
        due_s = self._flushed_at_s + self.key.interval_s
        if self._weight > BURST_POINTS_MAX or loop.time() >= due_s:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_at(due_s, self.flush)

    def flush(self) -> None:
        """Pass the collected updates to every subscriber."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._parts:
            return
        self._number += 1
        self._flushed_at_s = asyncio.get_running_loop().time()
        burst = Burst(self._number, self._parts, lost=self._lost)
        self._parts, self._weight, self._lost = [], 0, 0
        self._handed.append((burst, iter(tuple(self.subscribers))))
        if len(self._handed) == 1:
            self._hand()

    def _hand(self) -> None:
        """Pass the oldest burst to its next subscribers; the others are called upon in later turns of the loop."""
        burst, subscribers = self._handed[0]
        for subscriber in islice(subscribers, HANDED_AT_ONCE):
            subscriber.put(burst)
        if length_hint(subscribers) == 0:
            self._handed.popleft()
        if self._handed:
            self._handing = asyncio.get_running_loop().call_soon(self._hand)

    def _hand_all(self) -> None:
        while self._handed:
            burst, subscribers = self._handed.popleft()
            for subscriber in subscribers:
                subscriber.put(burst)

    def drop(self, count: int) -> None:
        """Count updates that are lost to every subscriber; the next update says so."""
        self._lost += count

    def close(self, error: ArgusError | None) -> None:
        """End every subscription after the collected updates."""
        self.flush()
        if self._handing is not None:
            self._handing.cancel()
        self._hand_all()
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
        """Add a topic."""
        self._topics[topic.key] = topic
        self.revision = min(self.revision, topic.watch.revision)
        for device_id in topic.watch.sending_ids:
            self._by_device.setdefault(device_id, set()).add(topic)

    def remove(self, topic: Topic) -> None:
        """Remove a topic."""
        del self._topics[topic.key]
        self._forget(topic)

    def renew(self, topic: Topic, watch: Watch, now_s: float) -> None:
        """Renew a topic's watch of the graph; does nothing if the topic was removed meanwhile."""
        if self._topics.get(topic.key) is topic:
            self._forget(topic)
            topic.watch, topic.loaded_at_s = watch, now_s
            self.add(topic)

    @property
    def sending(self) -> Container[UUID]:
        """The devices whose points matter to any of these topics."""
        return self._by_device.keys()

    def receiving(self, device_ids: Iterable[UUID]) -> set[Topic]:
        """Return the topics that may be sent points of any of these devices."""
        return set().union(*(self._by_device.get(device_id, ()) for device_id in device_ids))

    def _forget(self, topic: Topic) -> None:
        for device_id in topic.watch.sending_ids:
            of_device = self._by_device[device_id]
            of_device.discard(topic)
            if not of_device:
                del self._by_device[device_id]
