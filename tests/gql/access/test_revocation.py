"""The watch over the device tokens behind open sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from gql.access import revocation
from gql.access.bridge import Bridge
from gql.access.principal import Principal, Role
from gql.access.revocation import TokenWatch
from gql.access.sessions import Sessions
from gql.access.suspensions import Suspensions
from graph.errors import DeadlineExceededError, UnavailableError
from testing.waits import patient


class FailingBridge:
    """Fails as often as it has errors, then finds the token ended."""

    def __init__(self, token_id: UUID, errors: list[Exception]) -> None:
        self.token_id, self.errors = token_id, errors

    async def run(self, _organization_id: int | None, _work: Callable[..., Any]) -> set[UUID]:
        if self.errors:
            raise self.errors.pop(0)
        return {self.token_id}


def test_the_watch_outlives_whatever_keeps_it_from_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """It once ended with its first error, and no revocation was noticed from then on."""
    monkeypatch.setattr(revocation, "LOOK_EVERY_S", 0.01)
    token_id = uuid4()
    errors: list[Exception] = [UnavailableError("away"), DeadlineExceededError("slow"), RuntimeError("a defect")]
    bridge = FailingBridge(token_id, errors)
    bearer = Principal(1, uuid4(), "plant", Role.DEVICE, "device:x", None, device_id=uuid4(), token_id=token_id)

    async def scenario() -> None:
        served = cast("Bridge", bridge)
        watch, closed = (
            TokenWatch(served, Sessions(served, time.monotonic), Suspensions(served, time.monotonic)),
            asyncio.Event(),
        )
        with watch.watching(bearer, closed.set):
            await asyncio.wait_for(closed.wait(), timeout=patient(30))
        await watch.stop()

    asyncio.run(scenario())
    assert bridge.errors == []
