"""Every list of the schema is counted at its maximum length; none counts as one."""

from __future__ import annotations

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, OperationDefinitionNode, parse

from gql.errors import CostLimitError
from gql.schema import core_schema
from gql.server.bounds import bounds_of, is_list, stated
from gql.server.limits import COST_MAX, Limits

SCHEMA = core_schema()
LISTS = sorted(
    f"{type_.name}.{name}"
    for type_ in SCHEMA.type_map.values()
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    for name, field in type_.fields.items()
    if is_list(field.type)
)


def cost(text: str, variables: dict[str, object] | None = None) -> float:
    document = parse(text)
    [operation] = [definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode)]
    return Limits(SCHEMA).check(document, operation, variables or {})


@pytest.mark.parametrize("name", LISTS)
def test_each_list_of_the_schema_has_a_bound(name: str) -> None:
    bound = bounds_of(SCHEMA)[name]
    assert bound.argument is not None or bound.rows is None or bound.rows >= 1
    if bound.argument is not None:
        type_, _, field = name.partition(".")
        assert bound.argument in SCHEMA.type_map[type_].fields[field].args  # type: ignore[attr-defined]


def test_no_bound_is_of_a_list_that_is_not_there() -> None:
    assert stated() <= set(LISTS)


@pytest.mark.parametrize(
    ("text", "variables", "least"),
    [
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 1 + 3),
        ("query Q($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", {"ids": ["a"] * 400}, 1 + 400 * 2),
        ('{ traverse(input: {startIds: ["a"], steps: [], limit: 9000}) { nodes { id } } }', {}, 9_000),
        ('{ traverse(input: {startIds: ["a"], steps: []}) { nodes { id } } }', {}, 1_000),
        ('{ traverse(input: {startIds: ["a"], steps: [], limit: 1}) { edges { id } } }', {}, 10_000),
        ("query Q($i: TraverseInput!) { traverse(input: $i) { nodes { id } } }", {"i": {"steps": [], "limit": 7000}}, 7_000),
        ('{ path(fromId: "a", toId: "b", maxDepth: 32) { nodes { id } edges { id } } }', {}, 66),
        ("{ entities(first: 200) { edges { node { id } } nodes { id } } }", {}, 600),
        ("query Q($n: Int = 300) { entities(first: $n) { nodes { id } } }", {}, 300),
        ("{ devices { nodes { latest { metric } } } }", {}, 50 * 100),
        ('{ devices { nodes { latest(metrics: ["t"]) { metric } } } }', {}, 50 * 10),
        ("{ entityTypes { id } }", {}, 1_000),
    ],
)  # fmt: skip
def test_costs_of_lists(text: str, variables: dict[str, object], least: int) -> None:
    assert least <= cost(text, variables) < 2 * least + 100


def test_fields_of_a_page_are_counted_per_row_and_others_once() -> None:
    page = "{ entities(first: 100) { nodes { id } totalCount pageInfo { hasNextPage } } }"
    assert cost(page) == 1 + (1 + 100) + 1 + 2
    spread = "{ entities(first: 100) { ...P } } fragment P on EntityConnection { nodes { id } totalCount pageInfo { hasNextPage } }"
    assert cost(spread) == cost(page)


def test_a_walk_of_walks_is_refused_that_was_counted_as_one() -> None:
    related = 'related(relationships: ["FEEDS"], first: 500) { nodes { id } }'
    ids = ", ".join('"0190a3c4-0000-7000-8000-000000000000"' for _ in range(100))
    assert len(ids) < 4_400
    for text in (
        f"{{ nodes(ids: [{ids}]) {{ ... on Asset {{ {related.replace('{ id }', '{ id a: ' + related + '}')} }} }} }}",
        f'{{ traverse(input: {{startIds: ["a"], steps: [], limit: 10000}}) {{ nodes {{ {related} }} }} }}',
        f'{{ path(fromId: "a", toId: "b", maxDepth: 32) {{ nodes {{ {related.replace("{ id }", "{ a: " + related + "}")} }} }} }}',
    ):
        with pytest.raises(CostLimitError, match=str(COST_MAX)):
            cost(text)


def test_asking_what_the_schema_is_costs_what_it_holds() -> None:
    from graphql import get_introspection_query

    once = cost(get_introspection_query())
    assert once > len(SCHEMA.type_map)
    many = " ".join(
        f"a{n}: __schema {{ types {{ fields {{ type {{ fields {{ name }} }} args {{ type {{ name }} }} }} }} }}"
        for n in range(45)
    )
    with pytest.raises(CostLimitError):
        cost("{" + many + "}")
