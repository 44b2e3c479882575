"""Applying a telemetry schema to a reading's metrics."""

from __future__ import annotations

from typing import Any

import pytest

from domain.telemetry.model.schemas import SchemaVersions, schema_apply, schema_compile


def applied(schema: dict[str, Any], metrics: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    values, faults = schema_apply(schema_compile(schema), metrics, sent=metrics)
    return values, [(fault.metric, fault.code) for fault in faults]


@pytest.mark.parametrize(
    ("metric", "value", "expected", "code"),
    [
        ({"type": "NUMBER"}, 1, 1, None),
        ({"type": "NUMBER"}, True, None, "WRONG_TYPE"),
        ({"type": "NUMBER"}, "1", None, "WRONG_TYPE"),
        ({"type": "BOOLEAN"}, True, True, None),
        ({"type": "BOOLEAN"}, 1, None, "WRONG_TYPE"),
        ({"type": "TEXT"}, "x", "x", None),
        ({"type": "TEXT"}, 1.5, None, "WRONG_TYPE"),
        ({}, "anything", "anything", None),
        ({"unit": "Cel"}, True, True, None),
        ({"min": 0}, True, None, "WRONG_TYPE"),
        ({"min": 0, "max": 10}, 0, 0, None),
        ({"min": 0, "max": 10}, 10.0, 10.0, None),
        ({"min": 0, "max": 10}, 10.01, None, "OUT_OF_RANGE"),
        ({"min": 0, "max": 10}, -1, None, "OUT_OF_RANGE"),
        ({"min": 0, "max": 2**1024 - 1}, -1, None, "OUT_OF_RANGE"),
        ({"unit": "Cel", "sentUnit": "[degF]"}, 212, 100.0, None),
        ({"unit": "Cel", "sentUnit": "[degF]"}, "212", None, "WRONG_TYPE"),
        # The range is in the registered unit.
        ({"unit": "Cel", "sentUnit": "[degF]", "max": 100}, 212, 100.0, None),
        ({"unit": "Cel", "sentUnit": "[degF]", "max": 100}, 212.5, None, "OUT_OF_RANGE"),
        ({"unit": "Pa", "sentUnit": "kPa"}, 1e307, None, "OUT_OF_RANGE"),
        # Refused where it is defined; a stored one does not stop the stage.
        ({"unit": "Pa", "sentUnit": "m"}, 1, None, "NOT_CONVERTIBLE"),
    ],
)
def test_one_metric(metric: dict[str, Any], value: Any, expected: Any, code: str | None) -> None:
    values, faults = applied({"metrics": {"t": metric}}, {"t": value})
    assert faults == ([] if code is None else [("t", code)])
    assert values == ({} if code else {"t": expected})
    assert [type(item) for item in values.values()] == ([] if code else [type(expected)])


def test_metrics_are_renamed_and_even_change_names() -> None:
    swap = {"metrics": {"a": {"rename": "b"}, "b": {"rename": "a"}, "c": {"rename": "d", "max": 1}}}
    assert applied(swap, {"a": 1, "b": 2, "c": 3}) == ({"b": 1, "a": 2}, [("c", "OUT_OF_RANGE")])


def test_unknown_metrics() -> None:
    schema: dict[str, Any] = {"metrics": {"a": {}}}
    sent = {"a": 1, "x": 2}
    assert applied(schema, sent) == (sent, [])
    assert applied({**schema, "unknown": "drop"}, sent) == ({"a": 1}, [])
    assert applied({**schema, "unknown": "refuse"}, sent) == ({"a": 1}, [("x", "UNKNOWN_METRIC")])


def test_a_name_is_given_once() -> None:
    schema: dict[str, Any] = {"metrics": {"a": {"rename": "b", "max": 1}}}
    assert applied(schema, {"a": 1, "b": 2}) == ({"b": 1}, [("b", "NAME_TAKEN")])
    assert applied(schema, {"a": 9, "b": 2}) == ({}, [("a", "OUT_OF_RANGE"), ("b", "NAME_TAKEN")])
    assert applied(schema, {"b": 2}) == ({"b": 2}, [])


def test_required_metrics() -> None:
    schema = {"metrics": {"a": {"required": True}, "b": {"required": True, "type": "TEXT"}, "c": {}}}
    assert applied(schema, {"a": 1, "b": "x"}) == ({"a": 1, "b": "x"}, [])
    assert applied(schema, {"c": 1}) == ({"c": 1}, [("a", "METRIC_MISSING"), ("b", "METRIC_MISSING")])
    # It was sent, though it is no point.
    assert applied(schema, {"a": 1, "b": 2}) == ({"a": 1}, [("b", "WRONG_TYPE")])


def test_messages_say_what_and_where() -> None:
    schema = schema_compile({"metrics": {"t": {"unit": "Cel", "sentUnit": "[degF]", "max": 50}}})
    _, [fault] = schema_apply(schema, {"t": 212}, sent={"t": 212})
    assert fault.message == "The value, 100.0 Cel, lies above 50 Cel."


@pytest.mark.parametrize(
    ("schema", "is_plain"),
    [
        ({}, True),
        ({"metrics": {"t": {"unit": "Cel"}}, "unknown": "keep"}, True),
        ({"metrics": {"t": {"rename": "t"}}}, True),
        ({"metrics": {"t": {"rename": "u"}}}, False),
        ({"metrics": {"t": {"type": "TEXT"}}}, False),
        ({"metrics": {"t": {"max": 1}}}, False),
        ({"metrics": {"t": {"required": True}}}, False),
        ({"unknown": "drop"}, False),
    ],
)
def test_a_plain_schema_needs_no_work(schema: dict[str, Any], is_plain: bool) -> None:
    assert schema_compile(schema).is_plain is is_plain


def test_versions_go_by_event_time() -> None:
    first, second = schema_compile({}), schema_compile({"unknown": "drop"})
    versions = SchemaVersions([10, 20], [first, second])
    assert [versions.at(at) for at in (9, 10, 19, 20, 99)] == [None, first, first, second, second]
    assert [versions.until(at) for at in (9, 10, 19, 20)] == [10, 20, 20, float("inf")]
