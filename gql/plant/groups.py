"""Groups of entities: by a filter, or by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.definitions.groups.model import Group as GroupRow
from domain.definitions.groups.model import GroupKind
from domain.definitions.groups.queries import groups_page
from domain.nodes.groups.members import (
    group_members_add,
    group_members_count,
    group_members_pages,
    group_members_remove,
)
from domain.nodes.groups.operations import group_create, group_delete, group_update
from gql.access.principal import ADMINS, OPERATORS, VIEWERS
from gql.base.batched import batched, one_of
from gql.base.connections import Connection, Rows, page_read, paged, rows_of, wants_total
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.descriptions import enum_described
from gql.base.entities import EntityConnection, Node, clock, to_entity_connection
from gql.base.entity_lists import EntityFilter, list_filter_of
from gql.base.ids import uuid_named
from gql.base.loaders import load_many
from gql.base.mutations import absent, payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError
from graph.entities.model import Entity as EntityRow
from graph.errors import ArgusError
from graph.paging import PageRequest

GroupKindEnum = enum_described(
    GroupKind,
    "How a group gets its members.",
    DYNAMIC="By a filter: its members are what fits it now.",
    STATIC="By hand: its members are added and removed, each from an instant to another.",
)


async def _member_counts(groups: Sequence[Group], info: Info) -> list[Any]:
    return await load_many(
        info.context, group_members_count, [group.row.id for group in groups],
        now=clock(info), offline_after=info.context.services.offline_after,
    )  # fmt: skip


async def _members(
    groups: Sequence[Group], info: Info, *, page: PageRequest, as_of: datetime | None = None
) -> list[Any]:
    count = wants_total(info)

    def read(
        session: Session, *, organization_id: int, ids: Sequence[Any], **arguments: Any
    ) -> dict[Any, Rows[EntityRow] | ArgusError]:
        pages = group_members_pages(session, organization_id=organization_id, ids=ids, page=page, **arguments)
        return {
            group_id: of_one if isinstance(of_one, ArgusError) else rows_of(of_one, count=count)
            for group_id, of_one in pages.items()
        }

    rows = await load_many(
        info.context, read, [group.row.id for group in groups], work_key=(group_members_pages, page, count),
        now=clock(info), offline_after=info.context.services.offline_after, as_of=as_of,
    )  # fmt: skip
    return [to_entity_connection(of_one) if isinstance(of_one, Rows) else of_one for of_one in rows]


@strawberry.type
class Group(Node):
    """A group of entities, to name them at once: in the filter of a list, or in the scope of a rule.

    Attributes:
        name: Name for people, unique in the organization.
        description: What the group is for; null: nothing is said.
        kind: How it gets its members.
        filter: The filter of a DYNAMIC group, in the form of the input EntityFilter; null of a STATIC one.
    """

    row: strawberry.Private[GroupRow]
    name: str
    description: str | None
    kind: GroupKindEnum  # type: ignore[valid-type]
    filter: JSON | None
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime | None

    @strawberry.field
    @paged()
    @batched(_members)
    async def members(self, info: Info, *, page: PageRequest, as_of: DateTime | None = None) -> EntityConnection | None:
        """The members of the group, by name, without deleted entities.

        Args:
            as_of: The members of a STATIC group at that instant. Default: now. Of a DYNAMIC group it is BAD_USER_INPUT.
        """
        return one_of(await _members([self], info, page=page, as_of=as_of))  # type: ignore[no-any-return]

    @strawberry.field
    @batched(_member_counts)
    async def member_count(self, info: Info) -> int:
        """Number of members now, without deleted entities.

        It is 0 where the filter names something that is gone: `members` then says what.
        """
        return one_of(await _member_counts([self], info))  # type: ignore[no-any-return]


GroupConnection = Connection[Group]


@strawberry.input
class GroupInput:
    """A group. In an update, a field left out keeps its value; null clears the description.

    Attributes:
        name: Name for people, 1 to 200 characters. CONFLICT where another group has it.
        description: What the group is for, at most 10,000 characters.
        kind: How it gets its members. It never changes: in an update, STATIC counts as left out.
        filter: The filter of a DYNAMIC group, with at least one condition, without `deleted`, at most 65,536 bytes as
            JSON, else LIMIT_EXCEEDED. A group that it names by `groupId` may be DYNAMIC itself, unless that one leads
            back (CYCLE).
    """

    name: str
    description: str | None = UNSET
    kind: GroupKindEnum = GroupKind.STATIC  # type: ignore[valid-type]
    filter: EntityFilter | None = UNSET


@strawberry.type
class GroupPayload:
    """Result of a mutation of a group.

    Attributes:
        group: The group after the change; null if it was refused.
    """

    group: Group | None
    errors: list[UserError]


@queries
class GroupQuery:
    """Groups."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def groups(self, info: Info, *, page: PageRequest) -> GroupConnection:
        """All groups, by name.

        A confined caller sees those with a member that it sees, and DYNAMIC ones that name nothing it does not see; of
        their members those that it sees.
        """
        return GroupConnection(rows=await page_read(info, groups_page, page), show=to_group)


