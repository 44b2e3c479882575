"""Attributes that a device exchanges by itself: those it reports, and those it is to know.

They are members of the device's attributes, `client` and `shared`, and apart from the rest: a device changes nothing
else, and reads nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.devices.operations import device_update
from graph.change import GraphChange
from graph.entities.model import Entity, EntityPatch
from graph.entities.queries import entity_get
from graph.errors import BadInputError, ConflictError
from graph.kinds import EntityKind

CLIENT: Final = "client"
SHARED: Final = "shared"


@dataclass(frozen=True, slots=True)
class DeviceAttributes:
    """Attributes of one device: client, which it reports; shared, which it is to know."""

    client: Mapping[str, Any]
    shared: Mapping[str, Any]


def device_attributes_get(session: Session, *, organization_id: int, device_id: UUID) -> DeviceAttributes:
    """Return what a device reported and what it is to know; what is not an object is left out. One statement.

    Raises NotFoundError.
    """
    attributes = _device(session, organization_id, device_id).attributes
    return DeviceAttributes(*(_members(attributes.get(scope)) for scope in (CLIENT, SHARED)))


def device_attributes_report(session: Session, *, change: GraphChange, device_id: UUID, reported: Any) -> Entity:
    """Set those of a device's client attributes that are reported; others stay. The same again writes nothing.

    Raises NotFoundError, BadInputError, LimitExceededError, ConflictError where `client` is something else already.
    """
    if not isinstance(reported, Mapping):
        raise BadInputError("Attributes are a JSON object.", path=("body",))
    attributes = _device(session, change.organization_id, device_id).attributes
    before = attributes.get(CLIENT, {})
    if not isinstance(before, Mapping):
        message = f"The attribute {CLIENT!r} of the device is not an object; attributes of its own have no place there."
        raise ConflictError(message, path=(CLIENT,))
    patch = EntityPatch(attributes={**attributes, CLIENT: {**before, **reported}})
    return device_update(session, change=change, device_id=device_id, patch=patch)


def _device(session: Session, organization_id: int, device_id: UUID) -> Entity:
    return entity_get(session, organization_id=organization_id, entity_id=device_id, kind=EntityKind.DEVICE)


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
