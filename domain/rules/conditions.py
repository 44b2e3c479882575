"""Conditions of rules, validated once when a rule is written. Pure.

As JSON, a condition is an object with exactly one of `threshold`, `noData`, `expression`, `allOf` and `anyOf`, as in
the contract; lengths of time are whole microseconds: `forUs`, `clearForUs` and `afterUs`.
"""

from __future__ import annotations

import math
import operator as compare
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from domain.base.expressions.expression import Expression, Kind, expression_compile
from domain.base.metrics import NAME_CHARS_MAX
from graph.errors import BadInputError, LimitExceededError
from graph.texts import text_nfc

DEPTH_MAX: Final = 4
PARTS_MAX: Final = 20
# No length of time in a condition is longer: what has to be remembered and looked at grows with it.
LENGTH_MAX_US: Final = 366 * 86_400_000_000
# Inputs of an expression count up to that age, as those of formulas do unless they say otherwise.
MAX_AGE_US: Final = 15 * 60_000_000
_GREATEST: Final = sys.float_info.max

Path = tuple[str, ...]


class Operator(StrEnum):
    """Operators that compare a reading with a threshold."""

    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"
    EQ = "EQ"
    NEQ = "NEQ"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Opens once the metric has satisfied the operator for for_us, clears once past clear_value for clear_for_us."""

    metric: str
    operator: Operator
    value: float
    for_us: int
    clear_value: float
    clear_for_us: int


@dataclass(frozen=True, slots=True)
class NoData:
    """Opens once no reading of the metric has come for after_us, clears with the next.

    ever_heard: whether it needs a reading to begin with. since_us: of an entity, from when it counts where there is no
    reading; None: not at all.
    """

    metric: str
    after_us: int
    ever_heard: bool = True
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """Opens where a CEL expression is true, clears where it is false."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    """Open while all parts are."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Open while any part is."""

    parts: tuple[Condition, ...]


Leaf = Threshold | NoData | Truth
Condition = Leaf | AllOf | AnyOf


def condition_read(value: Any, *, path: Path = ("condition",)) -> Condition:
    """Check a condition as JSON. Raises BadInputError and LimitExceededError below `path`, with the reason."""
    condition = _read(value, path, 1)
    if len(list(leaves_of(condition))) > PARTS_MAX:
        raise LimitExceededError(f"A condition has at most {PARTS_MAX} parts.", path=path)
    return condition


