"""The live feed of one API process: reads normalized batches and derived commits once, sends each subscriber its own.

What makes it exact: a batch is known by its position in its partition, positions have no gaps, and a place in
the feed is one position per partition. A position that comes again is passed over; one that is left out, because
the bus lost it or was away, is read from the database. A subscriber that begins with stored points begins from
a snapshot that knows its own place.

Subscriptions that ask for the same are one *topic*: matched once, and sent the same objects, an interval's at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from domain.telemetry.feed.feed import (
    Arrival,
    FeedEntry,
    FeedOffsets,
    FeedUpdate,
    Watch,
    cursor_decode,
    cursor_encode,
    groups_by_device,
    groups_series,
    positions_max,
)
from domain.telemetry.feed.invalidation import links_invalidated
from domain.telemetry.feed.reads import WatchRequest, feed_offsets, feed_refill, feed_since, revision_get, watches_load
from gql.live.sharing import shared
from gql.live.topics import INTERVAL_S, OrganizationTopics, Sent, Subscriber, Topic, TopicKey
from graph.errors import ArgusError, BadInputError, LimitExceededError

T = TypeVar("T")

SUBSCRIBERS_MAX = 10_000
RECONCILE_S = 2.0
# How long after its receipt a batch may still be normalized and be found in the database by its position.
RECENT = timedelta(days=7)
# A watch below an entity changes with the time too, where an edge begins or ends; not only with the graph.
WATCH_AGE_MAX_S = 30.0
# Positions that are read again from the database; beyond them a client begins again with since.
REFILL_POSITIONS_MAX = 100_000
REFILL_CHUNK = 1_000
_BACKOFF_S = 0.5

_log = structlog.get_logger(__name__)


class SessionRunner(Protocol):
    """Runs work in a separate transaction that acts for the organization."""

    def __call__(
        self, organization_id: int, work: Callable[[Session], T], /, *, under: Collection[UUID] | None = None
    ) -> Awaitable[T]:
        """Return what `work` returns; raise what it raises. under: confines it to what lies below these entities."""
        ...


class FeedSource(Protocol):
    """The source of feed entries."""

    @property
    def partitions(self) -> Sequence[int]:
        """The feed's partitions."""
        ...

    async def tail(self) -> Mapping[int, int]:
        """Go to the end of the feed; return the last position of each partition that has one."""
        ...

    async def read(self) -> Sequence[FeedEntry]:
        """Return the next entries, in order within each partition; nothing after a short wait. May raise."""
        ...


@dataclass(slots=True)
class _Joining:
    """A subscriber that waits to be registered. error: why it is not."""

    key: TopicKey
    watch: Watch
    subscriber: Subscriber
    is_done: bool = False
    is_gone: bool = False
    error: LimitExceededError | None = None


