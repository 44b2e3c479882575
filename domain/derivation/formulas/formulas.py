"""Formulas of derived metrics: how a telemetry schema writes them, and their compiled form. Pure.

{"derived": {name: {"sum": {metric: factor, ...}, "offset": number, "unit": UCUM code, "maxAge": ISO 8601 duration}}}
A derived point is the offset and the sum of each input times its factor; or what a CEL expression gives:
{"derived": {name: {"formula": "supply - return_", "unit": UCUM code, "maxAge": ISO 8601 duration}}}
The inputs of an expression may themselves be derived, as long as there is no cycle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

from domain.base.expressions.expression import Expression, expression_compile
from domain.base.expressions.syntax import SOURCE_CHARS_MAX
from domain.base.metrics import METRICS_MAX, NAME_CHARS_MAX
from domain.base.units import UnitError, unit_check
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import text_check

MEMBER: Final = "derived"
TERMS_MAX: Final = 100
MAX_AGE: Final = timedelta(minutes=15)
MAX_AGE_MOST: Final = timedelta(days=31)
FORMULA: Final = "formula"
_MEMBERS: Final = ("sum", "offset", FORMULA, "unit", "maxAge")
_UNIT_MAX_CHARS: Final = 64
_COMPILED_MAX: Final = 10_000

# Names of a cycle that a message quotes.
CYCLE_SHOWN_MAX: Final = 20

Path = tuple[str, ...]
# Metrics, each derived from the next, and the last from the first.
FormulaCycle = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """One derived metric: a sum of terms (input, factor), by input, or an expression.

    max_age_us: how old an input's last value may be.
    """

    metric: str
    unit: str | None
    terms: tuple[tuple[str, float], ...]
    offset: float
    max_age_us: int
    expression: Expression | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The metrics it reads, by name."""
        if self.expression is not None:
            return tuple(sorted(self.expression.metrics))
        return tuple(metric for metric, _ in self.terms)


@dataclass(frozen=True, slots=True)
class FormulaSet:
    """The formulas in force over [begins_us, ends_us) of event time, and the stage's version that computes them.

    formulas: each after those it reads.
    """

    begins_us: int
    ends_us: int
    formulas: tuple[Formula, ...]
    version: int
    metrics: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", frozenset(formula.metric for formula in self.formulas))


def derived_check(value: Any, *, path: Path) -> None:
    """Check the `derived` member of a schema.

    Raises BadInputError at the place at fault: an unknown member, an input that is itself derived, a factor that is
    no number, an invalid or cyclic expression, a unit that is no UCUM code, an age that is no fixed
    duration up to 31 days; LimitExceededError above METRICS_MAX formulas or TERMS_MAX inputs.
    """
    if not isinstance(value, Mapping):
        raise BadInputError("derived must be an object {name: {sum: {metric: factor}, ...}}.", path=path)
    if len(value) > METRICS_MAX:
        raise LimitExceededError(f"A schema may derive {METRICS_MAX} metrics; it has {len(value)}.", path=path)
    for name, formula in value.items():
        text_check(name, path=(*path, name), min_chars=1, max_chars=NAME_CHARS_MAX)
        _formula_check(formula, (*path, name), derived=value)
    formulas = {name: _formula(name, formula) for name, formula in value.items()}
    if isinstance(cycle := _ordered(formulas), tuple):
        raise BadInputError(f"{cycle_text(cycle)} forms a cycle.", path=(*path, cycle[0], FORMULA))


def derived_cycle(value: Mapping[str, Any]) -> FormulaCycle | None:
    """Return a cycle among the formulas of a checked `derived` member; None: there is none."""
    ordered = _ordered({name: _formula(name, formula) for name, formula in value.items()})
    return ordered if isinstance(ordered, tuple) else None


def cycle_text(cycle: FormulaCycle) -> str:
    """Return a cycle as text: each metric, and the one it is derived from.

    >>> cycle_text(("a", "b"))
    "'a' -> 'b' -> 'a'"
    """
    names = [repr(name) for name in (*cycle, cycle[0])]
    if len(names) > CYCLE_SHOWN_MAX:
        between = len(names) - CYCLE_SHOWN_MAX
        names[CYCLE_SHOWN_MAX - 1 : -1] = [f"... ({between} more)"]
    return " -> ".join(names)


def formulas_of(schema: Mapping[str, Any]) -> tuple[Formula, ...]:
    """Return the compiled formulas of a checked schema, each after those it reads, else by name."""
    formulas = {name: _formula(name, formula) for name, formula in sorted(schema.get(MEMBER, {}).items())}
    ordered = _ordered(formulas)
    assert not isinstance(ordered, tuple)  # noqa: S101  (the schema was checked)
    return tuple(ordered)


