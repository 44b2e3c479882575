"""Decode JSON of the database: any stored value can be read.

PostgreSQL's numbers are decimals of up to 147,455 digits. What is read is an integer of 64 bits, a double, or, for a
number beyond the doubles, a Decimal, so that who cannot say it notices. Text of the type json may hold half of a
surrogate pair.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import orjson


def json_read(stored: str | bytes) -> Any:
    """Return the value of JSON text from the database."""
    try:
        return orjson.loads(stored)
    except orjson.JSONDecodeError:
        return json.loads(stored, parse_int=_integer, parse_float=_double)


def json_write(value: Any) -> str:
    """Return a value as JSON text for the database. A Decimal, which came from there, becomes a text of its digits."""
    return json.dumps(value, default=_digits)


def _integer(digits: str) -> int | float | Decimal:
    # 20 characters: beyond them no integer has 64 bits.
    value = _double(digits) if len(digits) > 20 else int(digits)  # noqa: PLR2004
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value


def _double(digits: str) -> float | Decimal:
    value = float(digits)
    return value if math.isfinite(value) else Decimal(digits)


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
