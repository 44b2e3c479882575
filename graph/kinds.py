"""The kinds of entity."""

from enum import StrEnum


class EntityKind(StrEnum):
    """Kind of an entity. Its `type` is finer, and data."""

    DEVICE = "DEVICE"
    ASSET = "ASSET"
    SPACE = "SPACE"
    PERSON = "PERSON"
    ACTIVITY = "ACTIVITY"
