"""Details of assets, besides those of every entity: the profile."""

from typing import Final

from domain.plant.assets.tables import assets
from domain.plant.entity_kind import EntityKindSpec
from graph.kinds import EntityKind

ASSET: Final = EntityKindSpec(EntityKind.ASSET, assets, {"profile_id": "profileId"})
