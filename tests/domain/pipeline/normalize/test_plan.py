"""The plan of normalize: what to write of readings that may repeat others, decided without a database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.pipeline.normalize.outcomes import DEAD, DUPLICATE, STORED
from domain.pipeline.normalize.plan import readings_normalize, write_plan
from domain.telemetry.model.columns import Readings
from domain.telemetry.model.readings import NO_PORT

METRICS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"a": 1}, {"a": 1, "b": "x"}, {"a": None, "b": 2.5}, {}, {"a": [1]}, {"a": [1], "b": True}]
)
AT_US = 1_750_000_000_000_000


def readings_of(metrics: list[dict[str, Any]]) -> Readings:
    count = len(metrics)
    return Readings(
        np.arange(count, dtype=np.int64),
        np.zeros(count, dtype=np.int32),
        [bytes(16)] * count,
        np.full(count, NO_PORT, dtype=np.int32),
        np.full(count, AT_US, dtype=np.int64),
        np.full(count, AT_US, dtype=np.int64),
        [n.to_bytes(16, "big") for n in range(count)],
        metrics,
    )


@given(st.data(), st.lists(METRICS, min_size=1, max_size=8))
def test_repeats_are_not_written(data: st.DataObject, metrics: list[dict[str, Any]]) -> None:
    normalized = readings_normalize(readings_of(metrics), future_tolerance=timedelta(hours=1), schemas={})
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(metrics))))))
    duplicates = sorted(data.draw(st.sets(st.sampled_from(chosen)))) if chosen else []
    is_stored = np.zeros(len(metrics), dtype=np.bool_)
    is_stored[normalized.readings] = True
    plan = write_plan(
        normalized,
        is_stored=is_stored,
        chosen=np.array(chosen, dtype=np.intp),
        duplicates=np.array(duplicates, dtype=np.intp),
    )
    counting = set(chosen) - set(duplicates)
    with_points = set(normalized.readings.tolist())
    assert normalized.readings[plan.points].tolist() == [n for n in normalized.readings.tolist() if n in counting]
    assert plan.outcomes.tolist() == [
        DUPLICATE if n in duplicates else STORED if n in with_points else DEAD for n in chosen
    ]
    expected = [letter for letter in normalized.dead_letters if letter.reading in counting]
    assert list(plan.dead_letters) == expected
    # Each reading that counts has become something.
    assert counting == (counting & with_points) | {letter.reading for letter in expected}
