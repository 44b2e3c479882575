"""Describe the schema from docstrings: types, fields and arguments.

A docstring may end with a section `Attributes:` (a class's fields) or `Args:` (a resolver's arguments), in Google's
form, by their Python names. What recurs with one meaning is described once, in the tables below; a docstring that
describes it goes before the table. An enum's values are described beside it, by `enum_described`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from enum import EnumMeta
from typing import Any, Final, TypeVar

import strawberry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter

E = TypeVar("E", bound=EnumMeta)

_ROOTS: Final = {
    "Query": "What can be read.",
    "Mutation": "What can be changed. Each payload holds the changed object (null if the change was refused) and, in "
    "`errors`, what the caller can fix. Where `errors` is not empty nothing was changed, except by ingest, "
    "imports and changes by a filter, which apply what is good.",
    "Subscription": "What can be followed live, over a WebSocket (graphql-transport-ws).",
}

# Arguments, and fields of inputs, by name.
ARGUMENTS: Final = {
    "after": "Cursor: only items after it, e.g. `endCursor` of the page before. Default: from the first item.",
    "aggregate": "How the points of a bucket become one value. Without effect where `bucket` is null.",
    "before": "Cursor: only items before it, e.g. `startCursor` of the page after. Default: up to the last item.",
    "asOf": "Valid time: what was true in the world at that instant. Default: now.",
    "assetId": "Id of the asset.",
    "attributes": "JSON object of attributes, free to choose. At most 65,536 bytes and 32 levels.",
    "replaceAttributes": "JSON object that takes the place of all attributes; instead of `attributes`.",
    "ifUpdatedAt": "`updatedAt` as the caller read it: CONFLICT where it was changed since. Default: no matter.",
    "depth": "Greatest number of hops, 1 to 32.",
    "deviceId": "Id of the device.",
    "direction": "Direction in which edges are followed.",
    "dryRun": "True: only report what would change.",
    "effectiveFrom": "Event time from which this holds, until the next version does. Default: now.",
    "externalId": "The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters.",
    "filter": "Conditions that an item must meet; default: none.",
    "first": "Number of items on a page, 0 to 500; any other number is BAD_USER_INPUT. Without effect with `last`.",
    "input": "Values of the object to create or to change.",
    "kinds": "Only entities of these kinds. Default: of all kinds.",
    "knownAt": "System time: what Argus had recorded by that instant. Default: now; the future is BAD_USER_INPUT.",
    "last": "Number of items on a page that is read from the end, or from `before` back: 0 to 500. Default: `first`.",
    "location": "Where it is: a GeoJSON geometry, WGS 84, longitude first.",
    "metrics": "Only these metrics, by name. Default: all.",
    "name": "Name for people, 1 to 500 characters.",
    "note": "Free text that is kept with it, at most 10,000 characters.",
    "orderBy": "Order of the list. Default: NAME_ASC.",
    "reason": "Why it is done; kept in the audit trail.",
    "relationships": "Only edges of these relationships, by name. Default: of all.",
    "stage": "Name of the stage. `derive` is the only one that has versions.",
    "status": "Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`.",
    "timezone": "IANA time zone in which buckets begin, e.g. Europe/Berlin.",
    "type": "Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema.",
}

# Fields of objects, by name.
FIELDS: Final = {
    "actor": "Who did it: the subject of the token.",
    "createdAt": "When it was created (system time).",
    "cursor": "Cursor of this item: hand it back as `after` or `before` to continue there.",
    "deletedAt": "When it was deleted; null: it is not.",
    "effectiveFrom": "Event time from which it is in force.",
    "errors": "Errors that the caller can fix; empty if nothing was refused.",
    "id": "Id of the object, unique across all types.",
    "metric": "Name of the metric.",
    "node": "The item itself.",
    "pageInfo": "Where the page lies in the list, for paging.",
    "recordedAt": "When it was recorded (system time).",
    "updatedAt": "When it was last changed (system time).",
}

_SECTION: Final = re.compile(r"\n*^(?:Attributes|Args):\n", re.MULTILINE)
_ENTRY: Final = re.compile(r"^    (\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)


def enum_described(enum: E, description: str, *, name: str | None = None, **values: str) -> E:
    """Return an enum of the domain as one of the schema. values: the description of each value, by its name."""
    described = strawberry.enum(enum, name=name, description=description)
    for value in described.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values.pop(value.name)
    assert not values, f"{enum.__name__} has no {', '.join(values)}"  # noqa: S101
    return described


def describe(schema: GraphQLSchema) -> None:
    """Give every type, field and argument of the schema that has no description the one its docstring or table has."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        definition = definition_of(type_)
        if definition is None:
            continue
        # Of a generic type with its argument, strawberry makes a class without a docstring.
        generic = definition.concrete_of
        text, attributes = described(definition.origin if generic is None else generic.origin)
        type_.description = type_.description or _ROOTS.get(type_.name) or text
        common = ARGUMENTS if isinstance(type_, GraphQLInputObjectType) else FIELDS
        for name, field in type_.fields.items():
            resolver = getattr(definition_of(field), "base_resolver", None)
            own, arguments = described(None if resolver is None else resolver.wrapped_func)
            field.description = (
                field.description or own or attributes.get(definition_of(field).python_name) or common.get(name)
            )
            for key, argument in getattr(field, "args", {}).items():
                argument.description = (
                    argument.description or arguments.get(definition_of(argument).python_name) or ARGUMENTS.get(key)
                )


def definition_of(decorated: Any) -> Any:
    """Return the strawberry definition of a part of the schema; None where it has none."""
    return decorated.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)


def described(documented: object) -> tuple[str | None, Mapping[str, str]]:
    """Parse a docstring: its text, and the entries of its attributes or arguments, also inherited."""
    entries: dict[str, str] = {}
    for item in reversed(getattr(documented, "__mro__", (documented,))):
        text, *sections = _SECTION.split(_doc(item) or "")
        for section in sections:
            entries |= {name: " ".join(entry.split()) for name, entry in _ENTRY.findall(section)}
    return text or None, entries


def _doc(documented: object) -> str | None:
    if documented is None:
        return None
    text = vars(documented).get("__doc__") if isinstance(documented, type) else getattr(documented, "__doc__", None)
    # A dataclass without a docstring is given its signature as one.
    if not text or text.startswith(f"{getattr(documented, '__name__', '')}("):
        return None
    return inspect.cleandoc(text)