def _formula(name: str, formula: Mapping[str, Any]) -> Formula:
    source = formula.get(FORMULA)
    return Formula(
        name,
        formula.get("unit"),
        tuple((metric, float(factor)) for metric, factor in sorted(formula.get("sum", {}).items())),
        float(formula.get("offset", 0)),
        _age(formula.get("maxAge")) // timedelta(microseconds=1),
        None if source is None else _compiled(source),
    )


@lru_cache(maxsize=_COMPILED_MAX)
def _compiled(source: str) -> Expression:
    # All schemas are read again whenever a link or an attribute changes; their expressions mostly stay the same.
    return expression_compile(source, path=())


def _ordered(formulas: Mapping[str, Formula]) -> list[Formula] | FormulaCycle:
    """Return formulas in the order in which they can be computed; or a cycle among them."""
    waits = {name: {i for i in formula.inputs if i in formulas} for name, formula in sorted(formulas.items())}
    ordered: list[Formula] = []
    while waits:
        ready = [name for name, inputs in waits.items() if not inputs & waits.keys()]
        if not ready:
            return _cyclic(waits)
        for name in ready:
            del waits[name]
            ordered.append(formulas[name])
    return ordered


def _cyclic(waits: Mapping[str, set[str]]) -> FormulaCycle:
    """Return a cycle, its smallest name first: following names that wait for each other ends in one."""
    name, passed = next(iter(waits)), list[str]()
    while name not in passed:
        passed.append(name)
        name = min(waits[name] & waits.keys())
    cycle = passed[passed.index(name) :]
    first = cycle.index(min(cycle))
    return *cycle[first:], *cycle[:first]


def _formula_check(formula: Any, path: Path, *, derived: Mapping[str, Any]) -> None:
    if not isinstance(formula, Mapping):
        raise BadInputError(
            "A derived metric is described by an object, {sum: {metric: factor}} or {formula: text}.", path=path
        )
    for name in formula:
        if name not in _MEMBERS:
            raise BadInputError(f"There is no {name!r} here, only {', '.join(_MEMBERS)}.", path=(*path, name))
    if FORMULA in formula:
        _expression_check(formula, path)
    else:
        _sum_check(formula, path, derived=derived)
    if "unit" in formula:
        text_check(formula["unit"], path=(*path, "unit"), max_chars=_UNIT_MAX_CHARS)
        try:
            unit_check(formula["unit"])
        except UnitError as error:
            raise BadInputError(str(error), path=(*path, "unit")) from None
    _age_check(formula.get("maxAge"), (*path, "maxAge"))


def _expression_check(formula: Mapping[str, Any], path: Path) -> None:
    for name in ("sum", "offset"):
        if name in formula:
            raise BadInputError(f"It is a formula or a sum, not both: {name} goes with sum.", path=(*path, name))
    place = (*path, FORMULA)
    text_check(formula[FORMULA], path=place, min_chars=1, max_chars=SOURCE_CHARS_MAX)
    expression = expression_compile(formula[FORMULA], path=place)
    if not expression.metrics:
        raise BadInputError("A formula reads at least one metric: its points have their times.", path=place)
    if len(expression.metrics) > TERMS_MAX:
        msg = f"A formula may read {TERMS_MAX} metrics; it reads {len(expression.metrics)}."
        raise LimitExceededError(msg, path=place)


def _sum_check(formula: Mapping[str, Any], path: Path, *, derived: Mapping[str, Any]) -> None:
    terms, place = formula.get("sum"), (*path, "sum")
    if not isinstance(terms, Mapping) or not terms:
        raise BadInputError("sum must be an object {metric: factor} with at least one metric.", path=place)
    if len(terms) > TERMS_MAX:
        raise LimitExceededError(f"A sum may have {TERMS_MAX} metrics; it has {len(terms)}.", path=place)
    for metric, factor in terms.items():
        text_check(metric, path=(*place, metric), min_chars=1, max_chars=NAME_CHARS_MAX)
        if metric in derived:
            raise BadInputError(f"{metric!r} is itself derived; a sum is over measured metrics.", path=(*place, metric))
        _number_check(factor, (*place, metric))
    _number_check(formula.get("offset", 0), (*path, "offset"))


def _age_check(value: Any, path: Path) -> None:
    try:
        age = _age(value)
    except (msgspec.ValidationError, OverflowError):
        age = timedelta(0)
    if not timedelta(0) < age <= MAX_AGE_MOST:
        raise BadInputError("maxAge is an ISO 8601 duration such as PT15M, at most P31D.", path=path)


def _number_check(value: Any, path: Path) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInputError("This must be a number.", path=path)


def _age(text: Any) -> timedelta:
    return MAX_AGE if text is None else msgspec.convert(text, timedelta)
