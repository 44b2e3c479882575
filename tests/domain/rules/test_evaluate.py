"""Evaluation of conditions, against a reading-by-reading reference, and on a real machine's year."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.conditions import AllOf, AnyOf, Condition, NoData, Threshold, condition_read
from domain.rules.evaluate import Points, Span, evaluate
from testing.installation import SHARED_DATA

MINUTE = 60_000_000


def _threshold(**body: Any) -> Condition:
    return condition_read({"threshold": {"metric": "value", **body}})


def _points(readings: list[tuple[int, float]]) -> Points:
    return (
        np.array([at for at, _ in readings], dtype=np.int64),
        np.array([value for _, value in readings], dtype=np.float64),
    )


def _reference(condition: Condition, data: dict[str, list[tuple[int, float]]], until: int) -> list[Span]:
    """Evaluate reading by reading."""
    if isinstance(condition, Threshold):
        return _walk(condition, data[condition.metric])
    if isinstance(condition, NoData):
        times = [at for at, _ in data[condition.metric]]
        ends: list[int | None] = [*times[1:], None][: len(times)]
        return [
            Span(at, at + condition.after_us, end, None)
            for at, end in zip(times, ends, strict=True)
            if at + condition.after_us < (until if end is None else end)
        ]
    parts = [_reference(part, data, until) for part in condition.parts]  # type: ignore[union-attr]
    # A condition changes only where a part does.
    instants = sorted({t for spans in parts for s in spans for t in (s.opened, s.cleared) if t is not None})
    result: list[Span] = []
    for at in instants:
        now = [[s for s in spans if s.opened <= at and (s.cleared is None or at < s.cleared)] for spans in parts]
        is_met = all(now) if isinstance(condition, AllOf) else any(now)
        was = bool(result) and result[-1].cleared is None
        if is_met and not was:
            spans = [spans[0] for spans in now if spans]
            if isinstance(condition, AllOf):
                last = max(spans, key=lambda s: s.opened)
                result.append(Span(at, at, None, last.value))
            else:
                first = min(spans, key=lambda s: s.opened)
                result.append(Span(first.began, first.opened, None, first.value))
        elif was and not is_met:
            result[-1] = Span(result[-1].began, result[-1].opened, at, result[-1].value)
    return result


def _walk(leaf: Threshold, readings: list[tuple[int, float]]) -> list[Span]:
    tests: dict[str, tuple[Callable[[float], bool], Callable[[float], bool]]] = {
        "GT": (lambda v: v > leaf.value, lambda v: v <= leaf.clear_value),
        "GTE": (lambda v: v >= leaf.value, lambda v: v < leaf.clear_value),
        "LT": (lambda v: v < leaf.value, lambda v: v >= leaf.clear_value),
        "LTE": (lambda v: v <= leaf.value, lambda v: v > leaf.clear_value),
        "EQ": (lambda v: v == leaf.value, lambda v: v != leaf.clear_value),
        "NEQ": (lambda v: v != leaf.value, lambda v: v == leaf.clear_value),
    }
    satisfied, passed = tests[leaf.operator]
    spans: list[Span] = []
    began: int | None = None
    ceasing: int | None = None
    for at, value in readings:
        if spans and spans[-1].cleared is None:
            ceasing = (at if ceasing is None else ceasing) if passed(value) else None
            if ceasing is not None and at - ceasing >= leaf.clear_for_us:
                spans[-1] = Span(spans[-1].began, spans[-1].opened, at, spans[-1].value)
                began = ceasing = None
        else:
            began = (at if began is None else began) if satisfied(value) else None
            if began is not None and at - began >= leaf.for_us:
                spans.append(Span(began, at, None, value))
                ceasing = None
    return spans


_METRICS = ("value", "other")
_lengths = st.integers(0, 5)


@st.composite
def _leaves(draw: st.DrawFn) -> Condition:
    metric = draw(st.sampled_from(_METRICS))
    if draw(st.integers(0, 3)) == 0:
        return condition_read({"noData": {"metric": metric, "afterUs": draw(st.integers(1, 5))}})
    operator = draw(st.sampled_from(["GT", "GTE", "LT", "LTE", "EQ", "NEQ"]))
    value = draw(st.integers(0, 4))
    body = {
        "metric": metric,
        "operator": operator,
        "value": value,
        "forUs": draw(_lengths),
        "clearForUs": draw(_lengths),
    }
    if operator in {"GT", "GTE"}:
        body["clearValue"] = value - draw(st.integers(0, 2))
    elif operator in {"LT", "LTE"}:
        body["clearValue"] = value + draw(st.integers(0, 2))
    return condition_read({"threshold": body})


_conditions = st.recursive(
    _leaves(),
    lambda parts: st.builds(
        lambda kind, of: kind(tuple(of)), st.sampled_from([AllOf, AnyOf]), st.lists(parts, min_size=1, max_size=3)
    ),
    max_leaves=5,
)
_readings = st.dictionaries(st.integers(0, 40), st.integers(0, 4).map(float), max_size=25).map(
    lambda d: sorted(d.items())
)


@given(_conditions, _readings, _readings, st.lists(st.integers(0, 45), max_size=4))
def test_evaluating_in_parts_equals_evaluating_reading_by_reading(
    condition: Condition, value: list[tuple[int, float]], other: list[tuple[int, float]], cuts: list[int]
) -> None:
    data = {"value": value, "other": other}
    result: dict[int, Span] = {}
    state: Any = None
    begins = 0
    for until in [*sorted(cuts), 46]:
        parts = {name: _points([r for r in data[name] if begins <= r[0] < until]) for name in _METRICS}
        spans, state = evaluate(
            condition, points=parts, state=json.loads(json.dumps(state)), until_us=until, since_us=0
        )
        result.update({span.opened: span for span in spans})
        begins = until
    assert list(result.values()) == _reference(condition, data, 46)


def test_an_expression_is_open_where_it_is_true_of_values_young_enough() -> None:
    condition = condition_read({"expression": "value > 1.0 && other < 5.0"})
    value = _points([(0, 2.0), (20 * MINUTE, 2.0), (21 * MINUTE, 0.0)])
    other = _points([(MINUTE, 1.0), (19 * MINUTE, 1.0), (22 * MINUTE, 9.0)])
    spans, _ = evaluate(
        condition, points={"value": value, "other": other}, state=None, until_us=60 * MINUTE, since_us=0
    )
    assert spans == [Span(MINUTE, MINUTE, 21 * MINUTE, None)]


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")
def test_the_machine_of_nab_has_exactly_the_expected_episodes() -> None:
    expected = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["nab/machine_temperature_events"]
    [path] = SHARED_DATA.rglob("machine_temperature_system_failure.csv")
    # Of two readings of one timestamp the later row counts.
    readings = {_instant(row["timestamp"]): float(row["value"]) for row in csv.DictReader(path.open())}
    points = {"value": _points(sorted(readings.items()))}
    conditions = {
        "value < 60 for PT25M": _threshold(operator="LT", value=60, forUs=25 * MINUTE),
        "value > 105 for PT10M": _threshold(operator="GT", value=105, forUs=10 * MINUTE),
    }
    for name, condition in conditions.items():
        spans, _ = evaluate(condition, points=points, state=None, until_us=2**62, since_us=0)
        wanted = [tuple(_instant(text) for text in episode) for episode in expected[name]]
        assert [(span.began, span.opened, span.cleared) for span in spans] == wanted
