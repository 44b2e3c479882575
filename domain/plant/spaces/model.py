"""What a space has beside what every entity has: nothing that is stored."""

from typing import Final

from domain.plant.entity_kind import Noun
from domain.plant.spaces.tables import spaces
from graph.kinds import EntityKind

SPACE: Final = Noun(EntityKind.SPACE, spaces, {})
