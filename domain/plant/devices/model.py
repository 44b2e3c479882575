"""Details of devices, besides those of every entity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.plant.devices.tables import devices
from domain.plant.entity_kind import EntityKindSpec
from graph.kinds import EntityKind

# In the metadata of a link: {device's metric: asset's metric}.
METRICS_MAPPING: Final = "metrics_mapping"
# All that the metadata of a link may have: an unknown name is a misspelt one, which would silently do nothing.
LINK_METADATA: Final = frozenset({METRICS_MAPPING})
DEVICE: Final = EntityKindSpec(EntityKind.DEVICE, devices, {"firmware_version": "firmwareVersion"})


class Connectivity(StrEnum):
    """Whether a device is heard. By time of receipt, never by the timestamps of its readings."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    NEVER_SEEN = "NEVER_SEEN"


@dataclass(frozen=True, slots=True)
class DeviceDetails:
    """The details of one device."""

    firmware_version: str | None
