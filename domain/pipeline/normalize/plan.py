"""Plan what becomes of readings: points, dead letters, and which of them are written. Pure; hot path."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from domain.base.metrics import forms_of
from domain.base.packed import MetricType, instant_of
from domain.pipeline.normalize.outcomes import DEAD, DUPLICATE, STORED
from domain.telemetry.model.columns import DeadLetterDraft, Normalized, Readings
from domain.telemetry.model.schemas import METRIC_MISSING, NOTHING_KEPT, MetricSchema, SchemaVersions, schema_apply

TEXT_CHARS_MAX = 10_000
BEFORE_RETENTION: Final = "BEFORE_RETENTION"
# So many names of metrics are shown where one is missing.
_SHOWN_MAX = 20
_NUMBER, _BOOLEAN, _TEXT = int(MetricType.NUMBER), int(MetricType.BOOLEAN), int(MetricType.TEXT)
_NAN = math.nan
# What acceptance writes for numbers beyond a double (domain/base/metrics.py).
_JSON_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?:[.eE+-]{0,2}…)?", re.ASCII)
_BIG = re.compile(r"an integer of \d+ bits")


@dataclass(frozen=True, slots=True)
class WritePlan:
    """What to write of some readings.

    points: places of the points to store. outcomes: of the readings, in their order. dead_letters: of those that count.
    """

    points: NDArray[np.intp]
    outcomes: NDArray[np.int8]
    dead_letters: Sequence[DeadLetterDraft]


def write_plan(
    normalized: Normalized, *, is_stored: NDArray[np.bool_], chosen: NDArray[np.intp], duplicates: NDArray[np.intp]
) -> WritePlan:
    """Decide what to write of the chosen readings, without those that repeat another.

    is_stored: by reading, whether it has any point. duplicates: places of readings, all of them chosen.
    """
    counts = np.zeros(len(is_stored), dtype=np.bool_)
    counts[chosen] = True
    counts[duplicates] = False
    outcomes = np.where(is_stored[chosen], STORED, DEAD).astype(np.int8)
    outcomes[~counts[chosen]] = DUPLICATE
    return WritePlan(
        np.flatnonzero(counts[normalized.readings]),
        outcomes,
        [dead_letter for dead_letter in normalized.dead_letters if counts[dead_letter.reading]],
    )


def readings_normalize(
    readings: Readings,
    *,
    future_tolerance: timedelta,
    schemas: Mapping[bytes, SchemaVersions],
    retained_from_us: int = 0,
) -> Normalized:
    """Return the points of readings, and dead letters for what cannot become one.

    schemas: by device, of those whose type has any; the one in force at a reading's timestamp is applied to it.
    A reading more than `future_tolerance` after its own receipt, before 1970, or before `retained_from_us`, from when
    on points are kept, is dead as a whole; so is one without any metric, or of which its schema keeps none. What
    depends on other readings (repeats, conflicts) is not evaluated here.
    """
    late = readings.timestamps > readings.received + int(future_tolerance / timedelta(microseconds=1))
    refused = np.flatnonzero(late | (readings.timestamps < max(0, retained_from_us)))
    dead_letters = [
        _late(i, readings.metrics[i], future_tolerance)
        if late[i]
        else _early(i, readings.metrics[i], None if readings.timestamps[i] < 0 else retained_from_us)
        for i in refused.tolist()
    ]
    skip = set(refused.tolist())
    index: dict[str, int] = {}
    reading_of: list[int] = []
    names: list[int] = []
    types: list[int] = []
    values: list[float] = []
    texts: dict[int, str] = {}
    for i, metrics in enumerate(readings.metrics):
        if i in skip:
            continue
        if not isinstance(metrics, dict) or not metrics:
            dead_letters.append(
                DeadLetterDraft(i, None, "NO_METRICS", "The reading has no metric with a value.", metrics)
            )
            continue
        if schemas and (versions := schemas.get(readings.devices[i])) is not None:
            schema = versions.at(int(readings.timestamps[i]))
            if schema is not None and not schema.is_plain:
                metrics = _under_schema(i, metrics, schema, dead_letters)  # noqa: PLW2901
        for name, value in metrics.items():
            kind = type(value)
            if kind is float or kind is int:
                types.append(_NUMBER)
                values.append(value)
            elif kind is bool:
                types.append(_BOOLEAN)
                values.append(value)
            elif kind is str and len(value) <= TEXT_CHARS_MAX and "\0" not in value:
                texts[len(types)] = value
                types.append(_TEXT)
                values.append(_NAN)
            else:
                dead_letters.append(_unsupported(i, name, value))
                continue
            names.append(index.setdefault(name, len(index)))
            reading_of.append(i)
    return Normalized(
        list(index),
        np.array(reading_of, dtype=np.int32),
        np.array(names, dtype=np.int32),
        np.array(types, dtype=np.int8),
        np.array(values, dtype=np.float64),
        texts,
        dead_letters,
    )


def _under_schema(
    i: int, sent: dict[str, Any], schema: MetricSchema, dead_letters: list[DeadLetterDraft]
) -> dict[str, Any]:
    """Apply a schema to a reading's metrics; refused ones become dead letters."""
    dead_letters_before = len(dead_letters)
    non_numbers = [name for name, value in sent.items() if type(value) is not float and not _is_point(value)]
    dead_letters += [_unsupported(i, name, sent[name]) for name in non_numbers]
    good = {name: value for name, value in sent.items() if name not in non_numbers} if non_numbers else sent
    accepted, faults = schema_apply(schema, good, sent=sent)
    for fault in faults:
        payload = list(sent)[:_SHOWN_MAX] if fault.code == METRIC_MISSING else sent[fault.metric]
        dead_letters.append(DeadLetterDraft(i, fault.metric, fault.code, fault.message, payload))
    if not accepted and len(dead_letters) == dead_letters_before:
        message = "The telemetry schema of the device's type drops every metric of the reading."
        dead_letters.append(DeadLetterDraft(i, None, NOTHING_KEPT, message, sent))
    return accepted


