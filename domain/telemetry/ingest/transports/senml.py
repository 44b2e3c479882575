"""SenML packs in JSON (RFC 8428): resolved, and split into devices, metrics and readings. Pure.

A name that a pack builds from a base name and a name is the device (the base name, without its last separator) and
the metric (the name). Where there is no name, the metric is the unit: packs of one sensor distinguish its quantities by
it. A device's token speaks for itself, whatever the base name says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.base.metrics import NumberBeyond
from domain.telemetry.ingest.transports.sent import Sent
from domain.telemetry.model.readings import ReadingDraft
from graph.errors import BadInputError

_VERSION: Final = 10
# Times below this many seconds are relative to now (RFC 8428, 4.5.3).
_RELATIVE_BELOW_S: Final = 2**28
_BASES: Final = {"bn": str, "bt": float, "bu": str, "bv": float, "bs": float, "bver": float}
_FIELDS: Final = {"n": str, "u": str, "v": float, "vs": str, "vb": bool, "vd": str, "s": float, "t": float, "ut": float}
_MEASURES: Final = frozenset({"v", "vs", "vb", "s"})
_WORDS: Final = {float: "a number", bool: "a boolean", str: "a text"}
_SEPARATORS: Final = ":/-._"
_NO_UNITS: Final = (None, "", "/")
_METRIC_DEFAULT: Final = "value"


@dataclass(frozen=True, slots=True)
class Resolved:
    """One record by itself. base: the base name. time_s: seconds since the Unix epoch. value None: only a sum."""

    place: int
    base: str
    name: str
    unit: str | None
    time_s: float
    value: float | str | bool | None
    sum: float | None


def senml_read(body: Any, *, now_s: float, own: bool) -> Sent:
    """Return the readings of a pack: what one device says of one time is one reading.

    now_s: the time of receipt. own: the sender is the device itself. Raises BadInputError for what is no pack or of
    a version or with a label that must be understood and is not.
    """
    sent = Sent()
    readings: dict[tuple[str | None, float], dict[str, Any]] = {}
    for record in senml_resolve(body, sent, now_s=now_s):
        device = None if own else _device(record)
        unit = _METRIC_DEFAULT if record.unit in _NO_UNITS else str(record.unit)
        # Without a base name the name is the device's alone.
        metric = (record.name or unit) if own or record.base else unit
        key = device, record.time_s
        metrics = readings.get(key)
        if metrics is None or metric in metrics:  # said twice of one time: a reading of its own, and the later wins
            metrics = readings[key] = {}
            sent.add(
                ReadingDraft(metrics=metrics, external_id=device, timestamp=record.time_s * 1000.0), str(record.place)
            )
        if record.value is not None:
            metrics[metric] = record.value
        if record.sum is not None:
            metrics[f"{metric}.sum"] = record.sum
    return sent


def _device(record: Resolved) -> str:
    if not record.base:
        return record.name
    stripped = record.base.rstrip(_SEPARATORS)
    return stripped or record.base


def senml_resolve(body: Any, sent: Sent, *, now_s: float) -> Iterator[Resolved]:
    """Yield each record with the bases applied (RFC 8428, 4.6); records at fault go to `sent.errors`."""
    if not isinstance(body, list) or not all(isinstance(item, Mapping) for item in body):
        raise BadInputError("A SenML pack is an array of objects (RFC 8428).", path=("body",))
    bases: dict[str, Any] = {"bn": "", "bt": 0.0, "bv": 0.0, "bs": 0.0, "bu": None}
    for place, item in enumerate(body):
        fault = _fault(item)
        # The bases of a record at fault hold for those after it all the same, but for the one at fault.
        bases.update({name: item[name] for name in _BASES if name in item and (fault is None or name != fault[0])})
        if fault is None and set(item) & _MEASURES:
            yield _resolved(place, item, bases, now_s)
            continue
        if fault is None and not set(item) & set(_BASES):
            fault = "", "A record has a value (v, vs, vb) or a sum (s); binary ones (vd) are not kept."
        if fault is not None:
            label, message = fault
            if label.endswith("_") or label == "bver":
                raise BadInputError(message, path=(str(place), label))
            sent.refuse("BAD_USER_INPUT", message, str(place), *([label] if label else []))


def _resolved(place: int, record: Mapping[str, Any], bases: Mapping[str, Any], now_s: float) -> Resolved:
    value = record.get("vs", record.get("vb"))
    if "v" in record:
        value = record["v"] if isinstance(record["v"], NumberBeyond) else record["v"] + bases["bv"]
    time_s = bases["bt"] + record.get("t", 0.0)
    return Resolved(
        place,
        bases["bn"],
        record.get("n", ""),
        record.get("u", bases["bu"]),
        time_s + now_s if time_s < _RELATIVE_BELOW_S else time_s,
        value,
        record["s"] + bases["bs"] if "s" in record else None,
    )


def _fault(record: Mapping[str, Any]) -> tuple[str, str] | None:
    for label, value in record.items():
        wanted = _BASES.get(label) or _FIELDS.get(label)
        if wanted is None:
            if label.endswith("_"):
                return label, f"{label} must be understood (RFC 8428, 4.4), and is not."
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number if wanted is float else isinstance(value, wanted)):
            return (
                label,
                f"{label} is {'a number' if wanted is float else 'a boolean' if wanted is bool else 'a text'}.",
            )
    if record.get("bver", _VERSION) > _VERSION:
        return "bver", f"SenML of version {record['bver']} is not understood; the newest known is {_VERSION}."
    return None
