"""Work that is done once for all subscribers that are sent the same: the objects of an update, and its JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


async def shared(
    memo: MutableMapping[Any, Any], key: Hashable, make: Callable[[], Awaitable[T]], *, is_for_all: Callable[[T], bool]
) -> T:
    """Return what `make` makes, once for all who ask with the same key.

    Where who makes it fails or goes, or made something that is not for all, each of the others makes its own.
    """
    coming: asyncio.Future[tuple[T] | None] | None = memo.get(key)
    if coming is not None:
        # Shielded: one that goes does not end the wait of the others.
        made = await asyncio.shield(coming)
        return made[0] if made is not None else await make()
    coming = memo[key] = asyncio.get_running_loop().create_future()
    found: tuple[T] | None = None
    try:
        value = await make()
        found = (value,) if is_for_all(value) else None
        return value
    finally:
        coming.set_result(found)
