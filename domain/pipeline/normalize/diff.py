"""Compare the stored points of readings with what they normalize to now. For replays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, uuid_array
from domain.base.packed import MetricType, instant_of
from domain.pipeline.normalize.retract import NormalizationContext
from domain.telemetry.model.columns import DeadLetterDraft, Normalized, Readings
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.store.stored import stored_read
from graph.instants import instant_text

SAMPLES_MAX: Final = 20

_REPEATS = text(
    """
    SELECT u.n - 1 AS n FROM unnest(:devices, :keys, :ids) WITH ORDINALITY AS u (d, k, i, n)
    JOIN reading_keys k ON k.organization_id = :organization_id AND k.device_id = u.d AND k.key = u.k
    WHERE k.raw_id <> u.i
    """
)
_DEAD_LETTERS = text(
    """
    SELECT raw_id, metric, code FROM dead_letters
    WHERE organization_id = :organization_id AND raw_id = ANY(:ids) AND stage = :stage AND resolved_at IS NULL
    """
)


@dataclass(slots=True)
class Differences:
    """Differences between stored and wanted points: added, removed, changed. dead_letters: those that differ.

    spans: first and last time of differing points, microseconds, by (device, port, metric). samples: some of them.
    before_retention: readings that were left out, for points of their time are no longer kept.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    dead_letters: int = 0
    before_retention: int = 0
    spans: dict[tuple[bytes, int, str], tuple[int, int]] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.added or self.removed or self.changed or self.dead_letters)


def readings_differ(session: Session, *, context: NormalizationContext, readings: Readings, stage: str) -> Differences:
    """Return how the stored points of processed readings differ from what they normalize to now. Three statements.

    readings: of one organization; of each (device, timestamp) all that were received, ascending by raw id.
    """
    arrays_enable(session)
    normalized = context.normalized(readings)
    counts = np.ones(len(readings), dtype=np.bool_)
    counts[_repeats(session, context.organization_id, readings)] = False
    expected = _winners(readings, normalized, np.flatnonzero(counts[normalized.readings]))
    stored = stored_read(session, organization_id=context.organization_id, readings=readings)
    differences = Differences()
    _points_compare(differences, readings, (normalized, expected), stored)
    dead_letters = [dead_letter for dead_letter in normalized.dead_letters if counts[dead_letter.reading]]
    differences.dead_letters = _dead_letters_compare(session, context.organization_id, readings, dead_letters, stage)
    return differences


def differences_merge(before: Mapping[str, Any], more: Differences) -> dict[str, Any]:
    """Return a replay's differences as JSON, with those of a further part added."""
    counts = {
        "added": more.added,
        "removed": more.removed,
        "changed": more.changed,
        "letters": more.dead_letters,
    }
    numbers = {name: int(before.get(name, 0)) + count for name, count in counts.items()}
    samples = [*before.get("samples", ()), *more.samples][:SAMPLES_MAX]
    left_out = int(before.get("beforeRetention", 0)) + more.before_retention
    return {
        "points": numbers["added"] + numbers["removed"] + numbers["changed"],
        **numbers,
        **({"beforeRetention": left_out} if left_out else {}),
        "samples": samples,
    }


def _repeats(session: Session, organization_id: int, readings: Readings) -> list[int]:
    """Return the places of readings that repeat another. Where no key is known any more, none does."""
    rows = session.execute(
        _REPEATS,
        {
            "organization_id": organization_id,
            "devices": uuid_array(b"".join(readings.devices)),
            "keys": uuid_array(b"".join(readings.keys)),
            "ids": bigint_array(readings.raw_ids),
        },
    )
    return [row.n for row in rows]


