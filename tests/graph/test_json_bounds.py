"""JSON that may be stored."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import ArgusError
from graph.json_bounds import json_object_check, json_same


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ([1], "BAD_USER_INPUT", ()),
        ("{}", "BAD_USER_INPUT", ()),
        (None, "BAD_USER_INPUT", ()),
        ({"a": {"b": [0, math.nan]}}, "BAD_USER_INPUT", ("a", "b", "1")),
        ({"a": -math.inf}, "BAD_USER_INPUT", ("a",)),
        ({"a": "x\0y"}, "BAD_USER_INPUT", ("a",)),
        ({"a\0": 1}, "BAD_USER_INPUT", ()),
        ({"a": "\ud800"}, "BAD_USER_INPUT", ("a",)),
        ({1: "a"}, "BAD_USER_INPUT", ()),
        ({"a": object()}, "BAD_USER_INPUT", ("a",)),
        ({"a": 10**1000}, "BAD_USER_INPUT", ("a",)),
        ({"a": "x" * 65_536}, "LIMIT_EXCEEDED", ()),
        ({"a": "é" * 32_768}, "LIMIT_EXCEEDED", ()),
        (nested(33), "LIMIT_EXCEEDED", ()),
        (nested(100_000), "LIMIT_EXCEEDED", ()),
    ],
)
def test_refusals(value: Any, code: str, path: tuple[str, ...]) -> None:
    with pytest.raises(ArgusError) as fault:
        json_object_check(value, path=("attributes",))
    assert (fault.value.code, fault.value.path) == (code, ("attributes", *path))


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (2**64, 1.8446744073709552e19),
        (-(2**63) - 1, -9.223372036854775808e18),
        (10**21, 1e21),
        (1e21, 1e21),
        # jsonb would make 1152921504606847000 of the shortest digits of this double.
        (float(2**60), 2**60),
        (1e16, 10**16),
        (1e15, 1e15),
        (5e-324, 5e-324),
    ],
)
def test_a_number_is_an_integer_of_64_bits_or_a_double(sent: float, stored: float) -> None:
    value = json_object_check({"a": [{"b": sent}, True, "x"]}, path=("attributes",))
    assert value == {"a": [{"b": stored}, True, "x"]}
    assert type(value["a"][0]["b"]) is type(stored)
    assert value["a"][1] is True


def test_the_bounds_themselves_are_taken() -> None:
    for value in ({}, nested(32), {"a": "x" * (65_536 - len('{"a":""}'))}, {"a": "é" * ((65_536 - 8) // 2)}):
        assert json_object_check(value, path=("attributes",)) == value


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _JSON, max_size=4))
def test_json_without_nul_is_accepted_unchanged(value: dict[str, Any]) -> None:
    if "\\u0000" in json.dumps(value).replace("\\\\", ""):
        with pytest.raises(ArgusError):
            json_object_check(value, path=("a",))
    else:
        assert json_object_check(value, path=("a",)) == value


def test_comparisons_are_of_json_values_without_coercion() -> None:
    assert json_same(MappingProxyType({"a": MappingProxyType({})}), {"a": {}})
    assert not json_same({"a": 1}, {"a": True})
    assert json_same({"a": [-0.0, 1.5]}, {"a": [0.0, 1.5]})
    assert not json_same({"a": "-0.0"}, {"a": "0.0"})
    for nothing in (datetime(2026, 1, 1, tzinfo=UTC), {("a", 1)}, [datetime(2026, 1, 1, tzinfo=UTC)]):
        with pytest.raises(TypeError, match="is not JSON"):
            json_same({"a": nothing}, {"a": nothing})
