"""Formulas of profiles: beside those of the type, by event time, and whatever way an asset comes to have them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.configuration.profiles.operations import (
    asset_create_from_profile,
    asset_profile_set,
    profile_create,
    profile_update,
)
from graph.entities.model import EntityDraft
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from testing.world import EPOCH
from tests.domain.derivation.formulas.test_formulas import send, update, values

HOUR = timedelta(hours=1)
T = [NOW - 9 * HOUR + n * HOUR for n in range(9)]
DOUBLE = {"double": {"formula": "a * 2.0", "unit": "kW"}}


def profile(plant: DerivingPlant, formulas: dict[str, Any], *, since: datetime = EPOCH, name: str = "P") -> UUID:
    with plant.line.world.changing() as (session, change):
        return profile_create(session, change=change, name=name, formulas=formulas, effective_from=since).id


def edit(plant: DerivingPlant, profile_id: UUID, formulas: dict[str, Any], *, since: datetime) -> None:
    with plant.line.world.changing() as (session, change):
        profile_update(session, change=change, profile_id=profile_id, formulas=formulas, effective_from=since)


def use(plant: DerivingPlant, asset_id: UUID, profile_id: UUID | None) -> None:
    with plant.line.world.changing() as (session, change):
        asset_profile_set(session, change=change, asset_id=asset_id, profile_id=profile_id)


def make(plant: DerivingPlant, profile_id: UUID, *, type_name: str | None = "pump") -> tuple[UUID, UUID]:
    """An asset made from a profile, and the device that measures it."""
    with plant.line.world.changing() as (session, change):
        draft = EntityDraft(name="P1", type=type_name)
        asset = asset_create_from_profile(session, change=change, profile_id=profile_id, draft=draft)
    device = plant.line.device()
    plant.link(device, asset.id, valid_from=EPOCH)
    return asset.id, device


def test_a_profile_and_a_type_that_each_say_something(plant: DerivingPlant) -> None:
    plant.formulas({"same": {"formula": "a + 1.0"}, "mine": {"formula": "a + 2.0"}}, since=T[2])
    used = profile(plant, {"same": {"formula": "a + 10.0"}, "next": {"formula": "mine * 2.0"}}, since=T[4])
    edit(plant, used, DOUBLE, since=T[6])
    _, device = make(plant, used)
    send(plant, device, {t: {"a": 1} for t in T})
    plant.drain()
    assert values(plant, "same") == {T[2]: 2, T[3]: 2, T[4]: 11, T[5]: 11, T[6]: 2, T[7]: 2, T[8]: 2}
    assert values(plant, "mine") == dict.fromkeys(T[2:], 3)
    assert values(plant, "next") == dict.fromkeys(T[4:6], 6)
    assert values(plant, "double") == dict.fromkeys(T[6:], 2)


def test_later_changes_give_the_same_result(plant: DerivingPlant) -> None:
    used = profile(plant, {})
    asset, device = make(plant, used, type_name=None)
    send(plant, device, {t: {"a": 1} for t in T})
    plant.drain()
    edit(plant, used, DOUBLE, since=T[3])
    plant.drain()
    assert values(plant, "double") == dict.fromkeys(T[3:], 2)
    # An earlier time, up to the version that is there.
    edit(plant, used, {"double": {"formula": "a * 3.0"}}, since=T[1])
    plant.drain()
    assert values(plant, "double") == {T[1]: 3, T[2]: 3, **dict.fromkeys(T[3:], 2)}
    use(plant, asset, None)
    plant.drain()
    assert values(plant, "double") == {}
    use(plant, asset, used)
    plant.drain()
    assert values(plant, "double") == {T[1]: 3, T[2]: 3, **dict.fromkeys(T[3:], 2)}


def test_an_attribute_that_a_profiles_formula_reads(plant: DerivingPlant) -> None:
    used = profile(plant, {"heat": {"formula": "a * attributes.factor"}})
    asset, device = make(plant, used)
    first = update(plant, asset, attributes={"factor": 2})
    plant.drain()
    later = update(plant, asset, attributes={"factor": 3})
    send(plant, device, {first: {"a": 1}, later: {"a": 1}}, at=later + HOUR)
    plant.drain()
    assert values(plant, "heat") == {first: 2, later: 3}


def test_a_circle_that_came_to_be_leaves_the_profiles_formulas_out(plant: DerivingPlant) -> None:
    plant.formulas({"mine": {"formula": "a + 1.0"}}, since=EPOCH)
    plant.formulas({"mine": {"formula": "other + a"}}, since=T[5])
    used = profile(plant, {"other": {"formula": "mine * 2.0"}})
    asset, device = make(plant, profile(plant, {}, name="Q"))
    use(plant, asset, used)
    send(plant, device, {t: {"a": 1} for t in T})
    plant.drain()
    assert values(plant, "other") == dict.fromkeys(T[:5], 4)
    assert values(plant, "mine") == dict.fromkeys(T[:5], 2)


def test_a_promotion_in_the_past_reaches_what_only_a_profile_derives(plant: DerivingPlant) -> None:
    used = profile(plant, {"total": {"sum": {"a": 0.1, "b": 0.2, "c": 0.3}, "maxAge": "PT10M"}})
    asset, device = make(plant, used, type_name=None)
    send(plant, device, {t: {"a": 1, "b": 1, "c": 1} for t in T})
    plant.drain()
    assert set(values(plant, "total").values()) == {0.1 + 0.2 + 0.3}
    plant.promote(2, since=T[4])
    assert plant.windows()[0][0] == asset
    plant.drain()
    assert values(plant, "total") == dict.fromkeys(T[:4], 0.1 + 0.2 + 0.3) | dict.fromkeys(T[4:], 0.6)
