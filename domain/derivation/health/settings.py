"""Health settings of a profile: thresholds and weights, checked and compiled. Pure.

Thresholds: {metric: {"warnLow", "warnHigh", "critLow", "critHigh": number, "weight": points}}.
Health: {"freshness": duration, "freshnessWeight": points, "events": {severity: points},
"children": {"weight": points, "combine": "mean" or "worst"}, "bucket": duration}.
Points are of the 100 that an asset in order has: what a part can cost at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import msgspec

from domain.base.metrics import METRICS_MAX, NAME_CHARS_MAX
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import json_object_check, text_check
from graph.texts import json_nfc

METRIC: Final = "health"
FRESHNESS_MOST: Final = timedelta(days=31)
SEVERITIES: Final = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
COMBINE: Final = ("mean", "worst")
_US: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_BUCKET_LEAST: Final = timedelta(minutes=1)
_BOUNDS: Final = ("critLow", "warnLow", "warnHigh", "critHigh")
_THRESHOLD_WEIGHT: Final = 40.0
_DEFAULTS: Final[dict[str, Any]] = {
    "freshness": "PT1H",
    "freshnessWeight": 20,
    "events": {"LOW": 5, "MEDIUM": 15, "HIGH": 30, "CRITICAL": 50},
    "children": {"weight": 30, "combine": "mean"},
    "bucket": "PT15M",
}

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Bounds of one metric; a value at or beyond one has passed it. Infinite where there is none."""

    metric: str
    crit_low: float
    warn_low: float
    warn_high: float
    crit_high: float
    weight: float


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Health settings of a profile's version. events: deductions by severity."""

    thresholds: tuple[Threshold, ...]
    freshness_us: int
    freshness_weight: float
    events: Mapping[str, float]
    children_weight: float
    is_worst_child: bool
    bucket_us: int


def thresholds_check(value: Any, *, path: Path) -> dict[str, Any]:
    """Return checked thresholds.

    Raises BadInputError at the place at fault: an unknown member, no bound at all, bounds out of order, a weight
    that is none; LimitExceededError above METRICS_MAX metrics.
    """
    checked: dict[str, Any] = json_nfc(json_object_check(value, path=path))
    if len(checked) > METRICS_MAX:
        raise LimitExceededError(f"{METRICS_MAX} metrics may have thresholds; here {len(checked)} do.", path=path)
    for metric, bounds in checked.items():
        place = (*path, metric)
        text_check(metric, path=place, min_chars=1, max_chars=NAME_CHARS_MAX)
        if metric == METRIC:
            raise BadInputError("health is what is computed; it has no thresholds.", path=place)
        _members(bounds, (*_BOUNDS, "weight"), place)
        given = [(name, bounds[name]) for name in _BOUNDS if name in bounds]
        if not given:
            raise BadInputError(f"One of {', '.join(_BOUNDS)} is needed.", path=place)
        for name, bound in given:
            _number(bound, (*place, name))
        for (one, low), (other, high) in pairwise(given):
            # A warning and a critical bound may be equal; a lower bound lies below every upper one.
            if low > high or (low == high and one.endswith("Low") and other.endswith("High")):
                raise BadInputError(f"{other} must lie above {one}.", path=(*place, other))
        if "weight" in bounds:
            _points(bounds["weight"], (*place, "weight"))
    return checked


def health_check(value: Any, *, path: Path) -> dict[str, Any]:
    """Return checked settings of health.

    Raises BadInputError at the place at fault: an unknown member, points that are none, a freshness that is no fixed
    duration up to 31 days, a bucket that is none of one minute to a day into which a day can be divided.
    """
    checked = json_object_check(value, path=path)
    _members(checked, tuple(_DEFAULTS), path)
    if "freshness" in checked and not timedelta(0) < _duration(checked["freshness"]) <= FRESHNESS_MOST:
        message = "freshness is an ISO 8601 duration such as PT1H, at most P31D."
        raise BadInputError(message, path=(*path, "freshness"))
    if "freshnessWeight" in checked:
        _points(checked["freshnessWeight"], (*path, "freshnessWeight"))
    if "events" in checked:
        _members(checked["events"], SEVERITIES, (*path, "events"))
        for severity, points in checked["events"].items():
            _points(points, (*path, "events", severity))
    if "children" in checked:
        children = (*path, "children")
        _members(checked["children"], ("weight", "combine"), children)
        if "weight" in checked["children"]:
            _points(checked["children"]["weight"], (*children, "weight"))
        if checked["children"].get("combine", "mean") not in COMBINE:
            raise BadInputError(f"combine is one of {', '.join(COMBINE)}.", path=(*children, "combine"))
    if "bucket" in checked:
        bucket = _duration(checked["bucket"])
        if not _BUCKET_LEAST <= bucket <= _DAY or _DAY % bucket:
            message = "bucket is a duration of one minute to a day into which a day can be divided, such as PT15M."
            raise BadInputError(message, path=(*path, "bucket"))
    return checked


def bucket_us_of(health: Mapping[str, Any]) -> int:
    """Return the length of a bucket, from checked settings."""
    return _duration(health.get("bucket", _DEFAULTS["bucket"])) // _US


def settings_of(thresholds: Mapping[str, Any], health: Mapping[str, Any]) -> HealthSettings:
    """Return checked thresholds and settings as the score needs them."""
    children = {**_DEFAULTS["children"], **health.get("children", {})}
    return HealthSettings(
        thresholds=tuple(_threshold(metric, bounds) for metric, bounds in sorted(thresholds.items())),
        freshness_us=_duration(health.get("freshness", _DEFAULTS["freshness"])) // _US,
        freshness_weight=float(health.get("freshnessWeight", _DEFAULTS["freshnessWeight"])),
        events={**_DEFAULTS["events"], **health.get("events", {})},
        children_weight=float(children["weight"]),
        is_worst_child=children["combine"] == "worst",
        bucket_us=bucket_us_of(health),
    )


def _threshold(metric: str, bounds: Mapping[str, Any]) -> Threshold:
    return Threshold(
        metric,
        float(bounds.get("critLow", -math.inf)),
        float(bounds.get("warnLow", -math.inf)),
        float(bounds.get("warnHigh", math.inf)),
        float(bounds.get("critHigh", math.inf)),
        float(bounds.get("weight", _THRESHOLD_WEIGHT)),
    )


def _members(value: Any, names: tuple[str, ...], path: Path) -> None:
    if not isinstance(value, Mapping):
        raise BadInputError(f"This is an object of {', '.join(names)}.", path=path)
    for name in value:
        if name not in names:
            raise BadInputError(f"There is no {name!r} here, only {', '.join(names)}.", path=(*path, name))


def _points(value: Any, path: Path) -> None:
    _number(value, path)
    if not 0 <= value <= 100:  # noqa: PLR2004  (a score goes from 0 to 100)
        raise BadInputError("Points lie between 0 and 100.", path=path)


def _number(value: Any, path: Path) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInputError("This must be a number.", path=path)


def _duration(value: Any) -> timedelta:
    """Return a duration; zero for what is none."""
    try:
        return msgspec.convert(value, timedelta) if isinstance(value, str) else timedelta(0)
    except (msgspec.ValidationError, OverflowError):
        return timedelta(0)
