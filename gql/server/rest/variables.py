"""Variables of an operation from a request: of its path, its query parameters or its body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    type_from_ast,
)
from starlette.datastructures import QueryParams

from graph.errors import BadInputError
from graph.nearest import did_you_mean

INPUT: Final = "input"
_JSON_SCALARS: Final = frozenset({"JSON", "GeoJSON"})
_BOOLEANS: Final = {"true": True, "false": False}


def variable_types(schema: GraphQLSchema, operation: OperationDefinitionNode) -> dict[str, GraphQLInputType]:
    """Return the types of an operation's variables, by their names."""
    types: dict[str, GraphQLInputType] = {}
    for definition in operation.variable_definitions or ():
        declared: Any = type_from_ast(schema, definition.type)
        types[definition.variable.name.value] = declared
    return types


def of_query(parameters: QueryParams, types: Mapping[str, GraphQLInputType]) -> dict[str, Any]:
    """Return the variables that query parameters give. A list is its parameter once for each item.

    types: of the variables that may be given. Raises BadInputError, its path the parameter.
    """
    values: dict[str, Any] = {}
    for name in dict.fromkeys(parameters):
        if name not in types:
            raise BadInputError(f"There is no parameter {name!r}.{did_you_mean(name, types)}", path=(name,))
        given = parameters.getlist(name)
        declared = _nullable(types[name])
        if isinstance(declared, GraphQLList):
            values[name] = [_value(name, text, _nullable(declared.of_type)) for text in given]
        elif len(given) > 1:
            raise BadInputError(f"{name} is given {len(given)} times; it has one value.", path=(name,))
        else:
            values[name] = _value(name, given[0], declared)
    return values


def of_body(body: Any, types: Mapping[str, GraphQLInputType]) -> dict[str, Any]:
    """Return the variables that a body gives: `input` as a whole, else each member.

    types: of the variables that may be given. Raises BadInputError.
    """
    if not isinstance(body, dict):
        raise BadInputError("The body must be a JSON object.", path=("body",))
    if INPUT in types:
        return {INPUT: body}
    for name in body:
        if name not in types:
            raise BadInputError(f"The body has no member {name!r}.{did_you_mean(name, types)}", path=(name,))
    return dict(body)


def is_json_parameter(declared: GraphQLInputType) -> bool:
    """Return whether a parameter of a type is written as JSON."""
    inner = _nullable(declared)
    return isinstance(inner, GraphQLInputObjectType) or (
        isinstance(inner, GraphQLScalarType) and inner.name in _JSON_SCALARS
    )


def _nullable(declared: GraphQLInputType) -> Any:
    return declared.of_type if isinstance(declared, GraphQLNonNull) else declared


def _value(name: str, text: str, declared: GraphQLInputType) -> Any:
    """Return the value of a parameter. What does not fit its type further is found when variables are coerced."""
    try:
        if is_json_parameter(declared):
            return orjson.loads(text)
        if declared is GraphQLInt or (isinstance(declared, GraphQLScalarType) and declared.name == GraphQLInt.name):
            return int(text)
        if isinstance(declared, GraphQLScalarType) and declared.name == GraphQLFloat.name:
            return float(text)
        if isinstance(declared, GraphQLScalarType) and declared.name == GraphQLBoolean.name:
            return _BOOLEANS[text]
    except (ValueError, KeyError):
        raise BadInputError(f"{name} must be {_meant(declared)}; it is {text[:100]!r}.", path=(name,)) from None
    if isinstance(declared, GraphQLEnumType) and text not in declared.values:
        known: Sequence[str] = list(declared.values)
        raise BadInputError(f"{name} is one of {', '.join(known)}; it is {text[:100]!r}.", path=(name,))
    return text


def _meant(declared: GraphQLInputType) -> str:
    if is_json_parameter(declared):
        return "JSON"
    return {"Int": "a whole number", "Float": "a number"}.get(getattr(declared, "name", ""), "true or false")
