"""The plan of normalize: what to write of readings that may repeat others, decided without a database."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.metrics import NumberBeyond, metrics_canonical
from domain.pipeline.normalize.outcomes import DEAD, DUPLICATE, STORED
from domain.pipeline.normalize.plan import readings_normalize, write_plan
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.readings import NO_PORT

METRICS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"a": 1}, {"a": 1, "b": "x"}, {"a": None, "b": 2.5}, {}, {"a": [1]}, {"a": [1], "b": True}]
)
AT_US = 1_750_000_000_000_000


def readings_of(metrics: list[dict[str, Any]]) -> Readings:
    count = len(metrics)
    return Readings(
        np.arange(count, dtype=np.int64),
        np.zeros(count, dtype=np.int32),
        [bytes(16)] * count,
        np.full(count, NO_PORT, dtype=np.int32),
        np.full(count, AT_US, dtype=np.int64),
        np.full(count, AT_US, dtype=np.int64),
        [n.to_bytes(16, "big") for n in range(count)],
        metrics,
    )


@given(st.data(), st.lists(METRICS, min_size=1, max_size=8))
def test_repeats_are_not_written(data: st.DataObject, metrics: list[dict[str, Any]]) -> None:
    normalized = readings_normalize(readings_of(metrics), future_tolerance=timedelta(hours=1), schemas={})
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(metrics))))))
    duplicates = sorted(data.draw(st.sets(st.sampled_from(chosen)))) if chosen else []
    is_stored = np.zeros(len(metrics), dtype=np.bool_)
    is_stored[normalized.readings] = True
    plan = write_plan(
        normalized,
        is_stored=is_stored,
        chosen=np.array(chosen, dtype=np.intp),
        duplicates=np.array(duplicates, dtype=np.intp),
    )
    counting = set(chosen) - set(duplicates)
    with_points = set(normalized.readings.tolist())
    assert normalized.readings[plan.points].tolist() == [n for n in normalized.readings.tolist() if n in counting]
    assert plan.outcomes.tolist() == [
        DUPLICATE if n in duplicates else STORED if n in with_points else DEAD for n in chosen
    ]
    expected = [letter for letter in normalized.dead_letters if letter.reading in counting]
    assert list(plan.dead_letters) == expected
    # Each reading that counts has become something.
    assert counting == (counting & with_points) | {letter.reading for letter in expected}


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (NumberBeyond("1e400"), "The number lies beyond what 64 bits hold: 1e400"),
        (NumberBeyond("-1E+999"), "The number lies beyond what 64 bits hold: -1E+999"),
        (NumberBeyond("1" + "0" * 400), f"The number lies beyond what 64 bits hold: 1{'0' * 98}…"),
        (NumberBeyond(f"1.{'0' * 97}1e999"), f"The number lies beyond what 64 bits hold: 1.{'0' * 97}…"),
        (NumberBeyond(f"1{'0' * 97}.5e999"), f"The number lies beyond what 64 bits hold: 1{'0' * 97}.…"),
        (10**400, "The number lies beyond what 64 bits hold: an integer of 1329 bits"),
        (float("-inf"), "The number lies beyond what 64 bits hold."),
        (float("nan"), "NaN is not a number."),
        ([NumberBeyond("1e400")], "A metric is a number, a boolean or a text."),
        (["1e4"], "A metric is a number, a boolean or a text."),
        (["1_0e400"], "A metric is a number, a boolean or a text."),
        ([1], "A metric is a number, a boolean or a text."),
        ({}, "A metric is a number, a boolean or a text."),
    ],
)
def test_the_dead_letter_of_a_number_says_what_is_wrong_with_it(sent: Any, message: str) -> None:
    metrics = json.loads(metrics_canonical({"a": sent, "b": 1}))
    normalized = readings_normalize(readings_of([metrics]), future_tolerance=timedelta(hours=1), schemas={})
    [dead_letter] = normalized.dead_letters
    assert (dead_letter.metric, dead_letter.code, dead_letter.message) == ("a", "UNSUPPORTED_VALUE", message)
    assert dead_letter.payload == metrics["a"]
    assert normalized.names == ["b"]


def test_a_metric_in_two_forms_of_its_name_is_a_dead_letter_that_names_both() -> None:
    metrics = json.loads(metrics_canonical({"W\u00e4rme": 2, "Wa\u0308rme": 3, "t": 1}))
    normalized = readings_normalize(readings_of([metrics]), future_tolerance=timedelta(hours=1), schemas={})
    [dead_letter] = normalized.dead_letters
    assert (dead_letter.metric, dead_letter.code) == ("W\u00e4rme", "DUPLICATE_METRIC")
    assert dead_letter.message == (
        r"The reading names this metric in 2 forms of Unicode, with different values:"
        r' "Wa\u0308rme" and "W\u00e4rme".'
    )
    assert dead_letter.payload == [["Wa\u0308rme", 3], ["W\u00e4rme", 2]]
    assert normalized.names == ["t"]
    # The sign of the kelvin is a K in NFC.
    readings = readings_of([json.loads(metrics_canonical({"K": 1, "\u212a": 2}))])
    normalized = readings_normalize(readings, future_tolerance=timedelta(hours=1), schemas={})
    assert [dead_letter.code for dead_letter in normalized.dead_letters] == ["DUPLICATE_METRIC"]


@pytest.mark.parametrize(
    "value", [[["W\u00e4rme", 2]], [["x", 1], ["y", 2]], [["W\u00e4rme", 1], ["W\u00e4rme", 2]], [["W\u00e4rme", 1], 2]]
)
def test_an_array_that_a_sender_made_is_no_metric_in_two_forms(value: list[Any]) -> None:
    readings = readings_of([{"W\u00e4rme": value}])
    normalized = readings_normalize(readings, future_tolerance=timedelta(hours=1), schemas={})
    assert [dead_letter.code for dead_letter in normalized.dead_letters] == ["UNSUPPORTED_VALUE"]
