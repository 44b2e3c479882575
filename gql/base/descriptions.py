"""Docstrings as descriptions: what a class or a resolver says of itself is what clients read in the schema."""

from __future__ import annotations

import inspect
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter

_ROOTS = {
    "Query": "What can be asked.",
    "Mutation": "What can be changed. Each payload holds the changed object (null if refused) and, in errors, what the "
    "caller can mend. Nothing is changed where errors is not empty, ingest and imports aside.",
    "Subscription": "What can be followed, over a WebSocket (graphql-transport-ws).",
}


def describe(schema: GraphQLSchema) -> None:
    """Give every type and field of the schema that has no description its docstring."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        definition: Any = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if definition is None:
            continue
        type_.description = type_.description or _ROOTS.get(type_.name) or _doc(definition.origin)
        for field in type_.fields.values():
            own: Any = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            resolver = getattr(own, "base_resolver", None)
            if field.description is None and resolver is not None:
                field.description = _doc(resolver.wrapped_func)


def _doc(documented: object) -> str | None:
    text = getattr(documented, "__doc__", None)
    # A dataclass without a docstring is given its signature as one.
    if not text or text.startswith(f"{getattr(documented, '__name__', '')}("):
        return None
    return inspect.cleandoc(text)
