"""Evaluate conditions: the spans of event time in which one held, from readings in columns. Pure; hot path.

What was found of the readings before a time is carried as a state, so that evaluating readings in parts gives what
evaluating them at once gives. States are plain lists and numbers, to be stored as JSON; None: nothing was found yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from domain.base.expressions.expression import expression_evaluate
from domain.base.packed import Instants, Values
from domain.rules.conditions import (
    MAX_AGE_US,
    AllOf,
    AnyOf,
    Condition,
    NoData,
    Operator,
    Threshold,
    Truth,
    leaves_of,
)

# Of one metric: instants (microseconds since the Unix epoch, ascending, each once) and values (NaN: no number).
Points = tuple[Instants, Values]
Flags = NDArray[np.bool_]
State = Any

NO_POINTS: Final[Points] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))
_HOLDING: Final = "H"
_OPEN: Final = "O"


@dataclass(frozen=True, slots=True)
class Span:
    """A span in which a condition was open: [opened, cleared), microseconds; cleared None: it still is.

    began: the first reading at which it held. value: of the reading at which it opened.
    """

    began: int
    opened: int
    cleared: int | None
    value: float | None


def evaluate(
    condition: Condition,
    *,
    points: Mapping[str, Points],
    state: State,
    until_us: int,
    since_us: int,
    initial: Mapping[str, Points] | None = None,
) -> tuple[list[Span], State]:
    """Return the spans that are open at, or open after, the time of `state`, ascending, and the state at `until_us`.

    points: by metric, all there are from the time of the state on, before `until_us`. since_us: since when the
    condition has been in force; no span opens before. initial: the condition begins to be evaluated there, at since_us,
    and these are, by metric, the readings before it, as far back as `memory_us` and the last one at or before
    that. They are evaluated as if they had been read at since_us; state is then None.
    """
    if isinstance(condition, Threshold):
        at, values = _numbers(points.get(condition.metric, NO_POINTS))
        if initial is not None:
            state, at, values = _initial_state(
                condition, _numbers(initial.get(condition.metric, NO_POINTS)), (at, values), since_us
            )
        satisfied, passed = threshold_tests(condition.operator, values, condition.value, condition.clear_value)
        tested = _Tested(at, values, satisfied, passed)
        return _machine(tested, state, for_us=condition.for_us, clear_for_us=condition.clear_for_us)
    if isinstance(condition, NoData):
        if initial is not None:
            heard = _last_at(initial.get(condition.metric, NO_POINTS))
            state = condition.since_us if heard is None else heard
        at = points.get(condition.metric, NO_POINTS)[0]
        return _gaps(condition, at, state, since_us=since_us, until_us=until_us)
    if isinstance(condition, Truth):
        if initial is not None:
            return _truth(condition, points, [None, _last_known(initial)], since_us)
        return _truth(condition, points, state, None)
    parts = condition.parts
    states = [None] * len(parts) if state is None else state[1]
    evaluated = [
        evaluate(part, points=points, state=own, until_us=until_us, since_us=since_us, initial=initial)
        for part, own in zip(parts, states, strict=True)
    ]
    spans_by_part = [spans for spans, _ in evaluated]
    if isinstance(condition, AllOf):
        return _together(spans_by_part), [None, [own for _, own in evaluated]]
    spans = _any(spans_by_part, None if state is None else state[0])
    last = spans[-1] if spans and spans[-1].cleared is None else None
    carried = None if last is None else [last.began, last.opened, last.value]
    return spans, [carried, [own for _, own in evaluated]]


def memory_us(condition: Condition) -> int:
    """Return how far before its begin a condition looks at readings; beyond, it looks at the last one only."""
    return max((leaf.for_us for leaf in leaves_of(condition) if isinstance(leaf, Threshold)), default=0)


def due_us(condition: Condition, *, state: State, after_us: int) -> int | None:
    """Return the first instant after `after_us` at which time alone may change the condition; None: there is none."""
    if isinstance(condition, NoData):
        return state + condition.after_us if state is not None and state + condition.after_us > after_us else None
    if isinstance(condition, AllOf | AnyOf) and state is not None:
        dues = [due_us(part, state=own, after_us=after_us) for part, own in zip(condition.parts, state[1], strict=True)]
        return min((due for due in dues if due is not None), default=None)
    return None


def threshold_tests(
    operator: Operator, values: Values, value: float | Values, clear_value: float | Values
) -> tuple[Flags, Flags]:
    """Return which values satisfy the operator, and which have passed clear_value the other way."""
    if operator is Operator.GT:
        return values > value, values <= clear_value
    if operator is Operator.GTE:
        return values >= value, values < clear_value
    if operator is Operator.LT:
        return values < value, values >= clear_value
    if operator is Operator.LTE:
        return values <= value, values > clear_value
    if operator is Operator.EQ:
        return values == value, values != clear_value
    return values != value, values == clear_value


def waits_for(state: State) -> str | None:
    """Tell which readings alone change a threshold's state: "satisfied", "passed", or None: any may."""
    if state is None:
        return "satisfied"
    return "passed" if state[0] == _OPEN and state[4] is None else None


