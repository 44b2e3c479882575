"""Parse JSON whose numbers may lie beyond a double, such as 1e400: that of readings, where it costs one metric alone.

JSON bounds no number (RFC 8259, 6). Everywhere else such a body is refused, for a value that cannot be stored cannot be
what was meant.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

import orjson

from domain.base.metrics import NumberBeyond

_INTEGER_MIN: Final = -(2**63)
_INTEGER_MAX: Final = 2**64 - 1
_DIGITS_MAX: Final = 20


def readings_json_loads(raw: bytes | str) -> Any:
    """Return the value of a JSON text; a number beyond a double is a NumberBeyond, which ends as a dead letter.

    Raises orjson.JSONDecodeError. As fast as orjson, but for a text that has such a number.

    >>> readings_json_loads(b'{"a": 1e400, "b": -1}')
    {'a': inf, 'b': -1}
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(raw, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)
            # What orjson refuses besides: half of a surrogate pair, levels without end.
            orjson.dumps(value, default=float)
        except (ValueError, TypeError, RecursionError):
            raise error from None
        return value


def _integer(digits: str) -> float:
    if len(digits) > _DIGITS_MAX:
        return _float(digits)
    number = int(digits)
    return number if _INTEGER_MIN <= number <= _INTEGER_MAX else float(number)


def _float(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else NumberBeyond(digits)


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError(name)
