"""CEL expressions: inputs, results, refusals, and agreement with the CEL library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cel_expr_python import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.base.expressions.columns import Area, Attribute
from domain.base.expressions.expression import Kind, expression_compile, expression_evaluate
from domain.base.expressions.syntax import DEPTH_MAX, NODES_MAX, SOURCE_CHARS_MAX
from graph.errors import BadInputError, LimitExceededError

ATTRIBUTES = {"flow": 4, "name": "north", "on": True, "pump": {"size": 2.5}, "most": 2**1024 - 1}


def evaluate(source: str, areas: dict[str, Area] | None = None, **metrics: float) -> tuple[float | None, list[str]]:
    """Evaluate in one row; return the value and what is at fault."""
    expression = expression_compile(source, path=("f",))
    result = expression_evaluate(
        expression,
        count=1,
        metrics={name: np.array([metrics[name]], dtype=np.float64) for name in expression.metrics},
        attributes={key: Attribute([looked_up(key)], np.zeros(1, dtype=np.intp)) for key in expression.attributes},
        areas=areas or {},
    )
    value = float(result.values[0])
    return None if math.isnan(value) else value, [message for _, message in result.faults]


def looked_up(key: tuple[str, ...]) -> Any:
    value: Any = ATTRIBUTES
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("supply - return_", 12.5),
        ("supply * 2 + 1", 141.0),
        ("supply / 4 - -1", 18.5),
        ("7.5 % 2 + supply * 0", 1.5),
        ("min(supply, return_, 100) + max(1, 2, 3)", 60.5),
        ("abs(-3) + ceil(0.1) + floor(1.9) + round(2.5) + round(-2.5) + sign(-7)", 4 - 0 + 1 - 1),
        ("sqrt(16) + pow(2, 3) + exp(0) + ln(1) + log10(100)", 4 + 8 + 1 + 0 + 2),
        ("supply > 60 && return_ <= 57.5", 1.0),
        ("supply != 70 || !(return_ >= 58)", 1.0),
        ("supply > 60 ? supply : return_", 70.0),
        ("supply > 60 ? true : return_ > 1", 1.0),
        ("supply in [1, 70, 3]", 1.0),
        ("supply in []", 0.0),
        ("attributes.flow in []", 0.0),
        ("'a' != 'b'", 1.0),
        ("attributes.flow * supply", 280.0),
        ("attributes.pump.size + attributes['flow']", 6.5),
        ("attributes.name == 'north' && 'south' != attributes.name", 1.0),
        ("attributes.name in ['east', 'north']", 1.0),
        ("has(attributes.pump.size) && !has(attributes.none)", 1.0),
        ("has(attributes.none) ? attributes.none : 3", 3.0),
        ("attributes.on && supply", 1.0),
        ("attributes.on + (supply > 1)", 2.0),
        ('metrics["return_"] + 0', 57.5),
        # Either side decides, whatever the other is.
        ("attributes.none > 1 || supply > 1", 1.0),
        ("supply < 1 && 1 / 0 > 3", 0.0),
    ],
)
def test_values(source: str, value: float) -> None:
    assert evaluate(source, supply=70.0, return_=57.5) == (value, [])


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("supply / 0", "/ has no finite result."),
        ("0 / (supply - supply)", "/ has no finite result."),
        ("supply % 0", "% has no finite result."),
        ("sqrt(0 - supply)", "sqrt has no finite result."),
        ("pow(supply, 1000)", "pow has no finite result."),
        ("supply + attributes.none", "There is no attribute none."),
        ("supply + attributes.pump.none", "There is no attribute pump.none."),
        ("supply + attributes.name", "The attribute name is no number."),
        ("supply + attributes.most", "The attribute most is no number."),
        ("attributes.flow == 'north'", "The attribute flow is no text."),
        ('inArea(supply, supply, "yard")', "There is no space 'yard' with an area."),
    ],
)
def test_an_expression_without_a_value_gives_a_reason(source: str, fault: str) -> None:
    assert evaluate(source, supply=70.0) == (None, [fault])


def test_faults_that_do_not_affect_the_result_are_not_reported() -> None:
    expression = expression_compile("x > 0 ? 1 / x : 1 / attributes.none", path=())
    attributes: dict[tuple[str, ...], Attribute] = {("none",): Attribute([None], np.zeros(3, dtype=np.intp))}
    metrics = {"x": np.array([4.0, -1.0, 2.0])}
    result = expression_evaluate(expression, count=3, metrics=metrics, attributes=attributes, areas={})
    assert result.values[[0, 2]].tolist() == [0.25, 0.5]
    assert [(where.tolist(), message) for where, message in result.faults] == [
        ([False, True, False], "There is no attribute none.")
    ]


def test_areas_are_evaluated() -> None:
    areas: dict[str, Area] = {"yard": lambda x, y: (x > 1) & (y > 2)}
    assert evaluate('inArea(a, b, "yard")', areas, a=1.5, b=2.5) == (1.0, [])
    assert evaluate('inArea(a, b, "yard") ? 7 : 8', areas, a=0.5, b=2.5) == (8.0, [])


def test_attributes_may_differ_by_row() -> None:
    expression = expression_compile("x * attributes.k", path=())
    assert expression.metrics == {"x"}
    assert [*expression.attributes] == [("k",)]
    assert expression.kind is Kind.NUMBER
    result = expression_evaluate(
        expression,
        count=4,
        metrics={"x": np.array([1.0, 2.0, 3.0, 4.0])},
        attributes={("k",): Attribute([10, "many", None], np.array([0, 1, 2, 0]))},
        areas={},
    )
    assert np.array_equal(result.values, [10.0, np.nan, np.nan, 40.0], equal_nan=True)
    assert sorted((where.tolist(), message) for where, message in result.faults) == [
        ([False, False, True, False], "There is no attribute k."),
        ([False, True, False, False], "The attribute k is no number."),
    ]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("", "no CEL expression"),
        ("supply -", "column 9"),
        ("supply - 'x'", r"A text is used where a number is needed. It is at character 10"),
        ("attributes.a && 'x'", "true or false"),
        ("'a' == 'b'", None),
        ("'a'", "gives a text"),
        ("supply == 'a'", "compared with an attribute only"),
        ("attributes.a < 'b'", "== and != only"),
        ("attributes.a == attributes.b", "Two attributes"),
        ("foo(supply)", "There is no function foo, only abs, ceil"),
        ("min()", "min takes at least one number"),
        ("abs(1, 2)", "abs takes 1 number"),
        ("supply.max()", "There is no method 'max'"),
        ("boiler.supply + 1", r'metrics\["boiler.supply"\]'),
        ("metrics + 1", "neither a metric"),
        ("has(metrics.x)", "Only attributes can be tested"),
        ("[1, 2]", "to the right of `in`"),
        ("supply in supply2", "a list of constants"),
        ("supply in ['a']", "Texts are looked for"),
        ("[1, 2].exists(x, x > 1)", "a loop"),
        ("{'a': 1}", "a map"),
        ("null == supply", "Constants are"),
        ("inArea(a, b)", "It is written inArea"),
        ("inArea(a, b, c)", "It is written inArea"),
        ("inArea(a, b, '')", "A name has 1 to 1000 characters, none of them NUL. It is at character 14"),
        (r"inArea(a, b, '\0000')", "A name has 1 to 1000 characters"),
        (r"metrics['\u0000'] + 1", "A name has 1 to 200 characters"),
        (f"attributes['{'x' * 201}'] + a", "A name has 1 to 200 characters"),
        ("a + 1e400", "Constants are finite"),
        ("attributes.a in ['x', 1]", "Texts are looked for"),
    ],
)
def test_refusals(source: str, what: str | None) -> None:
    if what is None:
        assert evaluate(source) == (0.0, [])
        return
    with pytest.raises(BadInputError, match=what) as refused:
        expression_compile(source, path=("f",))
    assert refused.value.path == ("f",)


def test_bounds() -> None:
    expression_compile("x" + " " * (SOURCE_CHARS_MAX - 1), path=())
    fits = "+".join(["x"] * 20)
    assert expression_compile(fits, path=()).metrics == {"x"}
    deep = "abs(" * (DEPTH_MAX // 2) + "x" + ")" * (DEPTH_MAX // 2)
    assert expression_compile(deep, path=()).metrics == {"x"}
    for source in (
        "x" + " " * SOURCE_CHARS_MAX,
        "abs(" * DEPTH_MAX + "x" + ")" * DEPTH_MAX,
        "x in [" + ",".join("1" * NODES_MAX) + "]",
    ):
        with pytest.raises(LimitExceededError):
            expression_compile(source, path=())


def test_choices_in_choices_take_no_longer_than_others() -> None:
    chain, nested = "x > 1 ? 1 : " * 27 + "0", "0"
    for n in range(DEPTH_MAX // 2):
        nested = f"(x > {n} ? {nested} : {n})"
    for source in (chain, nested):
        assert expression_compile(source, path=()).metrics == {"x"}
    assert evaluate(chain, x=2.0) == (1.0, [])


# What both can say: the library checks types, and wants doubles written with a point.
NUMBERS = st.recursive(
    st.one_of(
        st.sampled_from(["a", "b", "c"]),
        st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: f"({x!r})" if "e" not in repr(x) else "1.5"),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("(-{})".format, inner),
        st.builds("({} {} {} ? {} : {})".format, inner, st.sampled_from(["<", ">="]), inner, inner, inner),
    ),
    max_leaves=8,
)
TRUTHS = st.recursive(
    st.one_of(
        st.builds("({} {} {})".format, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
        st.sampled_from(["true", "false"]),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
        st.builds("(!{})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)
ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys("abc", cel.Type.DOUBLE))
VALUES = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-3 else x)


@settings(max_examples=300, deadline=None)
@given(source=st.one_of(NUMBERS, TRUTHS), rows=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=6))
def test_columns_give_what_the_library_gives_row_by_row(source: str, rows: list[tuple[float, float, float]]) -> None:
    expression = expression_compile(source, path=())
    columns = {name: np.array([row[n] for row in rows]) for n, name in enumerate("abc")}
    result = expression_evaluate(expression, count=len(rows), metrics=columns, attributes={}, areas={})
    reference = ENVIRONMENT.compile(source)
    for row, value in zip(rows, result.values.tolist(), strict=True):
        theirs = float(reference.eval(data=dict(zip("abc", row, strict=True))).value())
        if math.isnan(value):
            # A part was not finite: to the library infinity is a value like any other.
            assert "/" in source or not math.isfinite(theirs)
        else:
            assert value == theirs
