"""Documents that select everything: generated from the schema, so that a new field is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_list_type,
)
from graphql.pyutils import Undefined

# Literals by scalar. IDs are the caller's.
_LITERALS = {
    "String": '"x"', "Int": "1", "Float": "1", "Boolean": "false", "JSON": "{}", "DateTime": '"2026-01-01T00:00:00Z"',
    "GeoJSON": '{type: "Point", coordinates: [0, 0]}', "Duration": '"PT1H"', "ReadingTime": '"2026-01-01T00:00:00Z"',
}  # fmt: skip
# Writes an id for an argument of this name.
IdOf = Callable[[str], str]


def literal(type_: GraphQLType, id_of: IdOf, name: str = "", *, items: int = 1) -> str:
    """Write a small value of a type. id_of: writes ids. items: how many a list has, at most one."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if is_list_type(inner):
        return f"[{literal(inner.of_type, id_of, name) if items else ''}]"
    named = get_named_type(inner)
    if isinstance(named, GraphQLInputObjectType):
        given = [(key, field) for key, field in named.fields.items() if named.is_one_of or _is_needed(field)]
        if named.is_one_of:
            given = [(key, field) for key, field in given if is_leaf_type(get_named_type(field.type))][:1] or given[:1]
        return "{" + ", ".join(f"{key}: {literal(field.type, id_of, key, items=items)}" for key, field in given) + "}"
    if isinstance(named, GraphQLEnumType):
        return str(next(iter(named.values)))
    return f'"{id_of(name)}"' if named.name == "ID" else _LITERALS[named.name]


def arguments(
    args: dict[str, GraphQLArgument], id_of: IdOf, *, first: int | None = 5, named: str = "", items: int = 1
) -> str:
    """Write the arguments that a field needs, an optional one named so, and a small page. items: see `literal`."""
    given = {
        name: literal(argument.type, id_of, name, items=items)
        for name, argument in args.items()
        if _is_needed(argument) or name == named
    }
    if first is not None and "first" in args:
        given["first"] = str(first)
    return f"({', '.join(f'{name}: {value}' for name, value in given.items())})" if given else ""


def selection(schema: GraphQLSchema, type_: GraphQLNamedType, id_of: IdOf, *, depth: int, first: int = 5) -> str:
    """Select every field of a type, and of what these lead to, `depth` objects deep."""
    if isinstance(type_, GraphQLUnionType):
        parts = [
            f"... on {member.name} {selection(schema, member, id_of, depth=depth, first=first)}"
            for member in type_.types
        ]
        return "{ __typename " + " ".join(parts) + " }"
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    parts = ["__typename", *_fields(schema, type_, id_of, depth, first, prefix="")]
    if isinstance(type_, GraphQLInterfaceType):
        for member in schema.get_possible_types(type_):
            own = {name: field for name, field in member.fields.items() if name not in type_.fields}
            # Fields of the same name may differ in type from member to member.
            inner = list(_fields(schema, member, id_of, depth, first, prefix=f"{member.name}_", only=own))
            if inner:
                parts.append(f"... on {member.name} {{ {' '.join(inner)} }}")
    return "{ " + " ".join(parts) + " }"


def _fields(
    schema: GraphQLSchema,
    type_: GraphQLObjectType | GraphQLInterfaceType,
    id_of: IdOf,
    depth: int,
    first: int,
    *,
    prefix: str,
    only: dict[str, GraphQLField] | None = None,
) -> Iterator[str]:
    for name, field in (type_.fields if only is None else only).items():
        alias = f"{prefix}{name}: " if prefix else ""
        given = arguments(field.args, id_of, first=first)
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            yield f"{alias}{name}{given}"
        elif depth > 0:
            yield f"{alias}{name}{given} {selection(schema, inner, id_of, depth=depth - 1, first=first)}"


def _is_needed(argument: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
