"""Compare stored points with those that a recomputation gives. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from domain.base.packed import Column
from domain.convergence.model import CheckKind, Difference

# At most so many differences of one series are reported: the first ones.
DIFFERENCES_MAX: Final = 20
# What two orders of the same additions may differ by.
_RELATIVE: Final = 1e-9
_ABSOLUTE: Final = 1e-12


def columns_compare(
    kind: CheckKind, metric: str, entities: Sequence[bytes], *, computed: Column, stored: Column
) -> Iterator[Difference]:
    """Yield where two columns of one metric differ. entities: by the columns' places."""
    expected, existing = _by_entity(computed), _by_entity(stored)
    for place, entity in enumerate(entities):
        yield from points_compare(
            kind, metric, UUID(bytes=entity), computed=expected.get(place, {}), stored=existing.get(place, {})
        )


def points_compare(
    kind: CheckKind, metric: str, entity_id: UUID, *, computed: Mapping[int, float], stored: Mapping[int, float]
) -> Iterator[Difference]:
    """Yield where the points of a series differ, by instant in microseconds; DIFFERENCES_MAX at most."""
    compared = 0
    for at in sorted({*computed, *stored}):
        expected, existing = computed.get(at), stored.get(at)
        if expected is not None and existing is not None and _is_same(expected, existing):
            continue
        compared += 1
        if compared > DIFFERENCES_MAX:
            return
        yield Difference(kind, entity_id, metric, at, _text(existing), _text(expected), at)


def points_of(at: Iterable[int], values: Iterable[float]) -> dict[int, float]:
    """Return numeric points by their instants."""
    return {int(t): float(v) for t, v in zip(at, values, strict=True) if not math.isnan(v)}


def _by_entity(column: Column) -> dict[int, dict[int, float]]:
    by_entity: dict[int, dict[int, float]] = {}
    for owner, at, value in zip(column.owner.tolist(), column.at.tolist(), column.values.tolist(), strict=True):
        by_entity.setdefault(owner, {})[at] = value
    return by_entity


def _is_same(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _text(value: float | None) -> str | None:
    return None if value is None else repr(value)
