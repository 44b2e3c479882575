"""Shared by mutations: from input to draft and patch, from result to payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.nodes.operations import entity_delete
from gql.base.context import Info
from gql.base.ids import uuid_named
from gql.errors import UserError, user_error
from graph.absent import ABSENT
from graph.change import GraphChange
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.errors import ArgusError, BadInputError
from graph.json_bounds import json_object_check
from graph.kinds import EntityKind

T = TypeVar("T")
P = TypeVar("P")


async def payload_of(
    info: Info,
    make: Callable[[T | None, list[UserError]], P],
    prepare: Callable[[], Callable[..., T]],
    *,
    under: Sequence[str] = ("input",),
    reason: str | None = None,
    beside: Sequence[str] = ("id",),
    named: Mapping[str, str] = MappingProxyType({}),
) -> P:
    """Make one change and return its payload.

    prepare: parses the input before the transaction takes the organization's lock, and returns what makes the change: a
    function of the session and `change`. under: the argument that the core's paths lie in. beside: arguments next to
    it; a path that begins with one stays. named: arguments by the names that the core has for them in its paths.
    """
    try:
        work = prepare()

        def run(session: Session, change: GraphChange) -> T:
            return work(session, change=change)

        return make(await info.context.change(run, reason=reason), [])
    except ArgusError as error:
        if error.path:
            error.path = (named.get(error.path[0], error.path[0]), *error.path[1:])
        own = bool(error.path) and error.path[0] in beside
        return make(None, [user_error(error, under=() if own else under)])


def delete(id_: strawberry.ID, kind: EntityKind) -> Callable[[], Callable[..., Entity]]:
    """Return a function that prepares the deletion of an entity of a kind, for `payload_of`."""

    def prepare() -> Callable[..., Entity]:
        return partial(entity_delete, entity_id=uuid_named(id_, "id"), kind=kind)

    return prepare


def draft_of(input_: Any) -> EntityDraft:
    """Return the draft of a create input."""
    return EntityDraft(
        name=input_.name,
        external_id=input_.external_id,
        type=input_.type,
        status=input_.status,
        attributes={} if input_.attributes is None else input_.attributes,
        location=input_.location,
    )


def patch_of(input_: Any) -> EntityPatch:
    """Return the patch of an update input. Raises BadInputError for a null that is not allowed."""
    return EntityPatch(
        name=required(input_.name, "name"),
        external_id=absent(input_.external_id),
        type=absent(input_.type),
        status=required(input_.status, "status"),
        attributes=_replacement(input_),
        merge_attributes=absent(input_.attributes),
        location=absent(input_.location),
        if_updated_at=input_.if_updated_at,
    )


def _replacement(input_: Any) -> Any:
    """Return the attributes that replace those that are stored."""
    replacement, path = absent(input_.replace_attributes), ("replaceAttributes",)
    if replacement is not ABSENT and input_.attributes is not UNSET:
        raise BadInputError("Give attributes, which are merged, or replaceAttributes, not both.", path=path)
    if replacement is not ABSENT and replacement is not None:
        json_object_check(replacement, path=path)
    return replacement


def absent(value: Any) -> Any:
    """Return ABSENT for an argument that was left out."""
    return ABSENT if value is UNSET else value


def required(value: Any, name: str) -> Any:
    """Return ABSENT for an argument that was left out. Raises BadInputError for null."""
    if value is None:
        raise BadInputError(f"{name} cannot be null; leave it out to keep it.", path=(name,))
    return absent(value)