def leaves_of(condition: Condition) -> Iterator[Leaf]:
    """Yield the parts that look at readings, from left to right."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from leaves_of(part)
    else:
        yield condition


def counts_unheard(condition: Condition) -> bool:
    """Return whether an entity is evaluated of which nothing has ever come."""
    return any(isinstance(leaf, NoData) and not leaf.ever_heard for leaf in leaves_of(condition))


def condition_since(condition: Condition, since_us: int) -> Condition:
    """Return the condition of an entity that is there since an instant."""
    if isinstance(condition, AllOf | AnyOf):
        return replace(condition, parts=tuple(condition_since(part, since_us) for part in condition.parts))
    if isinstance(condition, NoData) and not condition.ever_heard:
        return replace(condition, since_us=since_us)
    return condition


def metrics_of(condition: Condition) -> frozenset[str]:
    """Return the metrics a condition reads."""
    return frozenset(
        name
        for leaf in leaves_of(condition)
        for name in (leaf.expression.metrics if isinstance(leaf, Truth) else (leaf.metric,))
    )


def _read(value: Any, path: Path, depth: int) -> Condition:
    if not isinstance(value, Mapping) or len(value) != 1:
        msg = "A condition is exactly one of threshold, noData, expression, allOf and anyOf."
        raise BadInputError(msg, path=path)
    [(what, body)] = value.items()
    inner = (*path, str(what))
    if what == "threshold":
        return _threshold(body, inner)
    if what == "noData":
        return _no_data(body, inner)
    if what == "expression":
        return _truth(body, inner)
    if what not in {"allOf", "anyOf"}:
        raise BadInputError(f"There is no condition {str(what)[:40]!r}.", path=path)
    if depth >= DEPTH_MAX:
        raise LimitExceededError(f"Conditions are nested at most {DEPTH_MAX} deep.", path=inner)
    if not isinstance(body, Sequence) or isinstance(body, str) or not body:
        raise BadInputError(f"{what} names at least one condition.", path=inner)
    if len(body) > PARTS_MAX:
        raise LimitExceededError(f"A condition has at most {PARTS_MAX} parts.", path=inner)
    parts = tuple(_read(part, (*inner, str(n)), depth + 1) for n, part in enumerate(body))
    if what == "allOf":
        _refuse_never_open(parts, inner)
        return AllOf(parts)
    _refuse_never_clear(parts, inner)
    return AnyOf(parts)


def _threshold(body: Any, path: Path) -> Threshold:
    _known(body, {"metric", "operator", "value", "forUs", "clearValue", "clearForUs"}, path)
    name = body.get("operator")
    if name not in set(Operator):
        raise BadInputError(f"operator is one of {', '.join(Operator)}.", path=(*path, "operator"))
    value = _number(body.get("value"), (*path, "value"))
    clear_value = body.get("clearValue")
    clear = value if clear_value is None else _number(clear_value, (*path, "clearValue"))
    threshold = Threshold(
        _metric(body.get("metric"), path),
        Operator(name),
        value,
        _length(body.get("forUs", 0), (*path, "for")),
        clear,
        _length(body.get("clearForUs", 0), (*path, "clearFor")),
    )
    _refuse_contradiction(threshold, path)
    return threshold


def _refuse_contradiction(leaf: Threshold, path: Path) -> None:
    value, clear, operator = leaf.value, leaf.clear_value, leaf.operator
    side = (*path, "clearValue")
    above, below = operator in {Operator.GT, Operator.GTE}, operator in {Operator.LT, Operator.LTE}
    if (above and clear > value) or (below and clear < value):
        where = "above" if above else "below"
        msg = f"It would clear at readings that open it: clearValue {clear:g} is {where} value {value:g}."
        raise BadInputError(msg, path=side)
    if not above and not below and clear != value:
        raise BadInputError(f"With {operator} a clearValue can only be the value itself.", path=side)
    if (operator is Operator.GT and value >= _GREATEST) or (operator is Operator.LT and value <= -_GREATEST):
        raise BadInputError("It can never fire: no number lies beyond this value.", path=(*path, "value"))
    if (operator is Operator.GTE and clear <= -_GREATEST) or (operator is Operator.LTE and clear >= _GREATEST):
        raise BadInputError("It can never clear: no number lies beyond this value.", path=side)


def _no_data(body: Any, path: Path) -> NoData:
    _known(body, {"metric", "afterUs", "everHeard"}, path)
    after = _length(body.get("afterUs"), (*path, "after"))
    if after == 0:
        raise BadInputError("It could never clear: after must be longer than nothing.", path=(*path, "after"))
    ever_heard = body.get("everHeard", True)
    if not isinstance(ever_heard, bool):
        raise BadInputError("everHeard is true or false.", path=(*path, "everHeard"))
    return NoData(_metric(body.get("metric"), path), after, ever_heard)


def _truth(body: Any, path: Path) -> Truth:
    if not isinstance(body, str):
        raise BadInputError("An expression is a text.", path=path)
    expression = expression_compile(body, path=path)
    if expression.kind is not Kind.BOOLEAN:
        raise BadInputError("The expression gives a number; a condition must give true or false.", path=path)
    if expression.attributes or expression.areas:
        msg = "The expression of a rule reads metrics only. Have a derived metric read attributes and areas."
        raise BadInputError(msg, path=path)
    if not expression.metrics:
        msg = "The expression reads no metric: it is always true or always false, and never fires or never clears."
        raise BadInputError(msg, path=path)
    return Truth(expression)


def _known(body: Any, names: set[str], path: Path) -> None:
    if not isinstance(body, Mapping):
        raise BadInputError("This must be an object.", path=path)
    for name in body:
        if name not in names:
            raise BadInputError(f"There is no {str(name)[:40]!r} here.", path=path)


def _metric(value: Any, path: Path) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_CHARS_MAX or "\0" in value:
        msg = f"metric is a name of 1 to {NAME_CHARS_MAX} characters, none of them NUL."
        raise BadInputError(msg, path=(*path, "metric"))
    return text_nfc(value)


def _number(value: Any, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _GREATEST:
        raise BadInputError(f"{path[-1]} must be a finite number.", path=path)
    return float(value)


def _length(value: Any, path: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInputError(f"{path[-1]} must be a length of time.", path=path)
    if value > LENGTH_MAX_US:
        raise LimitExceededError(f"{path[-1]} is at most 366 days.", path=path)
    return value


def _refuse_never_open(parts: Sequence[Condition], path: Path) -> None:
    """Refuse two thresholds on one metric that no reading keeps open together."""
    plain = [part for part in parts if isinstance(part, Threshold) and part.clear_for_us == 0]
    for n, one in enumerate(plain):
        for other in plain[n + 1 :]:
            if one.metric != other.metric:
                continue
            # Where any reading has passed the clearValue of neither, one of these has.
            if not any(
                _holds(one.operator, at, one.clear_value) and _holds(other.operator, at, other.clear_value)
                for at in _around(one.clear_value, other.clear_value)
            ):
                both = f"{_threshold_text(one)} and {_threshold_text(other)}"
                msg = f"It can never fire: no reading of {one.metric} keeps both {both} open."
                raise BadInputError(msg, path=path)


def _refuse_never_clear(parts: Sequence[Condition], path: Path) -> None:
    """Refuse two thresholds on one metric of which every reading opens one."""
    plain = [part for part in parts if isinstance(part, Threshold) and part.for_us == 0]
    for n, one in enumerate(plain):
        for other in plain[n + 1 :]:
            if one.metric != other.metric:
                continue
            # Where any reading satisfies neither, one of these does not.
            if all(
                _holds(one.operator, at, one.value) or _holds(other.operator, at, other.value)
                for at in _around(one.value, other.value)
            ):
                either = f"{_threshold_text(one)} or {_threshold_text(other)}"
                msg = f"It can never clear: every reading of {one.metric} satisfies {either}."
                raise BadInputError(msg, path=path)


def _around(*edges: float) -> set[float]:
    """Return numbers of every part into which these cut the line."""
    near = {n for e in edges for n in (e, math.nextafter(e, math.inf), math.nextafter(e, -math.inf))}
    return {n for n in near if math.isfinite(n)}


def _holds(operator: Operator, reading: float, value: float) -> bool:
    relations = {
        Operator.GT: compare.gt,
        Operator.GTE: compare.ge,
        Operator.LT: compare.lt,
        Operator.LTE: compare.le,
        Operator.EQ: compare.eq,
        Operator.NEQ: compare.ne,
    }
    return bool(relations[operator](reading, value))


def _threshold_text(leaf: Threshold) -> str:
    return f"{leaf.operator} {leaf.value:g}"
