"""What derived metrics are over a time: the one function of everything that is derived from series. Pure; hot path.

A derived point stands at every timestamp of any of its inputs, where each input has a value at or before it that is
no older than the formula's maxAge. Many entities of one type are derived at once, in columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.derivation.formulas import Formula, FormulaSet
from domain.derivation.versions import VERSIONS, Total
from domain.telemetry.packed import Instants, Values

Places = NDArray[np.int64]
# The last point of each input: microseconds since the Unix epoch, and its value (NaN where it is no number).
State = Mapping[str, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Column:
    """Points of one metric of several entities, ascending by entity, then in time.

    of: the entity's place among those derived together. at: microseconds since the Unix epoch. values: NaN where it is
    no number.
    """

    of: Places
    at: Instants
    values: Values

    def __len__(self) -> int:
        return len(self.at)

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Column:
        """Return the points at these places, in their order."""
        return Column(self.of[index], self.at[index], self.values[index])

    def sorted(self) -> Column:
        """Return the points in their order."""
        return self.take(np.lexsort((self.at, self.of)))


NOTHING = Column(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def derive(
    *,
    sets: Sequence[FormulaSet],
    inputs: Mapping[str, Column],
    begins_us: Instants,
    ends_us: Instants,
    states: Sequence[State],
) -> tuple[dict[str, Column], list[State]]:
    """Return the derived points of entities over [begins_us, ends_us), by metric, and their states at the end of it.

    sets: the formulas, by the time in which they are in force, each with the version that computes it. begins_us,
    ends_us, states: one for each entity, the state that at its begin. inputs: by metric, all points within; earlier
    ones do no harm. Where they reach back by the longest maxAge, no state is needed.
    Raises KeyError for a version that this code does not know.
    """
    known = {
        metric: _joined(metric, inputs.get(metric, NOTHING), states)
        for metric in {*inputs, *(metric for state in states for metric in state)}
    }
    found: dict[str, list[Column]] = {}
    for formulas in sets:
        begins, ends = np.maximum(begins_us, formulas.begins_us), np.minimum(ends_us, formulas.ends_us)
        if not bool((begins < ends).any()):
            continue
        total = VERSIONS[formulas.version].total
        for formula in formulas.formulas:
            column = _evaluate(formula, total, known, begins, ends)
            if len(column):
                found.setdefault(formula.metric, []).append(column)
    outputs = {metric: columns_join(parts) for metric, parts in found.items()}
    return outputs, _states(known, len(begins_us))


def columns_join(parts: Sequence[Column]) -> Column:
    """Return the points of several columns as one."""
    if len(parts) == 1:
        return parts[0]
    joined = Column(
        np.concatenate([part.of for part in parts]),
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
    return joined.sorted()


def reach_us(sets: Sequence[FormulaSet]) -> int:
    """Return for how long a point may count: the longest maxAge of any formula."""
    return max((formula.max_age_us for formulas in sets for formula in formulas.formulas), default=0)


def inputs_of(sets: Sequence[FormulaSet]) -> frozenset[str]:
    """Return the names of all inputs."""
    return frozenset(metric for formulas in sets for formula in formulas.formulas for metric, _ in formula.terms)


def _evaluate(
    formula: Formula, add: Total, known: Mapping[str, Column], begins_us: Instants, ends_us: Instants
) -> Column:
    columns = [known.get(metric, NOTHING) for metric, _ in formula.terms]
    parts = [column.take((column.at >= begins_us[column.of]) & (column.at < ends_us[column.of])) for column in columns]
    of, at = _instants(parts)
    # What is past the greatest double, or infinity less infinity, is no value either.
    with np.errstate(all="ignore"):
        terms = (
            factor * _carried(column, of, at, formula.max_age_us)
            for (_, factor), column in zip(formula.terms, columns, strict=True)
        )
        total = add(len(at), formula.offset, terms)
    return Column(of, at, total).take(np.isfinite(total))


def _instants(parts: Sequence[Column]) -> tuple[Places, Instants]:
    """Return every instant of any of the columns once, by entity and in time."""
    if len(parts) == 1:
        return parts[0].of, parts[0].at
    joined = columns_join(parts)
    fresh = np.ones(len(joined), dtype=np.bool_)
    fresh[1:] = (joined.of[1:] != joined.of[:-1]) | (joined.at[1:] != joined.at[:-1])
    return joined.of[fresh], joined.at[fresh]


def _carried(column: Column, of: Places, at: Instants, max_age_us: int) -> Values:
    """Return the last value of the entity at or before each instant; NaN where there is none young enough."""
    if not len(column) or not len(at):
        return np.full(len(at), np.nan)
    theirs, mine = _keys(column, of, at)
    place = np.searchsorted(theirs, mine, side="right") - 1
    before = np.maximum(place, 0)
    stands = (place >= 0) & (column.of[before] == of) & (at - column.at[before] <= max_age_us)
    return np.where(stands, column.values[before], np.nan)


def _keys(column: Column, of: Places, at: Instants) -> tuple[Places, Places]:
    """Return numbers that are in the order of (entity, time): of a column's points and of some instants."""
    if column.of[0] == column.of[-1] == of[0] == of[-1]:
        return column.at, at
    least = min(int(column.at.min()), int(at.min()))
    span = max(int(column.at.max()), int(at.max())) - least + 1
    if (max(int(column.of[-1]), int(of[-1])) + 1) * span < 2**63:
        return column.of * span + (column.at - least), of * span + (at - least)
    # Too far apart for one number of 64 bits: the instants' ranks are near enough.
    every, rank = np.unique(np.concatenate((column.at, at)), return_inverse=True)
    return column.of * len(every) + rank[: len(column)], of * len(every) + rank[len(column) :]


def _joined(metric: str, column: Column, states: Sequence[State]) -> Column:
    """Return an input with the last point before it, of each entity whose state has one."""
    last = [(of, *state[metric]) for of, state in enumerate(states) if metric in state]
    if not last:
        return column
    of, at, values = zip(*last, strict=True)
    before = Column(np.array(of, dtype=np.int64), np.array(at, dtype=np.int64), np.array(values, dtype=np.float64))
    return columns_join([before, column])


def _states(known: Mapping[str, Column], entities: int) -> list[State]:
    states: list[dict[str, tuple[int, float]]] = [{} for _ in range(entities)]
    for metric, column in known.items():
        if not len(column):
            continue
        last = np.flatnonzero(np.r_[column.of[1:] != column.of[:-1], True])
        rows = zip(column.of[last].tolist(), column.at[last].tolist(), column.values[last].tolist(), strict=True)
        for of, at, value in rows:
            states[of][metric] = (at, value)
    return list(states)
