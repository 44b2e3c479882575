"""Details of spaces, besides those of every entity: none are stored."""

from typing import Final

from domain.plant.entity_kind import EntityKindSpec
from domain.plant.spaces.tables import spaces
from graph.kinds import EntityKind

SPACE: Final = EntityKindSpec(EntityKind.SPACE, spaces, {})
