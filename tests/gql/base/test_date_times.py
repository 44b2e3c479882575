"""Instants printed many at once: the same as one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from gql.base.scalars import date_time_print, date_times_print

ANY_ZONE = st.just(UTC) | st.timezones() | st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
INSTANTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ANY_ZONE)  # noqa: DTZ001  (its bounds have none)


@given(st.lists(INSTANTS, max_size=5))
def test_instants_are_printed_together_as_one_by_one(instants: list[datetime]) -> None:
    assert date_times_print(instants) == [date_time_print(instant) for instant in instants]
