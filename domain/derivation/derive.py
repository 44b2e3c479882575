"""What derived metrics are over a time: the one function of everything that is derived from series. Pure.

A derived point stands at every timestamp of any of its inputs, where each input has a value at or before it that is
no older than the formula's maxAge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.derivation.formulas import Formula, FormulaSet
from domain.telemetry.packed import Instants, Values


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one series, ascending in time: at in microseconds since the epoch, NaN where it is no number."""

    at: Instants
    values: Values

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class State:
    """What deriving on needs to know of the time before: the last point of each input; (microseconds, value)."""

    last: Mapping[str, tuple[int, float]] = field(default_factory=dict)


NOTHING = Column(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def derive(
    *, sets: Sequence[FormulaSet], inputs: Mapping[str, Column], begins_us: int, ends_us: int, state: State
) -> tuple[dict[str, Column], State]:
    """Return the derived points in [begins_us, ends_us), by metric, and the state at its end.

    sets: the formulas, by the time in which they are in force. inputs: by metric, all points in [begins_us, ends_us);
    earlier ones do no harm. state: that at begins_us; where inputs reach back by the longest maxAge, none is needed.
    """
    known = {metric: _joined(state.last.get(metric), column) for metric, column in _all(inputs, state).items()}
    found: dict[str, list[Column]] = {}
    for formulas in sets:
        begins, ends = max(begins_us, formulas.begins_us), min(ends_us, formulas.ends_us)
        if begins >= ends:
            continue
        for formula in formulas.formulas:
            column = _evaluate(formula, known, begins, ends)
            if len(column):
                found.setdefault(formula.metric, []).append(column)
    outputs = {metric: _concatenated(parts) for metric, parts in found.items()}
    return outputs, State({metric: (int(c.at[-1]), float(c.values[-1])) for metric, c in known.items() if len(c)})


def reach_us(sets: Sequence[FormulaSet]) -> int:
    """Return for how long a point may count: the longest maxAge of any formula."""
    return max((formula.max_age_us for formulas in sets for formula in formulas.formulas), default=0)


def inputs_of(sets: Sequence[FormulaSet]) -> frozenset[str]:
    """Return the names of all inputs."""
    return frozenset(metric for formulas in sets for formula in formulas.formulas for metric, _ in formula.terms)


def outputs_of(sets: Sequence[FormulaSet]) -> frozenset[str]:
    """Return the names of all derived metrics."""
    return frozenset(formula.metric for formulas in sets for formula in formulas.formulas)


def _evaluate(formula: Formula, known: Mapping[str, Column], begins_us: int, ends_us: int) -> Column:
    columns = [known.get(metric, NOTHING) for metric, _ in formula.terms]
    parts = [c.at[np.searchsorted(c.at, begins_us) : np.searchsorted(c.at, ends_us)] for c in columns]
    at = parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))
    total = np.full(len(at), formula.offset)
    for (_, factor), column in zip(formula.terms, columns, strict=True):
        total += factor * _carried(column, at, formula.max_age_us)
    # What is past the greatest double is no value either.
    stands = np.isfinite(total)
    return Column(at[stands], total[stands])


def _carried(column: Column, at: Instants, max_age_us: int) -> Values:
    """Return the last value at or before each instant; NaN where there is none young enough."""
    if not len(column):
        return np.full(len(at), np.nan)
    place = np.searchsorted(column.at, at, side="right") - 1
    values = column.values[np.maximum(place, 0)]
    age: NDArray[np.int64] = at - column.at[np.maximum(place, 0)]
    return np.where((place >= 0) & (age <= max_age_us), values, np.nan)


def _all(inputs: Mapping[str, Column], state: State) -> dict[str, Column]:
    return {**dict.fromkeys(state.last, NOTHING), **inputs}


def _joined(last: tuple[int, float] | None, column: Column) -> Column:
    if last is None or (len(column) and column.at[0] <= last[0]):
        return column
    return Column(np.r_[np.int64(last[0]), column.at], np.r_[np.float64(last[1]), column.values])


def _concatenated(parts: Sequence[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=lambda c: int(c.at[0]))
    return Column(np.concatenate([c.at for c in parts]), np.concatenate([c.values for c in parts]))