@mutations
class GroupMutation:
    """Mutations of groups."""

    @mutation(OPERATORS)
    async def create_group(self, info: Info, input: GroupInput) -> GroupPayload:
        """Create a group; an organization has at most 1,000, else LIMIT_EXCEEDED.

        Args:
            input: The group to create. A STATIC one has no members yet.
        """

        def prepare() -> Callable[..., GroupRow]:
            return partial(group_create, **_values(info, input))

        return await payload_of(info, _payload, prepare)

    @mutation(OPERATORS)
    async def update_group(self, info: Info, id: strawberry.ID, input: GroupInput) -> GroupPayload:
        """Update a group. The kind stays, and so do the members of a STATIC one.

        Args:
            id: Id of the group.
        """

        def prepare() -> Callable[..., GroupRow]:
            return partial(group_update, group_id=uuid_named(id, "id"), **_values(info, input))

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def delete_group(self, info: Info, id: strawberry.ID) -> GroupPayload:
        """Delete a group; its members are not touched. CONFLICT where a rule or the filter of another group names it.

        Args:
            id: Id of the group.
        """

        def prepare() -> Callable[..., GroupRow]:
            return partial(group_delete, group_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, prepare, under=())

    @mutation(OPERATORS)
    async def add_to_group(
        self,
        info: Info,
        group_id: strawberry.ID,
        entity_ids: list[strawberry.ID],
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
    ) -> GroupPayload:
        """Make entities members of a STATIC group from an instant on, until they are removed.

        Whoever is a member at some of that time is one all of it then. Rules about the group evaluate that time again.
        A group has at most 200,000 members, now or ever, else LIMIT_EXCEEDED.

        Args:
            group_id: Id of the group. BAD_USER_INPUT for a DYNAMIC one.
            entity_ids: Ids of at most 1,000 entities, none of them deleted.
            from_: From when on they are members, in event time; it may lie in the past. Default: from now on.
        """

        def prepare() -> Callable[..., GroupRow]:
            return partial(group_members_add, begins=from_, **_named(group_id, entity_ids))

        return await payload_of(info, _payload, prepare, under=())

    @mutation(OPERATORS)
    async def remove_from_group(
        self, info: Info, group_id: strawberry.ID, entity_ids: list[strawberry.ID], at: DateTime | None = None
    ) -> GroupPayload:
        """End the membership of entities in a STATIC group at an instant: nothing of it is left from then on.

        Rules about the group evaluate that time again. NOT_FOUND for an entity that is no member then or later.

        Args:
            group_id: Id of the group. BAD_USER_INPUT for a DYNAMIC one.
            entity_ids: Ids of at most 1,000 entities.
            at: When they cease to be members, in event time; it may lie in the past. Default: now.
        """

        def prepare() -> Callable[..., GroupRow]:
            return partial(group_members_remove, at=at, **_named(group_id, entity_ids))

        return await payload_of(info, _payload, prepare, under=())


def _named(group_id: str, entity_ids: Sequence[str]) -> dict[str, Any]:
    return {
        "group_id": uuid_named(group_id, "groupId"),
        "entity_ids": [uuid_named(id_, "entityIds", str(place)) for place, id_ in enumerate(entity_ids)],
    }


def _values(info: Info, input_: GroupInput) -> dict[str, Any]:
    services = info.context.services
    filter_: Any = input_.filter
    return {
        "name": input_.name,
        "description": absent(input_.description),
        "kind": GroupKind(input_.kind),
        "where": list_filter_of(filter_) if isinstance(filter_, EntityFilter) else absent(filter_),
        "now": services.clock(),
        "offline_after": services.offline_after,
    }


@converts(GroupRow)
def to_group(row: GroupRow) -> Group:
    """Convert a group to its GraphQL object."""
    return Group(
        row=row,
        id=strawberry.ID(str(row.id)),
        name=row.name,
        description=row.description,
        kind=row.kind,
        filter=None if row.filter is None else JSON(dict(row.filter)),
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        deleted_at=None if row.deleted_at is None else DateTime(row.deleted_at),
    )


def _payload(row: GroupRow | None, errors: list[UserError]) -> GroupPayload:
    return GroupPayload(group=None if row is None else to_group(row), errors=errors)
