"""The root queries about the graph."""

from __future__ import annotations

import asyncio
from typing import Any

import strawberry

from domain.nodes.queries import nodes_get
from domain.plant.devices.tokens import DeviceToken as DeviceTokenRow
from domain.plant.organizations.api_keys import ApiKey as ApiKeyRow
from gql.access.principal import ADMINS, DEVICES, VIEWERS, Principal
from gql.base.connections import Connection, paged
from gql.base.context import Info
from gql.base.converters import to_object
from gql.base.entities import (
    ActivityConnection,
    AssetConnection,
    DeviceConnection,
    Entity,
    EntityConnection,
    EntityKindEnum,
    EntityOrderEnum,
    Node,
    PersonConnection,
    SpaceConnection,
    to_entity,
)
from gql.base.entity_lists import EntityFilter, entity_connection
from gql.base.ids import uuid_or_none
from gql.base.loaders import load
from gql.base.roots import queries, query
from gql.base.scalars import DateTime
from graph.entities.queries import entities_get, entity_by_external_id
from graph.errors import BadInputError, LimitExceededError
from graph.kinds import EntityKind
from graph.paging import PageRequest

NODES_MAX = 500


@strawberry.type
class Viewer:
    """The caller: the bearer of the token.

    Attributes:
        organization_id: Id of the bearer's organization, the only one whose data is seen.
        organization_name: Name of the bearer's organization.
        role: What the bearer may do: viewer, operator, admin or device.
        subject: Name of the bearer, as the audit trail has it.
    """

    organization_id: strawberry.ID
    organization_name: str
    role: str
    subject: str


def _entity_list(kind: EntityKind | None, connection: Any, description: str) -> Any:
    """Return a field that lists the entities of one kind, or of all. connection: its type."""

    @paged(returns=connection)
    async def entity_list(
        info: Info,
        *,
        page: PageRequest,
        filter: EntityFilter | None = None,
        order_by: EntityOrderEnum | None = None,  # type: ignore[valid-type]
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> Connection[Any]:
        return await entity_connection(info, filter, order_by, page, as_of=as_of, known_at=known_at, kind=kind)

    return query(VIEWERS, scoped=True, description=description)(entity_list)


@queries
class GraphQuery:
    """The caller, and entities of the graph."""

    @query(VIEWERS | DEVICES, scoped=True)
    def viewer(self, info: Info) -> Viewer:
        """The caller: the bearer of the token."""
        principal: Principal = info.context.principal
        return Viewer(
            organization_id=strawberry.ID(str(principal.organization_public_id)),
            organization_name=principal.organization_name,
            role=principal.role.value,
            subject=principal.subject,
        )

    @query(VIEWERS, scoped=True)
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """The object with this id, of whatever type; null if there is none.

        Args:
            id: Id of the object.
        """
        return await _node(info, id)

    @query(VIEWERS, scoped=True)
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """The objects with these ids, in the order of the ids; null where there is none.

        Args:
            ids: Ids of the objects, at most 500, else LIMIT_EXCEEDED.
        """
        if len(ids) > NODES_MAX:
            message = f"ids names {len(ids)} nodes; at most {NODES_MAX} are read at once."
            raise LimitExceededError(message, path=("ids",))
        return await asyncio.gather(*(_node(info, entity_id) for entity_id in ids))

    @query(VIEWERS, scoped=True)
    async def entity(
        self,
        info: Info,
        id: strawberry.ID | None = None,
        kind: EntityKindEnum | None = None,  # type: ignore[valid-type]
        external_id: str | None = None,
    ) -> Entity | None:
        """One entity, named by `id`, or by `kind` and `externalId`; null if there is none.

        Args:
            id: Id of the entity. With a `kind`, null is returned for an entity of another kind.
            kind: Kind of the entity; required with `externalId`.
            external_id: The organization's own identifier of the entity; not together with `id`.
        """
        if id is not None and external_id is None:
            identity = uuid_or_none(id)
            row = None if identity is None else await load(info.context, entities_get, identity)
            return None if row is None or kind not in {None, row.kind} else to_entity(row)
        if id is not None or external_id is None or kind is None:
            raise BadInputError("Give either id, or kind and externalId.", path=("id",))
        result = await info.context.read(entity_by_external_id, kind=kind, external_id=external_id)
        return None if result is None else to_entity(result)

    entities = _entity_list(
        None,
        EntityConnection,
        "Entities of all kinds, without deleted ones. `asOf` applies to `filter.underId`, `knownAt` too, and to a "
        "STATIC `filter.groupId`; with a DYNAMIC one either is BAD_USER_INPUT. All else is as of now.",
    )
    devices = _entity_list(EntityKind.DEVICE, DeviceConnection, "The devices; otherwise as `entities`.")
    assets = _entity_list(EntityKind.ASSET, AssetConnection, "The assets; otherwise as `entities`.")
    spaces = _entity_list(EntityKind.SPACE, SpaceConnection, "The spaces; otherwise as `entities`.")
    persons = _entity_list(EntityKind.PERSON, PersonConnection, "The persons; otherwise as `entities`.")
    activities = _entity_list(EntityKind.ACTIVITY, ActivityConnection, "The activities; otherwise as `entities`.")


async def _node(info: Info, id_: str) -> Node | None:
    identity = uuid_or_none(id_)
    node = None if identity is None else await load(info.context, nodes_get, identity)
    if isinstance(node, DeviceTokenRow | ApiKeyRow) and info.context.principal.role not in ADMINS:
        # As `Device.tokens` and `apiKeys`: for those who may make them.
        return None
    return None if node is None else to_object(node)
