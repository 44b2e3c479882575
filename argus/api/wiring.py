"""Build the application of one API process, with its database pools, threads and watchdogs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from argus.api.metrics import ApiMetrics
from argus.api.readers.pool import Readers
from argus.console.progress import progress_read
from argus.console.sources import BUILD, console_find
from argus.tokens import signer_of
from domain.base.measured import Measured
from domain.base.quotas import Quota, QuotaKeeper, Quotas
from domain.pipeline.state import pipeline_state
from domain.rules.events.updates import event_updates_look
from domain.telemetry.feed.entries import feed_entry
from domain.telemetry.ingest.acceptor import Acceptor
from domain.telemetry.ingest.directory import DeviceDirectory
from domain.telemetry.ingest.group_commit import GroupCommitter
from domain.telemetry.ingest.publisher import RawPublisher
from domain.work.notifications.address import ALLOWED_KEY, Allowed
from domain.work.notifications.state import deliveries_state
from gql.access.auth import TokenVerifier
from gql.access.bridge import Bridge
from gql.access.cookies import Cookies
from gql.access.denials import Denials
from gql.access.gate import Gate, RequestQuotas
from gql.access.oidc import Client, Provider
from gql.access.revocation import TokenWatch
from gql.access.sessions import Sessions
from gql.access.shares import Shares
from gql.access.suspensions import Suspensions
from gql.base.services import Forward, Services
from gql.live.events import EventFeed
from gql.live.hub import FeedHub
from gql.live.source import BusFeedSource
from gql.live.watch import ChangeWatch
from gql.server.app import create_app
from gql.server.console import Building, Console
from gql.server.exposure import Exposure
from gql.server.rest.documents import texts
from gql.server.session_http import SignInWays
from gql.server.trusted import TrustedDocumentsError, trusted_documents_load
from graph.errors import UnavailableError
from graph.stopping import stop_check
from graph.trail import trail_look
from graph.walk.scopes import SCOPES_KEY, Scopes
from graph.walk.snapshot.cache import INFO_KEY, Snapshots
from runtime.bus.redis_streams import RedisStreams, bus_connect, bus_trouble
from runtime.clock import utc_now
from runtime.database import engine_create, statement_interrupt, transaction
from runtime.ids import new_id
from runtime.settings.kinds import SettingsError
from runtime.settings.model import ApiSettings, QuotaSettings, RateSettings, Settings
from runtime.settings.table import TRUSTED_DOCUMENTS
from runtime.watchdog import DISK_FULL, DatabaseWatchdog

T = TypeVar("T")

THREADS = 12
# Where others answer reads.
THREADS_BESIDE_READERS = 4
TOKEN_THREADS = 4
# A database that hangs counts as unavailable: callers get an error, and may try again.
READ_TIMEOUT_MORE_S = 5.0
INGEST_TIMEOUT_S = 10.0
BUS_WITHIN_S = 2.5


@dataclass(frozen=True, slots=True)
class Pools:
    """Connections to the database: a pool for each of those who must not wait for the others.

    api: of operations. directory, ingest: of readings on their way in. tokens: of checking tokens,
    however busy the others are.
    """

    api: Engine
    directory: Engine
    ingest: Engine
    tokens: Engine

    @staticmethod
    def create(settings: Settings, *, threads: int) -> Pools:
        """Return the pools; nothing is connected yet. threads: how many run operations."""
        # Operations have a deadline of their own; this ends a statement whose operation could not.
        longest_s = settings.api.deadline_s + READ_TIMEOUT_MORE_S
        as_api, as_ingest = settings.database_url("api"), settings.database_url("ingest")
        pools = Pools(
            api=engine_create(as_api, pool_size=threads, statement_timeout_s=longest_s),
            directory=engine_create(as_api, pool_size=4, statement_timeout_s=INGEST_TIMEOUT_S),
            ingest=engine_create(as_ingest, pool_size=2, statement_timeout_s=INGEST_TIMEOUT_S),
            tokens=engine_create(as_api, pool_size=TOKEN_THREADS, statement_timeout_s=INGEST_TIMEOUT_S),
        )
        # What was decided between two statements is known to the next.
        event.listen(pools.api, "before_cursor_execute", lambda *_: stop_check())
        return pools

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All of them."""
        return (self.api, self.directory, self.ingest, self.tokens)


