"""Reference evaluation of rules, reading by reading and without carried state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.rules.model import Severity, Step

# By metric: (instant, number; None for a text), ascending.
Readings = Mapping[str, Sequence[tuple[datetime, float | None]]]
SEVERITIES = list(Severity)
MAX_AGE = timedelta(minutes=15)


@dataclass(frozen=True)
class Time:
    """A time in which a condition is open, until `cleared`, or still."""

    opened: datetime
    cleared: datetime | None


def times_of(
    condition: Mapping[str, Any], readings: Readings, now: datetime, created_at: datetime | None = None
) -> list[Time]:
    """When a condition as JSON is open, ascending. created_at: of the entity, from when silence counts unheard."""
    [(what, body)] = condition.items()
    if what == "threshold":
        return _threshold(body, readings.get(body["metric"], []))
    if what == "noData":
        points = readings.get(body["metric"], [])
        if not body.get("everHeard", True) and created_at is not None and not (points and points[0][0] < created_at):
            points = [(created_at, None), *points]
        return _no_data(timedelta(microseconds=body["afterUs"]), points, now)
    if what == "expression":
        return _expression(body, readings)
    parts = [times_of(part, readings, now, created_at) for part in body]
    return _all(parts) if what == "allOf" else _any(parts)


def severity_at(severity: Severity, steps: Sequence[Step], time: Time, now: datetime) -> Severity:
    """How bad an event is that is open so long."""
    length = (time.cleared or now) - time.opened
    reached = [step.severity for step in steps if timedelta(microseconds=step.after_us) <= length]
    return max([severity, *reached], key=SEVERITIES.index)


def _threshold(body: Mapping[str, Any], points: Sequence[tuple[datetime, float | None]]) -> list[Time]:
    value, clear = body["value"], body.get("clearValue", body["value"])
    least, clear_for = (timedelta(microseconds=body.get(name, 0)) for name in ("forUs", "clearForUs"))
    above = body["operator"] == "GT"
    times: list[Time] = []
    began = opened = ceased = None
    for at, number in points:
        if number is None:
            continue
        holds, is_past = (number > value, number <= clear) if above else (number < value, number >= clear)
        if opened is None:
            began = (began or at) if holds else None
            if began is not None and at - began >= least:
                opened, ceased = at, None
        else:
            ceased = (ceased or at) if is_past else None
            if ceased is not None and at - ceased >= clear_for:
                times.append(Time(opened, at))
                began = opened = None
    return times if opened is None else [*times, Time(opened, None)]


def _no_data(after: timedelta, points: Sequence[tuple[datetime, float | None]], now: datetime) -> list[Time]:
    times: list[datetime | None] = [at for at, _ in points]
    result = []
    for at, following in zip(times, [*times[1:], None], strict=False):
        assert at is not None
        if (following is None and at + after <= now) or (following is not None and following - at > after):
            result.append(Time(at + after, following))
    return result


def _expression(source: str, readings: Readings) -> list[Time]:
    """Of sums of metrics against a number: `t + u > 60.0`."""
    terms, _, limit = source.partition(" > ")
    names = terms.split(" + ")
    times: list[Time] = []
    opened: datetime | None = None
    for at in sorted({at for name in names for at, _ in readings.get(name, [])}):
        numbers = [_stored(readings.get(name, []), at) for name in names]
        known = [number for number in numbers if number is not None]
        if len(known) < len(names):
            continue
        if sum(known) > float(limit):
            opened = opened or at
        elif opened is not None:
            times.append(Time(opened, at))
            opened = None
    return times if opened is None else [*times, Time(opened, None)]


def _stored(points: Sequence[tuple[datetime, float | None]], at: datetime) -> float | None:
    before = [(t, number) for t, number in points if t <= at]
    return before[-1][1] if before and at - before[-1][0] <= MAX_AGE else None


def _all(parts: Sequence[Sequence[Time]]) -> list[Time]:
    common = list(parts[0])
    for part in parts[1:]:
        common = [
            Time(opened, cleared)
            for one in common
            for other in part
            for opened in [max(one.opened, other.opened)]
            for cleared in [min((end for end in (one.cleared, other.cleared) if end is not None), default=None)]
            if cleared is None or opened < cleared
        ]
    return sorted(common, key=lambda time: time.opened)


def _any(parts: Sequence[Sequence[Time]]) -> list[Time]:
    times: list[Time] = []
    for time in sorted((time for part in parts for time in part), key=lambda time: time.opened):
        last = times[-1] if times else None
        if last is None or (last.cleared is not None and last.cleared < time.opened):
            times.append(time)
        elif last.cleared is not None and (time.cleared is None or time.cleared > last.cleared):
            times[-1] = Time(last.opened, time.cleared)
    return times
