"""Models of real and of made-up buildings, counted twice: by the import, and with rdflib's paths and a table of classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial, reduce
from itertools import takewhile
from operator import or_
from pathlib import Path
from typing import Any

import pytest
from rdflib import RDF, RDFS, Graph, URIRef

from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.brick import Model, brick_read
from testing.installation import PROJECT, SHARED_DATA
from testing.world import EPOCH, World
from tests.domain.exchange.imports.brick_models import laboratory, metered, office

PLACES = """
    Building Floor Room Laboratory HVAC_Zone Roof Site
""".split()
EQUIPMENT = """
    AHU VAV Supply_Fan Exhaust_Fan Unknown Heating_Coil Hot_Water_Loop Hot_Water_System Weather_Station Controller Pump
    Condensing_Natural_Gas_Boiler Electrical_Meter Building_Electrical_Meter Electrical_Panel Equipment
    Electric_Vehicle_Charging_Station Electric_Vehicle_Charging_Port
""".split()
PLANTS = {"AHU", "Hot_Water_System"}
STATED = {
    "hasPoint": "isPointOf", "hasPart": "isPartOf", "feeds": "isFedBy", "meters": "isMeteredBy",
    "hasSubMeter": "isSubMeterOf", "controls": "isControlledBy", "adjacentTo": "adjacentTo",
}  # fmt: skip
LOCATED = {"isLocationOf": "hasLocation", "isSiteOf": "hasSite"}


def shared(*parts: str) -> str:
    path = SHARED_DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"there is no data at {SHARED_DATA}")
    return path.read_text(encoding="utf-8")


MODELS: dict[str, Callable[[], str]] = {
    "soda": partial(shared, "brick", "soda_brick.ttl"),
    "rice": partial(shared, "brick", "rice_brick.ttl"),
    "building 53": partial(shared, "hhw", "models", "building_53_condensing_x.ttl"),
    "building 55": partial(shared, "hhw", "models", "building_55_condensing_bf.ttl"),
    "office": office,
    "metered": metered,
    "laboratory": laboratory,
}


def last_part(uri: Any) -> str:
    return Path(str(uri).replace("#", "/")).name


class Counted:
    """A model as rdflib has it, in which every class is a place's or equipment's by the table above, or a point's."""

    def __init__(self, text: str) -> None:
        self.graph = Graph().parse(data=text, format="turtle")
        classes: dict[Any, set[str]] = {}
        declared = set(self.graph.subjects(RDFS.subClassOf))
        for thing, class_ in self.graph.subject_objects(RDF.type):
            if isinstance(thing, URIRef) and thing not in declared and "owl#" not in str(class_):
                classes.setdefault(thing, set()).add(last_part(class_))
        self.classes = {thing: names - {"NamedIndividual"} for thing, names in classes.items()}
        self.classes = {thing: names for thing, names in self.classes.items() if names}
        # What rice and soda have without a class feeds, or is the place of something.
        for thing in {*self.pairs_any("feeds"), *self.pairs_any("isLocationOf")} - set(self.classes):
            self.classes[thing] = {"Unknown"}

    def kind(self, thing: Any) -> str | None:
        names = self.classes.get(thing)
        if names is None:
            return None
        return "SPACE" if names & set(PLACES) else "ASSET" if names & set(EQUIPMENT) else "DEVICE"

    def predicates(self, *names: str) -> Iterator[URIRef]:
        for predicate in {item for item in self.graph.predicates() if last_part(item) in names}:
            yield URIRef(str(predicate))

    def path(self, *relations: str) -> Any:
        inverses = {**STATED, **LOCATED}
        forward = [predicate for name in relations for predicate in self.predicates(name)]
        backward = [~predicate for name in relations for predicate in self.predicates(inverses[name])]
        return reduce(or_, [*forward, *backward], URIRef("urn:none"))

    def pairs(self, *relations: str) -> set[tuple[Any, Any]]:
        return {(source, target) for source, target in self.graph.subject_objects(self.path(*relations))}

    def pairs_any(self, relation: str) -> set[Any]:
        return {source for source, target in self.pairs(relation) if isinstance(source, URIRef) and target != source}

    def entities(self) -> Counter[str]:
        return Counter(str(self.kind(thing)) for thing in self.classes)

    def edges(self) -> Counter[str]:
        def count(of: set[tuple[Any, Any]], sources: str, targets: str) -> int:
            return len(
                {
                    (source, target)
                    for source, target in of
                    if str(self.kind(source)) in sources.split() and str(self.kind(target)) in targets.split()
                }
            )

        parts, located = self.pairs("hasPart"), self.pairs("isLocationOf", "isSiteOf")
        counts = {
            "MONITORED_BY": count(self.pairs("hasPoint") | parts, "ASSET SPACE", "DEVICE"),
            "HAS_PART": count(parts, "ASSET", "ASSET"),
            "CONTAINS": count(parts | located, "SPACE", "SPACE"),
            "LOCATED_IN": count(located | parts, "SPACE", "ASSET")
            + count(located, "SPACE", "DEVICE")
            + count(located, "ASSET", "ASSET DEVICE"),
            "FEEDS": count(self.pairs("feeds"), "ASSET", "ASSET SPACE"),
            "METERED_BY": count(self.pairs("meters"), "ASSET", "ASSET SPACE"),
            "HAS_SUBMETER": count(self.pairs("hasSubMeter"), "ASSET", "ASSET"),
            "CONTROLLED_BY": count(self.pairs("controls"), "DEVICE", "ASSET SPACE"),
            "HAS_CONTROLLER": count(self.pairs("controls"), "ASSET", "ASSET SPACE DEVICE"),
            "ADJACENT_TO": len({frozenset(pair) for pair in self.pairs("adjacentTo")}),
        }
        return Counter({name: number for name, number in counts.items() if number})

    def points(self) -> dict[str, int]:
        down, has_point = self.path("feeds", "hasPart"), self.path("hasPoint", "hasPart")
        return {
            last_part(plant): len(
                {point for point in self.graph.objects(plant, down * "*" / has_point) if self.kind(point) == "DEVICE"}
            )
            for plant, names in self.classes.items()
            if names & PLANTS
        }


