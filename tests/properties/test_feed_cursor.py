from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.telemetry.feed.feed import CURSOR_AGE_MAX, Arrival, FeedOffsets, cursor_decode, cursor_encode
from graph.errors import BadInputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
positions = st.dictionaries(st.integers(0, 2**15 - 1), st.integers(0, 2**40), max_size=64)


@given(positions, st.integers(1, 2**31 - 1))
def test_a_cursor_reads_as_it_was_written(places: dict[int, int], organization_id: int) -> None:
    cursor = cursor_encode(places, organization_id=organization_id, now=NOW)
    assert cursor_decode(cursor, organization_id=organization_id, now=NOW + CURSOR_AGE_MAX) == places
    for organization, now in (
        (organization_id + 1, NOW),
        (organization_id, NOW + CURSOR_AGE_MAX + timedelta(seconds=2)),
    ):
        with pytest.raises(BadInputError):
            cursor_decode(cursor, organization_id=organization, now=now)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInputError) as refused:
        cursor_decode(text, organization_id=1, now=NOW)
    assert refused.value.path == ("after",)


@given(st.lists(st.integers(1, 12), max_size=40))
def test_each_position_is_handled_once_and_in_order(arrivals: list[int]) -> None:
    offsets = FeedOffsets({0: 0})
    handled: list[int] = []
    for position in arrivals:
        arrival = offsets.classify(0, position)
        if arrival is Arrival.GAP:
            handled += range(offsets.positions[0] + 1, position)
        if arrival is not Arrival.REPEATED:
            handled.append(position)
        offsets.advance(0, position)
    assert handled == list(range(1, max(arrivals, default=0) + 1))
