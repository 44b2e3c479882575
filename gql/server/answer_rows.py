"""Rows of an answer while they are completed: what has failed, and what is still awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql.pyutils import AwaitableOrValue, gather_with_cancel


@dataclass(frozen=True, slots=True)
class Failed:
    """A place in the answer that cannot be null and has an error: what it is a part of fails."""

    error: Exception


def then(value: AwaitableOrValue[list[Any]], work: Callable[[list[Any]], Any]) -> Any:
    """Apply work to a value, or to what an awaitable will return."""
    if not isinstance(value, Awaitable):
        return work(value)

    async def finish() -> Any:
        return work(await value)

    return finish()


async def all_awaited(waiting: Sequence[Awaitable[None]], rows: list[Any]) -> list[Any]:
    """Return the rows, once all that fills them has been awaited."""
    if len(waiting) == 1:
        await waiting[0]
    else:
        await gather_with_cancel(*waiting)
    return rows


async def caught(value: Awaitable[Any]) -> Any:
    """Return what an awaitable returns, or that it failed."""
    try:
        return await value
    except Exception as error:  # noqa: BLE001
        return Failed(error)


def put(completed: list[Any], places: Sequence[int], values: Sequence[Any]) -> None:
    """Set values at their places."""
    for place, value in zip(places, values, strict=True):
        completed[place] = value


def fill(rows: list[Any], name: str, values: Sequence[Any]) -> None:
    """Set a field of all rows."""
    for place, value in enumerate(values):
        fill_one(rows, name, place, value)


def fill_one(rows: list[Any], name: str, place: int, value: Any) -> None:
    """Set a field of a row; one with an error makes the row fail, and the first error stays."""
    row = rows[place]
    if type(row) is Failed:
        return
    if type(value) is Failed:
        rows[place] = value
    else:
        row[name] = value


def all_or_raise(completed: list[Any]) -> list[Any]:
    """Return what is completed. Raises the first error of what failed."""
    for value in completed:
        if type(value) is Failed:
            raise value.error
    return completed