def imported_points(model: Model) -> dict[str, int]:
    """Return how many points each air handler or plant has, with all that lies downstream of it."""
    down: dict[str, set[str]] = {}
    points: dict[str, set[str]] = {}
    for edge in model.edges:
        edges = points if edge.relationship == "MONITORED_BY" else down
        if edge.relationship in {"MONITORED_BY", "FEEDS", "HAS_PART", "CONTAINS"}:
            edges.setdefault(edge.source.label, set()).add(edge.target.label)
    counts = {}
    for plant, record in model.entities.items():
        if record.type in PLANTS:
            reached, waiting = {plant}, [plant]
            while waiting:
                following = down.get(waiting.pop(), set()) - reached
                reached |= following
                waiting.extend(following)
            counts[last_part(plant)] = len({point for thing in reached for point in points.get(thing, ())})
    return counts


@pytest.mark.parametrize("name", MODELS)
def test_the_import_counts_as_rdflib_does(name: str) -> None:
    text = MODELS[name]()
    model, counted = brick_read(text), Counted(text)
    assert Counter(record.kind.value for record in model.entities.values()) == counted.entities()
    assert Counter(edge.relationship for edge in model.edges) == counted.edges()
    assert imported_points(model) == counted.points()
    assert model.not_understood == {}


def documented(head: str) -> dict[str, dict[str, str]]:
    """Return the rows of a table of the page by their first cell, each by column. head: the first cell of its head."""
    lines = (PROJECT / "docs" / "reference" / "brick-models.md").read_text(encoding="utf-8").splitlines()
    [start] = [number for number, line in enumerate(lines) if line.startswith(f"| {head} |")]
    table = list(takewhile(lambda line: line.startswith("|"), lines[start:]))
    columns, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table]
    return {row[0].partition(" (")[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in rows}


def test_the_document_names_every_model() -> None:
    assert [*documented("imported")] == [*documented("points")] == [*MODELS]


@pytest.mark.parametrize("name", MODELS)
def test_the_document_counts_as_rdflib_does(name: str) -> None:
    text = MODELS[name]()
    model, counted = brick_read(text), Counted(text)
    row = documented("imported")[name]
    others = [item.split() for item in row.pop("others").split(", ") if item]
    numbers = {column: int(cell) for column, cell in row.items()} | {column: int(cell) for cell, column in others}
    entities = {kind.lower(): number for kind, number in counted.entities().items()}
    assert {column: number for column, number in numbers.items() if number} == entities | counted.edges()
    points = {
        column: dict(item.rsplit(" ", 1) for item in cell.split(", "))
        for column, cell in documented("points")[name].items()
    }
    assert points == {
        "imported": {plant: str(number) for plant, number in imported_points(model).items()},
        "rdflib": {plant: str(number) for plant, number in counted.points().items()},
    }


def test_the_office_and_the_laboratory_are_as_they_were_drawn() -> None:
    model = brick_read(office())
    assert Counter(record.kind.value for record in model.entities.values()) == {"SPACE": 42, "ASSET": 43, "DEVICE": 82}
    assert imported_points(model) == {"ahu0": 41, "ahu1": 41}
    # Each room by its sensor and by its box, and the building by an air handler.
    assert len(model.remarks) == 81
    assert imported_points(brick_read(metered())) == {"ahu": 0}
    lab = brick_read(laboratory())
    assert imported_points(lab) == {"ahu1": 3, "ahu2": 5}
    assert [remark.subject.removeprefix("urn:x#") for remark in lab.remarks if "dangling" in remark.message] == [
        "gone",
        "annex",
    ]
    assert [remark.subject.removeprefix("urn:x#") for remark in lab.remarks if "several kinds" in remark.message] == [
        "office"
    ]


@pytest.mark.parametrize("name", MODELS)
def test_all_that_is_read_is_brought(world: World, name: str) -> None:
    """Shared sensors, circles and several owners: nothing of these models is refused, and again nothing is written."""
    model = brick_read(MODELS[name]())

    def run(work: Callable[..., Any]) -> Any:
        with world.changing() as (session, change):
            return work(session, change)

    outcome = records_apply(model.records(), run=run, valid_from=EPOCH)
    assert (outcome.refused, outcome.edges_created) == ([], len(model.edges))
    assert records_apply(model.records(), run=run, valid_from=EPOCH).written == 0
