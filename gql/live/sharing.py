"""Share work among subscribers that are sent the same: the objects of an update, and its JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


def made(memo: MutableMapping[Any, Any], key: Hashable) -> Any:
    """Return what was computed for all callers with the same key; None where there is nothing yet, or not for all."""
    coming: asyncio.Future[tuple[Any] | None] | None = memo.get(key)
    if coming is None or not coming.done():
        return None
    result = coming.result()
    return None if result is None else result[0]


async def shared(
    memo: MutableMapping[Any, Any], key: Hashable, make: Callable[[], Awaitable[T]], *, is_for_all: Callable[[T], bool]
) -> T:
    """Return the result of `make`, computed once for all callers with the same key.

    Where who makes it fails or goes, or made something that is not for all, each of the others makes its own.
    """
    coming: asyncio.Future[tuple[T] | None] | None = memo.get(key)
    if coming is not None:
        # Shielded: one that goes does not end the wait of the others.
        shared_value = await asyncio.shield(coming)
        return shared_value[0] if shared_value is not None else await make()
    coming = memo[key] = asyncio.get_running_loop().create_future()
    result: tuple[T] | None = None
    try:
        value = await make()
        result = (value,) if is_for_all(value) else None
        return value
    finally:
        coming.set_result(result)
