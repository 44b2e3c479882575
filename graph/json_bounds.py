"""Validate JSON from outside: one rule for every JSON value of the API and of files, so that it can be stored.

A number is an integer of 64 bits (-2**63 to 2**64 - 1), which is kept exactly, or else a double: the nearest one to
what was sent. Refused are NaN, infinities and numbers beyond the doubles, a NUL character, half of a surrogate pair,
and what is larger or deeper than the bounds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from graph.errors import BadInputError, LimitExceededError
from graph.texts import text_nfc

JSON_MAX_BYTES: Final = 65_536
JSON_DEPTH_MAX: Final = 32
# What an answer can say and common readers of JSON take (docs/explanation/decisions/0025).
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**64 - 1
# From here on Python writes a double with an exponent and rounded digits, of which jsonb makes another integer.
_EXPONENT_FROM: Final = 1e16
_MINUS_ZERO: Final = "-0.0"
# Bytes of JSON at most: of a character of a text, of which \u0001 takes six, of a number, which has at most as many
# digits as a double, and of the signs around a member.
_CHARACTER_BYTES, _NUMBER_BYTES, _SIGN_BYTES = 6, 400, 6

Path = tuple[str, ...]


def json_object_check(value: Any, *, path: Path, max_bytes: int = JSON_MAX_BYTES) -> dict[str, Any]:
    """Return a JSON object in the form in which it is read again.

    Raises BadInputError, with the path of the place at fault, for anything else than an object, a number that
    is not finite or beyond a double, a NUL character or a lone surrogate; LimitExceededError above `max_bytes` of
    UTF-8 or JSON_DEPTH_MAX levels.
    """
    if not isinstance(value, Mapping):
        raise BadInputError(f"{_name(path)} must be a JSON object.", path=path)
    return dict(json_check(value, path=path, max_bytes=max_bytes))


def json_check(value: Any, *, path: Path, max_bytes: int = JSON_MAX_BYTES) -> Any:
    """Return a JSON value in the form in which it is read again; raises as `json_object_check` does."""
    is_canonical, most_bytes = True, 0
    # Without recursion, for the value is the caller's.
    waiting: list[tuple[Any, Path, int]] = [(value, path, 1)]
    while waiting:
        item, place, level = waiting.pop()
        if isinstance(item, (Mapping, list, tuple)):
            if level > JSON_DEPTH_MAX:
                message = f"{_name(path)} may be nested {JSON_DEPTH_MAX} levels deep."
                raise LimitExceededError(message, path=path)
            for key, inner in _members(item, place):
                waiting.append((inner, (*place, key), level + 1))
                most_bytes += _CHARACTER_BYTES * len(key) + _SIGN_BYTES
        else:
            is_canonical &= _leaf_check(item, place)
            most_bytes += _CHARACTER_BYTES * len(item) if isinstance(item, str) else _NUMBER_BYTES
    # To write it takes longer than all the rest, and hardly anything is nearly so large.
    if most_bytes + _SIGN_BYTES > max_bytes:
        _size_check(value, path, max_bytes)
    return value if is_canonical else _canonical(value)


def _size_check(value: Any, path: Path, max_bytes: int) -> None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_mapping).encode())
    if size > max_bytes:
        message = f"{_name(path)} may take {max_bytes} bytes as JSON; it takes {size}."
        raise LimitExceededError(message, path=path)


def text_check(value: Any, *, path: Path, max_chars: int, min_chars: int = 0) -> str:
    """Return the value, in NFC, if it is text of `min_chars` to `max_chars` characters that can be stored.

    Raises BadInputError. Blank text does not count as text where something is asked for.
    """
    if not isinstance(value, str):
        raise BadInputError(f"{_name(path)} must be text.", path=path)
    text = text_nfc(value)
    if len(text) > max_chars:
        message = f"{_name(path)} may have {max_chars} characters; it has {len(text)}."
        raise BadInputError(message, path=path)
    if len(text) < min_chars or (min_chars and not text.strip()):
        raise BadInputError(f"{_name(path)} must not be empty.", path=path)
    _characters_check(text, path)
    return text


def json_same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are the same in the database; unlike ==, to which 1, 1.0 and true are one.

    Raises TypeError for what is not JSON, such as an instant that nobody wrote out.
    """
    one_text, other_text = (json.dumps(item, sort_keys=True, default=_mapping) for item in (one, other))
    if one_text != other_text and _MINUS_ZERO in one_text + other_text:
        # The database knows one zero only.
        one_text, other_text = (
            json.dumps(json.loads(item, parse_float=_zero), sort_keys=True) for item in (one_text, other_text)
        )
    return one_text == other_text


def text_is_storable(value: str) -> bool:
    """Return whether PostgreSQL could hold the text; what it could not hold, no row has."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= item <= "\udfff" for item in value))


def texts_storable(texts: Iterable[str]) -> list[str]:
    """Return those of some texts that a row may have: what is compared with the others matches nothing."""
    return [text for text in texts if text_is_storable(text)]


def _zero(digits: str) -> float:
    return float(digits) + 0.0


def _mapping(value: Any) -> dict[str, Any]:
    """Return a mapping that is no dict as one. Not a catch-all: anything else is a defect of the caller."""
    if isinstance(value, Mapping):
        return dict(value)
    # Stands in a database, beyond the doubles; nothing that comes in is one.
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise TypeError(f"A {type(value).__name__} is not JSON.")


def _members(item: Mapping[str, Any] | Sequence[Any], place: Path) -> list[tuple[str, Any]]:
    if not isinstance(item, Mapping):
        return [(str(index), inner) for index, inner in enumerate(item)]
    for key in item:
        if not isinstance(key, str):
            raise BadInputError(f"The keys of {_name(place)} must be text.", path=place)
        _characters_check(key, place)
    return list(item.items())


def _leaf_check(item: Any, place: Path) -> bool:
    """Refuse what can be no leaf; return whether it is in its canonical form."""
    if item is None or isinstance(item, bool):
        return True
    if isinstance(item, str):
        _characters_check(item, place)
        return True
    if not isinstance(item, int | float):
        raise BadInputError(f"{_name(place)} is not JSON.", path=place)
    try:
        number = _number(item)
    except OverflowError:
        raise BadInputError(f"{_name(place)} is too large a number: it lies beyond a double.", path=place) from None
    if not math.isfinite(number):
        raise BadInputError(f"{_name(place)} must be a finite number.", path=place)
    return type(number) is type(item)


def _number(item: float) -> float:
    """Return a number as jsonb gives it back. Raises OverflowError for an integer beyond a double."""
    if isinstance(item, int):
        return item if INTEGER_MIN <= item <= INTEGER_MAX else float(item)
    if abs(item) >= _EXPONENT_FROM and INTEGER_MIN <= item <= INTEGER_MAX:
        return int(item)
    return item


def _canonical(value: Any) -> Any:
    """Return a checked value with its numbers in canonical form."""
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value if value is None or isinstance(value, str | bool) else _number(value)


def _characters_check(value: str, place: Path) -> None:
    if not text_is_storable(value):
        message = f"{_name(place)} cannot hold a NUL character or half of a surrogate pair."
        raise BadInputError(message, path=place)


def _name(place: Path) -> str:
    return ".".join(place)