class Parts:
    """What the process runs besides the application, and ends with it."""

    def __init__(self, settings: Settings, *, threads: int) -> None:
        self.settings = settings
        self.pools = pools = Pools.create(settings, threads=threads)
        self.watchdog = watchdog = DatabaseWatchdog(settings.database_url("api"), engines=pools.engines)
        self.checks = ThreadPoolExecutor(4, thread_name_prefix="readiness")
        self.bus_checks = ThreadPoolExecutor(2, thread_name_prefix="readiness-bus")
        self.snapshots = Snapshots(opener=partial(transaction, pools.api), bytes_max=settings.snapshot_max_bytes)
        self.scopes = Scopes()
        info = {INFO_KEY: self.snapshots, SCOPES_KEY: self.scopes, ALLOWED_KEY: Allowed.parse(settings.webhook_allow)}
        self.bridge = Bridge(
            transaction=partial(transaction, pools.api, info=info),
            threads=threads,
            interrupt=statement_interrupt,
            is_silent=lambda: watchdog.is_silent,
        )
        self.token_bridge = Bridge(
            transaction=partial(transaction, pools.tokens), threads=TOKEN_THREADS, is_silent=lambda: watchdog.is_silent
        )
        self.denials = Denials(bridge=self.bridge, new_id=new_id, monotonic_s=time.monotonic)
        self.publisher = RawPublisher(bus=RedisStreams(bus_connect(settings.redis_url)), monotonic_s=time.monotonic)
        self.committer = GroupCommitter(
            transaction=partial(transaction, pools.ingest), publish=self.publisher.put, now=utc_now
        )
        self.quotas = QuotaKeeper(
            Quotas(device=_quota(settings.quota_device), organization=_quota(settings.quota_organization)),
            monotonic_s=time.monotonic,
        )

    def start(self) -> None:
        """Start the threads."""
        self.watchdog.start()
        self.publisher.start()
        self.committer.start()
        self.denials.start()

    async def stop(self) -> None:
        """Write the readings already handed in, then end."""
        await asyncio.to_thread(self.committer.stop)
        await asyncio.to_thread(self.publisher.stop)
        await self.denials.stop()
        self.bridge.stop()
        self.token_bridge.stop()
        await asyncio.to_thread(self.watchdog.stop)
        self.checks.shutdown(wait=False)
        self.bus_checks.shutdown(wait=False, cancel_futures=True)
        for engine in self.pools.engines:
            engine.dispose()


def exposure_of(settings: ApiSettings) -> Exposure:
    """Return what an API shows to whom. Raises SettingsError where its trusted documents cannot be read."""
    path = settings.trusted_documents
    try:
        trusted = None if path is None else trusted_documents_load(Path(path))
    except TrustedDocumentsError as error:
        msg = f"{TRUSTED_DOCUMENTS.name}: {error}"
        raise SettingsError(msg) from None
    if trusted is not None and settings.rest:
        trusted = trusted.with_texts(texts().values())
    return Exposure(
        cors_origins=settings.cors_origins,
        graphiql=settings.graphiql,
        rest=settings.rest,
        anonymous_introspection=settings.anonymous_introspection,
        trusted=trusted,
        console=_console(settings) if settings.console else None,
    )


def _console(settings: ApiSettings) -> Console | None:
    """Return the console, where its sources or what was built of them are here."""
    location = console_find()
    if location is None:
        return None

    def building() -> Building | None:
        progress = None if location.sources is None else progress_read(location.sources)
        if progress is None or (progress.failed is None and not progress.is_running):
            return None
        return Building(progress.step, progress.steps, progress.doing, progress.failed)

    return Console(
        location.dist, wanted=location.stamp_wanted, building=building, command=BUILD, graphiql=settings.graphiql
    )


def app_create(
    settings: Settings, exposure: Exposure, *, readers: Readers | None = None, forward: Forward | None = None
) -> Starlette:
    """Return the application of one API process; its parts start and stop with it.

    readers: the processes that answer what is neither ingest nor health; None: this one answers all. forward: has
    others answer what comes over WebSockets and is neither a subscription nor ingest; None: this one does.
    """
    parts = Parts(settings, threads=THREADS if readers is None else THREADS_BESIDE_READERS)
    services = _services(parts, readers, forward)
    app = create_app(services, replace(exposure, sign_in=_sign_in(settings)))
    metrics = _metrics(app, services, parts)
    app.state.metrics = metrics
    state = metrics.endpoint(state=partial(parts.bridge.run, None, _state), unavailable=services.ready, readers=readers)
    app.router.routes.append(Route("/metrics", state))
    app.add_middleware(_Counted, metrics=metrics)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Starlette) -> AsyncIterator[None]:
        parts.start()
        try:
            async with inner(started):
                yield
        finally:
            await parts.stop()

    app.router.lifespan_context = lifespan
    return app


