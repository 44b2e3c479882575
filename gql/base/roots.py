"""Root fields of the schema: each declared beside its resolver, with the roles that may use it, and collected here.

A module of a room declares classes of root fields; `gql/schema.py` imports all rooms and merges what was collected:

    @mutations
    class DeviceMutation:
        @mutation(OPERATORS)
        def create_device(self, info: Info, input: CreateDeviceInput) -> DevicePayload: ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gql.access.principal import PERMISSIONS, SCOPED, Role

C = TypeVar("C", bound=type[Any])
_ROLES: Final = "roles"
_IS_SCOPED: Final = "is_scoped"

# The classes of root fields, by root type.
ROOTS: Final[dict[str, list[type]]] = {root: [] for root in PERMISSIONS}


def query(
    roles: frozenset[Role], *, scoped: bool = False, description: str | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Make a resolver a field of Query that these roles may use. scoped: confined callers, too (see `SCOPED`)."""
    return partial(strawberry.field, metadata={_ROLES: roles, _IS_SCOPED: scoped}, description=description)


def mutation(roles: frozenset[Role], *, scoped: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Make a resolver a field of Mutation that these roles may use. scoped: confined callers, too (see `SCOPED`)."""
    return partial(strawberry.mutation, metadata={_ROLES: roles, _IS_SCOPED: scoped})


def subscription(roles: frozenset[Role], *, scoped: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Make a resolver a field of Subscription that these roles may use. scoped: confined callers, too; see `SCOPED`."""
    return partial(strawberry.subscription, metadata={_ROLES: roles, _IS_SCOPED: scoped})


def queries(cls: C) -> C:
    """Collect the fields of a class as fields of Query."""
    return _collect("Query", cls)


def mutations(cls: C) -> C:
    """Collect the fields of a class as fields of Mutation."""
    return _collect("Mutation", cls)


def subscriptions(cls: C) -> C:
    """Collect the fields of a class as fields of Subscription."""
    return _collect("Subscription", cls)


def _collect(root: str, cls: C) -> C:
    made: C = strawberry.type(cls)
    for field in get_object_definition(made, strict=True).fields:
        name = field.graphql_name or to_camel_case(field.python_name)
        # A field without roles is a mistake that must not reach a client.
        PERMISSIONS[root][name] = field.metadata[_ROLES]
        if field.metadata[_IS_SCOPED]:
            SCOPED[root].add(name)
    ROOTS[root].append(made)
    return made
