"""Create, change devices. Deleting and restoring is the same for all kinds: domain/nodes/operations.py."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.devices.model import DEVICE
from domain.plant.entity_kind import typed_entity_create, typed_entity_update
from graph.absent import ABSENT, Absent
from graph.change import GraphChange
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.json_bounds import text_check

FIRMWARE_VERSION_MAX_CHARS: Final = 200


def device_create(
    session: Session, *, change: GraphChange, draft: EntityDraft, firmware_version: str | None = None
) -> Entity:
    """Create a device. Raises BadInputError, LimitExceededError, ConflictError where its external id is taken."""
    details = device_details(firmware_version)
    return typed_entity_create(session, change=change, spec=DEVICE, draft=draft, details=details)


def device_update(
    session: Session,
    *,
    change: GraphChange,
    device_id: UUID,
    patch: EntityPatch,
    firmware_version: str | Absent | None = ABSENT,
) -> Entity:
    """Change a device. Raises NotFoundError, BadInputError, LimitExceededError, ConflictError."""
    details = {} if isinstance(firmware_version, Absent) else device_details(firmware_version)
    return typed_entity_update(session, change=change, spec=DEVICE, entity_id=device_id, patch=patch, details=details)


def device_details(firmware_version: str | None) -> dict[str, Any]:
    """Return the columns of a device's details. Raises BadInputError."""
    if firmware_version is not None:
        path = ("firmwareVersion",)
        firmware_version = text_check(firmware_version, path=path, max_chars=FIRMWARE_VERSION_MAX_CHARS)
    return {"firmware_version": firmware_version}
