"""What JSON may be stored: bounded in bytes and depth, and nothing PostgreSQL cannot hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from graph.errors import BadInputError, LimitExceededError

JSON_MAX_BYTES: Final = 65_536
JSON_DEPTH_MAX: Final = 32
# Far beyond any measure; PostgreSQL's numeric would take more, and other readers of the JSON would not.
_INTEGER_BITS_MAX: Final = 1_024

Path = tuple[str, ...]


def json_object_check(value: Any, *, path: Path, max_bytes: int = JSON_MAX_BYTES) -> dict[str, Any]:
    """Return the value if it is a JSON object that can be stored.

    Raises BadInputError, with the path of the place at fault, for anything else than an object, a number that
    is not finite, a NUL character or a lone surrogate; LimitExceededError above `max_bytes` of UTF-8 or
    JSON_DEPTH_MAX levels.
    """
    if not isinstance(value, Mapping):
        raise BadInputError(f"{_name(path)} must be a JSON object.", path=path)
    json_check(value, path=path, max_bytes=max_bytes)
    return dict(value)


def json_check(value: Any, *, path: Path, max_bytes: int = JSON_MAX_BYTES) -> None:
    """Make sure that a JSON value can be stored; raises as `json_object_check` does."""
    # Without recursion, for the value is the caller's.
    waiting: list[tuple[Any, Path, int]] = [(value, path, 1)]
    while waiting:
        item, place, level = waiting.pop()
        if isinstance(item, (Mapping, list, tuple)):
            if level > JSON_DEPTH_MAX:
                message = f"{_name(path)} may be nested {JSON_DEPTH_MAX} levels deep."
                raise LimitExceededError(message, path=path)
            waiting.extend((inner, (*place, key), level + 1) for key, inner in _members(item, place))
        else:
            _leaf_check(item, place)
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_mapping).encode())
    if size > max_bytes:
        message = f"{_name(path)} may take {max_bytes} bytes as JSON; it takes {size}."
        raise LimitExceededError(message, path=path)


def text_check(value: Any, *, path: Path, max_chars: int, min_chars: int = 0) -> str:
    """Return the value if it is text of `min_chars` to `max_chars` characters that can be stored.

    Raises BadInputError. Blank text does not count as text where something is asked for.
    """
    if not isinstance(value, str):
        raise BadInputError(f"{_name(path)} must be text.", path=path)
    if len(value) > max_chars:
        message = f"{_name(path)} may have {max_chars} characters; it has {len(value)}."
        raise BadInputError(message, path=path)
    if len(value) < min_chars or (min_chars and not value.strip()):
        raise BadInputError(f"{_name(path)} must not be empty.", path=path)
    _characters_check(value, path)
    return value


def json_same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same; unlike ==, to which 1, 1.0 and true are one.

    Raises TypeError for what is not JSON, such as an instant that nobody wrote out.
    """
    one_text = json.dumps(one, sort_keys=True, default=_mapping)
    return one_text == json.dumps(other, sort_keys=True, default=_mapping)


def text_is_storable(value: str) -> bool:
    """Tell whether PostgreSQL could hold the text; what it could not hold, no row has."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value))


def _mapping(value: Any) -> dict[str, Any]:
    """Return a mapping that is no dict as one. Not a catch-all: anything else is a defect of the caller."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"A {type(value).__name__} is not JSON.")


def _members(item: Mapping[str, Any] | Sequence[Any], place: Path) -> list[tuple[str, Any]]:
    if not isinstance(item, Mapping):
        return [(str(index), inner) for index, inner in enumerate(item)]
    for key in item:
        if not isinstance(key, str):
            raise BadInputError(f"The keys of {_name(place)} must be text.", path=place)
        _characters_check(key, place)
    return list(item.items())


def _leaf_check(item: Any, place: Path) -> None:
    if item is None or isinstance(item, bool):
        return
    if isinstance(item, str):
        _characters_check(item, place)
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise BadInputError(f"{_name(place)} must be a finite number.", path=place)
    elif isinstance(item, int):
        if item.bit_length() > _INTEGER_BITS_MAX:
            raise BadInputError(f"{_name(place)} is too large a number.", path=place)
    else:
        raise BadInputError(f"{_name(place)} is not JSON.", path=place)


def _characters_check(value: str, place: Path) -> None:
    if not text_is_storable(value):
        message = f"{_name(place)} cannot hold a NUL character or half of a surrogate pair."
        raise BadInputError(message, path=place)


def _name(place: Path) -> str:
    return ".".join(place)