def _is_point(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= TEXT_CHARS_MAX and "\0" not in value
    return kind is float or kind is int or kind is bool


def _late(i: int, metrics: Any, tolerance: timedelta) -> DeadLetterDraft:
    msg = f"The timestamp lies more than {tolerance} after the receipt."
    return DeadLetterDraft(i, None, "FUTURE_TIMESTAMP", msg, metrics)


def _early(i: int, metrics: Any, retained_from_us: int | None) -> DeadLetterDraft:
    if retained_from_us is not None:
        msg = f"The timestamp lies before {instant_of(retained_from_us).isoformat()}, from when on points are kept."
        return DeadLetterDraft(i, None, BEFORE_RETENTION, msg, metrics)
    return DeadLetterDraft(i, None, "BEFORE_EPOCH", "The timestamp lies before 1970-01-01T00:00:00Z.", metrics)


def _unsupported(i: int, name: str, value: Any) -> DeadLetterDraft:
    if isinstance(value, str):
        if len(value) > TEXT_CHARS_MAX:
            msg = f"The text has {len(value)} characters; a point holds at most {TEXT_CHARS_MAX}."
            return DeadLetterDraft(i, name, "VALUE_TOO_LONG", msg, value[:TEXT_CHARS_MAX])
        return DeadLetterDraft(i, name, "UNSUPPORTED_VALUE", "The text holds the character NUL.", value)
    if (forms := forms_of(name, value)) is not None:
        named = " and ".join(json.dumps(form) for form in forms)
        msg = f"The reading names this metric in {len(forms)} forms of Unicode, with different values: {named}."
        return DeadLetterDraft(i, name, "DUPLICATE_METRIC", msg, value)
    msg = _not_a_number(value) or "A metric is a number, a boolean or a text."
    return DeadLetterDraft(i, name, "UNSUPPORTED_VALUE", msg, value)


def _not_a_number(value: Any) -> str | None:
    """Return what is wrong with a number that JSON cannot carry, of which acceptance made an array of one text."""
    if not (isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)):
        return None
    [shown] = value
    if shown == "nan":
        return "NaN is not a number."
    if shown in {"inf", "-inf"}:
        return "The number lies beyond what 64 bits hold."
    is_beyond = _BIG.fullmatch(shown) or (
        _JSON_NUMBER.fullmatch(shown) and (shown.endswith("…") or math.isinf(float(shown)))
    )
    return f"The number lies beyond what 64 bits hold: {shown}" if is_beyond else None
