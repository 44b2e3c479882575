"""Profiles: versions by event time, propagation of defaults, previews of changes, refusals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.base.packed import micros_of
from domain.configuration.profiles.operations import (
    asset_create_from_profile,
    asset_profile_set,
    content_changed,
    profile_create,
    profile_delete,
    profile_update,
)
from domain.configuration.profiles.preview import profile_preview
from domain.definitions.profiles.model import AssetProfile
from domain.definitions.profiles.queries import asset_profiles_get, profile_get, profile_versions, profiles_in_force
from domain.plant.assets.operations import asset_update
from domain.telemetry.model.attribution import END_US
from graph.changes import ChangeFilter, changes_page
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entity_get
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.world import World, day

HOT = {"temperature": {"warnHigh": 80, "critHigh": 90}}


def create(world: World, name: str = "Pump", **members: Any) -> AssetProfile:
    with world.changing() as (session, change):
        return profile_create(session, change=change, name=name, **members)


def changed(world: World, profile: AssetProfile, **members: Any) -> AssetProfile:
    with world.changing() as (session, change):
        return profile_update(session, change=change, profile_id=profile.id, **members)


def asset(world: World, profile: AssetProfile, name: str = "P1", **attributes: Any) -> Entity:
    with world.changing() as (session, change):
        draft = EntityDraft(name=name, attributes=attributes)
        return asset_create_from_profile(session, change=change, profile_id=profile.id, draft=draft)


def attributes_of(world: World, entity_id: UUID) -> dict[str, Any]:
    with world.session() as session:
        return dict(entity_get(session, organization_id=world.organization_id, entity_id=entity_id).attributes)


def test_an_asset_has_the_defaults_and_its_own(world: World) -> None:
    profile = create(world, type_name="pump", attributes={"power": 5, "maker": "Sulzer"})
    made = asset(world, profile, power=7)
    assert (made.type, made.attributes) == ("pump", {"power": 7, "maker": "Sulzer"})
    with world.session() as session:
        used = asset_profiles_get(session, organization_id=world.organization_id, ids=[made.id])
        where = ChangeFilter(subject_ids=[made.id])
        page = changes_page(session, organization_id=world.organization_id, where=where, page=PageRequest(5))
    assert used == {made.id: profile}
    assert page.items[0].after is not None
    assert page.items[0].after["profileId"] == str(profile.id)


def test_a_changed_default_goes_to_those_that_still_have_it(world: World) -> None:
    profile = create(world, attributes={"power": 5, "maker": "Sulzer"})
    plain, own = asset(world, profile), asset(world, profile, "P2", power=7)
    # 1 and true and 1.0 are three values.
    changed(world, profile, attributes={"power": 6, "phases": 3})
    # What the profile no longer has stays with the assets.
    assert attributes_of(world, plain.id) == {"power": 6, "maker": "Sulzer", "phases": 3}
    assert attributes_of(world, own.id) == {"power": 7, "maker": "Sulzer", "phases": 3}


def test_an_attribute_that_was_taken_off_an_asset_stays_off(world: World) -> None:
    profile = create(world, attributes={"power": 5})
    made = asset(world, profile)
    with world.changing() as (session, change):
        asset_update(session, change=change, asset_id=made.id, patch=EntityPatch(attributes={}))
    changed(world, profile, attributes={"power": 6})
    assert attributes_of(world, made.id) == {}


def test_versions_are_in_force_by_event_time(world: World) -> None:
    profile = create(world, thresholds=HOT, effective_from=day(0))
    later = changed(world, profile, thresholds={}, effective_from=day(10))
    between = changed(world, later, thresholds={"speed": {"critLow": 1}}, effective_from=day(5))
    again = changed(world, between, thresholds={"speed": {"critLow": 2}}, effective_from=day(5))
    assert (profile.newest.number, again.newest.number) == (1, 4)
    with world.session() as session:
        [spans] = profiles_in_force(session, organization_id=world.organization_id).values()
        [versions] = profile_versions(session, organization_id=world.organization_id, ids=[profile.id]).values()
    assert [(begins, ends, content.thresholds) for begins, ends, content in spans] == [
        (micros_of(day(0)), micros_of(day(5)), HOT),
        (micros_of(day(5)), micros_of(day(10)), {"speed": {"critLow": 2}}),
        (micros_of(day(10)), END_US, {}),
    ]
    assert [version.content.thresholds for version in versions] == [
        HOT, {}, {"speed": {"critLow": 1}}, {"speed": {"critLow": 2}},
    ]  # fmt: skip


def test_an_update_without_changes_creates_no_version(world: World) -> None:
    profile = create(world, thresholds=HOT)
    assert changed(world, profile, thresholds=HOT) == profile
    renamed = changed(world, profile, name="Big pump")
    assert (renamed.name, renamed.newest) == ("Big pump", profile.newest)


def test_a_preview_says_what_the_change_then_does(world: World) -> None:
    profile = create(world, attributes={"power": 5, "maker": "S"}, thresholds=HOT, formulas={"f": {"sum": {"a": 1}}})
    plain, own = asset(world, profile, "A"), asset(world, profile, "B", power=7)
    members = {"attributes": {"power": 6}, "thresholds": {}, "formulas": {"g": {"formula": "a + 1.0"}}}
    with world.session() as session:
        preview = profile_preview(
            session,
            organization_id=world.organization_id,
            profile_id=profile.id,
            before=profile.newest.content,
            after=content_changed(profile, **members),
        )
        assert profile_get(session, organization_id=world.organization_id, profile_id=profile.id) == profile
    assert (preview.total, preview.is_truncated, preview.is_health_changed) == (2, False, False)
    assert (preview.attributes.changed, preview.attributes.removed) == (["power"], ["maker"])
    assert (preview.thresholds.removed, preview.formulas.added, preview.formulas.removed) == (
        ["temperature"], ["g"], ["f"],
    )  # fmt: skip
    assert [(p.asset.id, p.given, p.retained) for p in preview.assets] == [
        (plain.id, {"power": 6}, ["maker"]),
        (own.id, {}, ["maker", "power"]),
    ]
    changed(world, profile, **members)
    assert attributes_of(world, plain.id) == {"power": 6, "maker": "S"}
    assert attributes_of(world, own.id) == {"power": 7, "maker": "S"}


def test_a_profile_in_use_stays(world: World) -> None:
    profile = create(world)
    made = asset(world, profile)

    def delete() -> None:
        with world.changing() as (session, change):
            profile_delete(session, change=change, profile_id=profile.id)

    assert fault_of(delete) == ("CONFLICT", ("id",))
    with world.changing() as (session, change):
        asset_profile_set(session, change=change, asset_id=made.id, profile_id=None)
    delete()
    assert fault_of(delete) == ("NOT_FOUND", ("id",))
    # The name is free again, and what the deleted one said is kept.
    other = create(world)
    with world.session() as session:
        versions = profile_versions(session, organization_id=world.organization_id, ids=[profile.id, other.id])
    assert set(versions) == {profile.id, other.id}


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"thresholds": {"t": {}}}, ("defaultHealthThresholds", "t")),
        ({"thresholds": {"t": {"warnHigh": "80"}}}, ("defaultHealthThresholds", "t", "warnHigh")),
        ({"thresholds": {"t": {"warnHigh": 80, "critHigh": 70}}}, ("defaultHealthThresholds", "t", "critHigh")),
        ({"thresholds": {"t": {"warnLow": 80, "warnHigh": 80}}}, ("defaultHealthThresholds", "t", "warnHigh")),
        ({"thresholds": {"t": {"critHigh": 80, "weight": 101}}}, ("defaultHealthThresholds", "t", "weight")),
        ({"thresholds": {"t": {"high": 80}}}, ("defaultHealthThresholds", "t", "high")),
        ({"thresholds": {"health": {"warnLow": 80}}}, ("defaultHealthThresholds", "health")),
        ({"formulas": {"f": {"formula": "f + 1.0"}}}, ("formulas", "f", "formula")),
        ({"rules": [{"name": "hot"}, {"name": "hot"}]}, ("rules", "1", "name")),
        ({"rules": [{"name": "hot", "scope": {}}]}, ("rules", "0", "scope")),
        ({"health": {"freshness": "P32D"}}, ("health", "freshness")),
        ({"health": {"freshness": 60}}, ("health", "freshness")),
        ({"health": {"bucket": "PT7M"}}, ("health", "bucket")),
        ({"health": {"events": {"FATAL": 1}}}, ("health", "events", "FATAL")),
        ({"health": {"children": {"combine": "best"}}}, ("health", "children", "combine")),
        ({"attributes": []}, None),
    ],
)
def test_invalid_profiles_are_refused(world: World, members: dict[str, Any], path: tuple[str, ...] | None) -> None:
    if path is None:
        assert create(world, **members).newest.content.attributes == {}
    else:
        assert fault_of(lambda: create(world, **members)) == ("BAD_USER_INPUT", path)


def test_bounds(world: World) -> None:
    rules = [{"name": str(n)} for n in range(51)]
    assert fault_of(lambda: create(world, rules=rules)) == ("LIMIT_EXCEEDED", ("rules",))
    metrics = {f"m{n}": {"critLow": 0} for n in range(10_001)}
    assert fault_of(lambda: create(world, thresholds=metrics))[0] == "LIMIT_EXCEEDED"
    profile = create(world)
    assert fault_of(lambda: create(world)) == ("CONFLICT", ("name",))
    assert fault_of(lambda: changed(world, profile, health={"bucket": "PT1H"})) == ("CONFLICT", ("health", "bucket"))


def test_nothing_of_other_organizations(world: World, other: World) -> None:
    profile = create(world)
    assert fault_of(lambda: changed(other, profile, name="mine")) == ("NOT_FOUND", ("id",))
    assert fault_of(lambda: asset(other, profile)) == ("NOT_FOUND", ("profileId",))
