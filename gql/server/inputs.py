"""Bound the size of an operation's variables, counted by their declared types before they are coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_leaf_type,
    type_from_ast,
)

from graph.errors import LimitExceededError

# A thousand readings or records, with all their fields, several times over.
INPUTS_MAX: Final = 30_000


def inputs_check(schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
    """Raise LimitExceededError where variables hold more list elements and fields of input objects than they may.

    What a scalar holds, such as the attributes of an entity, is not coerced and does not count. Linear, and no further
    than the bound.
    """
    left = INPUTS_MAX
    waiting: list[tuple[Any, Any]] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in variables:
            waiting.append((type_from_ast(schema, definition.type), variables[name]))
    while waiting:
        declared, value = waiting.pop()
        if isinstance(declared, GraphQLNonNull):
            declared = declared.of_type
        if isinstance(declared, GraphQLList):
            items = value if isinstance(value, list) else [value]
            left -= len(items)
            if left >= 0 and not (is_leaf_type(get_named_type(declared)) and _is_flat(declared)):
                waiting += [(declared.of_type, item) for item in items]
        elif isinstance(declared, GraphQLInputObjectType) and isinstance(value, dict):
            left -= len(value)
            if left >= 0:
                fields = declared.fields
                waiting += [(fields[key].type, item) for key, item in value.items() if key in fields]
        if left < 0:
            message = f"The variables hold more than {INPUTS_MAX} list elements and fields; send less at once."
            raise LimitExceededError(message)


def _is_flat(declared: GraphQLList[Any]) -> bool:
    """Return whether a list's elements are no lists."""
    element = declared.of_type
    if isinstance(element, GraphQLNonNull):
        element = element.of_type
    return not isinstance(element, GraphQLList)
