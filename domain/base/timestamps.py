"""The time of a reading, as clients write it. Pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.base.packed import EPOCH, micros_of

# What Python's datetime, and so every reader, can hold: the years 1 to 9999.
FIRST_US = micros_of(datetime(1, 1, 1, tzinfo=UTC))
LAST_US = micros_of(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))

# RFC 3339, section 5.6; a second of 60 is a leap second.
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3])(:[0-5]\d:)([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_LEAP = "60"
_SECONDS_FIRST, _SECONDS_END = 1_000_000_000, 10_000_000_000
_MICROSECOND = timedelta(microseconds=1)


def reading_time(value: Any) -> int | None:
    """Return microseconds since the Unix epoch, or None where `value` is no time of a reading.

    value: RFC 3339 with an offset, or milliseconds since the Unix epoch (int or float). Fractions beyond
    microseconds are cut off. None also outside the years 1 to 9999.
    """
    if isinstance(value, str):
        micros = _from_text(value)
    elif isinstance(value, bool):
        return None
    elif isinstance(value, int):
        micros = value * 1000
    elif isinstance(value, float) and math.isfinite(value):
        micros = round(value * 1000)
    else:
        return None
    return micros if micros is not None and FIRST_US <= micros <= LAST_US else None


def _from_text(value: str) -> int | None:
    match = _RFC_3339.fullmatch(value)
    if match is None:
        return None
    date, hour, minute, second, fraction, offset = match.group(1, 2, 3, 4, 5, 6)
    leap_us = 0
    if second == _LEAP:
        second, leap_us = "59", 1_000_000
    try:
        # Six digits at most: what follows is cut off.
        parsed = datetime.fromisoformat(f"{date}T{hour}{minute}{second}{(fraction or '')[:7]}{offset.upper()}")
    except ValueError:
        return None
    return (parsed - EPOCH) // _MICROSECOND + leap_us


def is_in_seconds(value: Any) -> bool:
    """Return whether a number can only be meant as seconds since the Unix epoch.

    As milliseconds a number of ten digits is a time of the first months of 1970, when nobody measured; as seconds it is
    one from 2001 to 2286.
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and _SECONDS_FIRST <= value < _SECONDS_END
