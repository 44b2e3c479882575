"""Read cells of a table as values, by a strict grammar: what is nearly a number is a fault, not a text."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

Value = float | int | bool | str

# What loggers, spreadsheets and C programs write where they have no value; compared without regard to case.
ABSENT: Final = frozenset(
    {
        "", "na", "n/a", "#n/a", "#na", "nan", "-nan", "+nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#ind", "1.#ind",
        "null", "none", "nil", "unavailable",
    }
)  # fmt: skip
# What a spreadsheet writes for a cell that it cannot compute.
ERRORS: Final = frozenset({"#n/a", "#num!", "#value!", "#div/0!", "#ref!", "#name?", "#null!", "#spill!", "#calc!"})
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,4000}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Digits with anything that somebody writes among the digits of a number; digits of other scripts as well.
_LIKE_A_NUMBER: Final = re.compile(
    r"[+\-−]?(?=[.,_'’\s]*\d)[\d.,_'’\s]+(?:[eE][+\-−]?\d+)?\s*%?"  # noqa: RUF001
)
# What is longer is a text: nobody writes such a number.
_LIKE_A_NUMBER_MAX_CHARS: Final = 64
_COMMA_NUMBER: Final = re.compile(r"[+-]?[0-9]+,[0-9]+")
_INFINITE: Final = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
# The largest whole number that every double between holds exactly.
_EXACT_MAX: Final = 2**53


class CellError(ValueError):
    """A cell is nearly a value, and cannot be read as one; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CellForm:
    """How values are written. decimal: the sign before the fraction. absent: more texts that mean no value."""

    decimal: str = "."
    absent: Collection[str] = field(default_factory=frozenset)

    def is_absent(self, cell: str) -> bool:
        """Return whether a cell says that there is no value."""
        text = cell.strip()
        folded = text.lower()
        return folded in ABSENT or folded in ERRORS or text in self.absent

    def number(self, text: str) -> float | int | None:
        """Return the number that a text is; None: it is none. Raises CellError where it is more than a double holds."""
        # With a decimal comma a point could only separate thousands, or be a mistake.
        written = text if self.decimal == "." else text.replace(".", "'").replace(self.decimal, ".")
        return _number(written, text) if _NUMBER.fullmatch(written) else None

    def value(self, cell: str) -> Value | None:
        """Return the value of a cell; None: it has none. Raises CellError where it is nearly a number."""
        text = cell.strip()
        if self.is_absent(text):
            return None
        if (folded := text.lower()) in {"true", "false"}:
            return folded == "true"
        if (number := self.number(text)) is not None:
            return number
        if _INFINITE.fullmatch(text):
            msg = f"{text!r} is not finite."
            raise CellError(msg)
        if (advice := self.advice(text)) is not None:
            raise CellError(advice)
        return text

    def advice(self, text: str) -> str | None:
        """Return why a text that looks like a number is not read as one, and what to do; None: it does not look so."""
        if len(text) > _LIKE_A_NUMBER_MAX_CHARS or not _LIKE_A_NUMBER.fullmatch(text):
            return None
        if self.decimal == "." and _COMMA_NUMBER.fullmatch(text):
            return f"{text!r} looks like a number with a decimal comma: --decimal , reads it."
        if self.decimal != "." and _NUMBER.fullmatch(text):
            return f"{text!r} looks like a number with a decimal point, where {self.decimal!r} is the decimal sign."
        if _NUMBER.fullmatch(text):
            return (
                f"{text!r} looks like a number, which has no plus sign, no leading zeros, and digits around its point."
            )
        return f"{text!r} looks like a number and is not one: digits 0 to 9, {self.decimal!r} as the decimal sign."


def _number(number: str, text: str) -> float | int:
    if _WHOLE.fullmatch(number) and abs(int(number)) <= _EXACT_MAX:
        return int(number)
    value = float(number)
    if not math.isfinite(value):
        msg = f"{text!r} is more than a number of 64 bits holds."
        raise CellError(msg)
    return value
