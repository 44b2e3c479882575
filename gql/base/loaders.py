"""Batch loaders: what a hundred rows ask for one by one is read in one go. One set per operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain.base.waiting import error_take
from gql.base.context import Context

T = TypeVar("T")

BATCH_MAX = 1000


async def load(
    context: Context,
    work: Callable[..., Mapping[Any, T]],
    entity_id: UUID,
    *,
    ids_as: str = "ids",
    **arguments: Any,
) -> T | None:
    """Return `work(session, organization_id=..., ids=[...], **arguments)[entity_id]`, batched with its like.

    work: a domain function that answers for many ids at once. ids_as: the name of its argument for them.
    Arguments that differ make a batch of their own.
    """
    key = f"{work.__module__}.{work.__qualname__}:{ids_as}:{sorted(arguments.items())!r}"
    loader = context.loaders.get(key)
    if loader is None:

        async def batch(ids: Sequence[UUID]) -> list[T | None]:
            found = await context.read(work, **{ids_as: list(ids)}, **arguments)
            return [found.get(each) for each in ids]

        loader = context.loaders[key] = DataLoader(batch, max_batch_size=BATCH_MAX)
    # Shielded: a waiter that is cancelled must not cancel what the others wait for.
    coming = loader.load(entity_id)
    try:
        found: T | None = await asyncio.shield(coming)
    except asyncio.CancelledError:
        coming.add_done_callback(error_take)
        raise
    return found
