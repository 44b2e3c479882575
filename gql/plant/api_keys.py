"""API keys: how programs prove who they are."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial

import strawberry

from domain.base.bearer_secrets import SECRET_BYTES
from domain.plant.organizations.api_keys import ApiKey as ApiKeyRow
from domain.plant.organizations.api_keys import api_key_create, api_key_revoke, api_keys_page
from gql.access.principal import ADMINS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import DateTime
from gql.errors import UserError
from graph.paging import PageRequest


@strawberry.type
class ApiKey(Node):
    """A key by which a program uses the API, without its secret. It is sent as a bearer token.

    Attributes:
        name: What it is for. What is done with it is recorded as done by `key:` and this name.
        role: What it may do: viewer, operator or admin.
        under_ids: Ids of the entities to which, with everything below them, it is confined; empty: it is not confined.
        created_by: Who created it: the subject of the token that was used.
        last_used_at: When it was last used, to the minute; null: never.
        expires_at: From when on it is refused; null: it does not expire.
        revoked_at: When it was revoked; null: it was not.
    """

    name: str
    role: str
    under_ids: list[strawberry.ID]
    created_at: DateTime
    created_by: str
    last_used_at: DateTime | None
    expires_at: DateTime | None
    revoked_at: DateTime | None


ApiKeyConnection = Connection[ApiKey]


@strawberry.input
class ApiKeyInput:
    """A new API key.

    Attributes:
        name: What it is for, 1 to 200 characters.
        role: What it may do: viewer, operator or admin.
        under_ids: Ids of 1 to 100 entities: it sees and changes nothing but them and what lies below them, as the graph
            is at the time. Default: the whole organization.
        expires_at: From when on it is refused, in the future. Default: it does not expire.
    """

    name: str
    role: str
    under_ids: list[strawberry.ID] | None = None
    expires_at: DateTime | None = None


@strawberry.type
class ApiKeyPayload:
    """Result of creating or revoking an API key.

    Attributes:
        api_key: The key after the change; null if it was refused.
        key: The key itself, shown this once; null where one was revoked, or the change was refused.
    """

    api_key: ApiKey | None
    key: str | None
    errors: list[UserError]


@queries
class ApiKeyQuery:
    """API keys."""

    @query(ADMINS)
    @paged()
    async def api_keys(self, info: Info, *, page: PageRequest) -> ApiKeyConnection:
        """The organization's API keys, revoked and expired ones too, the newest first."""
        return ApiKeyConnection(rows=await page_read(info, api_keys_page, page), show=to_api_key)


@mutations
class ApiKeyMutation:
    """Mutations of API keys."""

    @mutation(ADMINS)
    async def create_api_key(self, info: Info, input: ApiKeyInput) -> ApiKeyPayload:
        """Create a key for a program. It is shown once.

        An organization has at most 500 keys that are neither revoked nor expired, else LIMIT_EXCEEDED.

        Args:
            input: The key to create.
        """
        secret = secrets.token_bytes(SECRET_BYTES)

        def prepare() -> Callable[..., tuple[ApiKeyRow, str]]:
            under_ids = None
            if input.under_ids is not None:
                under_ids = [uuid_named(id_, "underIds", str(place)) for place, id_ in enumerate(input.under_ids)]
            return partial(
                api_key_create,
                name=input.name,
                role=input.role,
                secret=secret,
                expires_at=input.expires_at,
                under_ids=under_ids,
            )

        def make(created: tuple[ApiKeyRow, str] | None, errors: list[UserError]) -> ApiKeyPayload:
            if created is None:
                return ApiKeyPayload(api_key=None, key=None, errors=errors)
            return ApiKeyPayload(api_key=to_api_key(created[0]), key=created[1], errors=errors)

        return await payload_of(info, make, prepare)

    @mutation(ADMINS)
    async def revoke_api_key(self, info: Info, id: strawberry.ID) -> ApiKeyPayload:
        """Revoke a key: it is refused from now on, and WebSockets opened with it are closed within a second.

        Args:
            id: Id of the key.
        """

        def prepare() -> Callable[..., ApiKeyRow]:
            return partial(api_key_revoke, key_id=uuid_named(id, "id"))

        def make(revoked: ApiKeyRow | None, errors: list[UserError]) -> ApiKeyPayload:
            api_key = None if revoked is None else to_api_key(revoked)
            return ApiKeyPayload(api_key=api_key, key=None, errors=errors)

        return await payload_of(info, make, prepare, under=())


@converts(ApiKeyRow)
def to_api_key(row: ApiKeyRow) -> ApiKey:
    """Convert a key to its GraphQL object."""
    return ApiKey(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        role=row.role.value,
        under_ids=[strawberry.ID(str(entity_id)) for entity_id in row.under_ids or ()],
        created_at=DateTime(row.created_at),
        created_by=row.created_by,
        last_used_at=None if row.last_used_at is None else DateTime(row.last_used_at),
        expires_at=None if row.expires_at is None else DateTime(row.expires_at),
        revoked_at=None if row.revoked_at is None else DateTime(row.revoked_at),
    )
