"""The context of formulas besides metrics: an entity's attributes over time, and areas of spaces. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from domain.base.expressions.columns import Area, Attribute
from domain.telemetry.model.attribution import BEGIN_US

_NONE: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class History:
    """The recorded attributes of an entity, each from an instant on. The first also counts before.

    since_us: ascending, as many as versions, at least one.
    """

    since_us: Sequence[int]
    versions: Sequence[Mapping[str, Any]]


UNKNOWN: Final = History((BEGIN_US,), (_NONE,))


@dataclass(frozen=True, slots=True)
class FormulaContext:
    """The inputs of the formulas of several entities besides metrics.

    histories: one for each entity, or none at all where no formula reads attributes. areas: by external id, those there
    are. lead_us: for how long before each begin derived metrics that others read are computed too, where the state at
    the begin does not determine them.
    """

    histories: Sequence[History] = ()
    areas: Mapping[str, Area] = field(default_factory=dict)
    lead_us: int = 0

    def part(self, first: int, last: int) -> FormulaContext:
        """Return the context of a slice of the entities."""
        return FormulaContext(self.histories[first:last], self.areas, self.lead_us)

    def attributes(
        self, keys: frozenset[tuple[str, ...]], owner: NDArray[np.int64], at: NDArray[np.int64]
    ) -> dict[tuple[str, ...], Attribute]:
        """Return attributes as recorded at these instants of these entities, by path. owner: ascending."""
        if not keys:
            return {}
        counts = np.array([len(history.versions) for history in self.histories], dtype=np.int64)
        begins = np.r_[0, np.cumsum(counts)]
        since = np.array([us for history in self.histories for us in history.since_us], dtype=np.int64)
        places = begins[owner]
        for n in np.flatnonzero(counts > 1).tolist():
            first, last = np.searchsorted(owner, (n, n + 1)).tolist()
            versions_before = np.searchsorted(since[begins[n] : begins[n + 1]], at[first:last], side="right")
            # The first record also counts before its own instant.
            places[first:last] += np.maximum(versions_before - 1, 0)
        versions = [version for history in self.histories for version in history.versions]
        return {key: Attribute([_member(version, key) for version in versions], places) for key in keys}


def _member(attributes: Any, key: tuple[str, ...]) -> Any:
    for part in key:
        if not isinstance(attributes, Mapping):
            return None
        attributes = attributes.get(part)
    return attributes
