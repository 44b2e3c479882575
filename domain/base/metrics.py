"""The metrics of a reading: their canonical form, which is stored and compared. Pure, hot path."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Self
from unicodedata import normalize

import numpy as np
import orjson

METRICS_MAX = 1_000
NAME_CHARS_MAX = 200
METRICS_BYTES_MAX = 262_144
# Within it every whole number is a double exactly; beyond, a point holds the nearest double.
_EXACT_MAX = 2**53
_INT64_MAX = 2**63 - 1
_SHOWN_CHARS_MAX = 100
# Of these types, finite numbers that are no whole floats are written as they are.
_PLAIN = {float, int, bool}
_FORMS_MIN = _PAIR = 2
_MESSAGE_HASH = hashlib.blake2b(digest_size=16, person=b"message")
_VALUES_HASH = hashlib.blake2b(digest_size=16, person=b"values")


class MetricsError(ValueError):
    """The metrics of a reading are refused; the text says why."""


class NumberBeyond(float):
    """A number beyond a double: an infinity with the text that was sent."""

    __slots__ = ("sent",)

    def __new__(cls, sent: str) -> Self:
        """Return the infinity of a number that is written in JSON."""
        number = super().__new__(cls, sent)
        number.sent = sent
        return number

    sent: str


def metrics_canonical(metrics: Any) -> bytes:
    """Return the canonical JSON of a reading's metrics: what the raw log holds.

    Names are sorted, and in NFC; a null, which means absent, is left out; a whole number within 2**53 is written
    without a fraction, so that 1 and 1.0 are the same. What JSON or UTF-8 cannot carry (NaN, an infinity, half a
    surrogate pair, a number beyond a double) becomes an array of one text that shows it, e.g. ["nan"] or ["1e400"]:
    no metric may be an array, so it ends as a dead letter whatever it was. So does a metric that is named in several
    forms of Unicode with different values, as an array of arrays of a name and its value (`forms_of`).
    Raises MetricsError where it is no map, or beyond a bound: 1,000 metrics, names of 1 to 200 characters
    without NUL, 262,144 bytes as JSON.
    """
    if not isinstance(metrics, dict):
        msg = "metrics must be a map from names to numbers, booleans or texts."
        raise MetricsError(msg)
    if len(metrics) > METRICS_MAX:
        msg = f"metrics holds {len(metrics)} metrics; a reading has at most {METRICS_MAX}."
        raise MetricsError(msg)
    cleaned: dict[str, Any] = {}
    for name, value in metrics.items():
        if not (isinstance(name, str) and 0 < len(name) <= NAME_CHARS_MAX and "\0" not in name):
            msg = f"The name of a metric has 1 to {NAME_CHARS_MAX} characters, none of them NUL."
            raise MetricsError(msg)
        kind = type(value)
        if kind is float:
            if value.is_integer() and -_EXACT_MAX <= value <= _EXACT_MAX:
                cleaned[name] = int(value)
            else:
                cleaned[name] = value if math.isfinite(value) else [str(value)]
        elif kind is int and not -_INT64_MAX <= value <= _INT64_MAX:
            cleaned[name] = _big(value)
        elif value is not None:
            cleaned[name] = value
    text = _encode(cleaned)
    if len(text) > METRICS_BYTES_MAX:
        msg = f"metrics takes {len(text)} bytes; a reading has at most {METRICS_BYTES_MAX}."
        raise MetricsError(msg)
    return text


def metrics_canonical_all(metrics: Sequence[Any]) -> list[bytes] | None:
    """Return the canonical JSON of the metrics of several readings; None where some are refused.

    That of most is written as they are: names of ASCII, with finite numbers that are no whole floats, and booleans.
    """
    if set(map(type, metrics)) != {dict}:
        return None
    names = set(chain.from_iterable(metrics))
    if set(map(type, names)) != {str} or max(map(len, metrics)) > METRICS_MAX:
        return _one_by_one(metrics)
    text = "".join(names)
    if not text.isascii() or "\0" in text or not all(names) or max(map(len, names)) > NAME_CHARS_MAX:
        return _one_by_one(metrics)
    values = list(chain.from_iterable(of_reading.values() for of_reading in metrics))
    if not set(map(type, values)) <= _PLAIN:
        return _one_by_one(metrics)
    integers = [value for value in values if type(value) is int]
    if integers and (min(integers) < -_INT64_MAX or max(integers) > _INT64_MAX):
        return _one_by_one(metrics)
    canonical = [orjson.dumps(of_reading, option=orjson.OPT_SORT_KEYS) for of_reading in metrics]
    floats = np.array([value for value in values if type(value) is float])
    is_odd = ~np.isfinite(floats) | (floats == np.trunc(floats))
    if is_odd.any():
        owners = [n for n, of_reading in enumerate(metrics) for value in of_reading.values() if type(value) is float]
        for n in {owners[place] for place in np.flatnonzero(is_odd).tolist()}:
            canonical[n] = metrics_canonical(metrics[n])
    return canonical if max(map(len, canonical)) <= METRICS_BYTES_MAX else None


def _one_by_one(metrics: Sequence[Any]) -> list[bytes] | None:
    try:
        return [metrics_canonical(of_reading) for of_reading in metrics]
    except MetricsError:
        return None


def _encode(cleaned: dict[str, Any]) -> bytes:
    try:
        text = orjson.dumps(cleaned, default=_beyond, option=orjson.OPT_SORT_KEYS)
        if text.isascii():
            return text
        return orjson.dumps(_in_one_form(cleaned), default=_beyond, option=orjson.OPT_SORT_KEYS)
    except (TypeError, RecursionError):
        pass
    shown: dict[str, Any] = {}
    for name, value in cleaned.items():
        try:
            name.encode()
        except UnicodeEncodeError:
            msg = "The name of a metric is not valid Unicode."
            raise MetricsError(msg) from None
        try:
            orjson.dumps(value, default=_beyond)
            shown[name] = value
        except (TypeError, RecursionError):
            shown[name] = [_show(value)]
    return orjson.dumps(_in_one_form(shown), default=_beyond, option=orjson.OPT_SORT_KEYS)


def _in_one_form(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return metrics with their names in NFC; of names that are one there, and differ in value, all with the values."""
    one_form = {normalize("NFC", name): value for name, value in metrics.items()}
    if len(one_form) == len(metrics):
        return one_form
    forms: dict[str, list[list[Any]]] = {}
    for name, value in sorted(metrics.items()):
        forms.setdefault(normalize("NFC", name), []).append([name, value])
    return one_form | {name: pairs for name, pairs in forms.items() if _differ(value for _, value in pairs)}


