"""Score the health of one asset in a bucket of event time, part by part. Pure: the one function of health.

All of it is evaluated at the bucket's end, from what is known of the time before. What a reading, or the score of a
child, says counts for the profile's freshness; that there was a reading counts for ever, so that silence costs, but of
silence alone, once it lasts, there is no score. That something has become too old is noticed only when it is due: it
counts once `now` has passed it, so that of what is not due yet nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.derivation.health.settings import HealthSettings, Threshold

FULL: Final = 100.0

Instants = NDArray[np.int64]
Values = NDArray[np.float64]
_NEVER: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Track:
    """Values over time, ascending; microseconds since the Unix epoch."""

    at: Instants
    values: Values


@dataclass(frozen=True, slots=True)
class OpenEvent:
    """An event that is or was open over [opened_us, cleared_us)."""

    id: UUID
    severity: str
    opened_us: int
    cleared_us: int


@dataclass(frozen=True, slots=True)
class Child:
    """A part of the asset. spans: when it is one. scores: its health, each at the last instant of its own bucket."""

    id: UUID
    spans: Sequence[tuple[int, int]]
    scores: Track


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about an asset's health. values: by metric. readings: when anything was measured of it."""

    values: Mapping[str, Track] = field(default_factory=dict)
    readings: Instants = field(default_factory=_NEVER.copy)
    events: Sequence[OpenEvent] = ()
    children: Sequence[Child] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One deduction from health. part: THRESHOLD, FRESHNESS, EVENT or CHILDREN. weight: the most it can cost.

    subject: the metric, or the id of the event or of the worst child; None for freshness.
    """

    part: str
    subject: str | None
    cost: float
    weight: float
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """A health score. score: 0 to 100; None where nothing recent is known. parts: every deduction, also those of 0."""

    score: float | None
    parts: Sequence[Part]


def health_score(settings: HealthSettings, facts: Facts, *, begins_us: int, ends_us: int, now_us: int) -> Health:
    """Return the health in the bucket [begins_us, ends_us), as it is known at now_us."""
    parts = [
        *_thresholds(settings, facts, ends_us, now_us),
        *_freshness(settings, facts, ends_us, now_us),
        *_events(settings, facts, begins_us, ends_us),
        *_children(settings, facts, ends_us, now_us),
    ]
    is_measured = any(part.part != "FRESHNESS" for part in parts)
    if not parts or (not is_measured and _is_long_silent(settings, facts, begins_us, now_us)):
        return Health(None, parts)
    return Health(max(0.0, FULL - sum(part.cost for part in parts)), parts)


def health_points(settings: HealthSettings, facts: Facts, *, begins_us: int, ends_us: int, now_us: int) -> Track:
    """Return a point at the begin of each bucket within [begins_us, ends_us) that anything affects.

    facts: from one freshness before begins_us on. A bucket in which nothing is known has no point.
    """
    length = settings.bucket_us
    points = []
    for begins in _affected_buckets(settings, facts, begins_us, ends_us, now_us):
        health = health_score(settings, facts, begins_us=begins, ends_us=begins + length, now_us=now_us)
        if health.score is not None:
            points.append((begins, health.score))
    return Track(
        np.array([at for at, _ in points], dtype=np.int64), np.array([score for _, score in points], dtype=np.float64)
    )


def expiries(settings: HealthSettings, facts: Facts) -> list[int]:
    """Return the instants at which facts expire: one freshness after each that no newer one replaces by then."""
    instants: set[int] = set()
    for at in (facts.readings, *(track.at for track in facts.values.values())):
        instants.update(_lapses(at, settings.freshness_us))
    for child in facts.children:
        # The score of a part counts while it is one.
        lapses = _lapses(child.scores.at, settings.freshness_us)
        instants.update(at for at in lapses if any(begins <= at < ends for begins, ends in child.spans))
    return sorted(instants)


def _lapses(at: Instants, freshness_us: int) -> list[int]:
    if not len(at):
        return []
    lasting = np.r_[at[1:] - at[:-1] > freshness_us, True]
    instants: list[int] = (at[lasting] + freshness_us).tolist()
    return instants


def _affected_buckets(settings: HealthSettings, facts: Facts, begins_us: int, ends_us: int, now_us: int) -> list[int]:
    instants = [at for at in expiries(settings, facts) if at <= now_us]
    instants += facts.readings.tolist()
    for track in facts.values.values():
        instants += track.at.tolist()
    for event in facts.events:
        instants += [event.opened_us, event.cleared_us]
    for child in facts.children:
        instants += [at for at in child.scores.at.tolist() if any(b <= at < e for b, e in child.spans)]
        instants += [edge for span in child.spans for edge in span]
    length = settings.bucket_us
    buckets = {at - at % length for at in instants}
    return sorted(at for at in buckets if begins_us <= at and at + length <= ends_us)


def _last(track: Track, settings: HealthSettings, ends_us: int, now_us: int) -> tuple[int, float] | None:
    """Return the last value before an instant that is not too old, with its own instant."""
    n = int(np.searchsorted(track.at, ends_us)) - 1
    if n < 0 or _is_over(int(track.at[n]), settings, ends_us, now_us) or np.isnan(track.values[n]):
        return None
    return int(track.at[n]), float(track.values[n])


def _is_over(at_us: int, settings: HealthSettings, ends_us: int, now_us: int) -> bool:
    over = at_us + settings.freshness_us
    return over < ends_us and over <= now_us


def _thresholds(settings: HealthSettings, facts: Facts, ends_us: int, now_us: int) -> list[Part]:
    parts = []
    for threshold in settings.thresholds:
        track = facts.values.get(threshold.metric)
        last = None if track is None else _last(track, settings, ends_us, now_us)
        if last is not None:
            share, detail = _threshold_cost(threshold, last[1])
            parts.append(Part("THRESHOLD", threshold.metric, share * threshold.weight, threshold.weight, detail))
    return parts


def _threshold_cost(threshold: Threshold, value: float) -> tuple[float, str]:
    """Return the share of its weight that a value costs: half from a warning on, all from what is critical on."""
    number = f"{value:g}"
    if value <= threshold.crit_low:
        return 1.0, f"{number} is at or below critLow {threshold.crit_low:g}"
    if value >= threshold.crit_high:
        return 1.0, f"{number} is at or above critHigh {threshold.crit_high:g}"
    if value <= threshold.warn_low:
        return 0.5, f"{number} is at or below warnLow {threshold.warn_low:g}"
    if value >= threshold.warn_high:
        return 0.5, f"{number} is at or above warnHigh {threshold.warn_high:g}"
    return 0.0, f"{number} is within its bounds"


def _is_long_silent(settings: HealthSettings, facts: Facts, begins_us: int, now_us: int) -> bool:
    """Return whether all measurements had expired before a bucket began: it then has no score."""
    n = int(np.searchsorted(facts.readings, begins_us + settings.bucket_us)) - 1
    return n < 0 or _is_over(int(facts.readings[n]), settings, begins_us, now_us)


def _freshness(settings: HealthSettings, facts: Facts, ends_us: int, now_us: int) -> list[Part]:
    n = int(np.searchsorted(facts.readings, ends_us)) - 1
    if n < 0 or not settings.freshness_weight:
        return []
    weight = settings.freshness_weight
    if _is_over(int(facts.readings[n]), settings, ends_us, now_us):
        return [Part("FRESHNESS", None, weight, weight, "nothing was measured for longer than the freshness")]
    return [Part("FRESHNESS", None, 0.0, weight, "it was measured within the freshness")]


def _events(settings: HealthSettings, facts: Facts, begins_us: int, ends_us: int) -> list[Part]:
    return [
        Part("EVENT", str(event.id), points, points, f"an event of severity {event.severity} was open")
        for event in sorted(facts.events, key=lambda item: (item.opened_us, item.id))
        if event.opened_us < ends_us and event.cleared_us > begins_us and (points := settings.events[event.severity])
    ]


def _children(settings: HealthSettings, facts: Facts, ends_us: int, now_us: int) -> list[Part]:
    weight = settings.children_weight
    scores = [
        (last[1], str(child.id))
        for child in facts.children
        if any(begins < ends_us <= ends for begins, ends in child.spans)
        and (last := _last(child.scores, settings, ends_us, now_us)) is not None
    ]
    if not scores or not weight:
        return []
    worst, subject = min(scores)
    # Sorted: the result is the same to the last bit, in whatever order children were read.
    score = worst if settings.is_worst_child else float(np.sum(np.sort([s for s, _ in scores]))) / len(scores)
    how = "the worst" if settings.is_worst_child else "the mean"
    detail = f"{how} of {len(scores)} is {score:g}, the worst {worst:g}"
    return [Part("CHILDREN", subject, weight * (FULL - score) / FULL, weight, detail)]
