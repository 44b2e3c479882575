"""What watches the demo plant: rules, and profiles by which assets have a health. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.rules.model import Scope, Severity, Step
from domain.rules.operations import RuleDraft

_MINUTE_US: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class ProfileSpec:
    """One profile of the demo, of all assets of a type. thresholds, health: as in the API."""

    type: str
    thresholds: Mapping[str, Any]
    health: Mapping[str, Any]


RULES: Final = (
    # Of one pump, whose inspection is under way.
    RuleDraft(
        name="Pump vibrates",
        condition={
            "threshold": {
                "metric": "vibration",
                "operator": "GT",
                "value": 4.0,
                "clearValue": 3.5,
                "forUs": 10 * _MINUTE_US,
            }
        },
        scope=Scope(kind="ASSET", type="Pump"),
        severity=Severity.HIGH,
    ),
    # For some three hours around noon.
    RuleDraft(
        name="Boiler supply too hot",
        condition={
            "threshold": {
                "metric": "supply_temperature",
                "operator": "GT",
                "value": 72.6,
                "clearValue": 71.0,
                "forUs": 10 * _MINUTE_US,
            }
        },
        scope=Scope(kind="ASSET", type="Boiler"),
        severity=Severity.MEDIUM,
        escalation=(Step(120 * _MINUTE_US, Severity.HIGH),),
    ),
    RuleDraft(
        name="Air of a room is used up",
        condition={
            "threshold": {
                "metric": "co2",
                "operator": "GT",
                "value": 860,
                "clearValue": 800,
                "forUs": 10 * _MINUTE_US,
            }
        },
        scope=Scope(kind="SPACE", type="Room"),
        severity=Severity.LOW,
    ),
    # When the plant was not simulated for a while.
    RuleDraft(
        name="Weather station is silent",
        condition={"noData": {"metric": "outdoor_temperature", "afterUs": 30 * _MINUTE_US, "everHeard": False}},
        scope=Scope(kind="DEVICE", type="Weather station"),
        severity=Severity.MEDIUM,
    ),
)

PROFILES: Final = (
    ProfileSpec("Pump", {"vibration": {"warnHigh": 3.5, "critHigh": 7.0}}, {"freshness": "PT30M"}),
    ProfileSpec("Boiler", {"supply_temperature": {"warnHigh": 72.0, "critHigh": 80.0}}, {"freshness": "PT30M"}),
    # That of its boilers and pumps, the worst of them.
    ProfileSpec("Hot water system", {}, {"freshness": "PT30M", "children": {"weight": 60, "combine": "worst"}}),
)
