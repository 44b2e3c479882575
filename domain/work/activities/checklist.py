"""Checklists of activities. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import json_check, text_check

ITEMS_MAX: Final = 500
TEXT_MAX_CHARS: Final = 1_000


def checklist_check(value: Any, *, path: tuple[str, ...] = ("checklist",)) -> list[dict[str, Any]]:
    """Return the checklist: items {text, done, ...}; `done` is filled in, further members are kept, a text is an item.

    Raises BadInputError, at the item at fault, for anything but a list of texts and of objects with a text and, if any,
    a boolean `done`; LimitExceededError above ITEMS_MAX items or the bounds of stored JSON.
    """
    if not isinstance(value, (list, tuple)):
        raise BadInputError("A checklist is a list of items {text, done}.", path=path)
    if len(value) > ITEMS_MAX:
        raise LimitExceededError(f"A checklist may have {ITEMS_MAX} items; it has {len(value)}.", path=path)
    items = [_item(item, (*path, str(index))) for index, item in enumerate(value)]
    checked: list[dict[str, Any]] = json_check(items, path=path)
    return checked


def _item(item: Any, path: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(item, str):
        text_check(item, path=path, min_chars=1, max_chars=TEXT_MAX_CHARS)
        return {"text": item, "done": False}
    if not isinstance(item, Mapping):
        raise BadInputError("An item of a checklist is a text, or an object {text, done}.", path=path)
    text_check(item.get("text"), path=(*path, "text"), min_chars=1, max_chars=TEXT_MAX_CHARS)
    done = item.get("done", False)
    if not isinstance(done, bool):
        raise BadInputError("done is true or false.", path=(*path, "done"))
    return {**item, "done": done}
