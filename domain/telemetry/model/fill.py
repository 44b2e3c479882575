"""Fill buckets without a value. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.base.packed import Instants, Points, Values


class Fill(StrEnum):
    """How a bucket without data is filled."""

    NONE = "NONE"
    PREVIOUS = "PREVIOUS"
    LINEAR = "LINEAR"


class Known(NamedTuple):
    """What a bucket holds: a number, or NaN and a text, or neither."""

    value: float
    text: str | None


def is_empty(buckets: Points) -> NDArray[np.bool_]:
    """Return which buckets hold neither a number nor a text, shape (buckets,)."""
    empty: NDArray[np.bool_] = np.isnan(buckets.values)
    if buckets.texts is not None:
        empty &= np.array([text is None for text in buckets.texts], dtype=np.bool_)
    return empty


def fill_previous(buckets: Points, *, before: Known | None, until_us: int) -> Points:
    """Fill each empty bucket that begins before until_us with what the last filled one before it holds.

    before: what the last bucket before these holds; None: nothing is known of it.
    """
    empty = is_empty(buckets)
    last = np.maximum.accumulate(np.where(empty, -1, np.arange(len(empty))))
    is_filled = empty & (buckets.at < until_us) & (last >= 0)
    is_led = empty & (buckets.at < until_us) & (last < 0) & (before is not None)
    values = np.where(is_filled, buckets.values[last], buckets.values)
    texts = buckets.texts
    if before is not None:
        values[is_led] = before.value
        if before.text is not None and texts is None and bool(is_led.any()):
            texts = np.full(len(values), None, dtype=object)
    if texts is not None:
        texts = np.where(is_filled, texts[last], texts)
        texts[is_led] = None if before is None else before.text
    return Points(buckets.at, values, buckets.types, texts)


def fill_linear(buckets: Points) -> Points:
    """Fill empty buckets between two that hold numbers by a straight line between these, by the buckets' beginnings."""
    empty = is_empty(buckets)
    places = np.arange(len(empty))
    last = np.maximum.accumulate(np.where(empty, -1, places))
    following = np.minimum.accumulate(np.where(empty, len(empty), places)[::-1])[::-1]
    filled = np.flatnonzero(empty & (last >= 0) & (following < len(empty)))
    values = buckets.values.copy()
    values[filled] = _line(buckets, last[filled], filled, following[filled])
    return Points(buckets.at, values, buckets.types, buckets.texts)


def _line(buckets: Points, left: Instants, places: Instants, right: Instants) -> Values:
    # A text at either end is NaN, and so is the line.
    share = (buckets.at[places] - buckets.at[left]) / (buckets.at[right] - buckets.at[left])
    begins, ends = buckets.values[left], buckets.values[right]
    with np.errstate(over="ignore"):
        line: Values = begins + (ends - begins) * share
    # A difference of two doubles may be none.
    return np.where(np.isfinite(line), line, begins * (1.0 - share) + ends * share)
