"""The dependency index: entities that are alike share what is derived."""

from __future__ import annotations

from domain.derivation.dependencies.index import dependency_entities
from testing.deriving_plant import DerivingPlant
from testing.world import EPOCH
from tests.domain.derivation.formulas.test_profiles import DOUBLE, make, profile


def test_equal_assets_share_their_derivation(plant: DerivingPlant) -> None:
    plant.formulas({"mine": {"formula": "a + 2.0"}}, since=EPOCH)
    used = profile(plant, DOUBLE)
    ids = [make(plant, used)[0], make(plant, used)[0], plant.pump()]
    with plant.line.pipeline() as session:
        index = plant.dependency_cache.get(session, organization_id=plant.organization_id)
        dependency_entities(session, organization_id=plant.organization_id, index=index, ids=ids)
    one, two, three = (index.entity_of(entity_id.bytes).derivation for entity_id in ids)
    assert one is two
    assert one is not None
    assert three is not None
    assert sorted(one.sets[0].metrics) == ["double", "mine"]
    assert sorted(three.sets[0].metrics) == ["mine"]
