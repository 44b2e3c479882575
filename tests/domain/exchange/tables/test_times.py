"""Times of a table: forms, and local times where the clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exchange.tables.times import LocalTimes, TimeError, time_reader
from graph.errors import BadInputError

ZURICH, ANGELES = ZoneInfo("Europe/Zurich"), ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("form", "cell", "expected"),
    [
        ("iso", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00"),
        ("iso", "2026-01-31 12:00", "2026-01-31T12:00:00"),
        ("iso", " 2026-01-31T12:00:00.123456789+0130", "2026-01-31T12:00:00.123456+01:30"),
        ("iso", "2026-01-31T12:00:00z", "2026-01-31T12:00:00+00:00"),
        ("iso", "2026-01-31 12:00 z", "2026-01-31T12:00:00+00:00"),
        ("iso", "2026-01-31 12:00 -01:30", "2026-01-31T12:00:00-01:30"),
        ("iso", "2026-01-31", "2026-01-31T00:00:00"),
        ("iso", "2026-01-31 24:00", "2026-02-01T00:00:00"),
        ("iso", "2026-01-31T24:00:00.000Z", "2026-02-01T00:00:00+00:00"),
        ("d.m.y", "31.12.2026 24:00:00", "2027-01-01T00:00:00"),
        ("d.m.y", "31.01.2026 12:00", "2026-01-31T12:00:00"),
        ("d.m.y", "1.2.2026 7:05:09,5", "2026-02-01T07:05:09.500000"),
        ("d/m/y", "01/02/2026", "2026-02-01T00:00:00"),
        ("m/d/y", "1/31/2026 12:00 PM", "2026-01-31T12:00:00"),
        ("m/d/y", "1/31/2026, 12:30 am", "2026-01-31T00:30:00"),
        ("epoch-s", "1769860800", "2026-01-31T12:00:00+00:00"),
        ("epoch-s", "1769860800.25", "2026-01-31T12:00:00.250000+00:00"),
        ("epoch-ms", "1458031648545", "2016-03-15T08:47:28.545000+00:00"),
        ("epoch-ns", "1769860800000000001", "2026-01-31T12:00:00+00:00"),
        ("excel", "46053.5", "2026-01-31T12:00:00"),
        ("excel", "46053,520833333336", "2026-01-31T12:30:00"),
        ("%d-%b-%y %H:%M", "31-Jan-26 12:00", "2026-01-31T12:00:00"),
        ("%Y-%m-%dT%H:%M%z", "2026-01-31T12:00+0100", "2026-01-31T12:00:00+01:00"),
    ],
)
def test_forms(form: str, cell: str, expected: str) -> None:
    assert time_reader(form)(cell).isoformat() == expected


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("iso", "1458031648545"), ("iso", "20260111"), ("iso", "2026-W03-1"), ("iso", "1769860800"), ("iso", ""),
        ("iso", "2026-02-30"), ("iso", "2026-01-31T24:01"), ("iso", "9999-12-31T24:00"),
        ("d.m.y", "31.12.9999 24:00"), ("d.m.y", "31.01.2026 24:00:01"), ("m/d/y", "1/31/2026 24:00 PM"),
        ("epoch-ms", "1769860800"), ("epoch-s", "1769860800000"), ("epoch-us", "1769860800000"),
        ("iso", "٢٠٢٦-01-31"), ("iso", "2026-01-31T25:00"), ("iso", "31.01.2026 12:00"),
        ("d.m.y", "2026-01-31"), ("d.m.y", "31.02.2026"), ("d.m.y", "31.01.2026 25:00"), ("d.m.y", "31.01.2026 noon"),
        ("m/d/y", "31/01/2026"), ("m/d/y", "1/31/2026 13:00 PM"), ("epoch-s", "2026-01-31"), ("epoch-s", "9" * 30),
        ("excel", "1769860800"), ("excel", "0.5"), ("excel", "noon"),
        ("excel", "2958465.9999999999"), ("%H:%M", "12"),
    ],
)  # fmt: skip
def test_what_is_no_time_of_the_form_is_refused(form: str, cell: str) -> None:
    with pytest.raises(TimeError):
        time_reader(form)(cell)


@pytest.mark.parametrize(
    ("cell", "advice"),
    [("1769860800", "epoch-s"), ("1458031648545", "epoch-ms"), ("46053.5", "excel"), ("31.01.2026", "d.m.y"),
     ("1/31/2026 12:00", "m/d/y")],
)  # fmt: skip
def test_the_form_that_reads_it_is_named(cell: str, advice: str) -> None:
    with pytest.raises(TimeError, match=advice):
        time_reader("iso")(cell)


@pytest.mark.parametrize("form", ["nonsense", "%Q", "%"])
def test_a_form_nobody_knows_is_refused(form: str) -> None:
    with pytest.raises(BadInputError):
        time_reader(form)


def local(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in texts]


def instants(times: list[datetime], zone: ZoneInfo = ANGELES) -> list[str]:
    track = LocalTimes(zone)
    return [track.instant(at).strftime("%d %H:%M") for at in times]


def test_the_repeated_hour_is_resolved_by_the_order_of_rows() -> None:
    hourly = local("2020-11-01 00:00", "2020-11-01 01:00", "2020-11-01 01:00", "2020-11-01 02:00")
    assert instants(hourly) == ["01 07:00", "01 08:00", "01 09:00", "01 10:00"]
    assert instants(hourly[::-1]) == ["01 10:00", "01 09:00", "01 08:00", "01 07:00"]
    quarters = [datetime(2020, 11, 1, 1, minute) for minute in (0, 15, 30, 45)] * 2  # noqa: DTZ001
    assert instants([datetime(2020, 11, 1), *quarters])[1:] == [  # noqa: DTZ001
        f"01 {hour:02}:{minute:02}" for hour in (8, 9) for minute in (0, 15, 30, 45)
    ]


def test_each_series_has_an_order_of_its_own() -> None:
    track, at = LocalTimes(ANGELES), datetime(2020, 11, 1, 1)  # noqa: DTZ001
    order = [track.instant(at, series).hour for series in ("a", "b", "a", "b")]
    assert order == [8, 8, 9, 9]
    assert track.ambiguous == 4


def test_a_time_that_the_clock_skips_is_refused() -> None:
    track = LocalTimes(ZURICH)
    for text in ("2026-03-29 02:00", "2026-03-29 02:59:59"):
        with pytest.raises(TimeError, match="does not exist in Europe/Zurich"):
            track.instant(datetime.fromisoformat(text))
    assert track.instant(datetime.fromisoformat("2026-03-29 03:00")) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59", "9999-12-31T23:59-12:00"],
)
def test_a_time_that_no_instant_has_is_refused(text: str) -> None:
    zone = ANGELES if text.startswith("9") else ZURICH
    with pytest.raises(TimeError, match="is not a time that can be stored"):
        LocalTimes(zone).instant(datetime.fromisoformat(text))


def test_a_time_with_an_offset_is_what_it_says() -> None:
    assert LocalTimes(ZURICH).instant(datetime.fromisoformat("2026-03-29T02:30+01:00")) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


@given(
    begin=st.datetimes(datetime(2019, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    step=st.integers(1, 60),
    count=st.integers(2, 200),
    zone=st.sampled_from([ZURICH, ANGELES, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata")]),
    is_backward=st.booleans(),
)
def test_a_logger_s_local_times_come_back_as_they_were(
    begin: datetime, step: int, count: int, zone: ZoneInfo, is_backward: bool
) -> None:
    times = [begin.replace(tzinfo=UTC, microsecond=0) + timedelta(minutes=step) * n for n in range(count)]
    if is_backward:
        times.reverse()
    # A file that begins within the hour that comes twice does not say which of the two it begins in.
    offsets = {times[0].astimezone(zone).replace(fold=fold).utcoffset() for fold in (0, 1)}
    offsets_next = {times[1].astimezone(zone).replace(fold=fold).utcoffset() for fold in (0, 1)}
    track = LocalTimes(zone)
    read = [track.instant(at.astimezone(zone).replace(tzinfo=None, fold=0)) for at in times]
    if len(offsets) == len(offsets_next) == 1:
        assert read == times
