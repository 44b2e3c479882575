"""Values of fields before they are completed: how they are read, and which of them need no completing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from graphql import (
    GraphQLFloat,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    is_abstract_type,
    is_non_null_type,
    is_object_type,
)

from gql.base.batched import ManyResolver


async def resolved_together(of_many: ManyResolver, sources: Sequence[Any], arguments: dict[str, Any]) -> list[Any]:
    """Resolve a field of all sources by one call; what that raises is the error of each."""
    try:
        return list(await of_many(sources, **arguments))
    except Exception as error:  # noqa: BLE001
        return [error] * len(sources)


def attribute(source: Any, name: str) -> Any:
    """Return an attribute, or the error of reading it."""
    try:
        return getattr(source, name)
    except Exception as error:  # noqa: BLE001
        return error


def is_composite(value_type: GraphQLOutputType) -> bool:
    """Return whether values of a type are objects."""
    inner = inner_of(value_type)
    return is_object_type(inner) or is_abstract_type(inner)


def inner_of(value_type: GraphQLOutputType) -> GraphQLOutputType:
    """Return a type without its being required."""
    return value_type.of_type if is_non_null_type(value_type) else value_type


def is_plain(item_type: GraphQLOutputType, items: Sequence[Any]) -> bool:
    """Return whether items are finite floats, which are answered unchanged. Without a loop in Python."""
    if item_type is not GraphQLFloat and not (
        isinstance(item_type, GraphQLNonNull) and item_type.of_type is GraphQLFloat
    ):
        return False
    return set(map(type, items)) == {float} and all(map(math.isfinite, items))


def numbers_of(item_type: GraphQLOutputType, values: np.ndarray) -> np.ndarray | list[Any]:
    """Return numbers as they are where the encoder can write them, NaN as null, without making objects of them.

    Else as a list.
    """
    fits = np.isfinite(values).all() if is_non_null_type(item_type) else not np.isinf(values).any()
    if inner_of(item_type) is GraphQLFloat and values.dtype == np.float64 and values.ndim == 1 and fits:
        return np.ascontiguousarray(values)
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124  (NaN differs from itself)


def is_of(object_type: GraphQLObjectType, value: Any, info: GraphQLResolveInfo[Any]) -> bool:
    """Return whether a value is of a type, where that can be told at once."""
    return object_type.is_type_of is None or object_type.is_type_of(value, info) is True
