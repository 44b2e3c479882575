"""Validate telemetry schemas. Pure.

{"metrics": {name: {"type": "NUMBER" | "BOOLEAN" | "TEXT", "unit": UCUM code, "sentUnit": UCUM code, "min": number,
"max": number, "required": boolean, "rename": name}}, "unknown": "keep" | "refuse" | "drop", "derived": see
`domain/derivation/formulas/formulas.py`}; every member may be left out. `domain.telemetry.model.schemas` applies what
devices send.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from domain.base.metrics import METRICS_MAX, NAME_CHARS_MAX
from domain.base.units import UnitError, unit_check, unit_conversion
from domain.derivation.formulas.formulas import MEMBER, derived_check
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import json_object_check, text_check
from graph.texts import json_nfc

UNIT_MAX_CHARS: Final = 64
SCHEMA_MAX_BYTES: Final = 262_144
TYPES: Final = ("NUMBER", "BOOLEAN", "TEXT")
UNKNOWN: Final = ("keep", "refuse", "drop")
_MEMBERS: Final = ("metrics", "unknown", MEMBER)
_METRIC_MEMBERS: Final = ("type", "unit", "sentUnit", "min", "max", "required", "rename")

Path = tuple[str, ...]


def telemetry_schema_check(value: Any, *, path: Path = ("telemetrySchema",)) -> dict[str, Any]:
    """Return the schema if it is one.

    Raises BadInputError at the place at fault: an unknown member, a wrong type, no UCUM code, a sentUnit that
    cannot be converted to the unit, min above max, two metrics under one name; LimitExceededError above METRICS_MAX
    metrics or SCHEMA_MAX_BYTES.
    """
    schema: dict[str, Any] = json_nfc(json_object_check(value, path=path, max_bytes=SCHEMA_MAX_BYTES))
    _members_check(schema, _MEMBERS, path)
    if "unknown" in schema:
        _choice_check(schema["unknown"], UNKNOWN, (*path, "unknown"))
    if MEMBER in schema:
        derived_check(schema[MEMBER], path=(*path, MEMBER))
    metrics, place = schema.get("metrics", {}), (*path, "metrics")
    if not isinstance(metrics, Mapping):
        raise BadInputError("metrics must be an object {name: {type, unit, ...}}.", path=place)
    if len(metrics) > METRICS_MAX:
        raise LimitExceededError(f"A schema may have {METRICS_MAX} metrics; it has {len(metrics)}.", path=place)
    for name, metric in metrics.items():
        text_check(name, path=(*place, name), min_chars=1, max_chars=NAME_CHARS_MAX)
        _metric_check(metric, (*place, name))
    _names_check(metrics, place)
    return schema


def _metric_check(metric: Any, path: Path) -> None:
    if not isinstance(metric, Mapping):
        raise BadInputError("A metric is described by an object {type, unit, ...}.", path=path)
    _members_check(metric, _METRIC_MEMBERS, path)
    if "type" in metric:
        _choice_check(metric["type"], TYPES, (*path, "type"))
    _units_check(metric, path)
    if "rename" in metric:
        text_check(metric["rename"], path=(*path, "rename"), min_chars=1, max_chars=NAME_CHARS_MAX)
    if not isinstance(metric.get("required", False), bool):
        raise BadInputError("required is true or false.", path=(*path, "required"))
    _range_check(metric, path)


def _units_check(metric: Mapping[str, Any], path: Path) -> None:
    for member in ("unit", "sentUnit"):
        if member not in metric:
            continue
        text_check(metric[member], path=(*path, member), max_chars=UNIT_MAX_CHARS)
        try:
            unit_check(metric[member])
        except UnitError as error:
            raise BadInputError(str(error), path=(*path, member)) from None
    if "sentUnit" not in metric:
        return
    if metric.get("type", "NUMBER") != "NUMBER":
        raise BadInputError("Only a NUMBER is converted.", path=(*path, "sentUnit"))
    if "unit" not in metric:
        raise BadInputError("There is no unit that values in this one become values of.", path=(*path, "sentUnit"))
    try:
        unit_conversion(metric["sentUnit"], metric["unit"])
    except UnitError as error:
        raise BadInputError(str(error), path=(*path, "sentUnit")) from None


def _range_check(metric: Mapping[str, Any], path: Path) -> None:
    for end in ("min", "max"):
        if end not in metric:
            continue
        if metric.get("type", "NUMBER") != "NUMBER":
            raise BadInputError(f"Only a NUMBER has a {end}.", path=(*path, end))
        if isinstance(metric[end], bool) or not isinstance(metric[end], (int, float)):
            raise BadInputError(f"{end} must be a number.", path=(*path, end))
    if metric.get("min", -math.inf) > metric.get("max", math.inf):
        raise BadInputError("min must not be above max.", path=(*path, "min"))


def _names_check(metrics: Mapping[str, Any], path: Path) -> None:
    """Refuse two metrics that would be stored under one name."""
    by_name: dict[str, str] = {}
    for name, metric in metrics.items():
        stored = metric.get("rename", name)
        if stored in by_name:
            message = f"{by_name[stored]!r} and {name!r} would both be stored as {stored!r}."
            raise BadInputError(message, path=(*path, name, "rename") if "rename" in metric else (*path, name))
        by_name[stored] = name


def _members_check(value: Mapping[str, Any], known: tuple[str, ...], path: Path) -> None:
    for name in value:
        if name not in known:
            raise BadInputError(f"There is no {name!r} here, only {', '.join(known)}.", path=(*path, name))


def _choice_check(value: Any, choices: tuple[str, ...], path: Path) -> None:
    if value not in choices:
        raise BadInputError(f"This must be one of {', '.join(choices)}.", path=path)
