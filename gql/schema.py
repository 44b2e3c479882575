"""The schema: the queries, mutations and subscriptions of all rooms, merged."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from gql import definitions, derivation, exchange, plant, rules, telemetry, work
from gql.base.descriptions import definition_of, describe
from gql.base.entities import ENTITY_TYPES
from gql.base.roots import ROOTS
from gql.base.scalars import SCALARS
from gql.base.transactions import mutations_join
from gql.telemetry.ingest import ingest_resolve

# The rooms whose modules declare root fields.
_ROOMS: Final = (definitions, derivation, exchange, plant, rules, telemetry, work)


def _root(name: str) -> type:
    """Return a root type: all that the rooms declare for it, in the order of their modules' names."""
    return merge_types(name, tuple(sorted(ROOTS[name], key=lambda cls: (cls.__module__, cls.__name__))))


for _room in _ROOMS:
    for _module in iter_modules(_room.__path__, f"{_room.__name__}."):
        import_module(_module.name)

schema = strawberry.Schema(
    query=_root("Query"),
    mutation=_root("Mutation"),
    subscription=_root("Subscription"),
    types=list(ENTITY_TYPES.values()),
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
)

# The one resolver that strawberry's own way would slow down.
schema._schema.type_map["Mutation"].fields["ingestTelemetry"].resolve = ingest_resolve  # type: ignore[attr-defined]  # noqa: SLF001
for _type in schema._schema.type_map.values():  # noqa: SLF001
    if isinstance(_type, GraphQLInputObjectType):
        # Strawberry checks this by itself; introspection and graphql-core's validation have to know, too.
        _type.is_one_of = definition_of(_type).is_one_of
mutations_join(schema._schema)  # noqa: SLF001  (strawberry offers no other way to its product)
describe(schema._schema)  # noqa: SLF001  (strawberry offers no other way to its product)


@cache
def core_schema() -> GraphQLSchema:
    """Return the schema as graphql-core executes it."""
    return schema._schema  # noqa: SLF001  (strawberry offers no other way to its product)
