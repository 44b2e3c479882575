"""Assets: the things a plant is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry
from strawberry import UNSET

from domain.definitions.profiles.queries import asset_profiles_get
from domain.derivation.health.queries import health_scores_get
from domain.derivation.stays.queries import asset_stays_pages
from domain.plant.assets.operations import asset_create, asset_update
from gql.access.principal import ADMINS, OPERATORS
from gql.base.batched import batched, one_of
from gql.base.connections import paged
from gql.base.context import Info
from gql.base.converters import to_object
from gql.base.entities import (
    LINKS,
    AssetConnection,
    DeviceConnection,
    Entity,
    clock,
    of_kind,
    to_entity,
)
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import delete, draft_of, patch_of, payload_of
from gql.base.related import connections_over, lists_over
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime, GeoJSON
from gql.derivation.derivation_faults import DerivationFault, derivation_faults
from gql.derivation.stays import StayConnection, stay_connection
from gql.errors import UserError
from graph.direction import Direction
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind
from graph.paging import PageRequest

if TYPE_CHECKING:
    from gql.definitions.profiles import AssetProfile

_PARENTS: Final = lists_over(("HAS_PART",), Direction.IN, [EntityKind.ASSET])
_CHILDREN: Final = connections_over(("HAS_PART",), Direction.OUT)
_DEVICES: Final = connections_over(LINKS, Direction.OUT, [EntityKind.DEVICE])


@of_kind(EntityKind.ASSET)
@strawberry.type
class Asset(Entity):
    """A piece of equipment: a machine, a system, a part."""

    @strawberry.field
    async def health_score(self, info: Info) -> float | None:
        """Health as of now, 0 to 100, see `healthExplanation`; null without a profile or without recent data."""
        return await load(info.context, health_scores_get, self.row.id, now=clock(info))

    @strawberry.field
    async def profile(self, info: Info) -> Annotated[AssetProfile, strawberry.lazy("gql.definitions.profiles")] | None:
        """The profile that the asset uses; null: none."""
        row = await load(info.context, asset_profiles_get, self.row.id)
        return None if row is None else to_object(row)

    @strawberry.field
    async def derivation_faults(self, info: Info) -> list[DerivationFault] | None:
        """Derived metrics that could not be computed although their inputs have values, and why."""
        return await derivation_faults(info, self.row.id)

    @strawberry.field
    @batched(_PARENTS)
    async def parents(
        self, info: Info, as_of: DateTime | None = None, known_at: DateTime | None = None
    ) -> list[Asset] | None:
        """Assets of which the asset is a part, at an instant."""
        parents: list[Asset] = one_of(await _PARENTS([self], info, as_of=as_of, known_at=known_at))
        return parents

    @strawberry.field
    @paged()
    @batched(_CHILDREN)
    async def children(
        self,
        info: Info,
        *,
        page: PageRequest,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> AssetConnection | None:
        """Parts of the asset, at an instant."""
        connection: AssetConnection = one_of(await _CHILDREN([self], info, page=page, as_of=as_of, known_at=known_at))
        return connection

    @strawberry.field
    @paged()
    @batched(_DEVICES)
    async def devices(
        self,
        info: Info,
        *,
        page: PageRequest,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> DeviceConnection | None:
        """Devices that monitor or control the asset, at an instant."""
        connection: DeviceConnection = one_of(await _DEVICES([self], info, page=page, as_of=as_of, known_at=known_at))
        return connection

    @strawberry.field
    @paged()
    async def stays(
        self,
        info: Info,
        *,
        page: PageRequest,
        from_: Annotated[DateTime | None, strawberry.argument(name="from")] = None,
        to: DateTime | None = None,
    ) -> StayConnection | None:
        """Where the asset was: its stays in the areas that formulas of its type or profile name, earliest first.

        All stays that overlap [from, to), each in full length.

        Args:
            from_: Start of the range of event time, inclusive. Default: `to`, so that only stays at that instant are
                listed.
            to: End of the range of event time, exclusive. Default: now.
        """
        return await stay_connection(info, asset_stays_pages, self.row.id, page, from_=from_, to=to)


@strawberry.input
class CreateAssetInput:
    """A new asset.

    Attributes:
        parent_id: Id of the asset of which it is a part (HAS_PART), from now on. Default: of none.
    """

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: JSON | None = None
    location: GeoJSON | None = None
    parent_id: strawberry.ID | None = None


@strawberry.input
class UpdateAssetInput:
    """Changes of an asset. A field left out keeps its value; null clears it.

    `name` and `status` cannot be cleared: null is BAD_USER_INPUT.

    Attributes:
        attributes: JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a
            member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together.
    """

    name: str | None = UNSET
    external_id: str | None = UNSET
    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    replace_attributes: JSON | None = UNSET
    if_updated_at: DateTime | None = None
    location: GeoJSON | None = UNSET


@strawberry.type
class AssetPayload:
    """Result of a mutation of an asset.

    Attributes:
        asset: The asset after the change; null if it was refused.
    """

    asset: Asset | None
    errors: list[UserError]


@mutations
class AssetMutation:
    """Mutations of assets."""

    @mutation(OPERATORS, scoped=True)
    async def create_asset(self, info: Info, input: CreateAssetInput) -> AssetPayload:
        """Create an asset. CONFLICT where another one has its external id."""

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                asset_create,
                draft=draft_of(input),
                parent_id=None if input.parent_id is None else uuid_named(input.parent_id, "parentId"),
            )

        return await payload_of(info, asset_payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def update_asset(self, info: Info, id: strawberry.ID, input: UpdateAssetInput) -> AssetPayload:
        """Update an asset. CONFLICT where another one has its external id.

        Args:
            id: Id of the asset.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(asset_update, asset_id=uuid_named(id, "id"), patch=patch_of(input))

        return await payload_of(info, asset_payload, prepare)

    @mutation(ADMINS, scoped=True)
    async def delete_asset(self, info: Info, id: strawberry.ID) -> AssetPayload:
        """Delete an asset: its edges end now. What was recorded of it is kept.

        Args:
            id: Id of the asset.
        """
        return await payload_of(info, asset_payload, delete(id, EntityKind.ASSET), under=())


def asset_payload(row: EntityRow | None, errors: list[UserError]) -> AssetPayload:
    """Return the payload of a mutation of an asset."""
    asset: Any = None if row is None else to_entity(row)
    return AssetPayload(asset=asset, errors=errors)
