"""Rules of profiles: they evaluate the assets that use the profile, as its versions say, and only the profile changes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.configuration.profiles.operations import asset_profile_set, profile_create, profile_delete, profile_update
from domain.definitions.profiles.queries import profile_get
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create, rule_delete, rule_update
from domain.rules.queries import rules_owned
from testing.deriving_plant import DerivingPlant
from testing.faults import fault_of
from testing.line import NOW
from testing.world import EPOCH
from tests.domain.derivation.formulas.test_profiles import make

T = [NOW - timedelta(hours=9 - n) for n in range(9)]


def hot(value: float, **members: Any) -> dict[str, Any]:
    condition = {"threshold": {"metric": "t", "operator": "GT", "value": value, "for": "PT0S"}}
    return {"name": "hot", "condition": condition, "severity": "HIGH", **members}


def profile(plant: DerivingPlant, *rules: dict[str, Any], since: datetime = EPOCH) -> UUID:
    with plant.line.world.changing() as (session, change):
        return profile_create(session, change=change, name="P", rules=list(rules), effective_from=since).id


def edit(plant: DerivingPlant, profile_id: UUID, *rules: dict[str, Any], since: datetime) -> None:
    with plant.line.world.changing() as (session, change):
        profile_update(session, change=change, profile_id=profile_id, rules=list(rules), effective_from=since)


def read(plant: DerivingPlant, device: UUID, *values: float) -> None:
    rows = [{"device_id": device, "timestamp": t, "metrics": {"t": v}} for t, v in zip(T, values, strict=False)]
    plant.line.normalize(plant.line.send(*rows))
    plant.drain()


def spans(plant: DerivingPlant) -> list[tuple[int, int | None, str | None]]:
    """The hours at which events opened and were cleared, and why."""
    rows = plant.line.rows(
        "SELECT opened_at, cleared_at, cleared_reason FROM events"
        " WHERE organization_id = :o AND withdrawn_at IS NULL ORDER BY 1",
        o=plant.organization_id,
    )
    return [(T.index(o), None if c is None else T.index(c), reason) for o, c, reason in rows]


def test_a_profiles_rule_evaluates_its_assets_and_no_others(plant: DerivingPlant) -> None:
    used = profile(plant, hot(80))
    asset, device = make(plant, used)
    stranger = plant.line.device()
    plant.link(stranger, plant.pump(), valid_from=EPOCH)
    read(plant, stranger, 90, 90)
    read(plant, device, 70, 90, 90, 70, 90)
    assert spans(plant) == [(1, 3, "CONDITION"), (4, None, None)]
    with plant.line.world.changing() as (session, change):
        asset_profile_set(session, change=change, asset_id=asset, profile_id=None)
    plant.drain()
    assert spans(plant) == []
    with plant.line.world.changing() as (session, change):
        asset_profile_set(session, change=change, asset_id=asset, profile_id=used)
    plant.drain()
    assert spans(plant) == [(1, 3, "CONDITION"), (4, None, None)]


def test_versions_of_a_profile_are_versions_of_its_rules(plant: DerivingPlant) -> None:
    used = profile(plant, hot(80))
    _, device = make(plant, used)
    read(plant, device, 70, 90, 90, 90, 90, 90, 90)
    edit(plant, used, hot(80), since=T[4])
    plant.drain()
    # The same rule goes on: its event stays open.
    assert spans(plant) == [(1, None, None)]
    # A version between the two: up to the one that is there.
    edit(plant, used, hot(95), since=T[2])
    plant.drain()
    assert spans(plant) == [(1, 2, "RULE_CHANGED"), (4, None, None)]
    edit(plant, used, since=T[5])
    plant.drain()
    assert spans(plant) == [(1, 2, "RULE_CHANGED"), (4, 5, "RULE_CHANGED")]
    # A rule that comes for a while only.
    edit(plant, used, hot(95), hot(60, name="warm"), since=T[3])
    plant.drain()
    assert spans(plant) == [(1, 2, "RULE_CHANGED"), (3, 4, "RULE_CHANGED"), (4, 5, "RULE_CHANGED")]


def test_only_the_profile_changes_its_rules(plant: DerivingPlant) -> None:
    used = profile(plant, hot(80))
    with plant.line.world.session() as session:
        rule = rules_owned(session, organization_id=plant.organization_id, profile_id=used)["hot"]
    draft = RuleDraft(name="mine", condition=rule.version.condition)

    def update() -> None:
        with plant.line.world.changing() as (session, change):
            rule_update(session, change=change, rule_id=rule.id, draft=draft)

    def delete() -> None:
        with plant.line.world.changing() as (session, change):
            rule_delete(session, change=change, rule_id=rule.id)

    assert fault_of(update) == ("CONFLICT", ("id",))
    assert fault_of(delete) == ("CONFLICT", ("id",))
    with plant.line.world.changing() as (session, change):
        profile_delete(session, change=change, profile_id=used)
    with plant.line.world.session() as session:
        assert rules_owned(session, organization_id=plant.organization_id, profile_id=used) == {}


def test_a_rule_of_its_own_may_be_about_the_assets_of_a_profile(plant: DerivingPlant) -> None:
    used = profile(plant)
    _, device = make(plant, used)
    condition = {"threshold": {"metric": "t", "operator": "GT", "value": 80, "forUs": 0, "clearForUs": 0}}
    with plant.line.world.changing() as (session, change):
        draft = RuleDraft(name="x", condition=condition, scope=Scope(profile_id=used), effective_from=EPOCH)
        assert rule_create(session, change=change, draft=draft).owner_id is None
    read(plant, device, 70, 90)
    assert spans(plant) == [(1, None, None)]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"name": "x"}, ("condition",)),
        (hot(80, severity="BAD"), ("severity",)),
        (hot(80, effectiveFrom="2026-01-01T00:00:00Z"), ("effectiveFrom",)),
        (hot(80, escalation=[{"after": "PT1H", "severity": "LOW"}]), ("escalation", "0", "severity")),
        (hot(80, escalation=[{"after": 5, "severity": "CRITICAL"}]), ("escalation", "0", "after")),
        (hot(80, damping={"maxEvents": 0}), ("damping", "maxEvents")),
        (hot(80, damping={"maxEvents": True}), ("damping", "maxEvents")),
        (hot(80, action={"webhookUrl": "ftp://x"}), ("action", "webhookUrl")),
        (hot(80, action={"createActivityFromTemplateId": "x"}), ("action", "createActivityFromTemplateId")),
        (hot(80, isActive=1), ("isActive",)),
        ({"name": "x", "condition": {"noData": {"metric": "t", "after": "P1M1"}}}, ("condition", "noData", "after")),
    ],
)
def test_invalid_rules_are_refused_with_their_path(
    plant: DerivingPlant, rule: dict[str, Any], path: tuple[str, ...]
) -> None:
    assert fault_of(lambda: profile(plant, rule)) == ("BAD_USER_INPUT", ("rules", "0", *path))


def test_the_newest_version_is_what_is_shown(plant: DerivingPlant) -> None:
    used = profile(plant, hot(80))
    with plant.line.world.session() as session:
        stored_profile = profile_get(session, organization_id=plant.organization_id, profile_id=used)
    assert stored_profile.newest.content.rules == [hot(80)]
