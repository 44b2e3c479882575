"""Evaluate formulas over a span of time: the one function behind every derived metric. Pure; hot path.

There is a derived point at every timestamp of any of its inputs, where each input has a value at or before it that is
no older than the formula's maxAge. Many entities of one type are derived at once, in columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.base.expressions.expression import Expression, expression_evaluate
from domain.base.packed import Column, Instants, Places, Values
from domain.definitions.processors.versions import Total, version_get
from domain.derivation.formulas.context import FormulaContext
from domain.derivation.formulas.formulas import Formula, FormulaSet

# By metric its last point: microseconds since the Unix epoch, and its value (NaN where it is no number).
Last = Mapping[str, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class State:
    """An entity's state at an instant: the last point of each input, and of each derived metric that others read."""

    inputs: Last = field(default_factory=dict)
    derived: Last = field(default_factory=dict)


NOTHING = Column(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a metric of an entity has no point at some instants. owner: the entity's index. last_us: the last instant."""

    owner: int
    metric: str
    last_us: int
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of `derive`. outputs: points by metric. states: of each entity at its end.

    faults: the last of each.
    """

    outputs: dict[str, Column]
    states: list[State]
    faults: list[Fault]


def derive(
    *,
    sets: Sequence[FormulaSet],
    inputs: Mapping[str, Column],
    begins_us: Instants,
    ends_us: Instants,
    states: Sequence[State],
    formula_context: FormulaContext,
) -> Outcome:
    """Return the derived points of entities over [begins_us, ends_us).

    sets: the formulas, by the time in which they are in force, each with the version that computes it. begins_us,
    ends_us, states: one for each entity, the state that at its begin. inputs: by metric, all points within; earlier
    ones do no harm. Where they reach back by `reach_us`, and `formula_context.lead_us` too, no state is needed.
    A name that a set derives is read as derived there, and in other sets as measured.
    Raises KeyError for a version that this code does not know.
    """
    measured = {
        metric: _joined(inputs.get(metric, NOTHING), [state.inputs.get(metric) for state in states])
        for metric in {*inputs, *(metric for state in states for metric in state.inputs)}
    }
    derived = {metric: _joined(NOTHING, [state.derived.get(metric) for state in states]) for metric in chained_of(sets)}
    columns_by_metric: dict[str, list[Column]] = {}
    faults: dict[tuple[int, str], Fault] = {}
    for formulas in sets:
        begins = np.maximum(begins_us - formula_context.lead_us, formulas.begins_us)
        ends = np.minimum(ends_us, formulas.ends_us)
        if not bool((begins < ends).any()):
            continue
        total = version_get(formulas.version).total
        for formula in formulas.formulas:
            read = {name: (derived if name in formulas.metrics else measured).get(name) for name in formula.inputs}
            column, new_faults = _evaluate(formula, total, read, formula_context, begins_us=begins, ends_us=ends)
            if formula.metric in derived and len(column):
                derived[formula.metric] = columns_join([derived[formula.metric], column])
            column = column.take(column.at >= begins_us[column.owner]) if formula_context.lead_us else column
            faults |= {(f.owner, f.metric): f for f in new_faults if f.last_us >= begins_us[f.owner]}
            if len(column):
                columns_by_metric.setdefault(formula.metric, []).append(column)
    outputs = {metric: columns_join(parts) for metric, parts in columns_by_metric.items()}
    last, carried = _last(measured, len(begins_us)), _last(derived, len(begins_us))
    return Outcome(outputs, [State(*pair) for pair in zip(last, carried, strict=True)], list(faults.values()))


def columns_join(parts: Sequence[Column]) -> Column:
    """Return the points of several columns as one."""
    if len(parts) == 1:
        return parts[0]
    joined = Column(
        np.concatenate([part.owner for part in parts]),
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
    return joined.sorted()


def columns_first(first: Column, second: Column) -> Column:
    """Return the points of both; where both have one of an entity and time, that of the first."""
    joined = Column(
        np.concatenate([first.owner, second.owner]),
        np.concatenate([first.at, second.at]),
        np.concatenate([first.values, second.values]),
    )
    # Stable: of two at one time the first stays before the second.
    joined = joined.take(np.lexsort((joined.at, joined.owner)))
    fresh = np.ones(len(joined), dtype=np.bool_)
    fresh[1:] = (joined.owner[1:] != joined.owner[:-1]) | (joined.at[1:] != joined.at[:-1])
    return joined.take(fresh)


def reach_us(sets: Sequence[FormulaSet]) -> int:
    """Return for how long a point may affect others, through chained derived metrics too. sets: by time, ascending."""
    longest = 0
    # Of each derived metric, in this set and in any before, whose last points others may read.
    reaches: dict[str, int] = {}
    for formulas in sets:
        for formula in formulas.formulas:
            through = (reaches.get(name, 0) for name in formula.inputs if name in formulas.metrics)
            reach = formula.max_age_us + max(through, default=0)
            reaches[formula.metric] = max(reach, reaches.get(formula.metric, 0))
            longest = max(longest, reach)
    return longest


def inputs_of(sets: Sequence[FormulaSet]) -> frozenset[str]:
    """Return the names of all inputs that are not derived by the set that reads them."""
    return frozenset(
        name
        for formulas in sets
        for formula in formulas.formulas
        for name in formula.inputs
        if name not in formulas.metrics
    )


def chained_of(sets: Sequence[FormulaSet]) -> frozenset[str]:
    """Return the names of derived metrics that others read."""
    return frozenset(
        name
        for formulas in sets
        for formula in formulas.formulas
        for name in formula.inputs
        if name in formulas.metrics
    )


def _evaluate(
    formula: Formula,
    add: Total,
    read: Mapping[str, Column | None],
    formula_context: FormulaContext,
    *,
    begins_us: Instants,
    ends_us: Instants,
) -> tuple[Column, list[Fault]]:
    columns = {name: NOTHING if column is None else column for name, column in read.items()}
    parts = {n: c.take((c.at >= begins_us[c.owner]) & (c.at < ends_us[c.owner])) for n, c in columns.items()}
    owner, at = _instants(list(parts.values()))

    def carried(name: str) -> Values:
        # Most inputs come together: then each has a value at every instant.
        is_whole = _is_at(parts[name], owner, at)
        return parts[name].values if is_whole else _carried(columns[name], owner, at, formula.max_age_us)

    # What is past the greatest double, or infinity less infinity, is no value either.
    with np.errstate(all="ignore"):
        if formula.expression is not None:
            values = {name: carried(name) for name in columns}
            return _expressed(formula, formula.expression, Column(owner, at, np.empty(0)), values, formula_context)
        terms = (factor * carried(name) for name, factor in formula.terms)
        total = add(len(at), formula.offset, terms)
    return Column(owner, at, total).take(np.isfinite(total)), []


def _expressed(
    formula: Formula,
    expression: Expression,
    instants: Column,
    values: Mapping[str, Values],
    formula_context: FormulaContext,
) -> tuple[Column, list[Fault]]:
    """Evaluate an expression where all of its inputs have a value."""
    whole = np.logical_and.reduce([np.isfinite(column) for column in values.values()])
    owner, at = instants.owner[whole], instants.at[whole]
    evaluated = expression_evaluate(
        expression,
        count=len(owner),
        metrics={name: column[whole] for name, column in values.items()},
        attributes=formula_context.attributes(expression.attributes, owner, at),
        areas=formula_context.areas,
    )
    faults: dict[int, Fault] = {}
    for where, message in evaluated.faults:
        rows = np.flatnonzero(where)
        rows = rows[np.r_[owner[rows[1:]] != owner[rows[:-1]], True]]
        for n, last in zip(owner[rows].tolist(), at[rows].tolist(), strict=True):
            if n not in faults or faults[n].last_us < last:
                faults[n] = Fault(n, formula.metric, last, message)
    column = Column(owner, at, evaluated.values)
    return column.take(np.isfinite(evaluated.values)), list(faults.values())


def _instants(parts: Sequence[Column]) -> tuple[Places, Instants]:
    """Return every instant of any of the columns once, by entity and in time."""
    first, *others = parts
    if all(_is_at(part, first.owner, first.at) for part in others):
        return first.owner, first.at
    joined = columns_join(parts)
    fresh = np.ones(len(joined), dtype=np.bool_)
    fresh[1:] = (joined.owner[1:] != joined.owner[:-1]) | (joined.at[1:] != joined.at[:-1])
    return joined.owner[fresh], joined.at[fresh]


def _is_at(column: Column, owner: Places, at: Instants) -> bool:
    """Return whether a column has points at just these instants."""
    return np.array_equal(column.at, at) and np.array_equal(column.owner, owner)


def _carried(column: Column, owner: Places, at: Instants, max_age_us: int) -> Values:
    """Return the last value of the entity at or before each instant; NaN where there is none young enough."""
    if not len(column) or not len(at):
        return np.full(len(at), np.nan)
    column_keys, instant_keys = _keys(column, owner, at)
    place = np.searchsorted(column_keys, instant_keys, side="right") - 1
    before = np.maximum(place, 0)
    is_valid = (place >= 0) & (column.owner[before] == owner) & (at - column.at[before] <= max_age_us)
    return np.where(is_valid, column.values[before], np.nan)


def _keys(column: Column, owner: Places, at: Instants) -> tuple[Places, Places]:
    """Return numbers that are in the order of (entity, time): of a column's points and of some instants."""
    if column.owner[0] == column.owner[-1] == owner[0] == owner[-1]:
        return column.at, at
    least = min(int(column.at.min()), int(at.min()))
    span = max(int(column.at.max()), int(at.max())) - least + 1
    if (max(int(column.owner[-1]), int(owner[-1])) + 1) * span < 2**63:
        return column.owner * span + (column.at - least), owner * span + (at - least)
    # Too far apart for one number of 64 bits: the instants' ranks are near enough.
    every, rank = np.unique(np.concatenate((column.at, at)), return_inverse=True)
    return column.owner * len(every) + rank[: len(column)], owner * len(every) + rank[len(column) :]


def _joined(column: Column, before: Sequence[tuple[int, float] | None]) -> Column:
    """Return a column with the last point before it, of each entity that has one."""
    last = [(owner, *point) for owner, point in enumerate(before) if point is not None]
    if not last:
        return column
    owner, at, values = zip(*last, strict=True)
    known = Column(np.array(owner, dtype=np.int64), np.array(at, dtype=np.int64), np.array(values, dtype=np.float64))
    return columns_join([known, column]) if len(column) else known


def _last(known: Mapping[str, Column], entities: int) -> list[dict[str, tuple[int, float]]]:
    """Return each entity's last points by metric."""
    states: list[dict[str, tuple[int, float]]] = [{} for _ in range(entities)]
    for metric, column in known.items():
        if not len(column):
            continue
        last = np.flatnonzero(np.r_[column.owner[1:] != column.owner[:-1], True])
        rows = zip(column.owner[last].tolist(), column.at[last].tolist(), column.values[last].tolist(), strict=True)
        for owner, at, value in rows:
            states[owner][metric] = (at, value)
    return states
