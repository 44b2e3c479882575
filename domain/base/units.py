"""Units of measure: what is a UCUM code, and how values of one unit become values of another. Pure.

UCUM: https://ucum.org/ucum. Codes are parsed by ucumvert, their sizes come from pint, in exact fractions. Both are
imported when the first code is looked at: that takes a second, and most processes never need it.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

# Whole numbers up to here are doubles.
_EXACT_MAX: Final = 2**53
# ucumvert takes the signs of the minute and second of arc for those of time.
_ARC_SIGNS: Final = ("'", "''")
# Exact fractions of 10*99999 and more would take for ever.
_LONG_NUMBER: Final = re.compile(r"\d{5}")


class UnitError(ValueError):
    """A code is no UCUM code, or values of one unit cannot become values of the other."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion of values: (value * factor + offset) / divisor.

    Three numbers and not two, for they are whole where they can be: 212 [degF] are 100 Cel, not nearly so.
    """

    factor: float
    offset: float
    divisor: float

    def __call__(self, value: float) -> float:
        """Return the value in the other unit."""
        return (value * self.factor + self.offset) / self.divisor


IDENTITY: Final = Conversion(1.0, 0.0, 1.0)


@functools.lru_cache(maxsize=1024)
def unit_check(code: str) -> None:
    """Raise UnitError unless this is a case-sensitive UCUM code such as `Cel`, `kW.h`, `m3/h`, `%`, `{count}`."""
    from ucumvert.parser import InvalidUcumError, parse_ucum

    try:
        parse_ucum(code, _parser())
    except InvalidUcumError:
        raise UnitError(f"{code!r} is no UCUM code; such are Cel, kW.h, m3/h, %.") from None


@functools.lru_cache(maxsize=1024)
def unit_conversion(from_: str, to: str) -> Conversion:
    """Return how values in the unit `from_` become values in `to`.

    Raises UnitError where one is no UCUM code, where they measure different things, and where the conversion is
    no straight line (levels such as dB).
    """
    unit_check(from_)
    unit_check(to)
    if from_ == to:
        return IDENTITY
    refusal = f"Values in {from_} cannot become values in {to}."
    try:
        convert = _converter(from_, to)
        at_0, at_1, at_2 = convert(0), convert(1), convert(2)
        if not math.isclose(at_2 - at_1, at_1 - at_0, rel_tol=1e-9):
            raise UnitError(refusal)
        return _conversion(at_1 - at_0, at_0)
    # pint and the parser raise errors of a dozen unrelated classes.
    except Exception as error:
        raise UnitError(refusal) from error


def _conversion(factor: Fraction, offset: Fraction) -> Conversion:
    divisor = math.lcm(factor.denominator, offset.denominator)
    whole = (factor * divisor, offset * divisor, Fraction(divisor))
    if max(abs(item) for item in whole) > _EXACT_MAX:
        return Conversion(float(factor), float(offset), 1.0)
    return Conversion(float(whole[0]), float(whole[1]), float(whole[2]))


def _converter(from_: str, to: str) -> Callable[[int], Fraction]:
    source, target = _quantity(from_), _quantity(to)

    def convert(value: int) -> Fraction:
        given = _registry().Quantity(source.magnitude * Fraction(value), source.units)
        return Fraction(given.to(target.units).magnitude) / Fraction(target.magnitude)

    return convert


def _quantity(code: str) -> Any:
    from lark import Token
    from ucumvert.parser import parse_ucum
    from ucumvert.ucum_pint import UcumToPintTransformer

    if _LONG_NUMBER.search(code):
        raise UnitError(code)
    tree = parse_ucum(code, _parser())
    if any(isinstance(part, Token) and part in _ARC_SIGNS for part in tree.scan_values(lambda _: True)):
        raise UnitError(code)
    quantity = UcumToPintTransformer(ureg=_registry()).transform(tree)
    # An annotation alone, such as {count}, is the unit 1.
    return _registry().Quantity(Fraction(1)) if isinstance(quantity, Token) else quantity


@functools.cache
def _parser() -> Any:
    from ucumvert.parser import get_ucum_parser

    return get_ucum_parser()


@functools.cache
def _registry() -> Any:
    from importlib.resources import as_file, files

    from pint import UnitRegistry

    registry: Any = UnitRegistry(non_int_type=Fraction)
    with as_file(files("ucumvert") / "pint_ucum_defs.txt") as definitions:
        registry.load_definitions(definitions)
    return registry
