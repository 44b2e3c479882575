"""Wires one API process together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import TypeVar

from redis import RedisError
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from argus.metrics import ApiMetrics
from argus.readers.pool import Readers
from domain.base.measured import Measured
from domain.base.quotas import Quota, QuotaKeeper, Quotas
from domain.pipeline.state import pipeline_state
from domain.telemetry.feed.entries import feed_entry
from domain.telemetry.ingest.acceptor import Acceptor
from domain.telemetry.ingest.directory import DeviceDirectory
from domain.telemetry.ingest.group_commit import GroupCommitter
from domain.telemetry.ingest.publisher import RawPublisher
from domain.work.notifications.address import ALLOWED_KEY, Allowed
from domain.work.notifications.state import deliveries_state
from gql.access.auth import TokenVerifier
from gql.access.bridge import Bridge
from gql.access.gate import Gate, RequestQuotas
from gql.access.revocation import TokenWatch
from gql.access.shares import Shares
from gql.base.services import Services
from gql.live.events import EventFeed
from gql.live.hub import FeedHub
from gql.live.source import BusFeedSource
from gql.server.app import create_app
from graph.stopping import stop_check
from graph.walk.snapshot.cache import INFO_KEY, Snapshots
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.clock import utc_now
from runtime.database import engine_create, statement_interrupt, transaction
from runtime.ids import new_id
from runtime.settings import QuotaSettings, RateSettings, Settings
from runtime.watchdog import DatabaseWatchdog

T = TypeVar("T")

THREADS = 12
# Where others answer reads.
THREADS_BESIDE_READERS = 4
TOKEN_THREADS = 4
# A database that hangs is no better than one that is away: callers are told, and may try again.
# Operations have a deadline of their own; this ends a statement whose operation could not.
READ_TIMEOUT_MORE_S = 5.0
INGEST_TIMEOUT_S = 10.0


def app_create(settings: Settings, *, readers: Readers | None = None) -> Starlette:
    """Return the application of one API process; its parts start and stop with it.

    readers: the processes that answer what is neither ingest nor health; None: this one answers all.
    """
    read_timeout_s = settings.api.deadline_s + READ_TIMEOUT_MORE_S
    threads = THREADS if readers is None else THREADS_BESIDE_READERS
    api = engine_create(settings.database_url("api"), pool_size=threads, statement_timeout_s=read_timeout_s)
    # What was decided between two statements is known to the next.
    event.listen(api, "before_cursor_execute", lambda *_: stop_check())
    directory_engine = engine_create(settings.database_url("api"), pool_size=4, statement_timeout_s=INGEST_TIMEOUT_S)
    ingest = engine_create(settings.database_url("ingest"), pool_size=2, statement_timeout_s=INGEST_TIMEOUT_S)
    # Whoever asks for much, others' tokens are looked at meanwhile.
    tokens = engine_create(settings.database_url("api"), pool_size=TOKEN_THREADS, statement_timeout_s=INGEST_TIMEOUT_S)
    engines = (api, directory_engine, ingest, tokens)
    watchdog = DatabaseWatchdog(settings.database_url("api"), engines=engines)
    checks = ThreadPoolExecutor(4, thread_name_prefix="readiness")
    snapshots = Snapshots(opener=partial(transaction, api), bytes_max=settings.snapshot_max_bytes)
    bridge = Bridge(
        transaction=partial(
            transaction, api, info={INFO_KEY: snapshots, ALLOWED_KEY: Allowed.parse(settings.webhook_allow)}
        ),
        threads=threads,
        interrupt=statement_interrupt,
        is_silent=lambda: watchdog.is_silent,
    )
    token_bridge = Bridge(
        transaction=partial(transaction, tokens), threads=TOKEN_THREADS, is_silent=lambda: watchdog.is_silent
    )
    publisher = RawPublisher(bus=RedisStreams(bus_connect(settings.redis_url)), monotonic_s=time.monotonic)
    committer = GroupCommitter(transaction=partial(transaction, ingest), publish=publisher.put, now=utc_now)

    def read(organization_id: int) -> AbstractContextManager[Session]:
        return transaction(directory_engine, organization_id)

    directory = DeviceDirectory(read=read, partitions=settings.partitions, monotonic_s=time.monotonic)
    source = BusFeedSource(
        bus=RedisStreams(bus_connect(settings.redis_url)), partitions=settings.partitions, decode=feed_entry
    )

    quotas = QuotaKeeper(
        Quotas(device=_quota(settings.quota_device), organization=_quota(settings.quota_organization)),
        monotonic_s=time.monotonic,
    )

    def run(organization_id: int, work: Callable[[Session], T]) -> Awaitable[T]:
        return bridge.run(organization_id, work)

    verifier = TokenVerifier(
        bridge=token_bridge,
        secret=settings.tokens.secret,
        jwks_url=settings.tokens.jwks_url,
        audience=settings.tokens.audience,
        issuer=settings.tokens.issuer,
    )
    services = Services(
        bridge=bridge,
        verifier=verifier,
        tokens=TokenWatch(token_bridge),
        gate=_gate(verifier, settings),
        deadline_s=settings.api.deadline_s,
        acceptor=Acceptor(
            directory=directory,
            committer=committer,
            now=utc_now,
            quotas=quotas,
            is_silent=lambda: watchdog.is_silent,
        ),
        feed=FeedHub(source=source, run=run, clock=utc_now),
        events=EventFeed(
            bus=RedisStreams(bus_connect(settings.redis_url)), partitions=settings.partitions, run=run, clock=utc_now
        ),
        clock=utc_now,
        new_id=new_id,
        offline_after=settings.offline_after,
        ready=partial(_away, watchdog, committer, settings, checks, readers),
        shares=Shares(work=_rate(settings.api.work_token), wait_max_s=settings.api.deadline_s),
        busy=dict if readers is None else readers.busy,
        is_live=readers is None,
    )
    app = create_app(services)
    metrics = _metrics(app, services, quotas, snapshots, api)
    app.state.metrics = metrics
    state = metrics.endpoint(state=partial(bridge.run, None, _state), away=services.ready, readers=readers)
    app.router.routes.append(Route("/metrics", state))
    app.add_middleware(_Counted, metrics=metrics)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Starlette) -> AsyncIterator[None]:
        watchdog.start()
        publisher.start()
        committer.start()
        try:
            async with inner(started):
                yield
        finally:
            # What was handed in is written before the process ends.
            await asyncio.to_thread(committer.stop)
            await asyncio.to_thread(publisher.stop)
            bridge.stop()
            token_bridge.stop()
            await asyncio.to_thread(watchdog.stop)
            checks.shutdown(wait=False)
            for engine in engines:
                engine.dispose()

    app.router.lifespan_context = lifespan
    return app


def _state(session: Session) -> list[Measured]:
    return [*pipeline_state(session), *deliveries_state(session)]


def _metrics(app: Starlette, services: Services, quotas: QuotaKeeper, snapshots: Snapshots, api: Engine) -> ApiMetrics:
    """Return what Prometheus is told of this process."""
    return ApiMetrics(
        routes=app.routes,
        gauges={
            "argus_subscriptions_open": ("Subscriptions to live telemetry", lambda: services.feed.subscribers),
            "argus_event_subscriptions_open": ("Subscriptions to events", lambda: services.events.subscribers),
            "argus_snapshot_bytes": ("Memory that graphs take", lambda: snapshots.nbytes),
            "argus_snapshots": ("Graphs held in memory", lambda: len(snapshots.organization_ids)),
            "argus_database_connections_in_use": ("Connections of the API's pool in use", lambda: _in_use(api)),
        },
        counters={
            "argus_subscription_points_left_out": (
                "Points that were not sent to subscribers who fell behind",
                "subscription",
                {"telemetry": lambda: services.feed.points_left_out},
            ),
            "argus_readings_over_quota": (
                "Readings refused for the quota of their device or their organization",
                "quota",
                {"device": lambda: quotas.over_device, "organization": lambda: quotas.over_organization},
            ),
            "argus_requests_over_rate": (
                "Requests refused because their address, or their token, asked too often, or for too much",
                "rate",
                {
                    "address": lambda: services.gate.refused_addresses,
                    "token": lambda: services.gate.refused_tokens,
                    "work": lambda: services.shares.refused,
                },
            ),
        },
    )


class _Counted:
    """The form in which Starlette takes a middleware."""

    def __init__(self, app: ASGIApp, *, metrics: ApiMetrics) -> None:
        self._app = metrics.counted(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        await self._app(scope, receive, send)


def _gate(verifier: TokenVerifier, settings: Settings) -> Gate:
    return Gate(
        verifier=verifier,
        quotas=RequestQuotas(address=_rate(settings.api.rate_address), token=_rate(settings.api.rate_token)),
        monotonic_s=time.monotonic,
        trusted=settings.api.trusted_proxies,
    )


def _rate(rate: RateSettings) -> Quota | None:
    return Quota(rate.per_s, rate.burst) if rate.per_s else None


def _quota(settings: QuotaSettings) -> Quota | None:
    return Quota(settings.readings_per_s, settings.burst) if settings.readings_per_s else None


def _in_use(engine: Engine) -> int:
    """Return how many connections of an engine's pool are handed out."""
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0


async def _away(
    watchdog: DatabaseWatchdog,
    committer: GroupCommitter,
    settings: Settings,
    threads: Executor,
    readers: Readers | None,
) -> dict[str, str]:
    """Return what does not answer. The bus is told, but ingest answers without it."""

    def bus() -> str | None:
        try:
            with bus_connect(settings.redis_url) as client:
                client.ping()
        except RedisError:
            return "does not answer"
        return None

    # Neither waits for a thread or a connection that callers may all have taken.
    loop = asyncio.get_running_loop()
    database_trouble, bus_trouble = await asyncio.gather(
        loop.run_in_executor(threads, watchdog.ask), loop.run_in_executor(threads, bus)
    )
    found = {"database": database_trouble, "bus": bus_trouble}
    if database_trouble is None and committer.is_disk_full:
        found["database"] = "has no room left on its disk"
    away = {name: trouble for name, trouble in found.items() if trouble is not None}
    return away if readers is None else away | readers.away()
