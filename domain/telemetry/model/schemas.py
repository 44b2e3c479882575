"""Compiled telemetry schemas: apply them to a reading's metrics. Pure.

What a schema may say is checked where it is defined: `domain.configuration.entity_types.schema`.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.base.units import IDENTITY, Conversion, UnitError, unit_conversion

WRONG_TYPE: Final = "WRONG_TYPE"
OUT_OF_RANGE: Final = "OUT_OF_RANGE"
UNKNOWN_METRIC: Final = "UNKNOWN_METRIC"
METRIC_MISSING: Final = "METRIC_MISSING"
NAME_TAKEN: Final = "NAME_TAKEN"
NOT_CONVERTIBLE: Final = "NOT_CONVERTIBLE"
NOTHING_KEPT: Final = "NOTHING_KEPT"

_KEEP, _REFUSE = "keep", "refuse"
_KINDS: Final[Mapping[type, str]] = {float: "NUMBER", int: "NUMBER", bool: "BOOLEAN", str: "TEXT"}


@dataclass(frozen=True, slots=True)
class MetricFault:
    """Why a metric cannot become a point. metric: as the device sent it, or should have."""

    metric: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class MetricRule:
    """The rule for one metric. name: under which it is stored.

    kind: NUMBER, BOOLEAN, TEXT, or None where any will do. classes: of its values in Python.
    conversion: None for none. low, high: in the registered unit. refusal: why nothing can become of it.
    """

    name: str
    kind: str | None
    classes: frozenset[type]
    is_number: bool
    conversion: Conversion | None
    low: float
    high: float
    unit: str | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class MetricSchema:
    """A compiled schema. rules: by the sent name. units, kinds (types): by the stored name.

    renamed: the sent name by the stored one, where they differ. is_plain: it changes and refuses nothing.
    """

    rules: Mapping[str, MetricRule]
    required: Sequence[str]
    unknown: str
    units: Mapping[str, str]
    kinds: Mapping[str, str]
    renamed: Mapping[str, str]
    is_plain: bool


@dataclass(frozen=True, slots=True)
class SchemaVersions:
    """The versions of a type's schema. begins: from when each is in force, in microseconds since the Unix epoch.

    Ascending; before the first one, none is in force.
    """

    begins: Sequence[int]
    schemas: Sequence[MetricSchema]

    def at(self, timestamp: int) -> MetricSchema | None:
        """Return the schema in force at an event time, in microseconds."""
        place = bisect_right(self.begins, timestamp)
        return self.schemas[place - 1] if place else None

    def until(self, timestamp: int) -> float:
        """Return until when the schema in force at an event time is in force, in microseconds; infinity: for good."""
        place = bisect_right(self.begins, timestamp)
        return self.begins[place] if place < len(self.begins) else math.inf


def schema_compile(schema: Mapping[str, Any]) -> MetricSchema:
    """Compile a schema. `schema`: one that passed `telemetry_schema_check`."""
    rules = {name: _rule(name, metric) for name, metric in schema.get("metrics", {}).items()}
    required = [name for name, metric in schema.get("metrics", {}).items() if metric.get("required", False)]
    unknown = schema.get("unknown", _KEEP)
    return MetricSchema(
        rules,
        required,
        unknown,
        {rule.name: rule.unit for rule in rules.values() if rule.unit is not None},
        {rule.name: rule.kind for rule in rules.values() if rule.kind is not None},
        {rule.name: name for name, rule in rules.items() if rule.name != name},
        is_plain=not required and unknown == _KEEP and all(_is_plain(name, rule) for name, rule in rules.items()),
    )


def schema_apply(
    schema: MetricSchema, metrics: Mapping[str, Any], *, sent: Mapping[str, Any]
) -> tuple[dict[str, Any], list[MetricFault]]:
    """Return the metrics as they are stored, and those that cannot be.

    metrics: those of the reading that are a number, a boolean or a text. sent: all of the reading. Hot path.
    """
    values: dict[str, Any] = {}
    faults: list[MetricFault] = []
    rules = schema.rules
    for name, value in metrics.items():
        rule = rules.get(name)
        if rule is None:
            fault = _unknown(schema, name, sent)
            if fault is not None:
                faults.append(fault)
            elif schema.unknown == _KEEP:
                values[name] = value
            continue
        if rule.refusal is not None:
            faults.append(MetricFault(name, NOT_CONVERTIBLE, rule.refusal))
        elif type(value) not in rule.classes:
            faults.append(_wrong_type(name, rule, value))
        elif not rule.is_number:
            values[rule.name] = value
        else:
            conversion = rule.conversion
            number = value
            if conversion is not None:
                number = (value * conversion.factor + conversion.offset) / conversion.divisor
            if rule.low <= number <= rule.high:
                values[rule.name] = number
            else:
                faults.append(_out_of_range(name, rule, number))
    faults += [_missing(name) for name in schema.required if name not in sent]
    return values, faults


def _rule(name: str, metric: Mapping[str, Any]) -> MetricRule:
    unit, sent_unit = metric.get("unit"), metric.get("sentUnit")
    conversion, refusal = None, None
    if unit is not None and sent_unit is not None:
        try:
            conversion = unit_conversion(sent_unit, unit)
        except UnitError as error:
            # Refused when a schema is defined; a later version of the library may know less.
            refusal = str(error)
    is_number = sent_unit is not None or "min" in metric or "max" in metric
    kind = metric.get("type", "NUMBER" if is_number else None)
    return MetricRule(
        metric.get("rename", name),
        kind,
        frozenset(item for item, kinds in _KINDS.items() if kind in {None, kinds}),
        kind == "NUMBER",
        None if conversion == IDENTITY else conversion,
        metric.get("min", -sys.float_info.max),
        metric.get("max", sys.float_info.max),
        unit,
        refusal,
    )


def _is_plain(name: str, rule: MetricRule) -> bool:
    return rule.name == name and rule.kind is None and rule.refusal is None


def _unknown(schema: MetricSchema, name: str, sent: Mapping[str, Any]) -> MetricFault | None:
    if schema.unknown == _REFUSE:
        return MetricFault(name, UNKNOWN_METRIC, "The telemetry schema of the device's type has no such metric.")
    source = schema.renamed.get(name)
    if schema.unknown == _KEEP and source is not None and source in sent:
        return MetricFault(name, NAME_TAKEN, f"The metric {source!r} of the same reading is stored under this name.")
    return None


def _wrong_type(name: str, rule: MetricRule, value: Any) -> MetricFault:
    return MetricFault(name, WRONG_TYPE, f"The value is a {_KINDS[type(value)]}; it must be a {rule.kind}.")


def _out_of_range(name: str, rule: MetricRule, number: float) -> MetricFault:
    unit = "" if rule.unit is None else f" {rule.unit}"
    side, bound = ("below", rule.low) if number < rule.low else ("above", rule.high)
    return MetricFault(name, OUT_OF_RANGE, f"The value, {number}{unit}, lies {side} {bound}{unit}.")


def _missing(name: str) -> MetricFault:
    return MetricFault(name, METRIC_MISSING, "The telemetry schema of the device's type requires this metric.")
