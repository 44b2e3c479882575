"""Revocation of device tokens while a WebSocket is open: noticed within a second, whichever process revoked it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from domain.plant.devices.tokens import TokenOwner, device_tokens_ended
from gql.access.bridge import Bridge
from gql.access.principal import Principal
from gql.errors import UnauthenticatedError
from graph.errors import UnavailableError
from graph.ids import EntityId

LOOK_EVERY_S: Final = 0.5
# So many tokens are asked about in one statement.
TOKENS_AT_ONCE: Final = 10_000
_log = structlog.get_logger(__name__)

ENDED: Final = "The token was revoked or has expired, or its device is deleted"


class TokenWatch:
    """The device tokens behind the open sockets of this process: asked for twice a second while there are any."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._sockets: dict[UUID, tuple[TokenOwner, set[Callable[[], None]]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def check(self, principal: Principal) -> None:
        """Raise UnauthenticatedError where a device's token is no longer valid. A user's is until it expires."""
        owner = _owner(principal)
        if owner is not None and await self._ended([owner]):
            raise UnauthenticatedError(f"{ENDED}.")

    @contextmanager
    def watching(self, principal: Principal | None, close: Callable[[], None]) -> Iterator[None]:
        """Call `close` once when the token is no longer valid, until the block ends."""
        owner = None if principal is None else _owner(principal)
        if owner is None:
            yield
            return
        _, closers = self._sockets.setdefault(owner.token_id, (owner, set()))
        closers.add(close)
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            closers.discard(close)
            if not closers:
                self._sockets.pop(owner.token_id, None)

    async def stop(self) -> None:
        """End the watch."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        try:
            while self._sockets:
                owners = [owner for owner, _ in self._sockets.values()]
                for begin in range(0, len(owners), TOKENS_AT_ONCE):
                    await self._look_at(owners[begin : begin + TOKENS_AT_ONCE])
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._task = None

    async def _look_at(self, owners: Sequence[TokenOwner]) -> None:
        try:
            self._close(await self._ended(owners))
        except UnavailableError:
            # While the database is away nothing is known of any token; and no operation goes through.
            pass
        except Exception as error:  # noqa: BLE001  (whatever it was, the tokens are looked at again)
            _log.warning("token_watch_failed", error=repr(error))

    def _close(self, token_ids: Iterable[UUID]) -> None:
        for token_id in token_ids:
            _, closers = self._sockets.pop(token_id, (None, set[Callable[[], None]]()))
            for close in list(closers):
                close()

    async def _ended(self, owners: Sequence[TokenOwner]) -> set[UUID]:
        return await self._bridge.run(None, partial(device_tokens_ended, owners=owners))


def _owner(principal: Principal) -> TokenOwner | None:
    if principal.token_id is None or principal.device_id is None:
        return None
    return TokenOwner(principal.organization_id, EntityId(principal.device_id), principal.token_id)