def _differ(values: Iterable[Any]) -> bool:
    return len({orjson.dumps(value, default=_beyond, option=orjson.OPT_SORT_KEYS) for value in values}) > 1


def forms_of(name: str, value: Any) -> list[str] | None:
    """Return the forms in which a metric was named, if it was named in several; see `metrics_canonical`."""
    if not isinstance(value, list) or len(value) < _FORMS_MIN:
        return None
    forms = [item[0] for item in value if isinstance(item, list) and len(item) == _PAIR and isinstance(item[0], str)]
    is_all = len(set(forms)) == len(value) and all(normalize("NFC", form) == name for form in forms)
    return forms if is_all else None


def _beyond(value: Any) -> list[str]:
    """Return what is written for a number beyond a double, cut with an ellipsis where it is long."""
    if type(value) is not NumberBeyond:
        raise TypeError
    return [value.sent if len(value.sent) <= _SHOWN_CHARS_MAX else f"{value.sent[: _SHOWN_CHARS_MAX - 1]}…"]


def _show(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()[:_SHOWN_CHARS_MAX]
    return type(value).__name__


def _big(value: int) -> Any:
    """Return the nearest double of an integer beyond 64 bits, as any JSON reader without big integers has it."""
    try:
        return float(value)
    except OverflowError:
        return [f"an integer of {value.bit_length()} bits"]


def reading_key(*, port: int, timestamp_us: int, message_id: str | None, metrics: bytes) -> bytes:
    """Return the deduplication key of a reading: 128 bits of BLAKE2b.

    With a message id it is that alone; without one, port (-1: none), timestamp and canonical metrics.
    """
    if message_id is not None:
        hashed = _MESSAGE_HASH.copy()
        hashed.update(message_id.encode())
    else:
        hashed = _VALUES_HASH.copy()
        hashed.update(b"%d %d %b" % (port, timestamp_us, metrics))
    return hashed.digest()


def reading_keys(
    *,
    ports: Sequence[int],
    timestamps_us: Sequence[int],
    message_ids: Sequence[str | None],
    metrics: Sequence[bytes],
) -> list[bytes]:
    """Return the deduplication keys of readings; see `reading_key`."""
    return [
        reading_key(port=port, timestamp_us=timestamp_us, message_id=message_id, metrics=of_reading)
        for port, timestamp_us, message_id, of_reading in zip(ports, timestamps_us, message_ids, metrics, strict=True)
    ]
