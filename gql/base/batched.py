"""Resolvers of many objects: a field of all objects of a list, resolved by one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

Resolver = TypeVar("Resolver", bound=Callable[..., Any])
# Takes the objects, then what the resolver of one takes; returns a value for each, an exception where it has an error.
ManyResolver = Callable[..., Awaitable[Sequence[Any]]]

_ATTRIBUTE: Final = "of_many"


def batched(of_many: ManyResolver) -> Callable[[Resolver], Resolver]:
    """Have a field resolved for many objects by one call (`gql/server/completion.py`). A decorator, innermost.

    The resolver itself answers for one object where there is no list; it must return what `of_many` does.
    """

    def decorate(resolver: Resolver) -> Resolver:
        setattr(resolver, _ATTRIBUTE, of_many)
        return resolver

    return decorate


def many_of(resolver: object) -> ManyResolver | None:
    """Return what resolves a field for many objects, None where it is resolved one by one."""
    of_many: ManyResolver | None = getattr(resolver, _ATTRIBUTE, None)
    return of_many


def one_of(values: Sequence[Any]) -> Any:
    """Return the value of the one object that a batched resolver was called with. Raises its error."""
    [value] = values
    if isinstance(value, Exception):
        raise value
    return value