class FeedHub:
    """Fans the feed out to subscribers. One per process; lives on one event loop.

    clock: the time, in UTC. subscribers_max: more are refused with LIMIT_EXCEEDED.
    """

    def __init__(
        self,
        *,
        source: FeedSource,
        run: SessionRunner,
        clock: Callable[[], datetime],
        subscribers_max: int = SUBSCRIBERS_MAX,
        reconcile_s: float = RECONCILE_S,
    ) -> None:
        self._source = source
        self._run = run
        self._clock = clock
        self._subscribers_max = subscribers_max
        self._reconcile_s = reconcile_s
        self._offsets = FeedOffsets()
        self._topics: dict[int, OrganizationTopics] = {}
        # Held over each entry and each registration, so that a subscriber begins between two entries.
        self._lock = asyncio.Lock()
        # By organization, who waits to be registered.
        self._joining: dict[int, list[_Joining]] = {}
        # Watches that are being loaded, for all who subscribe to the same meanwhile.
        self._watches_coming: dict[Any, Any] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._is_tailing = False
        # For clients that fell behind, since this process began.
        self.points_left_out = 0

    async def start(self) -> None:
        """Begin to read the feed."""
        self._tasks = [asyncio.create_task(self._tail()), asyncio.create_task(self._reconcile())]

    async def stop(self) -> None:
        """End every subscription and the reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for topics in self._topics.values():
            for topic in topics:
                topic.close(None)

    @property
    def subscribers(self) -> int:
        """The number of subscriptions."""
        return sum(len(topic.subscribers) for topics in list(self._topics.values()) for topic in topics)

    async def subscribe(
        self,
        *,
        organization_id: int,
        entity_ids: Sequence[UUID] | None = None,
        under_id: UUID | None = None,
        metrics: Sequence[str] | None = None,
        since: datetime | None = None,
        after: str | None = None,
        interval_s: float = INTERVAL_S,
        under: tuple[UUID, ...] | None = None,
    ) -> AsyncIterator[FeedUpdate]:
        """Yield updates until the hub stops or the caller disconnects.

        What comes within `interval_s` of an update is one update, and so is all that comes while the caller is busy:
        every point of it, or, where that is too much, the latest of each series and where the others were.

        since: first, in one update, what is stored from then on (event time). after: first what was committed
        after that cursor, late points too. Neither entity_ids nor under_id: the whole organization. under: all of this
        confined to what lies below these entities, as the graph is at the time.
        Raises NotFoundError, BadInputError (a cursor that is too old or none of ours; both since and after)
        and LimitExceededError, before the first update.
        """
        if since is not None and after is not None:
            raise BadInputError("since and after exclude each other.", path=("after",))
        behind = None
        if after is not None:
            behind = cursor_decode(after, organization_id=organization_id, now=self._clock())
        key = TopicKey.of(
            organization_id,
            entity_ids=entity_ids,
            under_id=under_id,
            metrics=metrics,
            interval_s=interval_s,
            under=under,
        )
        watch = await self._watch(key)
        subscriber = Subscriber()
        passed = await self._register(key, watch, subscriber)
        try:
            if since is not None:
                async for update in self._catch_up_since(key, subscriber, since, passed):
                    yield update
            elif behind is not None:
                async for update in self._catch_up_after(key, subscriber, behind):
                    yield update
            while (waited := await subscriber.next(partial(self._encode, key))) is not None:
                self.points_left_out += waited.points_left_out
                yield waited
        finally:
            self._leave(key, subscriber)

    async def _register(self, key: TopicKey, watch: Watch, subscriber: Subscriber) -> Mapping[int, int]:
        """Begin to collect for a subscriber; return the positions handled before, for every partition.

        Those of an organization that come while another is registered are registered together, with one read.
        """
        mine = _Joining(key, watch, subscriber)
        waiting = self._joining.setdefault(key.organization_id, [])
        waiting.append(mine)
        try:
            async with self._lock:
                if not mine.is_done:
                    # Who comes from here on asks for what is read later.
                    if self._joining.get(key.organization_id) is waiting:
                        del self._joining[key.organization_id]
                    await self._join(key.organization_id, waiting)
        except BaseException:
            mine.is_gone = True
            if mine.is_done:
                self._leave(key, subscriber)
            raise
        if mine.error is not None:
            raise mine.error
        return subscriber.floor

    async def _join(self, organization_id: int, waiting: Sequence[_Joining]) -> None:
        """Register all of them that are still there. Called with the lock."""
        every = self._source.partitions
        unknown = {p: 0 for p in every if p not in self._offsets.positions}
        stored: Mapping[int, int] = {}
        if unknown:
            stored = await self._run(organization_id, partial(self._offsets_read, organization_id, unknown))
        now_s, count = asyncio.get_running_loop().time(), self.subscribers
        for joining in [joining for joining in waiting if not joining.is_gone and not joining.is_done]:
            joining.is_done = True
            if count >= self._subscribers_max:
                msg = f"This server holds at most {self._subscribers_max} subscriptions."
                joining.error = LimitExceededError(msg)
                continue
            count += 1
            topics = self._topics.setdefault(organization_id, OrganizationTopics(joining.watch.revision))
            topic = topics.get(joining.key)
            if topic is None:
                topic = Topic(joining.key, joining.watch, now_s)
                topics.add(topic)
            # What was collected before is none of the new one's.
            topic.flush()
            topic.subscribers.add(joining.subscriber)
            joining.subscriber.begin({p: self._offsets.positions.get(p, stored.get(p, 0)) for p in every})

    def _leave(self, key: TopicKey, subscriber: Subscriber) -> None:
        topics = self._topics.get(key.organization_id)
        topic = None if topics is None else topics.get(key)
        if topics is not None and topic is not None:
            topic.subscribers.discard(subscriber)
            if not topic.subscribers:
                topics.remove(topic)
            if not topics:
                del self._topics[key.organization_id]

    async def _catch_up_since(
        self, key: TopicKey, subscriber: Subscriber, since: datetime, passed: Mapping[int, int]
    ) -> AsyncIterator[FeedUpdate]:
        watch = self._watch_now(key)
        work = partial(
            feed_since,
            organization_id=key.organization_id,
            watch=watch,
            since=since,
            after=passed,
            recent=self._clock() - RECENT,
        )
        caught = await self._run(key.organization_id, work)
        subscriber.begin(caught.offsets)
        if caught.series:
            yield FeedUpdate(caught.series, (), 0, self._encode(key, caught.offsets))

    async def _catch_up_after(
        self, key: TopicKey, subscriber: Subscriber, behind: Mapping[int, int]
    ) -> AsyncIterator[FeedUpdate]:
        organization_id = key.organization_id
        place = {p: behind.get(p, 0) for p in self._source.partitions}
        ends = await self._run(organization_id, partial(self._offsets_read, organization_id, place))
        subscriber.begin(positions_max(place, ends))
        if any(ends[p] - place[p] > REFILL_POSITIONS_MAX for p in ends):
            msg = f"More than {REFILL_POSITIONS_MAX} batches lie behind the cursor. Begin again with since."
            raise BadInputError(msg, path=("after",))
        for partition, end in sorted(ends.items()):
            while place[partition] < end:
                until = min(end, place[partition] + REFILL_CHUNK)
                entries = await self._run(
                    organization_id, self._refill_work(organization_id, partition, place[partition], until)
                )
                watch = self._watch_now(key)
                for entry in entries:
                    place[partition] = entry.position
                    groups = groups_by_device(entry.groups(watch.sending_ids))
                    series, changed = groups_series(groups, watch), watch.sees(entry)
                    if series or changed:
                        yield FeedUpdate(series, changed, 0, self._encode(key, place))
                place[partition] = until

    async def _tail(self) -> None:
        while True:
            try:
                if not self._is_tailing:
                    for partition, position in (await self._source.tail()).items():
                        async with self._lock:
                            # Who subscribed while the bus was away has been waiting for what lies before.
                            if self._offsets.positions.get(partition, 0) < position:
                                await self._refill(partition, position)
                    self._is_tailing = True
                for entry in await self._source.read():
                    async with self._lock:
                        await self._handle(entry)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  (outlive bus and database; gaps are refilled)
                _log.warning("feed_interrupted", error=repr(error))
                await asyncio.sleep(_BACKOFF_S)

    async def _handle(self, entry: FeedEntry) -> None:
        arrival = self._offsets.classify(entry.partition, entry.position)
        if arrival is Arrival.REPEATED:
            return
        if arrival is not Arrival.NEXT:
            await self._refill(entry.partition, entry.position - 1)
        await self._deliver(entry)

    async def _refill(self, partition: int, until: int) -> None:
        """Deliver from the database the entries between the last handled position and `until`."""
        last = self._offsets.positions.get(partition)
        if last is None:
            await self._refill_some(partition, None, until)
        elif until - last > REFILL_POSITIONS_MAX:
            _log.error("feed_gap_too_long", partition=partition, after=last, until=until)
            for topics in self._topics.values():
                for topic in topics:
                    topic.drop(until - last)
        else:
            for after in range(last, until, REFILL_CHUNK):
                await self._refill_some(partition, after, min(until, after + REFILL_CHUNK))
        self._offsets.advance(partition, until)

    async def _refill_some(self, partition: int, after: int | None, until: int) -> None:
        """Deliver (after, until]; after None: from where each organization's first subscriber began."""
        entries: list[FeedEntry] = []
        for organization_id, topics in list(self._topics.items()):
            begin = min((topic.floor(partition) for topic in topics), default=until) if after is None else after
            entries += await self._run(organization_id, self._refill_work(organization_id, partition, begin, until))
        for entry in sorted(entries, key=lambda e: e.position):
            await self._deliver(entry)

    async def _deliver(self, entry: FeedEntry) -> None:
        topics = self._topics.get(entry.organization_id)
        if topics:
            await self._graph_apply(topics, entry.revision)
            groups = groups_by_device(entry.groups(topics.sending))
            unknowing = [topic for topic in topics.receiving(groups) if not topic.watch.knows(groups)]
            if unknowing:
                await self._watches_renew(topics, unknowing)
                groups = groups_by_device(entry.groups(topics.sending))
            positions: Mapping[int, int] = {
                **self._offsets.positions,
                entry.partition: entry.position,
            }
            cursor = cursor_encode(positions, organization_id=entry.organization_id, now=self._clock())
            for topic in topics.receiving({*groups, *(changed.entity_id for changed in entry.invalidated)}):
                series, changed = groups_series(groups, topic.watch), topic.watch.sees(entry)
                if series or changed:
                    topic.send(Sent(entry.partition, entry.position, series, positions, cursor, changed))
        self._offsets.advance(entry.partition, entry.position)

    async def _watches_renew(self, topics: OrganizationTopics, stale: Sequence[Topic]) -> None:
        """Reload the watches of these topics: all in one transaction, or one by one if that is refused."""
        if not stale:
            return
        now_s = asyncio.get_running_loop().time()
        try:
            watches = await self._watches_read([topic.key for topic in stale])
        except ArgusError as error:
            if len(stale) == 1:
                stale[0].close(error)
                return
            for topic in stale:
                await self._watches_renew(topics, [topic])
            return
        for topic, watch in zip(stale, watches, strict=True):
            changed = links_invalidated(topic.watch, watch, now=self._clock())
            topics.renew(topic, watch, now_s)
            if changed:
                positions = dict(self._offsets.positions)
                cursor = self._encode(topic.key, positions)
                topic.send(Sent(None, 0, (), positions, cursor, invalidated=changed))

    async def _graph_apply(self, topics: OrganizationTopics, revision: int) -> None:
        """Let all topics of an organization see at least this revision of the graph."""
        if topics.revision < revision:
            await self._watches_renew(topics, [topic for topic in topics if topic.watch.revision < revision])
            topics.revision = min((topic.watch.revision for topic in topics), default=revision)

    async def _reconcile(self) -> None:
        """Find entries that the bus lost, and links that changed, every few seconds."""
        lagging: dict[int, int] = {}
        while True:
            await asyncio.sleep(self._reconcile_s)
            try:
                ends: dict[int, int] = {}
                for organization_id, topics in list(self._topics.items()):
                    offsets = {
                        p: self._offsets.positions.get(p, min((topic.floor(p) for topic in topics), default=0))
                        for p in self._source.partitions
                    }
                    work = partial(self._offsets_read, organization_id, offsets)
                    ends = positions_max(ends, await self._run(organization_id, work))
                    revision = await self._run(organization_id, partial(revision_get, organization_id=organization_id))
                    async with self._lock:
                        await self._graph_apply(topics, revision)
                        now_s = asyncio.get_running_loop().time()
                        aged = [t for t in topics if t.key.is_open and now_s - t.loaded_at_s > WATCH_AGE_MAX_S]
                        await self._watches_renew(topics, aged)
                # An entry is committed a moment before the bus brings it: missing is what lagged before too.
                for partition, position in lagging.items():
                    async with self._lock:
                        if self._topics and self._offsets.positions.get(partition, 0) < position:
                            await self._refill(partition, position)
                lagging = ends
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  (the next round tries again)
                _log.warning("feed_reconcile_failed", error=repr(error))

    async def _watch(self, key: TopicKey) -> Watch:
        topics = self._topics.get(key.organization_id)
        topic = None if topics is None else topics.get(key)
        if topic is not None:
            return topic.watch
        return await shared(self._watches_coming, key, partial(self._watch_read, key), is_for_all=_is_for_all)

    async def _watch_read(self, key: TopicKey) -> Watch:
        try:
            [watch] = await self._watches_read([key])
            return watch
        finally:
            # Who subscribes later sees the graph as it is then.
            self._watches_coming.pop(key, None)

    def _watch_now(self, key: TopicKey) -> Watch:
        """Return the watch of a topic with subscribers."""
        topic = self._topics[key.organization_id].get(key)
        assert topic is not None  # noqa: S101  (it lives as long as it has a subscriber)
        return topic.watch

    async def _watches_read(self, keys: Sequence[TopicKey]) -> list[Watch]:
        """Return the watches of topics of one organization: those of callers with the same scope in one transaction."""
        organization_id = keys[0].organization_id
        watches: dict[TopicKey, Watch] = {}
        for under in {key.under: None for key in keys}:
            alike = [key for key in keys if key.under == under]
            requests = [WatchRequest(key.entity_ids, key.under_id, key.metrics) for key in alike]
            work = partial(watches_load, organization_id=organization_id, requests=requests)
            watches |= zip(alike, await self._run(organization_id, work, under=under), strict=True)
        return [watches[key] for key in keys]

    def _offsets_read(self, organization_id: int, after: Mapping[int, int], session: Session) -> Mapping[int, int]:
        recent = self._clock() - RECENT
        return feed_offsets(session, organization_id=organization_id, after=after, recent=recent)

    def _refill_work(
        self, organization_id: int, partition: int, after: int, until: int
    ) -> Callable[[Session], list[FeedEntry]]:
        return partial(
            feed_refill,
            organization_id=organization_id,
            partition=partition,
            after=after,
            until=until,
            recent=self._clock() - RECENT,
        )

    def _encode(self, key: TopicKey, positions: Mapping[int, int]) -> str:
        return cursor_encode(positions, organization_id=key.organization_id, now=self._clock())


def _is_for_all(_: object) -> bool:
    return True