def _numbers(points: Points) -> Points:
    at, values = points
    good = np.isfinite(values)
    return (at, values) if bool(good.all()) else (at[good], values[good])


@dataclass(frozen=True, slots=True)
class _Tested:
    """Readings with their tests: which satisfy the condition, and which have passed its clear value.

    values: None for a condition that is no comparison of one metric.
    """

    at: Instants
    values: Values | None
    satisfied: Flags
    passed: Flags


def _machine(readings: _Tested, state: State, *, for_us: int, clear_for_us: int) -> tuple[list[Span], State]:
    """Walk from opening to clearing to opening: as many steps as there are spans, however many readings."""
    at, values, satisfied, passed = readings.at, readings.values, readings.satisfied, readings.passed
    is_open = state is not None and state[0] == _OPEN
    begun = _since(at, satisfied, state[1] if state is not None and not is_open else None)
    ceased = _since(at, passed, state[4] if is_open else None)
    opening = np.flatnonzero(satisfied & (at - begun >= for_us))
    clearing = np.flatnonzero(passed & (at - ceased >= clear_for_us))
    spans: list[Span] = []
    current = Span(state[1], state[2], None, state[3]) if is_open else None
    place = 0
    while True:
        candidates = opening if current is None else clearing
        n = int(np.searchsorted(candidates, place))
        if n == len(candidates):
            break
        i = int(candidates[n])
        if current is None:
            current = Span(int(begun[i]), int(at[i]), None, None if values is None else float(values[i]))
        else:
            spans.append(replace(current, cleared=int(at[i])))
            current = None
        place = i + 1
    if current is not None:
        spans.append(current)
        ceasing = state[4] if is_open else None
        if len(at):
            ceasing = int(ceased[-1]) if bool(passed[-1]) else None
        return spans, [_OPEN, current.began, current.opened, current.value, ceasing]
    if not len(at):
        return spans, state
    return spans, [_HOLDING, int(begun[-1])] if bool(satisfied[-1]) else None


def _since(at: Instants, flags: Flags, carried: int | None) -> Instants:
    """Return, where the flag is set, since when it has been so without a break; elsewhere, anything."""
    if not len(at):
        return at
    starts = flags.copy()
    starts[1:] &= ~flags[:-1]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(at)), 0))
    since = at[first]
    if carried is not None and bool(flags[0]):
        since = np.where(first == 0, carried, since)
    return since


def _initial_state(leaf: Threshold, before: Points, points: Points, since_us: int) -> tuple[State, Instants, Values]:
    """Return the state of a threshold that begins to evaluate, and the readings, the current one among them.

    It has held since the first reading of an unbroken row that satisfies it, looked for no further back than for_us.
    """
    satisfied, _ = threshold_tests(leaf.operator, before[1], leaf.value, leaf.clear_value)
    if not len(satisfied) or not satisfied[-1]:
        return None, *points
    broken = np.flatnonzero(~satisfied)
    first = int(broken[-1]) + 1 if len(broken) else 0
    since = max(int(before[0][first]), since_us - leaf.for_us)
    at, values = points
    if not len(at) or at[0] > since_us:
        at = np.concatenate((np.array([since_us], dtype=np.int64), at))
        values = np.concatenate((before[1][-1:], values))
    return [_HOLDING, since], at, values


def _last_at(points: Points) -> int | None:
    return int(points[0][-1]) if len(points[0]) else None


def _last_known(initial: Mapping[str, Points]) -> dict[str, list[Any]]:
    return {
        name: [int(at[-1]), float(values[-1]) if np.isfinite(values[-1]) else None]
        for name, (at, values) in initial.items()
        if len(at)
    }


