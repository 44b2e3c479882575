"""Checklists of activities. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.work.activities.lifecycle import ActivityState
from graph.errors import BadInputError, ConflictError, LimitExceededError
from graph.json_bounds import json_check, text_check
from graph.texts import text_nfc

ITEMS_MAX: Final = 500
TEXT_MAX_CHARS: Final = 1_000
_NEEDS_REQUIRED: Final = {ActivityState.DONE, ActivityState.VERIFIED}
# Of the items that a refusal names.
_SHOWN_MAX: Final = 5
_SHOWN_CHARS: Final = 80


def checklist_check(value: Any, *, path: tuple[str, ...] = ("checklist",)) -> list[dict[str, Any]]:
    """Return the checklist: items {text, done, ...}; `done` is filled in, further members are kept, a text is an item.

    Raises BadInputError, at the item at fault, for anything but a list of texts and of objects with a text and, if any,
    a boolean `done` and `required`; LimitExceededError above ITEMS_MAX items or the bounds of stored JSON.
    """
    if not isinstance(value, (list, tuple)):
        raise BadInputError("A checklist is a list of items {text, done}.", path=path)
    if len(value) > ITEMS_MAX:
        raise LimitExceededError(f"A checklist may have {ITEMS_MAX} items; it has {len(value)}.", path=path)
    items = [_item(item, (*path, str(index))) for index, item in enumerate(value)]
    checked: list[dict[str, Any]] = json_check(items, path=path)
    # An id is found by its text, so that it has one form. What else an item says is the caller's.
    return [{**item, "id": text_nfc(item["id"])} if isinstance(item.get("id"), str) else item for item in checked]


def required_items_check(
    checklist: Sequence[Mapping[str, Any]], *, state: ActivityState, path: tuple[str, ...]
) -> None:
    """Raise ConflictError, naming them, where an activity in this state would have required items that are not done.

    Only what is DONE or VERIFIED says that its work was done; what is cancelled does not.
    """
    if state not in _NEEDS_REQUIRED:
        return
    missing = [
        f"{item_id_of(item, place)!r} ({item['text'][:_SHOWN_CHARS]})"
        for place, item in enumerate(checklist, 1)
        if item.get("required") is True and not item["done"]
    ]
    if missing:
        more = f" and {len(missing) - _SHOWN_MAX} more" if len(missing) > _SHOWN_MAX else ""
        items = ", ".join(missing[:_SHOWN_MAX]) + more
        message = f"An activity cannot be {state} while required items of its checklist are not done: {items}."
        raise ConflictError(message, path=path)


def item_id_of(item: Mapping[str, Any], place: int) -> str:
    """Return the id of an item; of one without, its place, from 1."""
    return str(item.get("id", place))


def _item(item: Any, path: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(item, str):
        text_check(item, path=path, min_chars=1, max_chars=TEXT_MAX_CHARS)
        return {"text": item, "done": False}
    if not isinstance(item, Mapping):
        raise BadInputError("An item of a checklist is a text, or an object {text, done}.", path=path)
    text_check(item.get("text"), path=(*path, "text"), min_chars=1, max_chars=TEXT_MAX_CHARS)
    for flag in ("done", "required"):
        if not isinstance(item.get(flag, False), bool):
            raise BadInputError(f"{flag} is true or false.", path=(*path, flag))
    return {**item, "done": item.get("done", False)}
