"""The layout of the demo plant: two buildings, their systems, devices, people and their work. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graph.kinds import EntityKind

# What a metric does, for the simulator: mean, daily swing, noise.
Signal = tuple[float, float, float]

TEMPERATURE: Final = {"type": "NUMBER", "unit": "Cel"}
TYPES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "Boiler probe": {
        "supply_temperature": TEMPERATURE,
        "return_temperature": TEMPERATURE,
        "firing": {"type": "BOOLEAN"},
    },
    "Gas meter": {"gas_flow": {"type": "NUMBER", "unit": "m3/h"}},
    "Vibration sensor": {"vibration": {"type": "NUMBER", "unit": "mm/s"}},
    "Power meter": {"power": {"type": "NUMBER", "unit": "kW"}},
    "Fan controller": {"speed": {"type": "NUMBER", "unit": "%"}, "pressure_drop": {"type": "NUMBER", "unit": "Pa"}},
    "Duct sensor": {"air_temperature": TEMPERATURE, "air_flow": {"type": "NUMBER", "unit": "m3/h"}},
    "VAV sensor": {"t": TEMPERATURE, "f": {"type": "NUMBER", "unit": "m3/h"}},
    "Room sensor": {
        "temperature": TEMPERATURE,
        "humidity": {"type": "NUMBER", "unit": "%"},
        "co2": {"type": "NUMBER", "unit": "[ppm]"},
    },
    "Presence sensor": {"presence": {"type": "BOOLEAN"}},
    "Weather station": {"outdoor_temperature": TEMPERATURE},
}


@dataclass(frozen=True, slots=True)
class AssetSpec:
    """One entity of the demo, by its external id. signals: what a device measures, by port ('' for none)."""

    kind: EntityKind
    external_id: str
    name: str
    type: str
    signals: Mapping[str, Mapping[str, Signal]] = field(default_factory=dict)
    location: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """One edge of the demo. ended_h: it ended so many hours ago; began_h: it began then; None: long ago, still true."""

    source: str
    relationship: str
    target: str
    port: int | None = None
    mapping: Mapping[str, str] | None = None
    began_h: float | None = None
    ended_h: float | None = None


def plant() -> tuple[list[AssetSpec], list[LinkSpec]]:
    """Return the demo plant."""
    asset_specs: list[AssetSpec] = []
    link_specs: list[LinkSpec] = []
    for part in _parts():
        (asset_specs if isinstance(part, AssetSpec) else link_specs).append(part)  # type: ignore[arg-type]
    return asset_specs, link_specs


def _parts() -> Iterator[AssetSpec | LinkSpec]:
    yield AssetSpec(EntityKind.SPACE, "site", "Demo works", "Site", location=_square(8.5400, 47.3700, 0.004))
    for letter, name, west in (("a", "Factory hall", 8.5402), ("b", "Office building", 8.5422)):
        yield from _building(letter, name, west)
    yield AssetSpec(EntityKind.ASSET, "chiller", "Chiller", "Chiller")
    yield LinkSpec("chiller", "LOCATED_IN", "building-a")
    for external_id, name, target, signal in (
        ("chiller-power", "Power of the chiller", "chiller", (48.0, 20.0, 1.5)),
        ("site-power", "Power of the site", "site", (310.0, 90.0, 4.0)),
    ):
        yield AssetSpec(EntityKind.DEVICE, external_id, name, "Power meter", {"": {"power": signal}})
        yield LinkSpec(target, "MONITORED_BY", external_id)
    yield from _people()


def _building(letter: str, name: str, west: float) -> Iterator[AssetSpec | LinkSpec]:
    here = f"building-{letter}"
    yield AssetSpec(EntityKind.SPACE, here, name, "Building", location=_square(west, 47.3702, 0.0012))
    yield LinkSpec("site", "CONTAINS", here)
    for floor in (1, 2):
        level = f"{here}-floor-{floor}"
        yield AssetSpec(EntityKind.SPACE, level, f"{name}, floor {floor}", "Floor")
        yield LinkSpec(here, "CONTAINS", level)
        for number in (1, 2, 3):
            title = f"Room {letter.upper()}{floor}0{number}"
            yield from _room(level, f"{here}-room-{floor}0{number}", title, west, number)
    yield from _heating(letter, here)
    for number in (1, 2):
        yield from _ventilation(letter, here, number)
    station = f"weather-{letter}"
    yield AssetSpec(EntityKind.DEVICE, station, f"Weather station {letter.upper()}", "Weather station",
                {"": {"outdoor_temperature": (9.0, 6.0, 0.2)}})  # fmt: skip
    yield LinkSpec(here, "MONITORED_BY", station)


def _room(level: str, room: str, name: str, west: float, number: int) -> Iterator[AssetSpec | LinkSpec]:
    yield AssetSpec(EntityKind.SPACE, room, name, "Room", location=_square(west + number * 0.0003, 47.3704, 0.0002))
    yield LinkSpec(level, "CONTAINS", room)
    climate, presence = f"{room}-climate", f"{room}-presence"
    yield AssetSpec(EntityKind.DEVICE, climate, f"{name} climate", "Room sensor",
                {"": {"temperature": (21.5, 1.5, 0.1), "humidity": (45.0, 8.0, 0.5),
                      "co2": (650.0, 220.0, 9.0)}})  # fmt: skip
    yield AssetSpec(
        EntityKind.DEVICE, presence, f"{name} presence", "Presence sensor", {"": {"presence": (0.5, 0.6, 0.2)}}
    )
    yield LinkSpec(room, "MONITORED_BY", climate)
    yield LinkSpec(room, "MONITORED_BY", presence)


def _heating(letter: str, here: str) -> Iterator[AssetSpec | LinkSpec]:
    system = f"heating-{letter}"
    yield AssetSpec(EntityKind.ASSET, system, f"Heating system {letter.upper()}", "Hot water system")
    yield LinkSpec(system, "LOCATED_IN", here)
    for number in (1, 2):
        boiler, pump = f"boiler-{letter}{number}", f"pump-{letter}{number}"
        yield AssetSpec(EntityKind.ASSET, boiler, f"Boiler {letter.upper()}{number}", "Boiler")
        yield AssetSpec(EntityKind.ASSET, pump, f"Pump {letter.upper()}{number}", "Pump")
        yield LinkSpec(system, "HAS_PART", boiler)
        yield LinkSpec(system, "HAS_PART", pump)
        yield LinkSpec(boiler, "FEEDS", pump)
        boiler_signals: Mapping[str, Signal] = {
            "supply_temperature": (68.0, 5.0, 0.4), "return_temperature": (52.0, 4.0, 0.4), "firing": (0.6, 0.5, 0.2),
        }  # fmt: skip
        name = f"{letter.upper()}{number}"
        yield AssetSpec(EntityKind.DEVICE, f"{boiler}-probe", f"Probe of boiler {name}", "Boiler probe",
                        {"": boiler_signals})  # fmt: skip
        if (letter, number) == ("a", 1):
            # The probe was changed this morning: the boiler's history goes on over the change.
            yield AssetSpec(EntityKind.DEVICE, f"{boiler}-probe-old", "Former probe of boiler A1", "Boiler probe",
                        {"": boiler_signals})  # fmt: skip
            yield LinkSpec(boiler, "MONITORED_BY", f"{boiler}-probe-old", ended_h=3)
            yield LinkSpec(boiler, "MONITORED_BY", f"{boiler}-probe", began_h=3)
        else:
            yield LinkSpec(boiler, "MONITORED_BY", f"{boiler}-probe")
        # Pump A2 wears: see its work order.
        vibration = (4.8 if pump == "pump-a2" else 2.1, 0.4, 0.15)
        for external_id, label, type_, asset, signals in (
            (f"{boiler}-gas", "Gas meter of boiler", "Gas meter", boiler, {"gas_flow": (14.0, 5.0, 0.3)}),
            (f"{pump}-vibration", "Vibration of pump", "Vibration sensor", pump, {"vibration": vibration}),
            (f"{pump}-power", "Power of pump", "Power meter", pump, {"power": (3.2, 0.8, 0.05)}),
        ):
            yield AssetSpec(EntityKind.DEVICE, external_id, f"{label} {letter.upper()}{number}", type_, {"": signals})
            yield LinkSpec(asset, "MONITORED_BY", external_id)


def _ventilation(letter: str, here: str, number: int) -> Iterator[AssetSpec | LinkSpec]:
    ahu, title = f"ahu-{letter}{number}", f"{letter.upper()}{number}"
    yield AssetSpec(EntityKind.ASSET, ahu, f"Air handler {title}", "AHU")
    yield LinkSpec(ahu, "LOCATED_IN", here)
    for part, name, type_ in (("supply-fan", "Supply fan", "Fan"), ("exhaust-fan", "Exhaust fan", "Fan"),
                              ("filter", "Filter", "Filter"), ("coil", "Heating coil", "Coil")):  # fmt: skip
        yield AssetSpec(EntityKind.ASSET, f"{ahu}-{part}", f"{name} {title}", type_)
        yield LinkSpec(ahu, "HAS_PART", f"{ahu}-{part}")
    # One controller, a port for each thing it watches.
    controller = f"{ahu}-controller"
    yield AssetSpec(EntityKind.DEVICE, controller, f"Controller of air handler {title}", "Fan controller", {
        "1": {"speed": (70.0, 15.0, 1.0)},
        "2": {"speed": (64.0, 14.0, 1.0)},
        "3": {"pressure_drop": (120.0, 20.0, 2.0)},
    })  # fmt: skip
    for port, part in ((1, "supply-fan"), (2, "exhaust-fan"), (3, "filter")):
        yield LinkSpec(f"{ahu}-{part}", "MONITORED_BY", controller, port=port)
    yield LinkSpec(f"{ahu}-supply-fan", "CONTROLLED_BY", controller, port=1)
    duct = f"{ahu}-duct"
    yield AssetSpec(EntityKind.DEVICE, duct, f"Duct sensor {title}", "Duct sensor",
                {"": {"air_temperature": (19.0, 2.0, 0.15), "air_flow": (5200.0, 900.0, 60.0)}})  # fmt: skip
    yield LinkSpec(ahu, "MONITORED_BY", duct)
    for vav in (1, 2):
        box = f"vav-{letter}{number}{vav}"
        yield AssetSpec(EntityKind.ASSET, box, f"VAV box {title}-{vav}", "VAV")
        yield LinkSpec(ahu, "FEEDS", box)
        yield LinkSpec(box, "FEEDS", f"{here}-room-{number}0{vav}")
        yield AssetSpec(EntityKind.DEVICE, f"{box}-sensor", f"Sensor of VAV box {title}-{vav}", "VAV sensor",
                    {"": {"t": (18.5, 1.5, 0.1), "f": (850.0, 180.0, 12.0)}})  # fmt: skip
        yield LinkSpec(box, "MONITORED_BY", f"{box}-sensor", mapping={"t": "air_temperature", "f": "air_flow"})


def _people() -> Iterator[AssetSpec | LinkSpec]:
    for external_id, name in (("p-keller", "Anna Keller"), ("p-rossi", "Marco Rossi"), ("p-okafor", "Ngozi Okafor")):
        email = f"{name.split()[0].lower()}@demo.example"
        yield AssetSpec(EntityKind.PERSON, external_id, name, "Technician", details={"email": email})
        yield LinkSpec(external_id, "LOCATED_IN", "building-a")
    for external_id, name, priority, person, target in (
        ("work-1", "Change the filter of air handler A1", "medium", "p-keller", "ahu-a1-filter"),
        ("work-2", "Inspect pump A2: vibration rises", "high", "p-rossi", "pump-a2"),
        ("work-3", "Yearly service of boiler B1", "low", "p-okafor", "boiler-b1"),
        ("work-4", "Calibrate the sensor of room B201", "low", "p-keller", "building-b-room-201-climate"),
    ):
        details = {
            "priority": priority,
            "category": "maintenance",
            "checklist": [{"text": "Lock out"}, {"text": "Do it"}],
        }
        yield AssetSpec(EntityKind.ACTIVITY, external_id, name, "Work order", details=details)
        yield LinkSpec(external_id, "ASSIGNED_TO", person)
        yield LinkSpec(external_id, "TARGETS", target)


def _square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = round(west + side, 6), round(south + side, 6)
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }
