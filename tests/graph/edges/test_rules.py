"""Intervals and exclusivity, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.edges.rules import Interval, Place, exclusive_of, interval_of, place_of, shorten
from graph.errors import BadInputError
from graph.kinds import EntityKind
from graph.relationships.builtin import BUILT_IN, LINKS
from graph.relationships.model import Exclusive, Relationship
from testing.world import day, new_id

DAYS = range(12)
ENDS = st.tuples(st.integers(0, 10), st.none() | st.integers(0, 10))
INTERVALS = ENDS.filter(lambda ends: ends[1] is None or ends[0] < ends[1]).map(
    lambda ends: Interval(day(ends[0]), None if ends[1] is None else day(ends[1]))
)


def days(interval: Interval | None) -> set[int]:
    return {number for number in DAYS if interval is not None and interval.contains(day(number))}


@given(INTERVALS, INTERVALS)
def test_an_intersection_holds_what_both_hold(one: Interval, other: Interval) -> None:
    assert days(one.intersection(other)) == days(one) & days(other)
    assert (one.intersection(other) is None) == (not days(one) & days(other))


@given(INTERVALS, st.integers(0, 11))
def test_a_split_loses_nothing(whole: Interval, at: int) -> None:
    before, after = whole.split(day(at))
    assert days(before) == {number for number in days(whole) if number < at}
    assert days(after) == {number for number in days(whole) if number >= at}
    assert (before is None, after is None) == (not days(before), not days(after))


@given(INTERVALS, st.integers(-1, 12))
def test_a_shortened_interval_lies_strictly_inside(whole: Interval, at: int) -> None:
    inside = day(at) > whole.start and (whole.end is None or day(at) < whole.end)
    if inside:
        assert shorten(whole, day(at)) == Interval(whole.start, day(at))
    else:
        with pytest.raises(BadInputError):
            shorten(whole, day(at))


def test_times_become_utc_within_the_years_of_the_calendar() -> None:
    east = timezone(timedelta(hours=2))
    assert interval_of(datetime(2020, 1, 1, 2, tzinfo=east), None) == Interval(day(0), None)
    for wrong in (datetime(1, 1, 1, tzinfo=east), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2)))):
        with pytest.raises(BadInputError) as fault:
            interval_of(wrong, None)
        assert fault.value.path == ("validFrom",)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert interval_of(first, last) == Interval(first, last)


def test_a_place_is_what_the_relationship_says() -> None:
    source, target = new_id(), new_id()
    anything = frozenset(EntityKind)

    def place(relationship: Relationship, source_kind: EntityKind, port: int | None) -> Any:
        return place_of(
            relationship,
            source_id=source,
            source_kind=source_kind,
            target_id=target,
            port=port,
        )

    cases = [
        (None, None),
        (Exclusive.SOURCE, Place(f"R {source}", always=True)),
        (Exclusive.TARGET, Place(f"R {target}", always=True)),
        (Exclusive.TARGET_PORT, Place(f"R {target} 7", always=True)),
    ]
    for exclusive, expected in cases:
        relationship = Relationship("R", "S", anything, anything, exclusive=exclusive)
        assert place(relationship, EntityKind.SPACE, 7) == expected
    built_in = {relationship.name: relationship for relationship in BUILT_IN}
    for name in LINKS:
        for kind in (EntityKind.ASSET, EntityKind.SPACE):
            always = name == "CONTROLLED_BY" and kind is EntityKind.ASSET
            expected = Place(f"{name} {target} - {kind}", always=always)
            assert place(built_in[name], kind, None) == expected
            for wanted in (None, True, False):
                if wanted is False and always:
                    with pytest.raises(BadInputError, match="is exclusive"):
                        exclusive_of(built_in[name], expected, wanted=wanted)
                else:
                    assert exclusive_of(built_in[name], expected, wanted=wanted) is (always or wanted is True)
    of_devices = Relationship("R", "S", anything, frozenset({EntityKind.DEVICE}))
    assert place(of_devices, EntityKind.SPACE, 7) == Place(f"R {target} 7 SPACE", always=False)
    feeds = built_in["FEEDS"]
    assert place(feeds, EntityKind.ASSET, None) is None
    assert place(built_in["TARGETS"], EntityKind.ACTIVITY, None) is None
    with pytest.raises(BadInputError, match="cannot be exclusive"):
        exclusive_of(feeds, None, wanted=True)
    assert not exclusive_of(feeds, None, wanted=False)


def test_names_and_inverses_of_the_built_in_are_all_different() -> None:
    names = [name for relationship in BUILT_IN for name in (relationship.name, relationship.inverse)]
    assert len(set(names)) == 2 * len(BUILT_IN) == 16
