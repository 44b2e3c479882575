"""Cursors of lists ordered by an instant, then by id."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from graph.errors import BadInputError
from graph.instants import instant_utc
from graph.paging import CursorKey


def instant_key(of: str, instant: datetime, entry_id: UUID) -> CursorKey:
    """Return the sort key of an entry. of: the name of the list, so that no other accepts its cursor."""
    return (of, instant.isoformat(), str(entry_id))


def instant_key_read(key: CursorKey, *, of: str) -> tuple[datetime, UUID]:
    """Return the instant and the id of a key. Raises BadInputError for one of another list."""
    fault = BadInputError("This cursor does not belong to this list.", path=("after",))
    if len(key) != 3 or key[0] != of:  # noqa: PLR2004  (list, instant, id)
        raise fault
    try:
        return instant_utc(datetime.fromisoformat(str(key[1])), path="after"), UUID(str(key[2]))
    except ValueError:
        raise fault from None
