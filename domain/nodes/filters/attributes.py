"""Conditions on the attributes of entities, as SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal
from unicodedata import normalize

from sqlalchemy import ARRAY, Boolean, ColumnElement, Text, any_, case, cast, func, literal, not_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Numeric

from domain.nodes.filters.model import AttributeCondition, AttributeOperator, Path
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import JSON_DEPTH_MAX, json_check, text_check
from graph.tables import entities

PATH_MAX_CHARS: Final = 1_000
TEXT_MAX_CHARS: Final = 500
VALUES_MAX: Final = 100

_Value = ColumnElement[Any]
_FORMS: Final[tuple[Literal["NFC", "NFD"], ...]] = ("NFC", "NFD")
_COMPARISONS: Final[Mapping[AttributeOperator, Callable[[_Value, Any], ColumnElement[bool]]]] = {
    AttributeOperator.GT: lambda value, bound: value > bound,
    AttributeOperator.GTE: lambda value, bound: value >= bound,
    AttributeOperator.LT: lambda value, bound: value < bound,
    AttributeOperator.LTE: lambda value, bound: value <= bound,
}


def attribute_condition(condition: AttributeCondition, *, path: Path) -> ColumnElement[bool]:
    """Return an attribute condition as a condition on `entities`, which is never null. path: of the condition.

    Raises BadInputError, LimitExceededError.
    """
    value = _value_at(_names(condition.path, place=(*path, "path")))
    operand, place = condition.value, (*path, condition.operator.value)
    match condition.operator:
        case AttributeOperator.EXISTS:
            return value.is_not(None) if operand else value.is_(None)
        case AttributeOperator.EQ:
            return _one_of(value, [operand], place)
        case AttributeOperator.NE:
            return not_(_one_of(value, [operand], place))
        case AttributeOperator.IN:
            if len(operand) > VALUES_MAX:
                raise LimitExceededError(f"in may have {VALUES_MAX} entries.", path=place)
            return _one_of(value, operand, place)
        case AttributeOperator.CONTAINS | AttributeOperator.STARTS_WITH:
            pattern = func.search_pattern(text_check(operand, path=place, max_chars=TEXT_MAX_CHARS))
            if condition.operator is AttributeOperator.STARTS_WITH:
                # Without the first of the two percent signs.
                pattern = func.substr(pattern, 2)
            return _if_type("string", value, func.text_folded(_text(value)).like(pattern))
        case _:
            bound = literal(Decimal(repr(operand)), Numeric)
            return _if_type("number", value, _COMPARISONS[condition.operator](cast(value, Numeric), bound))


def _names(path: str, *, place: Path) -> list[str]:
    names = text_check(path, path=place, min_chars=1, max_chars=PATH_MAX_CHARS).split(".")
    if not all(names):
        raise BadInputError(f"{path!r} is not a path: names joined by dots, such as motor.kW.", path=place)
    if len(names) > JSON_DEPTH_MAX:
        raise LimitExceededError(f"A path may have {JSON_DEPTH_MAX} names.", path=place)
    return names


def _value_at(names: Sequence[str]) -> _Value:
    """Return the value at a path; null where there is none. Attributes are kept in the form of Unicode they came in."""
    values = [
        entities.c.attributes.op("#>", return_type=JSONB)(cast([normalize(form, name) for name in names], ARRAY(Text)))
        for form in _FORMS[: 1 if all(map(str.isascii, names)) else 2]
    ]
    return values[0] if len(values) == 1 else func.coalesce(*values, type_=JSONB)


def _one_of(value: _Value, operands: Sequence[Any], place: Path) -> ColumnElement[bool]:
    texts = [json.dumps(form) for operand in operands for form in _forms(json_check(operand, path=place))]
    return func.coalesce(value == any_(cast(literal(texts, ARRAY(Text)), ARRAY(JSONB))), False, type_=Boolean)


def _forms(value: Any) -> list[Any]:
    """Return a value in the forms of Unicode in which it may be kept."""
    if not isinstance(value, str) or value.isascii():
        return [value]
    return list(dict.fromkeys((value, *(normalize(form, value) for form in _FORMS))))


def _text(value: _Value) -> _Value:
    return value.op("#>>", return_type=Text)(cast([], ARRAY(Text)))


def _if_type(name: str, value: _Value, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition that is evaluated only of values of a type of JSON, and false of others."""
    is_met: ColumnElement[bool] = case((func.jsonb_typeof(value) == name, condition), else_=False)
    return is_met
