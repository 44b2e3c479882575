"""Ids as clients write them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from graph.errors import NotFoundError


def uuid_or_none(text: str) -> UUID | None:
    """Return the id, or None where the text is not an id's."""
    try:
        identity = UUID(text)
    except ValueError:
        return None
    return identity if str(identity) == text.lower() else None


def uuid_named(text: str, *path: str) -> UUID:
    """Return the id an argument gives. Raises NotFoundError with the argument's path."""
    identity = uuid_or_none(text)
    if identity is None:
        raise NotFoundError(f"There is nothing with the id {text[:80]!r}.", path=path)
    return identity


def uuids_of(texts: Iterable[str]) -> set[UUID]:
    """Return the ids among these texts; others name nothing."""
    return {identity for text in texts if (identity := uuid_or_none(text)) is not None}
