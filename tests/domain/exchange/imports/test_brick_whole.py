"""Two real buildings, whole: the entities below each air handler agree with counts computed independently from the same files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.brick import Model, brick_read
from domain.exchange.imports.outcome import Outcome
from graph.entities.queries import entities_by_external_id
from graph.kinds import EntityKind
from graph.walk.model import Step
from graph.walk.queries import traverse
from graph.walk.snapshot.cache import Snapshots
from testing.installation import PROJECT, SHARED_DATA
from testing.world import EPOCH, World

pytestmark = pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")

BUILDINGS = {"soda": "graphs/brick_v1x/soda_brick", "rice": "graphs/brick_groundtruth_2016/rice_brick"}
DOWN = ("FEEDS", "HAS_PART", "CONTAINS")


def expected_of(building: str) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((SHARED_DATA / "EXPECTED.json").read_text())[BUILDINGS[building]]
    return expected


def model_of(building: str) -> Model:
    return brick_read((SHARED_DATA / "brick" / f"{building}_brick.ttl").read_text())


def bring(world: World, model: Model) -> Outcome:
    def run(work: Callable[..., Any]) -> Any:
        with world.changing() as (session, change):
            return work(session, change)

    return records_apply(model.records(), run=run, valid_from=EPOCH)


@pytest.mark.parametrize("building", BUILDINGS)
def test_each_relation_is_counted_as_others_count_it(building: str) -> None:
    model, expected = model_of(building), expected_of(building)
    assert model.relations == expected["by_relation"]
    dangling = [(remark.subject.rpartition("#")[2], remark.message) for remark in model.remarks]
    assert len(dangling) == expected["dangling_edges"]
    for (subject, message), (source, _, target) in zip(
        sorted(dangling), sorted(expected["dangling_sample"], key=lambda row: row[2]), strict=True
    ):
        assert (subject, source in message, "dangling" in message) == (target, True, True)


def test_unclassified_subjects_get_their_kind_from_their_relations() -> None:
    """The others counted only what has a class: soda's `ahu` is the place of five fans, rice's AHU_5 to 8 feed."""
    soda, rice = model_of("soda"), model_of("rice")
    assert (soda.untyped, rice.untyped) == ({"isLocationOf": 5}, {"feeds": 4})
    types = Counter(record.type for record in soda.entities.values())
    assert len(soda.entities) == expected_of("soda")["entities"] + 1
    assert types["Unknown"] == 1
    assert {name: types[name] for name in expected_of("soda")["types"]} == expected_of("soda")["types"]
    # The others' rice is another edition: it has 751 things, 137 of them of a class that this file does not know.
    assert len(rice.entities) == 750 + 4
    assert expected_of("rice")["types"]["Room_Temperature_Sensor"] == 137
    assert "Room_Temperature_Sensor" not in {record.type for record in rice.entities.values()}
    # 54 things of rice are of the class Unknown by the file's own word.
    assert Counter(record.type for record in rice.entities.values())["Unknown"] == 54 + 4
    names = {name.rpartition("#")[2] for name, record in rice.entities.items() if record.type == "Unknown"}
    assert {"AHU_5", "AHU_6", "AHU_7", "AHU_8"} <= names


@pytest.mark.parametrize("building", BUILDINGS)
def test_the_document_counts_what_is_read(building: str) -> None:
    model = model_of(building)
    cells = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in (PROJECT / "docs" / "reference" / "brick-models.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    counted: dict[str, int] = {}
    for head, *rows in (cells[place:] for place, row in enumerate(cells) if row[0] in {"stated", "imported"}):
        [row] = [row for row in rows[:3] if row[0].split()[0] == building]
        counted |= {name: int(cell) for name, cell in zip(head, row, strict=True) if cell.isdigit() and cell != "0"}
    dangling = counted.pop("dangling", 0)
    assert dangling == sum("dangling" in remark.message for remark in model.remarks) == len(model.remarks)
    assert counted == {
        **model.relations,
        **Counter(record.kind.lower() for record in model.entities.values()),
        **Counter(edge.relationship for edge in model.edges),
    }


@pytest.mark.parametrize("building", BUILDINGS)
def test_entities_downstream_of_each_air_handler(world: World, building: str) -> None:
    model, expected = model_of(building), expected_of(building)
    outcome = bring(world, model)
    assert (outcome.created, outcome.edges_created) == (len(model.entities), len(model.edges))
    assert outcome.refused == []
    by_name = {name.rpartition("#")[2]: name for name in model.entities}
    for snapshots in (None, Snapshots()):
        for ahu in expected["ahus"]:
            with world.session(snapshots) as session:
                organization_id = world.organization_id
                [start] = entities_by_external_id(
                    session, organization_id=organization_id, kind=EntityKind.ASSET, external_ids=[by_name[ahu["ahu"]]]
                ).values()

                def count(*steps: Step, start_id: Any = start.id, session: Any = session) -> int:
                    counts = traverse(
                        session, organization_id=world.organization_id, start_ids=[start_id], steps=steps, limit=10_000
                    )
                    assert not counts.truncated
                    return len(counts.ids)

                counts = {
                    "downstream": count(Step(DOWN, depth=8)),
                    "rooms": count(Step(DOWN, depth=8, types=frozenset({"Room"}))),
                    "zones": count(Step(DOWN, depth=8, types=frozenset({"HVAC_Zone"}))),
                    "points": count(Step(DOWN, depth=8, include_start=True), Step(("MONITORED_BY",))),
                }
            assert counts == {name: ahu[name] for name in counts}, ahu["ahu"]
    if "sparql_rooms" in expected:
        assert {ahu["ahu"]: ahu["rooms"] for ahu in expected["ahus"]} == expected["sparql_rooms"]


@pytest.mark.parametrize("building", BUILDINGS)
def test_importing_twice_changes_nothing(world: World, building: str) -> None:
    model = model_of(building)
    bring(world, model)

    def traces() -> tuple[int, ...]:
        with world.session() as session:
            counted = session.execute(
                text("SELECT (SELECT count(*) FROM changes), (SELECT revision FROM graph_clocks)")
            ).one()
            return tuple(counted)

    before = traces()
    again = bring(world, model)
    assert (again.created, again.updated, again.edges_created, again.edges_updated) == (0, 0, 0, 0)
    assert (again.unchanged, again.edges_unchanged) == (len(model.entities), len(model.edges))
    assert traces() == before
