"""Do work on many items so that one that fails by itself costs no other: bulk first, then in halves, in savepoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from domain.base.transient import is_blameless

T = TypeVar("T")


def isolate(session: Session, items: Sequence[T], work: Callable[[Sequence[T]], None]) -> list[tuple[T, Exception]]:
    """Do `work` on all items at once, or where that fails on parts of them; return those that fail by themselves.

    What `work` does outside the database must bear a repetition. Errors that are no fault of an item are raised. Two
    statements more than the work where nothing fails.
    """
    if not items:
        return []
    try:
        with session.begin_nested():
            work(items)
    except Exception as error:
        if is_blameless(error):
            raise
        if len(items) == 1:
            return [(items[0], error)]
    else:
        return []
    half = len(items) // 2
    return isolate(session, items[:half], work) + isolate(session, items[half:], work)
