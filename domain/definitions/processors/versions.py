"""The processor versions of the derive stage: how each sums a formula's terms. Pure; version 1 is a hot path.

A version is never changed once it was released: what was derived with it must come out the same again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from domain.base.packed import Values

# From the number of instants, the offset and each term's values to the sums; not finite where there is none.
Total = Callable[[int, float, Iterable[Values]], Values]

FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class Version:
    """A processor version. changes: how it differs from the previous one. total: how it sums."""

    number: int
    changes: str
    total: Total


def _added(count: int, offset: float, terms: Iterable[Values]) -> Values:
    total = np.full(count, offset)
    for term in terms:
        total += term
    return total


def _added_exactly(count: int, offset: float, terms: Iterable[Values]) -> Values:
    rows = np.stack([np.full(count, offset), *terms], axis=1)
    whole = np.isfinite(rows).all(axis=1)
    total = np.full(count, np.nan)
    total[whole] = [_exact(row) for row in rows[whole].tolist()]
    return total


def _exact(row: list[float]) -> float:
    try:
        return math.fsum(row)
    except OverflowError:
        # On the way to the sum, not always the sum itself.
        try:
            return float(sum(map(Fraction, row)))
        except OverflowError:
            return math.inf


VERSIONS: Final[dict[int, Version]] = {
    version.number: version
    for version in (
        Version(FIRST, "A sum is added up term by term, the offset first, then the inputs by name.", _added),
        Version(2, "A sum is rounded once, from the exact value (math.fsum).", _added_exactly),
    )
}


class UnknownVersionError(LookupError):
    """A version that this release does not know; a worker of another release may."""


def version_get(number: int) -> Version:
    """Return a version. Raises UnknownVersionError."""
    try:
        return VERSIONS[number]
    except KeyError:
        raise UnknownVersionError(f"This release has no version {number} of the stage derive.") from None
