"""Valid conditions: exceeded bounds, and rules that could never fire or never clear, are refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rules.conditions import (
    DEPTH_MAX,
    LENGTH_MAX_US,
    PARTS_MAX,
    Operator,
    Threshold,
    condition_read,
    metrics_of,
)
from graph.errors import BadInputError, LimitExceededError


def _over(value: float, **more: Any) -> dict[str, Any]:
    return {"threshold": {"metric": "t", "operator": "GT", "value": value, **more}}


def _under(value: float, **more: Any) -> dict[str, Any]:
    return {"threshold": {"metric": "t", "operator": "LT", "value": value, **more}}


def test_omitted_fields_have_defaults() -> None:
    assert condition_read(_over(80)) == Threshold("t", Operator.GT, 80.0, 0, 80.0, 0)


def test_the_metrics_of_all_parts_are_known() -> None:
    given = {"anyOf": [_over(80), {"noData": {"metric": "flow", "afterUs": 1}}, {"expression": "a > b"}]}
    assert metrics_of(condition_read(given)) == {"t", "flow", "a", "b"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (_over(80, clearValue=90), "It would clear at readings that open it: clearValue 90 is above value 80."),
        (_under(10, clearValue=5), "It would clear at readings that open it: clearValue 5 is below value 10."),
        (
            {"threshold": {"metric": "t", "operator": "EQ", "value": 1, "clearValue": 2}},
            "With EQ a clearValue can only be the value itself.",
        ),
        (_over(1.7976931348623157e308), "It can never fire: no number lies beyond this value."),
        (
            {"threshold": {"metric": "t", "operator": "GTE", "value": 0, "clearValue": -1.7976931348623157e308}},
            "It can never clear: no number lies beyond this value.",
        ),
        (
            {"allOf": [_over(80), _under(20)]},
            "It can never fire: no reading of t keeps both GT 80 and LT 20 open.",
        ),
        (
            {"anyOf": [_over(20), _under(80)]},
            "It can never clear: every reading of t satisfies GT 20 or LT 80.",
        ),
        ({"noData": {"metric": "t", "afterUs": 0}}, "It could never clear: after must be longer than nothing."),
        (
            {"expression": "1 < 2"},
            "The expression reads no metric: it is always true or always false, and never fires or never clears.",
        ),
        ({"expression": "t + 1.0"}, "The expression gives a number; a condition must give true or false."),
        (
            {"expression": "t > attributes.limit"},
            "The expression of a rule reads metrics only. Have a derived metric read attributes and areas.",
        ),
        ({}, "A condition is exactly one of threshold, noData, expression, allOf and anyOf."),
        ({"sometimes": 1}, "There is no condition 'sometimes'."),
        ({"allOf": []}, "allOf names at least one condition."),
    ],
)
def test_invalid_conditions_are_refused_with_the_reason(given: Any, reason: str) -> None:
    with pytest.raises(BadInputError) as refused:
        condition_read(given)
    assert refused.value.message == reason


@pytest.mark.parametrize(
    "given",
    [
        {"allOf": [_over(80, clearValue=10), _under(20)]},
        {"allOf": [_over(80, clearForUs=5), _under(20)]},
        {"anyOf": [_over(80), _under(20)]},
        {"anyOf": [_over(20, forUs=5), _under(80)]},
    ],
)
def test_conditions_that_can_open_and_clear_are_accepted(given: Any) -> None:
    condition_read(given)


def test_an_error_names_its_place() -> None:
    with pytest.raises(BadInputError) as refused:
        condition_read({"allOf": [_over(1), _over("high")]})  # type: ignore[arg-type]
    assert refused.value.path == ("condition", "allOf", "1", "threshold", "value")


def test_conditions_are_nested_so_deep_and_no_deeper() -> None:
    given: dict[str, Any] = _over(1)
    for _ in range(DEPTH_MAX - 1):
        given = {"allOf": [given]}
    condition_read(given)
    with pytest.raises(LimitExceededError):
        condition_read({"allOf": [given]})


def test_the_parts_of_a_condition_are_bounded() -> None:
    half = {"anyOf": [_over(n) for n in range(PARTS_MAX // 2)]}
    condition_read({"allOf": [half, half]})
    with pytest.raises(LimitExceededError):
        condition_read({"allOf": [half, half, _over(1)]})


def test_a_length_of_time_is_bounded() -> None:
    condition_read(_over(1, forUs=LENGTH_MAX_US))
    with pytest.raises(LimitExceededError):
        condition_read(_over(1, forUs=LENGTH_MAX_US + 1))
