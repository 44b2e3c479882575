"""Resolve the ids in arguments of a subscription before it begins, or raise NOT_FOUND with the place and the id."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from gql.base.context import Context
from gql.base.ids import uuid_named
from graph.entities.queries import entities_get
from graph.errors import NotFoundError

Find = Callable[..., Mapping[Any, Any]]


async def entities_named(context: Context, texts: Sequence[str], *path: str) -> list[UUID]:
    """Return the ids of entities of the caller's organization, deleted ones too. Raises NotFoundError for any other."""
    return await ids_named(context, entities_get, texts, *path)


async def entity_named(context: Context, text: str, *path: str) -> UUID:
    """Return the id of an entity of the caller's organization, a deleted one too. Raises NotFoundError."""
    return await id_named(context, entities_get, text, *path)


async def id_named(context: Context, work: Find, text: str, *path: str) -> UUID:
    """Return the id. Raises NotFoundError where `work` does not find it; see `ids_named`."""
    identity = uuid_named(text, *path)
    if identity not in await context.read(work, ids=[identity]):
        raise _unknown(text, path)
    return identity


async def ids_named(context: Context, work: Find, texts: Sequence[str], *path: str) -> list[UUID]:
    """Return the ids. Raises NotFoundError, with the place in the list, at the first that `work` does not find.

    work: called as `work(session, organization_id=..., ids=[...])`.
    """
    ids = [uuid_named(text, *path, str(n)) for n, text in enumerate(texts)]
    result: Collection[UUID] = await context.read(work, ids=list(dict.fromkeys(ids))) if ids else ()
    for n, (text, item) in enumerate(zip(texts, ids, strict=True)):
        if item not in result:
            raise _unknown(text, (*path, str(n)))
    return ids


def _unknown(text: str, path: Sequence[str]) -> NotFoundError:
    return NotFoundError(f"There is nothing with the id {text[:80]!r}.", path=tuple(path))
