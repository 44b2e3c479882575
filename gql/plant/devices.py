"""Devices: what sends readings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import strawberry
from strawberry import UNSET
from strawberry.types.lazy_type import LazyType

from domain.plant.devices.operations import device_create, device_update
from domain.plant.devices.queries import connectivity_of, device_details_get, device_presence_get, linked_assets_count
from domain.telemetry.raw_readings import raw_readings_pages
from gql.access.principal import ADMINS, OPERATORS
from gql.base.batched import batched, one_of
from gql.base.connections import Connection, paged
from gql.base.context import Info
from gql.base.converters import to_object
from gql.base.entities import (
    LINKS,
    AssetConnection,
    ConnectivityEnum,
    Entity,
    clock,
    of_kind,
    to_entity,
)
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import delete, draft_of, patch_of, payload_of
from gql.base.related import connections_over, page_load
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime, GeoJSON
from gql.errors import UserError
from gql.plant.device_tokens import DeviceToken, device_tokens_loaded
from graph.absent import ABSENT
from graph.direction import Direction
from graph.entities.model import Entity as EntityRow
from graph.kinds import EntityKind
from graph.paging import PageRequest

if TYPE_CHECKING:
    from gql.telemetry.raw_readings import RawReading

    RawReadingConnection: TypeAlias = "Connection[RawReading]"
else:
    RawReadingConnection = Connection[LazyType("RawReading", "gql.telemetry.raw_readings")]
_ASSETS: Final = connections_over(LINKS, Direction.IN, [EntityKind.ASSET])


@of_kind(EntityKind.DEVICE)
@strawberry.type
class Device(Entity):
    """A source of readings: a sensor, a meter, a controller, a gateway."""

    @strawberry.field
    async def last_seen_at(self, info: Info) -> DateTime | None:
        """When a reading of the device was last received (by receipt, not by timestamp); null: never."""
        presence = await load(info.context, device_presence_get, self.row.id)
        return None if presence is None else DateTime(presence)

    @strawberry.field
    async def connectivity(self, info: Info) -> ConnectivityEnum:  # type: ignore[valid-type]
        """Whether the device is heard now, by the time of receipt."""
        last_seen = await load(info.context, device_presence_get, self.row.id)
        return connectivity_of(last_seen, now=clock(info), offline_after=info.context.services.offline_after)

    @strawberry.field
    async def firmware_version(self, info: Info) -> str | None:
        """Version of the firmware, as it was last recorded; null: not known."""
        details = await load(info.context, device_details_get, self.row.id)
        return None if details is None else details.firmware_version

    @strawberry.field
    async def linked_assets_count(self, info: Info) -> int:
        """Number of assets that the device monitors or controls now."""
        return await load(info.context, linked_assets_count, self.row.id) or 0

    @strawberry.field
    async def tokens(self, info: Info) -> list[DeviceToken] | None:
        """Tokens of the device, newest first, at most 100, without the secrets. For administrators."""
        return list(await device_tokens_loaded(info, self.row.id))

    @strawberry.field
    @paged()
    @batched(_ASSETS)
    async def assets(
        self,
        info: Info,
        *,
        page: PageRequest,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> AssetConnection | None:
        """Assets that the device monitors or controls, at an instant."""
        connection: AssetConnection = one_of(await _ASSETS([self], info, page=page, as_of=as_of, known_at=known_at))
        return connection

    @strawberry.field
    @paged()
    async def raw_readings(self, info: Info, *, page: PageRequest) -> RawReadingConnection | None:
        """Readings of the device as they were received, the last received first, with what became of each.

        As long as the raw log is kept. The total of a device that sends much takes long to count.
        """
        rows = await page_load(info, raw_readings_pages, self.row.id, page)
        return Connection(rows=rows, show=to_object)


@strawberry.input
class CreateDeviceInput:
    """A new device.

    Attributes:
        firmware_version: Version of the firmware, as text.
    """

    name: str
    external_id: str | None = None
    type: str | None = None
    status: str | None = None
    attributes: JSON | None = None
    location: GeoJSON | None = None
    firmware_version: str | None = None


@strawberry.input
class UpdateDeviceInput:
    """Changes of a device. A field left out keeps its value; null clears it.

    `name` and `status` cannot be cleared: null is BAD_USER_INPUT.

    Attributes:
        attributes: JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a
            member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together.
        firmware_version: Version of the firmware, as text.
    """

    name: str | None = UNSET
    external_id: str | None = UNSET
    type: str | None = UNSET
    status: str | None = UNSET
    attributes: JSON | None = UNSET
    replace_attributes: JSON | None = UNSET
    if_updated_at: DateTime | None = None
    location: GeoJSON | None = UNSET
    firmware_version: str | None = UNSET


@strawberry.type
class DevicePayload:
    """Result of a mutation of a device.

    Attributes:
        device: The device after the change; null if it was refused.
    """

    device: Device | None
    errors: list[UserError]


@mutations
class DeviceMutation:
    """Mutations of devices."""

    @mutation(OPERATORS)
    async def create_device(self, info: Info, input: CreateDeviceInput) -> DevicePayload:
        """Create a device. CONFLICT where another one has its external id."""

        def prepare() -> Callable[..., EntityRow]:
            return partial(device_create, draft=draft_of(input), firmware_version=input.firmware_version)

        return await payload_of(info, _payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def update_device(self, info: Info, id: strawberry.ID, input: UpdateDeviceInput) -> DevicePayload:
        """Update a device. CONFLICT where another one has its external id.

        Args:
            id: Id of the device.
        """

        def prepare() -> Callable[..., EntityRow]:
            version: Any = ABSENT if input.firmware_version is UNSET else input.firmware_version
            return partial(
                device_update, device_id=uuid_named(id, "id"), patch=patch_of(input), firmware_version=version
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS, scoped=True)
    async def delete_device(self, info: Info, id: strawberry.ID) -> DevicePayload:
        """Delete a device: its edges end now and its tokens are refused. Its readings are kept.

        Args:
            id: Id of the device.
        """
        return await payload_of(info, _payload, delete(id, EntityKind.DEVICE), under=())


def _payload(row: EntityRow | None, errors: list[UserError]) -> DevicePayload:
    device: Any = None if row is None else to_entity(row)
    return DevicePayload(device=device, errors=errors)
