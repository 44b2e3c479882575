"""The kinds of entity: the nouns of a plant."""

from enum import StrEnum


class EntityKind(StrEnum):
    """What sort of thing an entity is. Its `type` is finer and is data."""

    DEVICE = "DEVICE"
    ASSET = "ASSET"
    SPACE = "SPACE"
    PERSON = "PERSON"
    ACTIVITY = "ACTIVITY"
