"""Valid and invalid telemetry schemas."""

from __future__ import annotations

from typing import Any

import pytest

from domain.configuration.entity_types.schema import telemetry_schema_check
from testing.faults import fault_of


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"metrics": {}},
        {"unknown": "refuse"},
        {"metrics": {"t": {}}},
        {"metrics": {"t": {"type": "NUMBER", "unit": "Cel", "min": -40, "max": 85.5, "required": True}}},
        {"metrics": {"t": {"unit": "Cel", "sentUnit": "[degF]"}, "n": {"unit": "{count}"}, "r": {"unit": "m/s2"}}},
        {"metrics": {"t": {"min": 1, "max": 1}, "on": {"type": "BOOLEAN"}, "mode": {"type": "TEXT", "rename": "m"}}},
        {"metrics": {"a": {"rename": "b"}, "b": {"rename": "a"}}},
        {"derived": {}},
        {"derived": {"d": {"sum": {"a": 1, "b": -0.5}, "offset": 2, "unit": "kW.h", "maxAge": "P31D"}}},
    ],
)
def test_schemas(schema: dict[str, Any]) -> None:
    assert telemetry_schema_check(schema) == schema


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ([], ()),
        ("x", ()),
        ({"metric": {}}, ("metric",)),
        ({"unknown": "ignore"}, ("unknown",)),
        ({"unknown": ["keep"]}, ("unknown",)),
        ({"metrics": []}, ("metrics",)),
        ({"metrics": {"": {}}}, ("metrics", "")),
        ({"metrics": {"x" * 201: {}}}, ("metrics", "x" * 201)),
        ({"metrics": {"t": 5}}, ("metrics", "t")),
        ({"metrics": {"t": {"kind": "NUMBER"}}}, ("metrics", "t", "kind")),
        ({"metrics": {"t": {"type": "INTEGER"}}}, ("metrics", "t", "type")),
        ({"metrics": {"t": {"unit": 5}}}, ("metrics", "t", "unit")),
        ({"metrics": {"t": {"unit": "°C"}}}, ("metrics", "t", "unit")),
        ({"metrics": {"t": {"unit": ""}}}, ("metrics", "t", "unit")),
        ({"metrics": {"t": {"sentUnit": "Cel"}}}, ("metrics", "t", "sentUnit")),
        ({"metrics": {"t": {"unit": "Cel", "sentUnit": "F"}}}, ("metrics", "t", "sentUnit")),
        ({"metrics": {"t": {"unit": "Cel", "sentUnit": "x"}}}, ("metrics", "t", "sentUnit")),
        ({"metrics": {"t": {"unit": "Cel", "sentUnit": 1}}}, ("metrics", "t", "sentUnit")),
        ({"metrics": {"t": {"type": "TEXT", "unit": "m", "sentUnit": "km"}}}, ("metrics", "t", "sentUnit")),
        ({"metrics": {"t": {"required": 1}}}, ("metrics", "t", "required")),
        ({"metrics": {"t": {"min": True}}}, ("metrics", "t", "min")),
        ({"metrics": {"t": {"max": "9"}}}, ("metrics", "t", "max")),
        ({"metrics": {"t": {"max": float("nan")}}}, ("metrics", "t", "max")),
        ({"metrics": {"t": {"min": 2, "max": 1}}}, ("metrics", "t", "min")),
        ({"metrics": {"t": {"type": "TEXT", "max": 1}}}, ("metrics", "t", "max")),
        ({"metrics": {"t": {"rename": ""}}}, ("metrics", "t", "rename")),
        ({"metrics": {"a": {}, "b": {"rename": "a"}}}, ("metrics", "b", "rename")),
        ({"metrics": {"a": {"rename": "b"}, "b": {}}}, ("metrics", "b")),
        ({"derived": None}, ("derived",)),
        ({"derived": {"d": 5}}, ("derived", "d")),
        ({"derived": {"": {"sum": {"a": 1}}}}, ("derived", "")),
        ({"derived": {"d": {"sum": {"a": 1}, "mean": {}}}}, ("derived", "d", "mean")),
        ({"derived": {"d": {}}}, ("derived", "d", "sum")),
        ({"derived": {"d": {"sum": {}}}}, ("derived", "d", "sum")),
        ({"derived": {"d": {"sum": {"d": 1}}}}, ("derived", "d", "sum", "d")),
        ({"derived": {"d": {"sum": {"a": "1"}}}}, ("derived", "d", "sum", "a")),
        ({"derived": {"d": {"sum": {"a": True}}}}, ("derived", "d", "sum", "a")),
        ({"derived": {"d": {"sum": {"a": 1}, "offset": None}}}, ("derived", "d", "offset")),
        ({"derived": {"d": {"sum": {"a": 1}, "unit": "kWh"}}}, ("derived", "d", "unit")),
        ({"derived": {"d": {"sum": {"a": 1}, "maxAge": "P1M"}}}, ("derived", "d", "maxAge")),
        ({"derived": {"d": {"sum": {"a": 1}, "maxAge": "PT0S"}}}, ("derived", "d", "maxAge")),
        ({"derived": {"d": {"sum": {"a": 1}, "maxAge": "P31DT1S"}}}, ("derived", "d", "maxAge")),
    ],
)
def test_no_schemas(schema: Any, path: tuple[str, ...]) -> None:
    assert fault_of(lambda: telemetry_schema_check(schema)) == ("BAD_USER_INPUT", ("telemetrySchema", *path))


def test_bounds() -> None:
    many: dict[str, dict[str, Any]] = {"metrics": {str(number): {} for number in range(1_001)}}
    assert fault_of(lambda: telemetry_schema_check(many)) == ("LIMIT_EXCEEDED", ("telemetrySchema", "metrics"))
    del many["metrics"]["0"]
    assert telemetry_schema_check(many) == many
