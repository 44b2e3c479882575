"""Compare stored points with those that a recomputation gives. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from domain.base.packed import Column
from domain.convergence.model import Difference, Of

# Of one series so many differences are told: the first ones.
DIFFERENCES_MAX: Final = 20
# What two orders of the same additions may differ by.
_RELATIVE: Final = 1e-9
_ABSOLUTE: Final = 1e-12


def columns_compare(
    of: Of, metric: str, entities: Sequence[bytes], *, computed: Column, stored: Column
) -> Iterator[Difference]:
    """Yield where two columns of one metric differ. entities: by the columns' places."""
    wanted, stands = _by_entity(computed), _by_entity(stored)
    for place, entity in enumerate(entities):
        yield from points_compare(
            of, metric, UUID(bytes=entity), computed=wanted.get(place, {}), stored=stands.get(place, {})
        )


def points_compare(
    of: Of, metric: str, entity_id: UUID, *, computed: Mapping[int, float], stored: Mapping[int, float]
) -> Iterator[Difference]:
    """Yield where the points of a series differ, by instant in microseconds; DIFFERENCES_MAX at most."""
    found = 0
    for at in sorted({*computed, *stored}):
        wanted, stands = computed.get(at), stored.get(at)
        if wanted is not None and stands is not None and _is_same(wanted, stands):
            continue
        found += 1
        if found > DIFFERENCES_MAX:
            return
        yield Difference(of, entity_id, metric, at, _text(stands), _text(wanted), at)


def points_of(at: Iterable[int], values: Iterable[float]) -> dict[int, float]:
    """Return points by their instants; what is no number is none."""
    return {int(t): float(v) for t, v in zip(at, values, strict=True) if not math.isnan(v)}


def _by_entity(column: Column) -> dict[int, dict[int, float]]:
    found: dict[int, dict[int, float]] = {}
    for of, at, value in zip(column.of.tolist(), column.at.tolist(), column.values.tolist(), strict=True):
        found.setdefault(of, {})[at] = value
    return found


def _is_same(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _text(value: float | None) -> str | None:
    return None if value is None else repr(value)
