"""The subscription `events`: changes of events, over a socket, to matching subscribers of the organization."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from websockets.asyncio.client import ClientConnection

import gql.live.events
from domain.base.bus import BusEntry
from domain.base.streams import EVENTS, stream_name
from domain.rules.events.entries import events_encode
from domain.rules.events.queries import EventFilter
from gql.access.bridge import Bridge
from gql.live.events import EventFeed
from graph.errors import UnavailableError
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from testing.api import Api
from testing.waits import patient, quiet_period_async, wait_until_async
from tests.gql.server.graphql_ws import receive, run, send, socket, subscribe

T = TypeVar("T")
FIELDS = "{ id state severity openedAt clearedAt rule { name } entity { name } }"
HOT = {"threshold": {"metric": "t", "operator": "GT", "value": 80}}


@dataclass(frozen=True, slots=True)
class Site:
    """An organization with a rule, and an asset in a hall."""

    api: Api
    slug: str
    organization_id: int
    rule_id: str
    pump: str
    hall: str

    def execute(self, statement: str, **values: Any) -> None:
        engine = engine_create(self.api.settings.database_url("owner"), pool_size=1)
        with transaction(engine) as session:
            session.execute(text(statement), {"o": self.organization_id, **values})
        engine.dispose()

    def open(self, *, severity: str = "HIGH") -> UUID:
        """Store an open event of the pump, as the derive stage does."""
        event_id = new_id()
        self.execute(
            """INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at,
                 severity, value, flaps, detected_at)
               VALUES (:o, :id, :rule, :entity, '', :id, '2026-01-01Z', '2026-01-01T00:05Z', :severity, 91, 0, now())""",
            id=event_id, rule=self.rule_id, entity=self.pump, severity=severity,
        )  # fmt: skip
        self.change(event_id, "OPENED")
        return event_id

    def clear(self, event_id: UUID) -> None:
        self.execute(
            "UPDATE events SET cleared_at = '2026-01-01T01:00Z', cleared_reason = 'CONDITION' WHERE id = :id",
            id=event_id,
        )
        self.change(event_id, "CLEARED")

    def change(self, event_id: UUID, kind: str) -> None:
        self.execute(
            """INSERT INTO event_changes (organization_id, event_id, kind, at, side_effects_disabled)
               VALUES (:o, :id, :kind, '2026-01-01Z', false)""",
            id=event_id, kind=kind,
        )  # fmt: skip

    def announce(self, *ids: UUID, partition: int = 0) -> None:
        with bus_connect(self.api.settings.redis_url) as client:
            RedisStreams(client).publish(stream_name(EVENTS, partition), [events_encode(self.organization_id, ids)])


def site(api: Api, slug: str) -> Site:
    organization_id = api.organization(slug)
    client = api.client(slug)
    rule = client.call(
        "mutation M($i: RuleInput!) { createRule(input: $i) { rule { id } } }",
        {"i": {"name": "hot", "condition": HOT}},
    ).data["createRule"]["rule"]["id"]
    pump = client.call('mutation { createAsset(input: {name: "Pump"}) { asset { id } } }').data["createAsset"]["asset"]
    hall = client.call('mutation { createSpace(input: {name: "Hall"}) { space { id } } }').data["createSpace"]["space"]
    client.call(
        """mutation M($s: ID!, $t: ID!) {
             createEdge(input: {sourceId: $s, targetId: $t, relationship: "LOCATED_IN"}) { errors { code } } }""",
        {"s": pump["id"], "t": hall["id"]},
    )
    return Site(api, slug, organization_id, rule, pump["id"], hall["id"])


@asynccontextmanager
async def subscribed(of: Site, arguments: str = "") -> AsyncIterator[ClientConnection]:
    async with socket(of.api, token=of.api.token(of.slug, "viewer")) as opened:
        before = of.api.services.events.subscribers
        await send(opened, subscribe("1", f"subscription {{ events{arguments} {FIELDS} }}"))
        await wait_until_async(lambda: of.api.services.events.subscribers > before)
        yield opened


async def sent_event(opened: ClientConnection) -> Any:
    message = await receive(opened)
    assert message["type"] == "next", message
    return message["payload"]["data"]["events"]


async def nothing_more(opened: ClientConnection) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(opened.recv(), timeout=0.8)


def test_changes_of_an_event_are_sent_to_its_own_organization(api: Api) -> None:
    north, south = site(api, "event-north"), site(api, "event-south")

    async def scenario() -> None:
        async with subscribed(north) as ours, subscribed(south) as theirs:
            event_id = await asyncio.to_thread(north.open)
            await asyncio.to_thread(north.announce, event_id)
            assert await sent_event(ours) == {
                "id": str(event_id), "state": "OPEN", "severity": "HIGH", "openedAt": "2026-01-01T00:05:00Z",
                "clearedAt": None, "rule": {"name": "hot"}, "entity": {"name": "Pump"},
            }  # fmt: skip
            await asyncio.to_thread(north.clear, event_id)
            await asyncio.to_thread(partial(north.announce, event_id, partition=1))
            cleared = await sent_event(ours)
            assert (cleared["state"], cleared["clearedAt"]) == ("CLEARED", "2026-01-01T01:00:00Z")
            # An entry that names another organization's event sends it nothing.
            await asyncio.to_thread(south.announce, event_id)
            await nothing_more(theirs)
            await nothing_more(ours)

    run(scenario)


def test_a_persons_annotation_of_an_event_is_sent(api: Api) -> None:
    of = site(api, "event-marks")
    client = api.client(of.slug, "operator")
    acknowledged = "(filter: {states: [ACKNOWLEDGED]})"

    async def scenario() -> None:
        event_id = await asyncio.to_thread(of.open)
        async with subscribed(of) as ours, subscribed(of, acknowledged) as narrow:
            for mutation, state in (
                ('commentEvent(id: $id, note: "hm")', "OPEN"),
                ("acknowledgeEvent(id: $id)", "ACKNOWLEDGED"),
                ("dismissEvent(id: $id)", "DISMISSED"),
            ):
                query = f"mutation M($id: ID!) {{ {mutation} {{ errors {{ code }} }} }}"
                reply = await asyncio.to_thread(client.call, query, {"id": str(event_id)})
                assert [payload["errors"] for payload in reply.data.values()] == [[]]
                got = await sent_event(ours)
                assert (got["id"], got["state"]) == (str(event_id), state)
            assert (await sent_event(narrow))["state"] == "ACKNOWLEDGED"
            # One that is not there is not sent.
            nobody = "mutation M($id: ID!) { acknowledgeEvent(id: $id) { errors { code } } }"
            refused = await asyncio.to_thread(client.call, nobody, {"id": str(new_id())})
            assert refused.data["acknowledgeEvent"]["errors"] == [{"code": "NOT_FOUND"}]
            await nothing_more(ours)
            await nothing_more(narrow)

    run(scenario)


def test_the_filter_chooses_in_the_database(api: Api) -> None:
    of = site(api, "event-filters")
    made = api.client(of.slug).call('mutation { createSpace(input: {name: "Attic"}) { space { id } } }')
    attic = made.data["createSpace"]["space"]["id"]
    matching = (
        "(filter: {states: [OPEN]})",
        "(filter: {severities: [HIGH, CRITICAL]})",
        f'(filter: {{underId: "{of.hall}"}})',
        f'(filter: {{entityIds: ["{of.pump}"], ruleIds: ["{of.rule_id}"]}})',
        '(filter: {openAt: "2026-01-02T00:00:00Z"})',
    )
    others = (
        "(filter: {states: [CLEARED]})",
        "(filter: {severities: [LOW]})",
        f'(filter: {{underId: "{attic}"}})',
        "(filter: {entityIds: []})",
        '(filter: {to: "2026-01-01T00:05:00Z"})',
    )

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(subscribed(of, connection)) for connection in matching + others]
            event_id = await asyncio.to_thread(of.open)
            await asyncio.to_thread(of.announce, event_id)
            for connection in opened[: len(matching)]:
                assert (await sent_event(connection))["id"] == str(event_id)
            await asyncio.gather(*(nothing_more(connection) for connection in opened[len(matching) :]))

    run(scenario)


def test_an_unknown_place_and_too_many_ids_and_subscribers_are_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, other = site(api, "event-bounds"), site(api, "event-bounds-other")

    async def refused(arguments: str) -> Any:
        async with socket(api, token=api.token(of.slug, "viewer")) as opened:
            await send(opened, subscribe("1", f"subscription {{ events{arguments} {FIELDS} }}"))
            payload = (await receive(opened))["payload"]
            errors = payload["errors"] if isinstance(payload, dict) else payload
            return errors[0]["extensions"]["code"]

    async def scenario() -> None:
        assert await refused(f'(filter: {{underId: "{other.hall}"}})') == "NOT_FOUND"
        monkeypatch.setattr("domain.rules.events.queries.FILTER_IDS_MAX", 1)
        assert await refused(f'(filter: {{entityIds: ["{of.pump}", "{of.hall}"]}})') == "LIMIT_EXCEEDED"
        assert await refused(f'(filter: {{ruleIds: ["{of.pump}", "{of.hall}"]}})') == "LIMIT_EXCEEDED"
        monkeypatch.setattr(gql.live.events, "SUBSCRIBERS_MAX", 0)
        assert await refused("") == "LIMIT_EXCEEDED"

    run(scenario)


class UnreachableBus:
    """A bus that is away until it is let back, and counts how often it is read and refuses to be."""

    def __init__(self, bus: RedisStreams) -> None:
        self._bus = bus
        self.is_down = False
        self.reads = self.reads_ended = self.refusals = 0

    def publish(self, stream: str, payloads: Sequence[bytes]) -> int:
        if self.is_down:
            raise ConnectionError
        return self._bus.publish(stream, payloads)

    def last_ids(self, streams: Sequence[str]) -> Sequence[str]:
        if self.is_down:
            raise ConnectionError
        return self._bus.last_ids(streams)

    def read_after(
        self, positions: Mapping[str, str], *, count: int, block_ms: int
    ) -> Mapping[str, Sequence[BusEntry]]:
        self.reads += 1
        try:
            if self.is_down:
                self.refusals += 1
                raise ConnectionError
            return self._bus.read_after(positions, count=count, block_ms=block_ms)
        finally:
            self.reads_ended += 1


@asynccontextmanager
async def feed_of(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[EventFeed, UnreachableBus]]:
    monkeypatch.setattr(gql.live.events, "BLOCK_MS", 20)
    monkeypatch.setattr(gql.live.events, "_BACKOFF_S", 0.02)
    engine = engine_create(api.settings.database_url("api"), pool_size=2)
    bridge = Bridge(transaction=partial(transaction, engine), threads=2)

    def run_(
        organization_id: int, work: Callable[[Session], T], *, under: Collection[UUID] | None = None
    ) -> Awaitable[T]:
        return bridge.run(organization_id, work, under=under)

    with bus_connect(api.settings.redis_url) as client:
        bus: Any = UnreachableBus(RedisStreams(client))
        feed = EventFeed(bus=bus, partitions=2, run=run_, clock=utc_now)
        try:
            yield feed, bus
        finally:
            await feed.stop()
            bridge.stop()
            engine.dispose()


def test_changes_during_a_bus_outage_are_sent_afterwards(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    of = site(api, "event-away")

    async def scenario() -> None:
        async with feed_of(api, monkeypatch) as (feed, bus):
            events: Any = feed.subscribe(organization_id=of.organization_id, where=EventFilter())
            first = asyncio.create_task(anext(events))
            # It has found where to begin to read.
            await wait_until_async(lambda: bus.reads)
            bus.is_down = True
            # Never announced on the bus.
            event_id = await asyncio.to_thread(of.open)
            refusals = bus.refusals
            await wait_until_async(lambda: bus.refusals > refusals + 1)
            assert not first.done()
            bus.is_down = False
            assert (await asyncio.wait_for(first, patient(30))).id == event_id
            await events.aclose()

    run(scenario)


def test_an_annotation_while_the_bus_is_down_is_sent_here_at_once_and_elsewhere_after(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = site(api, "event-mark-away")

    async def scenario() -> None:
        event_id = await asyncio.to_thread(of.open)
        async with feed_of(api, monkeypatch) as (here, bus), feed_of(api, monkeypatch) as (there, other):
            streams: list[Any] = [
                feed.subscribe(organization_id=of.organization_id, where=EventFilter()) for feed in (here, there)
            ]
            waiting = [asyncio.create_task(anext(stream)) for stream in streams]
            # Both have found where to begin to read.
            await wait_until_async(lambda: bus.reads and other.reads)
            bus.is_down = other.is_down = True
            # What is read already ends first.
            await wait_until_async(lambda: bus.refusals and other.refusals)
            await asyncio.to_thread(
                of.execute,
                "UPDATE event_changes SET recorded_at = now() - interval '1 day' WHERE organization_id = :o",
            )
            await asyncio.to_thread(
                of.execute,
                "INSERT INTO event_annotations VALUES (:o, :m, :id, 'COMMENT', clock_timestamp(), 'ann', 'hm')",
                m=new_id(), id=event_id,
            )  # fmt: skip
            await here.publish(organization_id=of.organization_id, event_ids=[event_id])
            assert (await asyncio.wait_for(waiting[0], patient(30))).id == event_id
            assert not waiting[1].done()
            other.is_down = False
            assert (await asyncio.wait_for(waiting[1], patient(30))).id == event_id
            for stream in streams:
                await stream.aclose()

    run(scenario)


def test_the_bus_is_read_once_for_all_subscribers_and_only_while_there_are_any(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = site(api, "event-watch")

    async def scenario() -> None:
        async with feed_of(api, monkeypatch) as (feed, bus):
            # Nothing is to be read while nobody subscribes.
            await quiet_period_async(0.1)
            assert bus.reads == 0
            streams: list[Any] = [
                feed.subscribe(organization_id=of.organization_id, where=EventFilter()) for _ in range(3)
            ]
            waiting = [asyncio.create_task(anext(stream)) for stream in streams]
            await wait_until_async(lambda: feed.subscribers == 3)
            event_id = await asyncio.to_thread(of.open)
            await asyncio.to_thread(of.announce, event_id)
            answers = await asyncio.wait_for(asyncio.gather(*waiting), patient(30))
            # One load for all: each has the same object.
            assert [answer is answers[0] for answer in answers] == [True, True, True]
            cancelled = asyncio.create_task(anext(streams[0]))
            await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
            assert feed.subscribers == 2
            for stream in streams[1:]:
                await stream.aclose()
            assert feed.subscribers == 0
            # What is read already ends first; then nothing is to be read.
            await wait_until_async(lambda: bus.reads == bus.reads_ended)
            reads = bus.reads
            await quiet_period_async(0.2)
            assert bus.reads == reads

    run(scenario)


async def _exhaust(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass


def test_a_slow_client_gets_the_last_state_of_each_and_too_slow_a_one_is_disconnected(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = site(api, "event-slow")

    async def scenario() -> None:
        async with feed_of(api, monkeypatch) as (feed, _bus):
            streams: list[Any] = [
                feed.subscribe(organization_id=of.organization_id, where=EventFilter()) for _ in range(2)
            ]
            slow, quick = streams
            waiting = [asyncio.create_task(anext(stream)) for stream in streams]
            await wait_until_async(lambda: feed.subscribers == 2)
            ids = [await asyncio.to_thread(of.open) for _ in range(3)]
            await asyncio.to_thread(of.announce, ids[0])
            for first in await asyncio.wait_for(asyncio.gather(*waiting), patient(30)):
                assert first.id == ids[0]
            await asyncio.to_thread(of.announce, ids[1])
            await asyncio.to_thread(of.clear, ids[1])
            await asyncio.to_thread(of.announce, ids[1])
            # What the quick one has, waits for the slow one.
            async with asyncio.timeout(patient(30)):
                while (await anext(quick)).cleared_at is None:
                    pass
            monkeypatch.setattr(gql.live.events, "WAITING_MAX", 1)
            cleared = await anext(slow)
            assert (cleared.id, cleared.cleared_reason) == (ids[1], "CONDITION")
            await asyncio.to_thread(of.announce, *ids)
            for stream in (quick, slow):
                # Each may have been sent what was announced twice before.
                with pytest.raises(UnavailableError):
                    await asyncio.wait_for(_exhaust(stream), patient(30))
            assert feed.subscribers == 0

    run(scenario)
