"""What an asset has beside what every entity has: the profile it uses."""

from typing import Final

from domain.assets.tables import assets
from domain.noun import Noun
from graph.kinds import EntityKind

ASSET: Final = Noun(EntityKind.ASSET, assets, {"profile_id": "profileId"})