def _services(parts: Parts, readers: Readers | None, forward: Forward | None) -> Services:
    """Return what the application needs of this process."""
    settings, bridge = parts.settings, parts.bridge

    def directory_read(organization_id: int) -> AbstractContextManager[Session]:
        return transaction(parts.pools.directory, organization_id, info={SCOPES_KEY: parts.scopes})

    def run(
        organization_id: int, work: Callable[[Session], T], *, under: Collection[UUID] | None = None
    ) -> Awaitable[T]:
        return bridge.run(organization_id, work, under=under)

    sessions = Sessions(parts.token_bridge, time.monotonic)
    suspensions = Suspensions(parts.token_bridge, time.monotonic)
    signer = signer_of(settings)
    verifier = TokenVerifier(
        bridge=parts.token_bridge,
        secret=settings.tokens.secret,
        jwks_url=settings.tokens.jwks_url,
        audience=settings.tokens.audience,
        issuer=settings.tokens.issuer,
        claims=settings.tokens.claims,
        sessions=sessions,
        suspensions=suspensions,
        signer=signer,
    )
    gate = _gate(verifier, settings)
    source = BusFeedSource(
        bus=RedisStreams(bus_connect(settings.redis_url)), partitions=settings.partitions, decode=feed_entry
    )
    return Services(
        bridge=bridge,
        verifier=verifier,
        tokens=TokenWatch(parts.token_bridge, sessions, suspensions),
        denials=parts.denials,
        gate=gate,
        cookies=Cookies(
            gate, identity="" if signer is None else signer.identity, public_url=settings.tokens.public_url
        ),
        deadline_s=settings.api.deadline_s,
        acceptor=Acceptor(
            directory=DeviceDirectory(read=directory_read, partitions=settings.partitions, monotonic_s=time.monotonic),
            committer=parts.committer,
            now=utc_now,
            quotas=parts.quotas,
            is_silent=lambda: parts.watchdog.is_silent,
        ),
        feed=FeedHub(source=source, run=run, clock=utc_now),
        events=EventFeed(
            bus=RedisStreams(bus_connect(settings.redis_url)), partitions=settings.partitions, run=run, clock=utc_now
        ),
        trail=ChangeWatch(what="entities and edges", run=run, look=trail_look),
        event_log=ChangeWatch(what="updates of events", run=run, look=event_updates_look),
        clock=utc_now,
        new_id=new_id,
        offline_after=settings.offline_after,
        ready=partial(_unavailable, parts, readers),
        shares=Shares(work=_rate(settings.api.work_token), wait_max_s=settings.api.deadline_s),
        busy=dict if readers is None else readers.busy,
        is_live=readers is None,
        forward=forward,
    )


def _sign_in(settings: Settings) -> SignInWays:
    """Return how people sign in to the console."""
    tokens, bus = settings.tokens, bus_connect(settings.redis_url)
    oidc = tokens.oidc
    provider = None if oidc is None else Provider(Client(oidc.issuer, oidc.client_id, oidc.client_secret, oidc.scopes))

    def first(identity: str, lifetime_s: float) -> bool:
        try:
            return bool(bus.set(f"argus:sign-in:{identity}", b"", nx=True, ex=math.ceil(lifetime_s)))
        except RedisError:
            raise UnavailableError("Valkey does not answer, which remembers what was used; try again.") from None

    async def once(identity: str, lifetime_s: float) -> bool:
        return await asyncio.to_thread(first, identity, lifetime_s)

    return SignInWays(
        signer=signer_of(settings),
        provider=provider,
        public_url=tokens.public_url,
        has_links=tokens.secret is not None,
        once=once,
    )


def _state(session: Session) -> list[Measured]:
    return [*pipeline_state(session), *deliveries_state(session)]


def _metrics(app: Starlette, services: Services, parts: Parts) -> ApiMetrics:
    """Return the metrics of this process."""
    quotas, snapshots, api = parts.quotas, parts.snapshots, parts.pools.api
    return ApiMetrics(
        routes=app.routes,
        gauges={
            "argus_subscriptions_open": ("Subscriptions to live telemetry", lambda: services.feed.subscribers),
            "argus_event_subscriptions_open": ("Subscriptions to events", lambda: services.events.subscribers),
            "argus_change_subscriptions_open": (
                "Subscriptions to entities, edges and updates of events",
                lambda: services.trail.subscribers + services.event_log.subscribers,
            ),
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
                "Requests refused because of their address's or their token's rate or cost",
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
    """Return how many connections of an engine's pool are in use."""
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0


async def _unavailable(parts: Parts, readers: Readers | None) -> dict[str, str]:
    """Return the parts that do not answer, each with the reason. The bus is listed, but ingest answers without it."""
    # Neither waits for a thread or a connection that callers may all have taken.
    loop = asyncio.get_running_loop()
    database_trouble, trouble_of_bus = await asyncio.gather(
        loop.run_in_executor(parts.checks, parts.watchdog.ask), _bus_trouble(parts)
    )
    troubles = {"database": database_trouble, "bus": trouble_of_bus}
    if database_trouble is None and parts.committer.is_disk_full:
        troubles["database"] = DISK_FULL
    unavailable = {name: trouble for name, trouble in troubles.items() if trouble is not None}
    return unavailable if readers is None else unavailable | readers.unavailable()


async def _bus_trouble(parts: Parts) -> str | None:
    """Return what is wrong with the bus, within BUS_WITHIN_S, however many requests check it."""
    looking = asyncio.get_running_loop().run_in_executor(parts.bus_checks, bus_trouble, parts.settings.redis_url)
    try:
        async with asyncio.timeout(BUS_WITHIN_S):
            return await looking
    except TimeoutError:
        return "does not answer"
