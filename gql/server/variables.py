"""Say which part of which variable does not fit its type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, VariableDefinitionNode, type_from_ast
from graphql.pyutils import Undefined
from graphql.utilities.validate_input_value import validate_input_value

ERRORS_MAX: Final = 50


class _FullError(Exception):
    """There are more errors than are sent."""


def variable_errors(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    *,
    hide_suggestions: bool,
) -> list[GraphQLError]:
    """Return what does not fit in the variables of an operation that was refused for them, at most ERRORS_MAX errors.

    A message begins with the place, as `$r[1].port`, which `argumentPath` has as `["$r", "1", "port"]`.
    """
    errors: list[GraphQLError] = []

    def note(definition: VariableDefinitionNode, error: GraphQLError, path: list[str | int]) -> None:
        if len(errors) == ERRORS_MAX:
            raise _FullError
        name = f"${definition.variable.name.value}"
        argument_path = [name, *map(str, path)]
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        message = f"{name}{place}: {error.message}"
        errors.append(
            GraphQLError(message, definition, extensions={**(error.extensions or {}), "argumentPath": argument_path})
        )

    try:
        for definition in operation.variable_definitions or ():
            value = variables.get(definition.variable.name.value, Undefined)
            declared: Any = type_from_ast(schema, definition.type)
            if value is not Undefined or definition.default_value is None:
                validate_input_value(value, declared, partial(note, definition), hide_suggestions)
    except _FullError:
        pass
    return errors
