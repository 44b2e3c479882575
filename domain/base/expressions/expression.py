"""CEL expressions over the metrics and attributes of an entity: checked once, then evaluated in columns. Pure.

An expression names metrics (`supply`, or `metrics["any name"]`) and attributes (`attributes.pump.size`,
`attributes["size"]`). Its numbers are doubles, whole ones too. Where a number is asked for, a truth is 0 or 1; where a
truth is asked for, a number other than 0 is true. `&&`, `||` and `? :` have a value where those parts have one that
decide, as CEL says; any other part has one where all its arguments have, and the result is a finite number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np

from domain.base.expressions.columns import (
    ANY_NUMBER,
    FUNCTIONS,
    RELATIONS,
    SIGNS,
    Area,
    Attribute,
    Evaluation,
    Function,
    Numbers,
    Part,
    Rows,
    Truths,
)
from domain.base.expressions.syntax import Call, Constant, Listed, Name, Node, Path, expression_parse
from domain.base.metrics import NAME_CHARS_MAX
from graph.entities.rules import EXTERNAL_ID_MAX_CHARS
from graph.errors import BadInputError
from graph.json_bounds import text_is_storable
from graph.texts import text_nfc

ATTRIBUTES: Final = "attributes"
METRICS: Final = "metrics"
# The functions that are none of numbers.
_IN_AREA: Final = "inArea"


class Kind(StrEnum):
    """The type of a part: known when it is checked, except for attributes, which depend on the entity."""

    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    TEXT = "TEXT"
    ATTRIBUTE = "ATTRIBUTE"


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. metrics, attributes (paths below `attributes`), areas (external ids): what it reads.

    area: the one it asks for where it is nothing but `inArea(...)`.
    """

    source: str
    metrics: frozenset[str]
    attributes: frozenset[tuple[str, ...]]
    areas: frozenset[str]
    kind: Kind
    evaluation: Evaluation = field(repr=False, compare=False)
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The result. values: by row, NaN where there is none; truths are 0 and 1. faults: (rows, reason), in order."""

    values: Numbers
    faults: Sequence[tuple[Truths, str]]


def expression_compile(source: str, *, path: Path) -> Expression:
    """Check an expression. Raises BadInputError and LimitExceededError at `path`, saying what and where.

    >>> sorted(expression_compile("(supply - return_) * attributes.flow", path=()).metrics)
    ['return_', 'supply']
    """
    source = text_nfc(source)
    compiler, node = _Compiler(path), expression_parse(source, path=path)
    kind, evaluation = compiler.part(node)
    if kind is Kind.TEXT:
        raise BadInputError("The expression gives a text; it must give a number or a truth.", path=path)
    if kind is Kind.ATTRIBUTE:
        kind, evaluation = Kind.NUMBER, _to_numbers(kind, evaluation)
    return Expression(
        source,
        frozenset(compiler.metrics),
        frozenset(compiler.attributes),
        frozenset(compiler.areas),
        kind,
        evaluation,
        area=_area_of(node),
    )


def expression_evaluate(
    expression: Expression,
    *,
    count: int,
    metrics: Mapping[str, Numbers],
    attributes: Mapping[tuple[str, ...], Attribute],
    areas: Mapping[str, Area],
) -> Evaluated:
    """Evaluate an expression in `count` rows. metrics: finite, all that it reads. attributes: all that it reads."""
    rows = Rows(count, metrics, attributes, areas)
    # What is past the greatest double, or divided by zero, has no value, which is a fault.
    with np.errstate(all="ignore"):
        evaluation = expression.evaluation(rows)
    values = np.where(evaluation.has, evaluation.values.astype(np.float64), np.nan)
    missing = np.isnan(values)
    faults = [(where & missing, message) for where, message in rows.faults if bool((where & missing).any())]
    return Evaluated(values, faults)


def _area_of(node: Node) -> str | None:
    name = node.arguments[2] if isinstance(node, Call) and node.function == _IN_AREA else None
    return str(name.value) if isinstance(name, Constant) else None


@dataclass(slots=True)
class _Compiler:
    path: Path
    metrics: set[str] = field(default_factory=set)
    attributes: set[tuple[str, ...]] = field(default_factory=set)
    areas: set[str] = field(default_factory=set)

    def part(self, node: Node) -> tuple[Kind, Evaluation]:
        """Check a part; return what it is, and what gives it."""
        if isinstance(node, Constant):
            return _constant(node.value)
        if isinstance(node, Name):
            return self._name(node)
        if isinstance(node, Call):
            return self._call(node)
        raise self._refusal("A list is allowed only to the right of `in`.", node)

    def _call(self, node: Call) -> tuple[Kind, Evaluation]:
        special = {
            "_&&_": self._junction,
            "_||_": self._junction,
            "!_": self._negation,
            "_?_:_": self._choice,
            "@in": self._membership,
            _IN_AREA: self._area,
            **dict.fromkeys(RELATIONS, self._relation),
        }
        return special.get(node.function, self._function)(node)

    def _junction(self, node: Call) -> tuple[Kind, Evaluation]:
        left, right = (self._truth(argument) for argument in node.arguments)
        return Kind.BOOLEAN, _junction(left, right, decides=node.function == "_||_")

    def _negation(self, node: Call) -> tuple[Kind, Evaluation]:
        [truth] = (self._truth(argument) for argument in node.arguments)
        return Kind.BOOLEAN, _negation(truth)

    def _refusal(self, message: str, node: Node) -> BadInputError:
        return BadInputError(f"{message} It is at character {node.column}.", path=self.path)

    def _name_check(self, name: str, node: Node, *, max_chars: int) -> None:
        if not 0 < len(name) <= max_chars or not text_is_storable(name):
            raise self._refusal(f"A name has 1 to {max_chars} characters, none of them NUL.", node)

    def _name(self, node: Name) -> tuple[Kind, Evaluation]:
        root, *members = node.parts
        for part in node.parts:
            self._name_check(part, node, max_chars=NAME_CHARS_MAX)
        if root == ATTRIBUTES and members:
            key = tuple(members)
            self.attributes.add(key)
            return (Kind.BOOLEAN, _presence(key)) if node.is_test else (Kind.ATTRIBUTE, _AttributeRead(key))
        if node.is_test:
            raise self._refusal("Only attributes can be tested by has(...): a metric always has a value here.", node)
        if root == METRICS and len(members) == 1:
            return Kind.NUMBER, self._metric(members[0])
        if members or root in {ATTRIBUTES, METRICS}:
            name = ".".join(node.parts)
            hint = f'A metric of that name is written metrics["{name}"].'
            raise self._refusal(f"{name} is neither a metric nor an attribute. {hint}", node)
        return Kind.NUMBER, self._metric(root)

    def _metric(self, name: str) -> Evaluation:
        self.metrics.add(name)
        return lambda rows: Part(rows.metrics[name], np.ones(rows.count, dtype=np.bool_))

    def _number(self, node: Node) -> Evaluation:
        return self._as_number(node, *self.part(node))

    def _as_number(self, node: Node, kind: Kind, evaluation: Evaluation) -> Evaluation:
        if kind is Kind.TEXT:
            raise self._refusal("A text is used where a number is needed.", node)
        return _to_numbers(kind, evaluation)

    def _truth(self, node: Node) -> Evaluation:
        kind, evaluation = self.part(node)
        if kind is Kind.TEXT:
            raise self._refusal("A text is used where true or false is needed.", node)
        return evaluation if kind is Kind.BOOLEAN else _to_truths(_to_numbers(kind, evaluation))

    def _choice(self, node: Call) -> tuple[Kind, Evaluation]:
        condition = self._truth(node.arguments[0])
        # Each side is looked at once: sides are choices again, and twice at every level has no end.
        sides = [(argument, *self.part(argument)) for argument in node.arguments[1:]]
        if all(kind is Kind.BOOLEAN for _, kind, _ in sides):
            left, right = (evaluation for _, _, evaluation in sides)
            return Kind.BOOLEAN, _choice(condition, left, right)
        left, right = (self._as_number(*side) for side in sides)
        return Kind.NUMBER, _choice(condition, left, right)

    def _relation(self, node: Call) -> tuple[Kind, Evaluation]:
        (left_kind, left), (right_kind, right) = (self.part(argument) for argument in node.arguments)
        relation = RELATIONS[node.function]
        if Kind.TEXT in {left_kind, right_kind}:
            if node.function not in {"_==_", "_!=_"}:
                raise self._refusal("Texts are compared by == and != only.", node)
            if {left_kind, right_kind} - {Kind.TEXT, Kind.ATTRIBUTE}:
                raise self._refusal("A text can be compared with an attribute only.", node)
            texts = [argument.value for argument in node.arguments if isinstance(argument, Constant)]
            reads = [item for item in (left, right) if isinstance(item, _AttributeRead)]
            is_equal = node.function == "_==_"
            if not reads:
                return _constant((texts[0] == texts[1]) is is_equal)
            return Kind.BOOLEAN, _text_among(reads[0], frozenset(texts), is_in=is_equal)
        if left_kind is right_kind is Kind.ATTRIBUTE:
            raise self._refusal("Two attributes cannot be compared: what they are is not known.", node)
        return Kind.BOOLEAN, _related(relation, _to_numbers(left_kind, left), _to_numbers(right_kind, right))

    def _membership(self, node: Call) -> tuple[Kind, Evaluation]:
        item, among = node.arguments
        if not isinstance(among, Listed) or not all(isinstance(element, Constant) for element in among.elements):
            raise self._refusal("To the right of `in` there must be a list of constants, such as [1, 2].", node)
        kind, evaluation = self.part(item)
        values = [element.value for element in among.elements if isinstance(element, Constant)]
        if values and all(isinstance(value, str) for value in values) and isinstance(evaluation, _AttributeRead):
            return Kind.BOOLEAN, _text_among(evaluation, frozenset(values), is_in=True)
        if any(isinstance(value, str) for value in values) or kind is Kind.TEXT:
            raise self._refusal("Texts are looked for only by an attribute, and among texts.", node)
        return Kind.BOOLEAN, _contained(_to_numbers(kind, evaluation), np.array(values, dtype=np.float64))

    def _area(self, node: Call) -> tuple[Kind, Evaluation]:
        name = node.arguments[2] if len(node.arguments) == 3 else None  # noqa: PLR2004  (its three arguments)
        if not isinstance(name, Constant) or not isinstance(name.value, str):
            raise self._refusal('It is written inArea(longitude, latitude, "external id of a space").', node)
        self._name_check(name.value, name, max_chars=EXTERNAL_ID_MAX_CHARS)
        longitude, latitude = (self._number(argument) for argument in node.arguments[:2])
        self.areas.add(name.value)
        return Kind.BOOLEAN, _area(longitude, latitude, name.value)

    def _function(self, node: Call) -> tuple[Kind, Evaluation]:
        if node.function not in FUNCTIONS:
            known = ", ".join(sorted([*(name for name in FUNCTIONS if name.isidentifier()), _IN_AREA, "has"]))
            raise self._refusal(f"There is no function {node.function}, only {known}.", node)
        takes, function = FUNCTIONS[node.function]
        if not node.arguments or takes not in {ANY_NUMBER, len(node.arguments)}:
            many = "at least one number" if takes == ANY_NUMBER else f"{takes} number{'s' if takes > 1 else ''}"
            raise self._refusal(f"{node.function} takes {many}.", node)
        name = SIGNS.get(node.function, node.function)
        return Kind.NUMBER, _called(name, function, [self._number(argument) for argument in node.arguments])


def _constant(value: float | bool | str) -> tuple[Kind, Evaluation]:
    kind = Kind.TEXT if isinstance(value, str) else Kind.BOOLEAN if isinstance(value, bool) else Kind.NUMBER
    return kind, lambda rows: Part(np.full(rows.count, value), _all(rows))


def _all(rows: Rows) -> Truths:
    return np.ones(rows.count, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _AttributeRead:
    """Gives an attribute as numbers, a truth being 0 or 1. What takes texts asks for them by `picked`.

    The work is done for each value that the attribute has anywhere: of many rows there are few.
    """

    key: tuple[str, ...]

    def __call__(self, rows: Rows) -> Part:
        return self.picked(rows, _number_of, dtype=np.float64, what="number")

    def picked(self, rows: Rows, pick: Callable[[Any], Any], *, dtype: Any, what: str) -> Part:
        """Give what `pick` makes of each value; it has none where that is None."""
        attribute = rows.attributes[self.key]
        picked = [pick(value) for value in attribute.values]
        given = np.array([value is not None for value in attribute.values], dtype=np.bool_)
        has = np.array([value is not None for value in picked], dtype=np.bool_)
        if not has.all():
            name = ".".join(self.key)
            rows.fault(~given[attribute.of], f"There is no attribute {name}.")
            rows.fault((given & ~has)[attribute.of], f"The attribute {name} is no {what}.")
        values = np.array([0 if value is None else value for value in picked], dtype=dtype)
        return Part(values[attribute.of], has[attribute.of])


def _number_of(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float)) else None
    except OverflowError:
        return None


def _text_among(read: _AttributeRead, among: frozenset[Any], *, is_in: bool) -> Evaluation:
    """Give whether an attribute is one of some texts, or none of them."""

    def pick(value: Any) -> bool | None:
        return (value in among) is is_in if isinstance(value, str) else None

    return lambda rows: read.picked(rows, pick, dtype=np.bool_, what="text")


def _presence(key: tuple[str, ...]) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        attribute = rows.attributes[key]
        has = np.array([value is not None for value in attribute.values], dtype=np.bool_)
        return Part(has[attribute.of], _all(rows))

    return evaluate


def _to_numbers(kind: Kind, evaluation: Evaluation) -> Evaluation:
    return (lambda rows: _as_numbers(evaluation(rows))) if kind is Kind.BOOLEAN else evaluation


def _as_numbers(part: Part) -> Part:
    return Part(part.values.astype(np.float64), part.has)


def _to_truths(evaluation: Evaluation) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        part = evaluation(rows)
        return Part(part.values != 0, part.has)

    return evaluate


def _called(name: str, function: Function, arguments: Sequence[Evaluation]) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        parts = [argument(rows) for argument in arguments]
        given = np.logical_and.reduce([part.has for part in parts])
        values = function(*(part.values for part in parts))
        finite = np.isfinite(values)
        rows.fault(given & ~finite, f"{name} has no finite result.")
        return Part(values, given & finite)

    return evaluate


def _related(relation: Any, left: Evaluation, right: Evaluation) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        one, other = left(rows), right(rows)
        return Part(relation(one.values, other.values).astype(np.bool_), one.has & other.has)

    return evaluate


def _contained(item: Evaluation, among: Any) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        part = item(rows)
        return Part(np.isin(part.values, among), part.has)

    return evaluate


def _area(longitude: Evaluation, latitude: Evaluation, name: str) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        x, y = longitude(rows), latitude(rows)
        area = rows.areas.get(name)
        if area is None:
            rows.fault(_all(rows), f"There is no space {name!r} with an area.")
            return Part(~_all(rows), ~_all(rows))
        return Part(area(x.values, y.values), x.has & y.has)

    return evaluate


def _negation(truth: Evaluation) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        part = truth(rows)
        return Part(~part.values, part.has)

    return evaluate


def _junction(left: Evaluation, right: Evaluation, *, decides: bool) -> Evaluation:
    """Or (decided by true) and and (decided by false). Either side alone may decide, whatever the other is."""

    def evaluate(rows: Rows) -> Part:
        one, other = left(rows), right(rows)
        decided = (one.has & (one.values == decides)) | (other.has & (other.values == decides))
        return Part(np.where(decided, decides, not decides), decided | (one.has & other.has))

    return evaluate


def _choice(condition: Evaluation, left: Evaluation, right: Evaluation) -> Evaluation:
    def evaluate(rows: Rows) -> Part:
        which, one, other = condition(rows), left(rows), right(rows)
        values = np.where(which.values, one.values, other.values)
        return Part(values, which.has & np.where(which.values, one.has, other.has))

    return evaluate
