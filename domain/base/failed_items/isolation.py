"""Isolate failures: work on many items in bulk, then in halves within savepoints, so that one fails alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from domain.base.transient import is_retryable

T = TypeVar("T")


def isolate(session: Session, items: Sequence[T], work: Callable[[Sequence[T]], None]) -> list[tuple[T, Exception]]:
    """Do `work` on all items at once, or where that fails on halves; return the items that fail alone.

    What `work` does outside the database must bear a repetition. Errors that are no fault of an item are raised. Two
    statements more than the work where nothing fails.
    """
    if not items:
        return []
    try:
        with session.begin_nested():
            work(items)
    except Exception as error:
        if is_retryable(error):
            raise
        if len(items) == 1:
            return [(items[0], error)]
    else:
        return []
    half = len(items) // 2
    return isolate(session, items[:half], work) + isolate(session, items[half:], work)
