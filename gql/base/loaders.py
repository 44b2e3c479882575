"""Batch loaders (DataLoader): reads of single rows are batched. One set per operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain.base.waiting import error_take
from gql.base.context import Context

T = TypeVar("T")

BATCH_MAX = 1000


@dataclass(frozen=True, slots=True)
class LoaderKey:
    """Identifies the calls that one batch may answer.

    work: the function, or a name for it where it is made for each call. arguments: as text, for not all can be
    hashed.
    """

    work: Hashable
    ids_as: str
    arguments: str


async def load(
    context: Context,
    work: Callable[..., Mapping[Any, T]],
    entity_id: UUID,
    *,
    ids_as: str = "ids",
    work_key: Hashable = None,
    **arguments: Any,
) -> T | None:
    """Return `work(session, organization_id=..., ids=[...], **arguments)[entity_id]`, batched with its like.

    work: a domain function that answers for many ids at once. ids_as: the name of its argument for them.
    work_key: stands for `work` where that is made for each call, and is the same for calls that may share a batch.
    Arguments that differ make a separate batch.
    """
    key = LoaderKey(work_key or work, ids_as, repr(sorted(arguments.items())))
    loader = context.loaders.get(key)
    if loader is None:

        async def batch(ids: Sequence[UUID]) -> list[T | None]:
            loaded = await context.read(work, **{ids_as: list(ids)}, **arguments)
            return [loaded.get(entity_id) for entity_id in ids]

        loader = context.loaders[key] = DataLoader(batch, max_batch_size=BATCH_MAX)
    # Shielded: a waiter that is cancelled must not cancel what the others wait for.
    coming = loader.load(entity_id)
    try:
        loaded: T | None = await asyncio.shield(coming)
    except asyncio.CancelledError:
        coming.add_done_callback(error_take)
        raise
    return loaded
