"""Fast path: find the (rule, entity) pairs that no reading at hand affects, by column tests. Pure; hot path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from domain.base.packed import Column
from domain.rules.conditions import Threshold
from domain.rules.evaluate import threshold_tests, waits_for
from domain.rules.model import Assignment
from domain.telemetry.model.attribution import END_US

# An entity (16 bytes), a rule, and which readings of the entity: a port, or ''.
PairKey = tuple[bytes, UUID, str]


@dataclass(slots=True)
class PairState:
    """The state of a pair at its watermark: all readings before it are evaluated.

    stored_us: of the latest stored state.
    """

    state: Any
    watermark_us: int
    stored_us: int


def unaffected_pairs(
    places: Sequence[tuple[bytes, str]],
    columns: Mapping[str, Column],
    assignments: Mapping[bytes, Sequence[Assignment]],
    states: Mapping[PairKey, PairState],
) -> set[PairKey]:
    """Return the pairs of plain thresholds that no reading at hand affects.

    places: entities and keys, which the columns' places are.
    """
    shapes: dict[tuple[str, Any, str], list[tuple[int, PairKey, Threshold]]] = {}
    for n, (entity, place) in enumerate(places):
        for assignment in assignments[entity]:
            segment = assignment.segments[-1]
            key = (entity, assignment.rule_id, place)
            if key not in states:
                continue
            state = states[key].state
            condition = segment.condition
            if not isinstance(condition, Threshold) or segment.ends_us != END_US:
                continue
            if state is not None and state[0] == segment.key:
                waits = waits_for(state[1])
                if waits is not None:
                    shapes.setdefault((condition.metric, condition.operator, waits), []).append((n, key, condition))
    unaffected: set[PairKey] = set()
    for (metric, operator, waits), pairs_of_shape in shapes.items():
        column = columns.get(metric)
        if column is None:
            unaffected.update(key for _, key, _ in pairs_of_shape)
            continue
        firsts = np.searchsorted(column.owner, [n for n, _, _ in pairs_of_shape], side="left")
        lasts = np.searchsorted(column.owner, [n for n, _, _ in pairs_of_shape], side="right")
        counts = lasts - firsts
        pair = np.repeat(np.arange(len(pairs_of_shape)), counts)
        place = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(firsts, counts)
        value = np.array([condition.value for _, _, condition in pairs_of_shape])[pair]
        clear = np.array([condition.clear_value for _, _, condition in pairs_of_shape])[pair]
        values = column.values[place]
        satisfied, passed = threshold_tests(operator, values, value, clear)
        flags = (satisfied if waits == "satisfied" else passed) & np.isfinite(values)
        hit = np.zeros(len(pairs_of_shape), dtype=np.bool_)
        hit[pair[flags]] = True
        unaffected.update(key for (_, key, _), is_hit in zip(pairs_of_shape, hit.tolist(), strict=True) if not is_hit)
    return unaffected
