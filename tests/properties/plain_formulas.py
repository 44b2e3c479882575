"""Reference semantics of formulas in a few lines of Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

# Sums for which it matters how they are rounded.
FORMULAS: Sequence[Mapping[str, Any]] = (
    {"total": {"sum": {"a": 0.1, "b": 0.2}, "offset": 0.3, "maxAge": "PT10M"}},
    {"total": {"sum": {"a": 0.7}, "offset": 0.1}, "other": {"sum": {"a": 0.1, "b": 0.2, "c": 0.3}, "maxAge": "PT3M"}},
    {},
    {"total": {"sum": {"a": 0.3}}, "other": {"sum": {"b": 0.7}, "offset": 0.1}},
    {
        "total": {"formula": "a * 2 - b", "maxAge": "PT10M"},
        "other": {"formula": "total > 1 ? total / c : b", "maxAge": "PT4M"},
    },
    {
        "other": {"sum": {"a": 0.1, "b": 0.2, "c": 0.7}, "maxAge": "PT6M"},
        "total": {"formula": "other * 3", "maxAge": "PT3M"},
    },
    {
        "total": {"formula": "attributes.k * a", "maxAge": "PT6M"},
        "other": {"formula": "has(attributes.k) ? total + b : b", "maxAge": "PT5M"},
    },
)
# What an expression reads, and what it says, in Python, with an attribute k; None: no finite number.
MEANT: Mapping[str, tuple[Sequence[str], Callable[[Mapping[str, float], Any], float | None]]] = {
    "a * 2 - b": (["a", "b"], lambda v, _: v["a"] * 2 - v["b"]),
    "total > 1 ? total / c : b": (
        ["b", "c", "total"],
        lambda v, _: v["b"] if v["total"] <= 1 else (v["total"] / v["c"] if v["c"] else None),
    ),
    "other * 3": (["other"], lambda v, _: v["other"] * 3),
    "attributes.k * a": (["a"], lambda v, k: k * v["a"] if isinstance(k, (int, float)) else None),
    "has(attributes.k) ? total + b : b": (
        ["b", "total"],
        lambda v, k: v["b"] if k is None else v["total"] + v["b"],
    ),
}
# What the attribute may be; None: there is none.
ATTRIBUTES = (2, 3.5, "text", None, True)


def added(summands: Sequence[float]) -> float:
    """Add from left to right, each time rounded; the built-in sum is better than that where Python is newer."""
    total = 0.0
    for summand in summands:
        total += summand
    return total


def carried(
    formula: Mapping[str, Any],
    inputs: Mapping[str, Mapping[datetime, Any]],
    derived: Mapping[str, Mapping[datetime, Any]],
    span: tuple[datetime, datetime],
) -> list[tuple[datetime, dict[str, float]]]:
    """What a formula reads wherever an input has a value: the last of each, where every one is young enough."""
    age = timedelta(minutes=int(formula.get("maxAge", "PT15M")[2:-1]))
    names = MEANT[formula["formula"]][0] if "formula" in formula else sorted(formula["sum"])
    read = {name: derived[name] if name in derived else inputs.get(name, {}) for name in names}
    carried_points = []
    for t in sorted({t for series in read.values() for t in series if span[0] <= t < span[1]}):
        last = {name: max((u for u in series if u <= t), default=None) for name, series in read.items()}
        values = {name: read[name][u] for name, u in last.items() if u is not None and t - u <= age}
        if len(values) == len(names) and not any(isinstance(value, str) for value in values.values()):
            carried_points.append((t, {name: float(value) for name, value in values.items()}))
    return carried_points


def plain(formula: Mapping[str, Any], values: Mapping[str, float], k: Any, *, exactly: bool) -> float | None:
    """The result of one formula for its inputs and an attribute."""
    if "formula" in formula:
        return MEANT[formula["formula"]][1](values, k)
    summands = [float(formula.get("offset", 0)), *(factor * values[m] for m, factor in sorted(formula["sum"].items()))]
    return math.fsum(summands) if exactly else added(summands)
