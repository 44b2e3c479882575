"""Facets: exact counts, ties, bounds, and what the caller may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.configuration.profiles.operations import asset_profile_set, profile_create
from domain.nodes.facets import Facet, FacetBy, facets_read
from domain.nodes.filters.model import ListFilter
from domain.nodes.operations import entity_delete
from domain.plant.assets.operations import asset_create
from domain.plant.devices.model import Connectivity
from domain.plant.devices.operations import device_create
from graph.entities.model import EntityDraft
from graph.kinds import EntityKind
from graph.walk.scopes import scope_bind
from testing.faults import fault_of
from testing.world import EPOCH, World, new_id

NOW = EPOCH + timedelta(days=1)
AFTER = timedelta(minutes=15)
Values = dict[str | None, int]


def facets(
    world: World, *by: FacetBy, where: ListFilter | None = None, first: int = 20, under: Sequence[UUID] | None = None
) -> list[Facet]:
    with world.session() as session:
        if under is not None:
            scope_bind(session, organization_id=world.organization_id, under=under)
        return facets_read(
            session,
            organization_id=world.organization_id,
            where=where or ListFilter(),
            by=by,
            first=first,
            now=NOW,
            offline_after=AFTER,
        )


def counts(world: World, by: FacetBy, **arguments: Any) -> list[tuple[str | None, int]]:
    [facet] = facets(world, by, **arguments)
    return [(item.value, item.count) for item in facet.values]


def device(world: World, name: str, type_: str | None = None, status: str | None = None) -> UUID:
    with world.changing() as (session, change):
        draft = EntityDraft(name=name, type=type_, status=status)
        return device_create(session, change=change, draft=draft, firmware_version=None).id


def asset(world: World, name: str) -> UUID:
    with world.changing() as (session, change):
        return asset_create(session, change=change, draft=EntityDraft(name=name)).id


def as_owner(engine: Callable[[str], Engine], world: World, statement: str, **values: Any) -> None:
    with engine("owner").begin() as connection:
        connection.execute(text(statement), {"o": world.organization_id, **values})


def test_every_facet_counts_all_entities_most_first(world: World, other: World) -> None:
    for number in range(3):
        device(world, f"meter {number}", "Meter")
    device(world, "probe", "Probe", "spare")
    device(world, "bare")
    asset(world, "pump")
    device(other, "theirs", "Theirs")
    kind, type_, status = facets(world, FacetBy.KIND, FacetBy.TYPE, FacetBy.STATUS)
    assert [facet.by for facet in (kind, type_, status)] == [FacetBy.KIND, FacetBy.TYPE, FacetBy.STATUS]
    assert [(item.value, item.label, item.count) for item in kind.values] == [
        ("DEVICE", "DEVICE", 5),
        ("ASSET", "ASSET", 1),
    ]
    assert [(item.value, item.count) for item in type_.values] == [("Meter", 3), (None, 2), ("Probe", 1)]
    assert [(item.value, item.count) for item in status.values] == [("active", 5), ("spare", 1)]
    assert not any(facet.is_truncated for facet in (kind, type_, status))
    # In the order in which they are named, and by themselves as together.
    assert facets(world, FacetBy.STATUS, FacetBy.KIND, FacetBy.TYPE) == [status, kind, type_]
    assert [facets(world, by)[0] for by in (FacetBy.KIND, FacetBy.TYPE, FacetBy.STATUS)] == [kind, type_, status]
    assert counts(other, FacetBy.TYPE) == [("Theirs", 1)]
    assert facets(world) == []


def test_ties_are_in_the_order_of_values_and_the_rest_is_said(world: World) -> None:
    for name in ("b", "a", "c", "b", "d", "a"):
        device(world, name, name)
    device(world, "bare")
    assert counts(world, FacetBy.TYPE) == [("a", 2), ("b", 2), ("c", 1), ("d", 1), (None, 1)]
    for first, is_truncated in ((0, True), (1, True), (4, True), (5, False), (500, False)):
        [facet] = facets(world, FacetBy.TYPE, first=first)
        assert [item.value for item in facet.values] == ["a", "b", "c", "d", None][:first]
        assert facet.is_truncated is is_truncated


def test_the_filter_chooses_and_deleted_ones_count_only_where_it_says_so(world: World) -> None:
    first, second = device(world, "north meter", "Meter"), device(world, "south meter", "Meter", "spare")
    pump = asset(world, "pump")
    world.edge(pump, "MONITORED_BY", first)
    gone = device(world, "gone", "Meter")
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=gone)
    assert counts(world, FacetBy.TYPE) == [("Meter", 2), (None, 1)]
    assert counts(world, FacetBy.TYPE, where=ListFilter(is_deleted=True)) == [("Meter", 1)]
    for where, expected in (
        (ListFilter(kinds=[EntityKind.DEVICE]), [("DEVICE", 2)]),
        (ListFilter(kinds=[]), []),
        (ListFilter(types=["Meter"], statuses=["spare"]), [("DEVICE", 1)]),
        (ListFilter(search="NORTH"), [("DEVICE", 1)]),
        (ListFilter(under_id=pump), [("ASSET", 1), ("DEVICE", 1)]),
        (ListFilter(connectivity=Connectivity.NEVER_SEEN), [("DEVICE", 2)]),
        (ListFilter(connectivity=Connectivity.ONLINE), []),
    ):
        assert counts(world, FacetBy.KIND, where=where) == expected, where
    assert second
    # A facet by what the filter looks at, too.
    where = ListFilter(connectivity=Connectivity.NEVER_SEEN)
    assert counts(world, FacetBy.CONNECTIVITY, where=where) == [("NEVER_SEEN", 2)]


def test_connectivity_is_as_of_the_devices_themselves(world: World, engine: Callable[[str], Engine]) -> None:
    ages = (timedelta(0), AFTER, AFTER + timedelta(microseconds=1), timedelta(days=3))
    for number, age in enumerate(ages):
        as_owner(
            engine, world, "INSERT INTO device_presence (organization_id, device_id, last_seen_at) VALUES (:o, :d, :at)",
            d=device(world, f"heard {number}"), at=NOW - age,
        )  # fmt: skip
    device(world, "silent")
    asset(world, "pump")
    assert dict(counts(world, FacetBy.CONNECTIVITY)) == {"ONLINE": 2, "OFFLINE": 2, "NEVER_SEEN": 1, None: 1}
    where = ListFilter(connectivity=Connectivity.ONLINE)
    assert counts(world, FacetBy.CONNECTIVITY, where=where) == [("ONLINE", 2)]


def test_profiles_are_counted_by_id_with_their_names(world: World) -> None:
    pumps = [asset(world, f"pump {number}") for number in range(3)]
    fan = asset(world, "fan")
    with world.changing() as (session, change):
        pump_profile = profile_create(session, change=change, name="Pump").id
        fan_profile = profile_create(session, change=change, name="Fan").id
        for asset_id in pumps[:2]:
            asset_profile_set(session, change=change, asset_id=asset_id, profile_id=pump_profile)
        asset_profile_set(session, change=change, asset_id=fan, profile_id=fan_profile)
    device(world, "probe")
    profile, kind = facets(world, FacetBy.PROFILE, FacetBy.KIND)
    assert [(item.value, item.label, item.count) for item in profile.values] == [
        (str(pump_profile), "Pump", 2),
        (None, None, 2),
        (str(fan_profile), "Fan", 1),
    ]
    assert [(item.value, item.label) for item in kind.values] == [("ASSET", "ASSET"), ("DEVICE", "DEVICE")]


def event_insert(
    engine: Callable[[str], Engine], world: World, entity_id: UUID, severity: str, *, ended: str = ""
) -> UUID:
    event_id, rule_id = new_id(), new_id()
    as_owner(
        engine, world, "INSERT INTO rules (organization_id, id, name, created_at, updated_at)"
        " VALUES (:o, :id, 'hot', now(), now())", id=rule_id,
    )  # fmt: skip
    as_owner(
        engine, world,
        """INSERT INTO events (organization_id, id, rule_id, entity_id, key, version_id, began_at, opened_at, severity,
             value, flaps, detected_at, cleared_at, cleared_reason, withdrawn_at)
           VALUES (:o, :id, :rule, :entity, '', :id, '2020-01-01Z', '2020-01-01Z', :severity, 1, 0, now(),
             CASE WHEN :ended = 'cleared' THEN now() END, CASE WHEN :ended = 'cleared' THEN 'CONDITION' END,
             CASE WHEN :ended = 'withdrawn' THEN now() END)""",
        id=event_id, rule=rule_id, entity=entity_id, severity=severity, ended=ended,
    )  # fmt: skip
    return event_id


def annotate(engine: Callable[[str], Engine], world: World, event_id: UUID, kind: str) -> None:
    as_owner(
        engine, world, "INSERT INTO event_annotations (organization_id, id, event_id, kind, at, actor)"
        " VALUES (:o, :id, :event, :kind, now(), 'ann')", id=new_id(), event=event_id, kind=kind,
    )  # fmt: skip


def test_an_entity_counts_by_its_worst_open_event(world: World, other: World, engine: Callable[[str], Engine]) -> None:
    hot, warm, well, dismissed = (asset(world, name) for name in ("hot", "warm", "well", "dismissed"))
    for severity in ("LOW", "CRITICAL", "MEDIUM"):
        event_insert(engine, world, hot, severity)
    annotate(engine, world, event_insert(engine, world, warm, "MEDIUM"), "ACKNOWLEDGED")
    event_insert(engine, world, warm, "HIGH", ended="cleared")
    event_insert(engine, world, well, "HIGH", ended="withdrawn")
    annotate(engine, world, event_insert(engine, world, dismissed, "HIGH"), "DISMISSED")
    event_insert(engine, other, asset(other, "theirs"), "LOW")
    assert counts(world, FacetBy.OPEN_SEVERITY) == [(None, 2), ("CRITICAL", 1), ("MEDIUM", 1)]
    assert counts(other, FacetBy.OPEN_SEVERITY) == [("LOW", 1)]


def test_a_confined_caller_counts_what_it_sees(world: World, engine: Callable[[str], Engine]) -> None:
    ours, theirs = asset(world, "ours"), asset(world, "theirs")
    for asset_id, name in ((ours, "Meter"), (theirs, "Probe")):
        device_id = device(world, name, name)
        world.edge(asset_id, "MONITORED_BY", device_id)
        event_insert(engine, world, asset_id, "HIGH")
    by = list(FacetBy)
    values: dict[FacetBy, Values] = {
        facet.by: {item.value: item.count for item in facet.values} for facet in facets(world, *by, under=[ours])
    }
    assert values == {
        FacetBy.KIND: {"ASSET": 1, "DEVICE": 1},
        FacetBy.TYPE: {"Meter": 1, None: 1},
        FacetBy.STATUS: {"active": 2},
        FacetBy.CONNECTIVITY: {"NEVER_SEEN": 1, None: 1},
        FacetBy.PROFILE: {None: 2},
        FacetBy.OPEN_SEVERITY: {"HIGH": 1, None: 1},
    }
    assert facets(world, *by, under=[])[0].values == []
    where = ListFilter(under_id=theirs)
    assert fault_of(lambda: facets(world, *by, where=where, under=[ours])) == ("NOT_FOUND", ("filter", "underId"))


@pytest.mark.parametrize(
    ("by", "first", "path"),
    [
        ([FacetBy.KIND, FacetBy.KIND], 20, ("by",)),
        ([FacetBy.KIND], 501, ("first",)),
        ([FacetBy.KIND], -1, ("first",)),
    ],
)
def test_what_is_beyond_a_bound_is_refused(world: World, by: list[FacetBy], first: int, path: tuple[str, ...]) -> None:
    assert fault_of(lambda: facets(world, *by, first=first)) == ("BAD_USER_INPUT", path)


def test_all_facets_are_one_statement(world: World, statements: Any) -> None:
    device(world, "probe")
    with statements(world.api) as seen:
        facets(world, *FacetBy)
    assert len([statement for statement in seen if "set_config" not in statement]) == 1
