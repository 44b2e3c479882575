"""What is coerced by column is what the core coerces value by value."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, Undefined, build_schema, coerce_input_value, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from gql.server.bulk_inputs import ITEMS_MIN, SHAPES_MAX, BulkInputs

SCHEMA: GraphQLSchema = build_schema("""
  enum Colour { RED BLUE }
  scalar Any
  input Thing { id: ID, must: String!, text: String = "none", number: Int, ratio: Float, flag: Boolean! = true,
    colour: Colour, any: Any }
  input Deep { thing: Thing }
  input Either @oneOf { a: Int, b: Int }
  type Query { f(things: [Thing!], deep: [Deep!], either: [Either!], maybe: [Thing]): Int }
""")
TYPES = {"things": "[Thing!]!", "maybe": "[Thing]", "deep": "[Deep!]", "either": "[Either!]"}

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ["a", "", "RED", None, 1, 2**31, -(2**31), 2**40, 1.5, 2.0, True, [], {}]
)
FIT = {
    "id": st.sampled_from(["1", 1, None]),
    "must": st.sampled_from(["a", "b"]),
    "text": st.sampled_from(["a", None]),
    "number": st.sampled_from([1, 2**31 - 1, None, 3.0]),
    "ratio": st.sampled_from([1, 2.5, None]),
    "flag": st.booleans(),
    "colour": st.sampled_from(["RED", "BLUE", None]),
    "any": VALUES,
}
THINGS = st.fixed_dictionaries({"must": FIT["must"]}, optional={name: of for name, of in FIT.items() if name != "must"})
ODD = st.dictionaries(st.sampled_from([*FIT, "other"]), VALUES) | VALUES


def operation(declared: str) -> OperationDefinitionNode:
    definition = parse(f"query Q($v: {declared}) {{ __typename }}").definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    return definition


@settings(max_examples=300)
@given(
    st.lists(THINGS, min_size=ITEMS_MIN, max_size=ITEMS_MIN + 4),
    st.lists(ODD, max_size=1),
    st.sampled_from(["things", "maybe"]),
)
def test_what_is_coerced_by_column_is_what_the_core_coerces(fit: list[Any], odd: list[Any], name: str) -> None:
    items = fit + odd
    coerced = BulkInputs(SCHEMA).coerced(operation(TYPES[name]), {"v": items})
    arguments = SCHEMA.type_map["Query"].fields["f"].args  # type: ignore[attr-defined]
    of_core = coerce_input_value(items, arguments[name].type)
    if coerced:
        # 1, 1.0 and True are equal, too.
        assert list(map(written, coerced["v"])) == list(map(written, of_core))
    elif of_core is not Undefined:
        # Only what is odd is left to the core, and what has very many shapes.
        assert odd or len(set(map(frozenset, fit))) > SHAPES_MAX


def written(thing: dict[str, Any]) -> str:
    return repr(sorted(thing.items()))


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("things", [{"must": "a"}] * (ITEMS_MIN - 1)),
        ("deep", [{"thing": {"must": "a"}}] * ITEMS_MIN),
        ("either", [{"a": 1}] * ITEMS_MIN),
        ("things", None),
        ("things", [{"must": "a"}] * ITEMS_MIN + [{}]),
    ],
    ids=["short", "deep", "one of", "null", "required"],
)
def test_the_rest_is_left_to_the_core(name: str, items: Any) -> None:
    assert BulkInputs(SCHEMA).coerced(operation(TYPES[name]), {"v": items}) == {}
