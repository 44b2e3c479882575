"""The live feed of events: send changes to the subscribers of one API process.

The process reads the bus while somebody watches, all partitions and without a group, and loads the events that an entry
names once, for all who watch in that organization. What the bus did not bring while it was away, the outbox of changes
has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from domain.base.bus import Bus, BusEntry
from domain.base.streams import EVENTS, stream_name
from domain.rules.events.entries import events_decode, events_encode
from domain.rules.events.queries import EventFilter, events_changed_since, events_matching
from domain.rules.model import Event
from domain.telemetry.feed.entries import EntryError
from gql.live.hub import SessionRunner
from graph.errors import LimitExceededError, UnavailableError

SUBSCRIBERS_MAX: Final = 10_000
# Events that may wait for a slow client, each as it last was; one for which more wait is sent away.
WAITING_MAX: Final = 10_000
# Events that are loaded at once.
LOADED_MAX: Final = 1_000
READ_MAX: Final = 256
BLOCK_MS: Final = 500
_BACKOFF_S: Final = 0.5
# How much earlier than the last good look changes are read again: transactions that took long, clocks that differ.
_OVERLAP: Final = timedelta(seconds=30)

_log = structlog.get_logger(__name__)


class _Topic(NamedTuple):
    """What identical subscriptions ask for. under: the entities below which their callers may see; None: everywhere."""

    under: tuple[UUID, ...] | None
    where: EventFilter


class _Subscriber:
    """The backlog of one client: events by id, each in its latest state."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, Event] = {}
        self._wake = asyncio.Event()
        self._is_behind = False
        self._is_closed = False

    def put(self, event: Event) -> None:
        """Add an event, replacing a waiting update of it."""
        self._waiting.pop(event.id, None)
        if len(self._waiting) >= WAITING_MAX:
            self._is_behind = True
            self._waiting.clear()
        if not self._is_behind:
            self._waiting[event.id] = event
        self._wake.set()

    def close(self) -> None:
        """End the subscription after the waiting updates."""
        self._is_closed = True
        self._wake.set()

    async def next(self) -> Event | None:
        """Return the next event; None at the end. Raises UnavailableError where too many had to wait."""
        while not self._waiting:
            if self._is_behind:
                raise UnavailableError("The client is too slow; list the events, and subscribe again.")
            if self._is_closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class EventFeed:
    """The live feed of events of one API process.

    partitions: of the stream. run: runs work in a transaction that acts for an organization. clock: UTC.
    """

    def __init__(self, *, bus: Bus, partitions: int, run: SessionRunner, clock: Callable[[], datetime]) -> None:
        self._streams = [stream_name(EVENTS, partition) for partition in range(partitions)]
        self._bus = bus
        self._run = run
        self._clock = clock
        # By organization, who asked for the same, below the same entities.
        self._topics: dict[int, dict[_Topic, set[_Subscriber]]] = {}
        self._reader: asyncio.Task[None] | None = None

    @property
    def subscribers(self) -> int:
        """The number of subscriptions."""
        return sum(len(topic) for topics in list(self._topics.values()) for topic in list(topics.values()))

    async def subscribe(
        self, *, organization_id: int, where: EventFilter, under: tuple[UUID, ...] | None = None
    ) -> AsyncIterator[Event]:
        """Yield matching events whenever they change, until the feed stops or the caller disconnects.

        where: hashable, so with tuples. under: only those of entities that lie below these at the time.
        Raises LimitExceededError where too many watch, UnavailableError where the caller is too slow.
        """
        if self.subscribers >= SUBSCRIBERS_MAX:
            raise LimitExceededError(f"This process serves {SUBSCRIBERS_MAX} subscriptions to events.")
        subscriber = _Subscriber()
        topic = _Topic(under, where)
        self._topics.setdefault(organization_id, {}).setdefault(topic, set()).add(subscriber)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        try:
            while (event := await subscriber.next()) is not None:
                yield event
        finally:
            self._leave(organization_id, topic, subscriber)

    async def publish(self, *, organization_id: int, event_ids: Sequence[UUID]) -> None:
        """Publish committed changes of events to the subscribers of all processes. Never raises for the bus.

        Without the bus only those of this process are notified; the others read it once the bus is back.
        """
        payloads = [
            events_encode(organization_id, event_ids[first : first + LOADED_MAX])
            for first in range(0, len(event_ids), LOADED_MAX)
        ]
        if not payloads:
            return
        try:
            # Any of the streams does: they are all read, and an entry only says where to look.
            await asyncio.to_thread(self._bus.publish, self._streams[0], payloads)
        except ConnectionError as error:
            _log.warning("event_not_published", error=repr(error))
            await self._deliver({organization_id: event_ids})

    async def stop(self) -> None:
        """End every subscription and the reading."""
        for topics in self._topics.values():
            for subscribers in topics.values():
                for subscriber in subscribers:
                    subscriber.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _leave(self, organization_id: int, topic: _Topic, subscriber: _Subscriber) -> None:
        topics = self._topics[organization_id]
        topics[topic].discard(subscriber)
        if not topics[topic]:
            del topics[topic]
        if not topics:
            del self._topics[organization_id]
        if not self._topics and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def _read(self) -> None:
        """Read until cancelled; after a failure, send changes since the last success again."""
        ids: dict[str, str] = {}
        good, since = self._clock(), None
        while True:
            begun = self._clock()
            try:
                if not ids:
                    last = await asyncio.to_thread(self._bus.last_ids, self._streams)
                    ids = dict(zip(self._streams, last, strict=True))
                result = await asyncio.to_thread(self._bus.read_after, dict(ids), count=READ_MAX, block_ms=BLOCK_MS)
                ids |= {stream: entries[-1][0] for stream, entries in result.items() if entries}
                if since is not None:
                    await self._deliver_since(since)
                await self._deliver(_ids_by_organization(result))
            except Exception as error:  # noqa: BLE001  (whatever it was, the subscribers stay)
                _log.warning("event_feed_failed", error=repr(error))
                since = good - _OVERLAP if since is None else since
                await asyncio.sleep(_BACKOFF_S)
            else:
                good, since = begun, None

    async def _deliver_since(self, since: datetime) -> None:
        for organization_id in list(self._topics):
            work = partial(events_changed_since, organization_id=organization_id, since=since)
            await self._deliver({organization_id: await self._run(organization_id, work)})

    async def _deliver(self, changed: Mapping[int, Sequence[UUID]]) -> None:
        for organization_id, ids in changed.items():
            for first in range(0, len(ids), LOADED_MAX):
                for under in {topic.under: None for topic in self._topics.get(organization_id, ())}:
                    await self._deliver_below(organization_id, under, ids[first : first + LOADED_MAX])

    async def _deliver_below(self, organization_id: int, under: tuple[UUID, ...] | None, ids: Sequence[UUID]) -> None:
        """Send events to the subscribers who see what lies below these entities."""
        filters = [topic.where for topic in self._topics.get(organization_id, ()) if topic.under == under]
        work = partial(events_matching, organization_id=organization_id, ids=ids, filters=filters)
        fitting = await self._run(organization_id, work, under=under)
        # Who came or went meanwhile is looked up only now.
        topics = self._topics.get(organization_id, {})
        for where, events in zip(filters, fitting, strict=True):
            for subscriber in topics.get(_Topic(under, where), ()):
                for event in events:
                    subscriber.put(event)


def _ids_by_organization(entries: Mapping[str, Sequence[BusEntry]]) -> dict[int, list[UUID]]:
    """Return the events that entries name, each once."""
    changed: dict[int, dict[UUID, None]] = {}
    for stream, of_stream in entries.items():
        for entry_id, payload in of_stream:
            try:
                organization_id, ids = events_decode(payload)
            except EntryError as error:
                _log.warning("event_entry_unreadable", stream=stream, entry=entry_id, error=str(error))
                continue
            changed.setdefault(organization_id, {}).update(dict.fromkeys(ids))
    return {organization_id: list(ids) for organization_id, ids in changed.items()}
