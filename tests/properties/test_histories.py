"""One by one = all at once = shuffled and doubled: what is derived of a history is a function of it, not of its order of arrival.

A history is drawn: readings with gaps, and edits (links, parts, places, members of a group, rules, formulas, profiles, shelves,
windows, each as of a time of its own). It comes to three organizations: one reading per transaction as time goes by, with all jobs run
between; all at once; and shuffled, every reading twice. All events, derived points, rollups, points of health and
suppressions must be the same in the end, and what a recomputation from scratch gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.configuration.entity_types.operations import entity_type_update
from domain.configuration.profiles.operations import asset_profile_set, profile_create, profile_update
from domain.definitions.entity_types.queries import entity_type_by_name
from domain.definitions.groups.model import GroupKind
from domain.derivation.rollups.model import BucketSize, RollupAggregate
from domain.derivation.rollups.operations import rollup_create
from domain.derivation.rollups.rules import RollupWish
from domain.nodes.groups.members import group_members_add, group_members_remove
from domain.nodes.groups.operations import group_create
from domain.plant.devices.links import device_link
from domain.rules.model import Damping, Scope, Severity, Step
from domain.rules.operations import RuleDraft, rule_create, rule_update
from domain.rules.shelving.operations import maintenance_window_create, shelf_create
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct
from graph.entities.model import EntityPatch
from graph.entities.operations import entity_update
from graph.entities.queries import entity_get
from graph.errors import ArgusError
from graph.kinds import EntityKind
from testing.world import EPOCH
from tests.properties.site import Leases, Site

_SLUGS = count()
# Later than any clock that changes are recorded by: weights count as they are recorded.
BEGIN = datetime(2100, 5, 1, 12, tzinfo=UTC)
MINUTE_US = 60_000_000
LAST = 240
DEVICES = 3
EXAMPLES = 10
# Other histories at each run, and more: pytest --hypothesis-profile=many.
IS_MANY = settings.get_current_profile_name() == "many"


def at(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


FINAL = at(LAST + 60)


@dataclass(frozen=True)
class Edit:
    """What becomes known: before the n-th reading of those that come one by one; it holds from a minute on."""

    what: str
    before: int
    minute: int
    choice: int
    length: int


@dataclass(frozen=True)
class History:
    """Readings: (minute, device, metrics), of different times; edits, in the order in which they are made."""

    readings: Sequence[tuple[int, int, Mapping[str, float]]]
    edits: Sequence[Edit]
    choices: Sequence[int]
    seed: int


def histories(*edits: str) -> st.SearchStrategy[History]:
    readings = st.lists(
        st.tuples(
            st.integers(0, LAST),
            st.integers(0, DEVICES - 1),
            st.dictionaries(st.sampled_from("ab"), st.sampled_from([10.0, 50.0, 85.0, 95.0]), min_size=1, max_size=2),
        ),
        min_size=4,
        max_size=9,
        unique_by=lambda item: item[:2],
    )
    edit = st.builds(
        Edit,
        what=st.sampled_from(edits),
        before=st.integers(0, 9),
        minute=st.integers(0, LAST),
        choice=st.integers(0, 9),
        length=st.integers(1, 90),
    )
    return st.builds(
        History,
        readings=readings,
        # The final state depends on the order of edits, which is the same however the readings come.
        edits=st.lists(edit, min_size=1, max_size=3).map(lambda item: sorted(item, key=lambda edit: edit.before)),
        choices=st.lists(st.integers(0, 59), min_size=3, max_size=3),
        seed=st.integers(0, 2**16),
    )


def over(value: float, metric: str = "a", **more: Any) -> dict[str, Any]:
    return {"threshold": {"metric": metric, "operator": "GT", "value": value, **more}}


SILENT = {"noData": {"metric": "a", "afterUs": 25 * MINUTE_US}}
CONDITIONS: Sequence[dict[str, Any]] = (
    over(80),
    over(80, forUs=20 * MINUTE_US, clearValue=40, clearForUs=15 * MINUTE_US),
    SILENT,
    {"expression": "a > b"},
    {"allOf": [over(40), SILENT]},
    {"anyOf": [over(90, "b"), {"expression": "a + b < 70.0"}, SILENT]},
)
FORMULAS: Sequence[dict[str, Any]] = (
    {
        "s": {"sum": {"a": 1, "b": 2}, "maxAge": "PT10M"},
        "c": {"formula": "s + a", "maxAge": "PT45M"},
        "d": {"formula": "c * 2.0 - b", "maxAge": "PT30M"},
    },
    {"s": {"formula": "a - b", "maxAge": "PT1H"}, "c": {"sum": {"a": 3}, "maxAge": "PT5M"}},
    {"d": {"formula": "b * b", "maxAge": "PT15M"}, "s": {"formula": "d + a", "maxAge": "PT20M"}},
)
PROFILES: Sequence[dict[str, Any]] = (
    {"thresholds": {"a": {"warnHigh": 80, "critHigh": 90}}, "health": {"freshness": "PT30M", "bucket": "PT15M"}},
    {"thresholds": {"b": {"critHigh": 90}}, "health": {"freshness": "PT1H", "bucket": "PT15M"}},
    {
        "thresholds": {"s": {"critLow": 0}},
        "health": {"freshness": "PT20M", "bucket": "PT15M", "children": {"weight": 50, "combine": "worst"}},
    },
)
SEVERITIES = (Severity.LOW, Severity.HIGH)


class Plant:
    """Pumps that are parts of a house; a device at each pump, and one at the house; one pump is located in a hall."""

    def __init__(self, site: Site, choices: Sequence[int]) -> None:
        self.site, world, self.choices = site, site.line.world, choices
        self.devices = [site.line.device(type_name="meter") for _ in range(DEVICES)]
        self.pumps = [world.entity(EntityKind.ASSET, "pump") for _ in range(2)]
        self.house, self.hall = world.entity(EntityKind.ASSET, "house"), world.entity(EntityKind.SPACE)
        assets = [*self.pumps, self.house]
        with world.changing() as (session, change):
            self.links = [
                device_link(session, change=change, device_id=device, asset_id=asset, valid_from=EPOCH)
                for device, asset in zip(self.devices, assets, strict=True)
            ]
        self.parts = [world.edge(self.house, "HAS_PART", pump) for pump in self.pumps]
        self.place = world.edge(self.pumps[0], "LOCATED_IN", self.hall)
        self.rules: list[UUID] = []
        self.profiles: list[UUID] = []
        self.group: UUID | None = None
        named = zip((*self.devices, *assets, self.hall), ("d0", "d1", "d2", "p0", "p1", "house", "hall"), strict=True)
        self.names: dict[UUID, str] = dict(named)

    def with_rules(self) -> None:
        for n, choice in enumerate(self.choices[:2]):
            with self.site.line.world.changing() as (session, change):
                self.rules.append(rule_create(session, change=change, draft=self._draft(n, choice, EPOCH)).id)

    def with_group(self) -> None:
        """Some are members of the group from the beginning."""
        assets = [*self.devices, *self.pumps]
        with self.site.line.world.changing() as (session, change):
            self.group = group_create(
                session, change=change, name="G", kind=GroupKind.STATIC, now=BEGIN, offline_after=timedelta(minutes=15)
            ).id
        chosen = [asset for n, asset in enumerate(assets) if self.choices[n % 3] >> n & 1]
        with self.site.line.world.changing() as (session, change):
            group_members_add(session, change=change, group_id=self.group, entity_ids=chosen, begins=EPOCH)

    def with_formulas(self) -> None:
        self._formulas(FORMULAS[self.choices[2] % 3], EPOCH)

    def with_profiles(self) -> None:
        """The pumps' buckets are of an hour, the house's of a quarter."""
        for n, bucket in enumerate(("PT1H", "PT15M")):
            members = self._profile(self.choices[2], bucket)
            with self.site.line.world.changing() as (session, change):
                made = profile_create(session, change=change, name=f"P{n}", effective_from=EPOCH, **members)
                self.profiles.append(made.id)
        for asset, profile in ((self.pumps[0], 0), (self.pumps[1], 0), (self.house, 1)):
            with self.site.line.world.changing() as (session, change):
                asset_profile_set(session, change=change, asset_id=asset, profile_id=self.profiles[profile])

    def with_rollups(self) -> None:
        for n, (aggregate, attribute) in enumerate(
            ((RollupAggregate.SUM, None), (RollupAggregate.WEIGHTED_MEAN, "size"), (RollupAggregate.COUNT, None))
        ):
            wish = RollupWish(
                name=f"R{n}",
                metric=f"r{n}",
                relationship="HAS_PART",
                of_metric="a",
                of_types=["pump"],
                aggregate=aggregate,
                attribute=attribute,
                bucket=BucketSize("PT1H", 0, timedelta(hours=1)),
            )
            with self.site.line.world.changing() as (session, change):
                rollup_create(session, change=change, wish=wish)
        for n, pump in enumerate(self.pumps):
            self._weigh(pump, 1 + self.choices[n] % 3, at(-60 + n))
        # One is weighed otherwise in the midst of what is measured.
        self._weigh(self.pumps[0], 5, at(self.choices[2] * 4))

    def edit(self, edit: Edit) -> None:
        """Make an edit. One that is refused changes nothing, wherever it comes."""
        with suppress(ArgusError):
            getattr(self, f"_edit_{edit.what}")(edit)

    def _edit_move(self, edit: Edit) -> None:
        """The device of a pump was on the other one from a minute on."""
        n = edit.choice % 2
        self.links[n] = self._correct(self.links[n], valid_until=at(edit.minute))
        with self.site.line.world.changing() as (session, change):
            device_link(
                session,
                change=change,
                device_id=self.devices[n],
                asset_id=self.pumps[1 - n],
                valid_from=at(edit.minute),
            )

    def _edit_late(self, edit: Edit) -> None:
        """A device was linked only from a minute on."""
        n = edit.choice % DEVICES
        self.links[n] = self._correct(self.links[n], valid_from=at(edit.minute))

    def _edit_part(self, edit: Edit) -> None:
        n = edit.choice % 2
        which = "valid_from" if edit.choice > 4 else "valid_until"
        self.parts[n] = self._correct(self.parts[n], **{which: at(edit.minute)})

    def _edit_place(self, edit: Edit) -> None:
        which = "valid_from" if edit.choice > 4 else "valid_until"
        self.place = self._correct(self.place, **{which: at(edit.minute)})

    def _edit_member(self, edit: Edit) -> None:
        """An entity became a member at a minute, ceased to be one, or was one for a while."""
        assert self.group is not None
        common: dict[str, Any] = {
            "group_id": self.group,
            "entity_ids": [[*self.devices, *self.pumps][edit.choice // 2]],
        }
        with self.site.line.world.changing() as (session, change):
            if edit.choice % 2 or edit.length > 60:
                group_members_add(session, change=change, begins=at(edit.minute), **common)
            if not edit.choice % 2:
                group_members_remove(session, change=change, at=at(edit.minute + edit.length // 2), **common)

    def _edit_rule(self, edit: Edit) -> None:
        n = edit.choice % len(self.rules)
        draft = self._draft(n, edit.length if edit.choice > 4 else self.choices[n], at(edit.minute), edit.choice % 3)
        with self.site.line.world.changing() as (session, change):
            rule_update(session, change=change, rule_id=self.rules[n], draft=draft)

    def _edit_formulas(self, edit: Edit) -> None:
        self._formulas(FORMULAS[edit.choice % 3], at(edit.minute))

    def _edit_profile(self, edit: Edit) -> None:
        n = edit.choice % 2
        members = self._profile(edit.choice // 2, ("PT1H", "PT15M")[n])
        with self.site.line.world.changing() as (session, change):
            profile_update(
                session, change=change, profile_id=self.profiles[n], effective_from=at(edit.minute), **members
            )

    def _edit_shelf(self, edit: Edit) -> None:
        rule = None if edit.choice % 3 == 2 else self.rules[edit.choice % len(self.rules)]
        entity = None if edit.choice % 3 == 0 else [*self.pumps, *self.devices][edit.choice % 5]
        begins, ends = at(edit.minute), at(edit.minute + edit.length)
        with self.site.line.world.changing() as (session, change):
            shelf_create(session, change=change, rule_id=rule, entity_id=entity, begins=begins, ends=ends)

    def _edit_window(self, edit: Edit) -> None:
        under = [None, self.hall, self.house][edit.choice % 3]
        begins, ends = at(edit.minute), at(edit.minute + edit.length)
        with self.site.line.world.changing() as (session, change):
            maintenance_window_create(session, change=change, under_id=under, begins=begins, ends=ends)

    def _correct(self, edge: EdgeVersion, **arguments: Any) -> EdgeVersion:
        with self.site.line.world.changing() as (session, change):
            return edge_correct(session, change=change, edge_id=edge.edge_id, **arguments)

    def _draft(self, n: int, choice: int, since: datetime, severity: int = 0) -> RuleDraft:
        scopes: tuple[Scope, ...] = (
            Scope(entity_id=self.devices[n]),
            Scope(kind="DEVICE", type="meter"),
            Scope(entity_id=self.pumps[n]),
            Scope(kind="ASSET", type="pump"),
            Scope(under_id=self.hall),
            Scope(),
        )
        if self.group is not None:
            scopes = (Scope(group_id=self.group), Scope(group_id=self.group), scopes[choice % len(scopes)])
        return RuleDraft(
            name=f"R{n}",
            condition=CONDITIONS[choice % len(CONDITIONS)],
            scope=scopes[(choice // len(CONDITIONS) + self.choices[n]) % len(scopes)],
            severity=SEVERITIES[severity % 2],
            escalation=[Step(40 * MINUTE_US, Severity.CRITICAL)],
            damping=Damping(2, 90 * MINUTE_US),
            is_active=severity < 2,
            effective_from=since,
        )

    def _profile(self, choice: int, bucket: str) -> dict[str, Any]:
        members = PROFILES[choice % len(PROFILES)]
        return {**members, "health": {**members["health"], "bucket": bucket}}

    def _formulas(self, derived: Mapping[str, Any], since: datetime) -> None:
        organization_id = self.site.organization_id
        with self.site.line.world.changing() as (session, change):
            entity_type = entity_type_by_name(
                session, organization_id=organization_id, kind=EntityKind.ASSET, name="pump"
            )
            assert entity_type is not None
            entity_type_update(
                session,
                change=change,
                entity_type_id=entity_type.id,
                telemetry_schema={"derived": derived},
                effective_from=since,
            )

    def _weigh(self, entity_id: UUID, weight: int, when: datetime) -> None:
        """Have a weight recorded just after an instant."""
        organization_id = self.site.organization_id
        self.site.line.rows(
            "UPDATE graph_clocks SET last_recorded = greatest(last_recorded, :at) WHERE organization_id = :o RETURNING 1",
            at=when,
            o=organization_id,
        )
        with self.site.line.world.changing() as (session, change):
            before = entity_get(session, organization_id=organization_id, entity_id=entity_id)
            entity_update(session, change=change, before=before, patch=EntityPatch(attributes={"size": weight}))

    def row(self, reading: tuple[int, int, Mapping[str, float]]) -> dict[str, Any]:
        minute, device, metrics = reading
        return {"device_id": self.devices[device], "timestamp": at(minute), "metrics": dict(metrics)}

    def state(self) -> dict[str, Any]:
        return {"events": self.site.events(FINAL, self.names), "points": self.site.points(self.names)}


def one_by_one(plant: Plant, history: History) -> None:
    """Each as it is measured, with all jobs run between, and what becomes known in between."""
    left = list(history.edits)
    for n, reading in enumerate(sorted(history.readings, key=lambda item: item[:2])):
        now = at(reading[0]) + timedelta(seconds=1)
        plant.site.drain(now)
        for edit in [edit for edit in left if edit.before <= n]:
            plant.edit(edit)
            left.remove(edit)
            plant.site.drain(now)
        plant.site.deliver([plant.row(reading)], now=now)
        plant.site.drain(now)
    for edit in left:
        plant.edit(edit)
        plant.site.drain(FINAL)


def at_once(plant: Plant, history: History) -> None:
    for edit in history.edits:
        plant.edit(edit)
    plant.site.deliver([plant.row(reading) for reading in history.readings], now=FINAL)


def shuffled(plant: Plant, history: History) -> None:
    """Every reading twice, in any order, a few at a time, some of it worked off before the next comes."""
    chance = Random(history.seed)  # noqa: S311  (a schedule)
    readings = [*history.readings, *history.readings]
    chance.shuffle(readings)
    steps: list[Callable[[], None]] = []
    while readings:
        some = [plant.row(readings.pop()) for _ in range(min(len(readings), chance.randrange(1, 6)))]
        steps.append(lambda some=some: plant.site.deliver(some, now=FINAL))  # type: ignore[misc]
    places = sorted(chance.randrange(len(steps) + 1) for _ in history.edits)
    for n, (place, edit) in enumerate(zip(places, history.edits, strict=True)):
        steps.insert(place + n, lambda edit=edit: plant.edit(edit))  # type: ignore[misc]
    for step in steps:
        step()
        if chance.random() < 0.3:
            plant.site.drain(FINAL)


WAYS = (one_by_one, at_once, shuffled)


class Histories:
    """Plays a history to three organizations, and compares what becomes of it."""

    def __init__(self, engine: Callable[[str], Engine]) -> None:
        self._engine, self._leases = engine, Leases(engine("pipeline"))
        self.seen: dict[str, int] = {"events": 0, "points": 0}

    def compare(self, history: History, *setups: Callable[[Plant], None]) -> None:
        states: dict[str, dict[str, Any]] = {}
        for way in WAYS:
            plant = Plant(Site(self._engine, self._leases, f"site-{next(_SLUGS)}"), history.choices)
            for setup in setups:
                setup(plant)
            plant.site.drain(at(-1))
            way(plant, history)
            plant.site.drain(FINAL)
            states[way.__name__] = plant.state()
            if way is not at_once:
                plant.site.recompute(FINAL)
                assert plant.state() == states[way.__name__], f"{way.__name__}: recomputed otherwise"
        for name in ("one_by_one", "shuffled"):
            assert states[name] == states["at_once"], name
        for what, of_state in states["at_once"].items():
            self.seen[what] += len(of_state)


@pytest.fixture
def played(engine: Callable[[str], Engine]) -> Histories:
    return Histories(engine)


drawn = settings(
    max_examples=settings.get_profile("many").max_examples if IS_MANY else EXAMPLES,
    derandomize=not IS_MANY,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(0 if IS_MANY else 3_600)
def test_rules(played: Histories) -> None:
    @drawn
    @given(histories("move", "late", "part", "place", "rule"))
    def play(history: History) -> None:
        played.compare(history, Plant.with_rules)

    play()
    assert played.seen["events"]


@pytest.mark.timeout(0 if IS_MANY else 3_600)
def test_rules_about_a_group(played: Histories) -> None:
    @drawn
    @given(histories("member", "member", "member", "move", "rule"))
    def play(history: History) -> None:
        played.compare(history, Plant.with_group, Plant.with_rules)

    play()
    assert played.seen["events"]


@pytest.mark.timeout(0 if IS_MANY else 3_600)
def test_derived_metrics(played: Histories) -> None:
    @drawn
    @given(histories("move", "late", "formulas"))
    def play(history: History) -> None:
        played.compare(history, Plant.with_formulas)

    play()
    assert played.seen["points"]


@pytest.mark.timeout(0 if IS_MANY else 3_600)
def test_rollups(played: Histories) -> None:
    @drawn
    @given(histories("move", "late", "part"))
    def play(history: History) -> None:
        played.compare(history, Plant.with_rollups)

    play()
    assert played.seen["points"]


@pytest.mark.timeout(0 if IS_MANY else 3_600)
def test_health(played: Histories) -> None:
    @drawn
    @given(histories("move", "late", "part", "rule", "profile"))
    def play(history: History) -> None:
        played.compare(history, Plant.with_rules, Plant.with_formulas, Plant.with_profiles)

    play()
    assert played.seen["points"]


@pytest.mark.timeout(0 if IS_MANY else 3_600)
def test_suppression(played: Histories) -> None:
    @drawn
    @given(histories("move", "place", "part", "shelf", "window", "shelf", "window"))
    def play(history: History) -> None:
        played.compare(history, Plant.with_rules)

    play()
    assert played.seen["events"]
