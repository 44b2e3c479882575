"""Ids as clients write them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from graph.errors import NotFoundError


def uuid_or_none(text: str) -> UUID | None:
    """Return the id, or None where it is of no form ids are handed out in, and so names nothing."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def uuid_named(text: str, *path: str) -> UUID:
    """Return the id an argument gives. Raises NotFoundError with the argument's path."""
    found = uuid_or_none(text)
    if found is None:
        raise NotFoundError(f"There is nothing with the id {text[:80]!r}.", path=path)
    return found


def uuids_of(texts: Iterable[str]) -> set[UUID]:
    """Return the ids among these texts; what is of no id's form names nothing."""
    return {found for text in texts if (found := uuid_or_none(text)) is not None}
