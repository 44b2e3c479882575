"""Services of an API process, injected at its start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.rules.events.updates import EventLogEnd
from domain.telemetry.ingest.acceptor import Acceptor
from gql.access.auth import TokenVerifier
from gql.access.bridge import Bridge
from gql.access.cookies import Cookies
from gql.access.denials import Denials
from gql.access.gate import Gate
from gql.access.revocation import TokenWatch
from gql.access.shares import Shares
from gql.live.events import EventFeed
from gql.live.hub import FeedHub
from gql.live.watch import ChangeWatch
from graph.trail import TrailPlace


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What another process answered. answer: encoded; None: the operation was not executed, errors says why."""

    answer: bytes | None
    errors: Sequence[Mapping[str, Any]]


# A bearer's token and a request, {"query": ...} in JSON, to the answer. Raises UnavailableError.
Forward = Callable[[str, bytes], Awaitable[Forwarded]]


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one API process.

    bridge: to the core, as the api role. clock: the time, in UTC. new_id: draws identifiers.
    tokens: the tokens behind open sockets. denials: what callers were refused, for the audit trail.
    offline_after: silence after which a device is offline. ready: what is away just now, by name; empty: all is well.
    gate: who gets in. deadline_s: for how long an operation may run. shares: what of the process each token may have.
    busy: which processes that answer reads do not just now, by name. is_live: whether anybody can subscribe here.
    trail, event_log: wake who follows the audit trail, and the updates of events. cookies: of the console's sessions.
    forward: has another process answer what comes over WebSockets and is neither a subscription nor ingest.
    """

    bridge: Bridge
    verifier: TokenVerifier
    gate: Gate
    tokens: TokenWatch
    denials: Denials
    acceptor: Acceptor
    feed: FeedHub
    events: EventFeed
    trail: ChangeWatch[TrailPlace]
    event_log: ChangeWatch[EventLogEnd]
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    offline_after: timedelta
    ready: Callable[[], Awaitable[dict[str, str]]]
    cookies: Cookies
    deadline_s: float = 30.0
    shares: Shares = field(default_factory=Shares)
    busy: Callable[[], Mapping[str, str]] = dict
    is_live: bool = True
    forward: Forward | None = None