def _winners(readings: Readings, normalized: Normalized, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places of the points that win against the others: of equal series and time the larger raw id's."""
    reading_of = normalized.readings[places]
    devices = np.unique(np.frombuffer(b"".join(readings.devices), "S16"), return_inverse=True)[1]
    keys = (
        normalized.metrics[places],
        readings.timestamps[reading_of],
        readings.ports[reading_of],
        devices[reading_of],
    )
    order = np.lexsort((readings.raw_ids[reading_of], *keys))
    if not len(order):
        return places
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    return np.sort(places[order[last]])


def _points_compare(
    differences: Differences, readings: Readings, expected: tuple[Normalized, NDArray[np.intp]], stored: Normalized
) -> None:
    normalized, places = expected
    index = {name: n for n, name in enumerate(dict.fromkeys((*normalized.names, *stored.names)))}
    names, width = list(index), max(len(index), 1)
    want, have = _codes(normalized, index)[places], _codes(stored, index)
    absent = np.flatnonzero(np.isin(want, have, assume_unique=True, invert=True))
    extra = np.flatnonzero(np.isin(have, want, assume_unique=True, invert=True))
    _, at_want, at_have = np.intersect1d(want, have, assume_unique=True, return_indices=True)
    other = _others(normalized, places[at_want], stored, at_have)
    differences.added += len(absent)
    differences.removed += len(extra)
    differences.changed += len(other)
    differing = [
        *((int(want[k]), None, int(places[k])) for k in absent),
        *((int(have[k]), int(k), None) for k in extra),
        *((int(want[at_want[k]]), int(at_have[k]), int(places[at_want[k]])) for k in other),
    ]
    for code, before, after in differing:
        reading, name = code // width, names[code % width]
        key = (readings.devices[reading], int(readings.ports[reading]), name)
        at = int(readings.timestamps[reading])
        first, last = differences.spans.get(key, (at, at))
        differences.spans[key] = min(first, at), max(last, at)
        if len(differences.samples) < SAMPLES_MAX:
            values = {"before": _value_json(stored, before), "after": _value_json(normalized, after)}
            differences.samples.append({**_point_json(key, at), **values})


def _others(one: Normalized, mine: NDArray[np.intp], two: Normalized, theirs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where two points of one name and reading differ: places in both lists of places."""
    same = one.types[mine] == two.types[theirs]
    values, other = one.values[mine], two.values[theirs]
    same &= (values == other) | (np.isnan(values) & np.isnan(other))
    for k in np.flatnonzero(one.types[mine] == MetricType.TEXT).tolist():
        same[k] = same[k] and one.texts.get(int(mine[k])) == two.texts.get(int(theirs[k]))
    return np.flatnonzero(~same)


def _codes(normalized: Normalized, index: Mapping[str, int]) -> NDArray[np.int64]:
    """Return a number for each point that identifies its reading and its name."""
    names = np.array([index[name] for name in normalized.names], dtype=np.int64)
    metrics = names[normalized.metrics] if len(names) else np.empty(0, dtype=np.int64)
    return normalized.readings.astype(np.int64) * max(len(index), 1) + metrics


def _point_json(key: tuple[bytes, int, str], at: int) -> dict[str, Any]:
    device, port, metric = key
    return {
        "deviceId": str(UUID(bytes=device)),
        "port": None if port == NO_PORT else port,
        "metric": metric,
        "timestamp": instant_text(instant_of(at)),
    }


def _value_json(normalized: Normalized, place: int | None) -> Any:
    if place is None:
        return None
    value = float(normalized.values[place])
    kind = normalized.types[place]
    if kind == MetricType.TEXT:
        return normalized.texts.get(place)
    return bool(value) if kind == MetricType.BOOLEAN else value


def _dead_letters_compare(
    session: Session, organization_id: int, readings: Readings, dead_letters: list[DeadLetterDraft], stage: str
) -> int:
    rows = session.execute(
        _DEAD_LETTERS, {"organization_id": organization_id, "ids": bigint_array(readings.raw_ids), "stage": stage}
    )
    have = {(row.raw_id, row.metric, row.code) for row in rows}
    want = {
        (int(readings.raw_ids[dead_letter.reading]), dead_letter.metric, dead_letter.code)
        for dead_letter in dead_letters
    }
    return len({key[:2] for key in have ^ want})
