"""Persons: who works in the plant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from strawberry import UNSET

from domain.plant.persons.operations import person_create, person_update
from domain.plant.persons.queries import person_details_get
from gql.access.principal import ADMINS, OPERATORS
from gql.base.context import Info
from gql.base.entities import Entity, of_kind, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import absent, delete, draft_of, patch_of, payload_of
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime, GeoJSON
from gql.errors import UserError
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind


@of_kind(EntityKind.PERSON)
@strawberry.type
class Person(Entity):
    """A person who works in the plant."""

    @strawberry.field
    async def email(self, info: Info) -> str | None:
        """E-mail address of the person; null: not known."""
        details = await load(info.context, person_details_get, self.row.id)
        return None if details is None else details.email


@strawberry.input
class CreatePersonInput:
    """A new person.

    Attributes:
        email: E-mail address, at most 254 characters.
    """

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: JSON | None = None
    location: GeoJSON | None = None
    email: str | None = None


@strawberry.input
class UpdatePersonInput:
    """Changes of a person. A field left out keeps its value; null clears it.

    `name` and `status` cannot be cleared: null is BAD_USER_INPUT.

    Attributes:
        attributes: JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a
            member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together.
        email: E-mail address, at most 254 characters.
    """

    name: str | None = UNSET
    external_id: str | None = UNSET
    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    replace_attributes: JSON | None = UNSET
    if_updated_at: DateTime | None = None
    location: GeoJSON | None = UNSET
    email: str | None = UNSET


@strawberry.type
class PersonPayload:
    """Result of a mutation of a person.

    Attributes:
        person: The person after the change; null if it was refused.
    """

    person: Person | None
    errors: list[UserError]


@mutations
class PersonMutation:
    """Mutations of persons."""

    @mutation(OPERATORS)
    async def create_person(self, info: Info, input: CreatePersonInput) -> PersonPayload:
        """Create a person. CONFLICT where another one has its external id."""

        def prepare() -> Callable[..., EntityRow]:
            return partial(person_create, draft=draft_of(input), email=input.email)

        return await payload_of(info, _payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def update_person(self, info: Info, id: strawberry.ID, input: UpdatePersonInput) -> PersonPayload:
        """Update a person. CONFLICT where another one has its external id.

        Args:
            id: Id of the person.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                person_update, person_id=uuid_named(id, "id"), patch=patch_of(input), email=absent(input.email)
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS, scoped=True)
    async def delete_person(self, info: Info, id: strawberry.ID) -> PersonPayload:
        """Delete a person: its edges end now. What was recorded of it is kept.

        Args:
            id: Id of the person.
        """
        return await payload_of(info, _payload, delete(id, EntityKind.PERSON), under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> PersonPayload:
    person: Any = None if row is None else to_entity(row)
    return PersonPayload(person=person, errors=errors)
