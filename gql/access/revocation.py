"""Revocation of tokens, keys and sessions while a WebSocket or a stream is open: within a second, by whoever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from domain.plant.devices.tokens import TokenOwner, device_tokens_ended
from domain.plant.organizations.api_keys import api_keys_ended
from gql.access.bridge import Bridge
from gql.access.principal import Principal
from gql.access.sessions import Sessions
from gql.access.suspensions import Suspensions
from gql.errors import UnauthenticatedError
from graph.errors import UnavailableError
from graph.ids import EntityId

LOOK_EVERY_S: Final = 0.5
# So many tokens are asked about in one statement.
TOKENS_AT_ONCE: Final = 10_000
_log = structlog.get_logger(__name__)

ENDED: Final = (
    "The token was revoked or has expired, its device is deleted, its organization is suspended, "
    "or the user's sessions were ended"
)


class TokenWatch:
    """The tokens and keys behind the open sockets of this process: looked up twice a second."""

    def __init__(self, bridge: Bridge, sessions: Sessions, suspensions: Suspensions) -> None:
        self._bridge = bridge
        self._sessions = sessions
        self._suspensions = suspensions
        self._sockets: dict[Hashable, tuple[Principal, set[Callable[[], None]]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def check(self, principal: Principal) -> None:
        """Raise UnauthenticatedError where a token or key is no longer valid, or the user's sessions were ended."""
        if await self._ended([principal]):
            raise UnauthenticatedError(f"{ENDED}.")

    @contextmanager
    def watching(self, principal: Principal | None, close: Callable[[], None]) -> Iterator[None]:
        """Call `close` once when the token is no longer valid, until the block ends."""
        if principal is None:
            yield
            return
        key = _key(principal)
        _, closers = self._sockets.setdefault(key, (principal, set()))
        closers.add(close)
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            closers.discard(close)
            if not closers:
                self._sockets.pop(key, None)

    async def stop(self) -> None:
        """End the watch."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        try:
            while self._sockets:
                bearers = [bearer for bearer, _ in self._sockets.values()]
                for begin in range(0, len(bearers), TOKENS_AT_ONCE):
                    await self._look_at(bearers[begin : begin + TOKENS_AT_ONCE])
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._task = None

    async def _look_at(self, bearers: Sequence[Principal]) -> None:
        try:
            self._close(await self._ended(bearers))
        except UnavailableError:
            # While the database is away nothing is known of any token; and no operation goes through.
            pass
        except Exception as error:  # noqa: BLE001  (whatever it was, the tokens are looked at again)
            _log.warning("token_watch_failed", error=repr(error))

    def _close(self, keys: Iterable[Hashable]) -> None:
        for key in keys:
            _, closers = self._sockets.pop(key, (None, set[Callable[[], None]]()))
            for close in list(closers):
                close()

    async def _ended(self, bearers: Sequence[Principal]) -> set[Hashable]:
        ended: set[Hashable] = set()
        tokens = [bearer for bearer in bearers if bearer.token_id is not None]
        if tokens:
            ended |= await self._bridge.run(None, partial(_ended, bearers=tokens))
        for bearer in bearers:
            if await self._suspensions.is_suspended(bearer.organization_id) or (
                bearer.token_id is None and await self._sessions.has_ended(bearer)
            ):
                ended.add(_key(bearer))
        return ended


def _key(bearer: Principal) -> Hashable:
    """Return what is revoked: a token or a key by its id, a user's session by when it began."""
    return bearer.token_id or (bearer.organization_id, bearer.subject, bearer.issued_at)


def _ended(session: Session, *, bearers: Sequence[Principal]) -> set[UUID]:
    owners: list[TokenOwner] = []
    keys: list[tuple[int, UUID]] = []
    for bearer in bearers:
        assert bearer.token_id is not None  # noqa: S101  (only such are watched)
        if bearer.device_id is None:
            keys.append((bearer.organization_id, bearer.token_id))
        else:
            owners.append(TokenOwner(bearer.organization_id, EntityId(bearer.device_id), bearer.token_id))
    ended = device_tokens_ended(session, owners=owners) if owners else set()
    return ended | (api_keys_ended(session, keys=keys) if keys else set())