def _gaps(leaf: NoData, at: Instants, state: State, *, since_us: int, until_us: int) -> tuple[list[Span], State]:
    """since_us, until_us: from when on it evaluates, and until when."""
    if state is not None and len(at) and at[0] < state:
        # It had been heard before the instant from which one that never was counts.
        state = None
    times = at if state is None else np.concatenate((np.array([state], dtype=np.int64), at))
    if not len(times):
        return [], None
    spans = []
    for i in np.flatnonzero(np.diff(times) > leaf.after_us).tolist():
        opened = max(int(times[i]) + leaf.after_us, since_us)
        if opened < times[i + 1]:
            spans.append(Span(int(times[i]), opened, int(times[i + 1]), None))
    last = int(times[-1])
    if last + leaf.after_us < until_us:
        spans.append(Span(last, max(last + leaf.after_us, since_us), None, None))
    return spans, last


def _truth(leaf: Truth, points: Mapping[str, Points], state: State, also_us: int | None) -> tuple[list[Span], State]:
    """also_us: an instant at which it is evaluated though nothing is read then."""
    machine, before = (None, {}) if state is None else state
    names = sorted(leaf.expression.metrics)
    known = {name: _carried_on(points.get(name, NO_POINTS), before.get(name)) for name in names}
    looked = np.array([] if also_us is None else [also_us], dtype=np.int64)
    at = np.unique(np.concatenate([looked, *(points.get(name, NO_POINTS)[0] for name in names)]))
    columns = {name: _values_at(known[name], at) for name in names}
    has = np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
    at = at[has]
    evaluated = expression_evaluate(
        leaf.expression,
        count=len(at),
        metrics={name: column[has] for name, column in columns.items()},
        attributes={},
        areas={},
    ).values
    good = np.isfinite(evaluated)
    at, is_true = at[good], evaluated[good] != 0
    spans, machine = _machine(_Tested(at, None, is_true, ~is_true), machine, for_us=0, clear_for_us=0)
    last = {
        name: [int(a[-1]), float(v[-1]) if np.isfinite(v[-1]) else None] for name, (a, v) in known.items() if len(a)
    }
    return spans, [machine, last]


def _carried_on(points: Points, before: Sequence[Any] | None) -> Points:
    if before is None:
        return points
    value = np.nan if before[1] is None else before[1]
    return (
        np.concatenate((np.array([before[0]], dtype=np.int64), points[0])),
        np.concatenate((np.array([value], dtype=np.float64), points[1])),
    )


def _values_at(points: Points, at: Instants) -> Values:
    theirs, values = points
    if not len(theirs) or not len(at):
        return np.full(len(at), np.nan)
    place = np.searchsorted(theirs, at, side="right") - 1
    before = np.maximum(place, 0)
    return np.where((place >= 0) & (at - theirs[before] <= MAX_AGE_US), values[before], np.nan)


def _together(spans_by_part: Sequence[Sequence[Span]]) -> list[Span]:
    """Return where all are open; the last to open gives the time and the value."""
    common = [replace(span, began=span.opened) for span in spans_by_part[0]]
    for spans in spans_by_part[1:]:
        met: list[Span] = []
        i = j = 0
        while i < len(common) and j < len(spans):
            one, other = common[i], spans[j]
            later = other if other.opened > one.opened else one
            cleared = _earlier(one.cleared, other.cleared)
            if cleared is None or later.opened < cleared:
                met.append(Span(later.opened, later.opened, cleared, later.value))
            if cleared is None:
                break
            i += one.cleared == cleared
            j += other.cleared == cleared
        common = met
    return common


def _any(spans_by_part: Sequence[Sequence[Span]], carried: Sequence[Any] | None) -> list[Span]:
    """Return where any is open; the first to open gives the time and the value, even after it has cleared."""
    joined: list[Span] = []
    for span in sorted((span for spans in spans_by_part for span in spans), key=lambda item: item.opened):
        last = joined[-1] if joined else None
        if last is None or (last.cleared is not None and last.cleared < span.opened):
            joined.append(span)
        elif last.cleared is not None and (span.cleared is None or span.cleared > last.cleared):
            joined[-1] = replace(last, cleared=span.cleared)
    if carried is not None and joined:
        joined[0] = Span(carried[0], carried[1], joined[0].cleared, carried[2])
    return joined


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
