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
            is_flat = _is_flat(declared)
            left -= len(items) + (_fields_of(get_named_type(declared), items) if is_flat else 0)
            if left >= 0 and not is_flat:
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
    """Return whether a list's elements are scalars, enums, or input objects that have nothing else."""
    element = _nullable(declared.of_type)
    if isinstance(element, GraphQLInputObjectType):
        return all(is_leaf_type(_nullable(field.type)) for field in element.fields.values())
    return is_leaf_type(element)


def _fields_of(element: Any, items: list[Any]) -> int:
    is_object = isinstance(element, GraphQLInputObjectType)
    return sum([len(item) for item in items if isinstance(item, dict)]) if is_object else 0


def _nullable(declared: Any) -> Any:
    return declared.of_type if isinstance(declared, GraphQLNonNull) else declared
