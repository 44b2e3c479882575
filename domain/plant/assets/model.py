"""What an asset has beside what every entity has: the profile it uses."""

from typing import Final

from domain.plant.assets.tables import assets
from domain.plant.entity_kind import Noun
from graph.kinds import EntityKind

ASSET: Final = Noun(EntityKind.ASSET, assets, {"profile_id": "profileId"})
