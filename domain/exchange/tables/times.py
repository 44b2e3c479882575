"""Read times of a table: by a strict grammar, a format, or as numbers; local ones with the clock's changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import partial
from typing import Final

from graph.errors import BadInputError

_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_END_OF_DAY: Final = re.compile(r"^([0-9-]{10})[T ]24:00(?::00(?:[.,]0+)?)?(?![0-9:.,])(.*)$")
_FRACTION: Final = re.compile(r"([.,])([0-9]{7,9})")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Day 0 of Excel's serial numbers after its February 29, 1900, which never was.
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001
_EXCEL_FIRST: Final = 61
_EXCEL_END: Final = 2_958_466
_DAY_MS: Final = 86_400_000
# Seconds since 1970 have ten digits from 2001 to 2286, milliseconds thirteen, and so on.
_EPOCH_DIGITS: Final = {10: "epoch-s", 13: "epoch-ms", 16: "epoch-us", 19: "epoch-ns"}
_PER_SECOND: Final = {"epoch-s": 1, "epoch-ms": 1_000, "epoch-us": 1_000_000, "epoch-ns": 1_000_000_000}
_DOTTED: Final = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}\b")
_SLASHED: Final = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}\b")
_DATES: Final = {
    "d.m.y": (re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})"), "dd.mm.yyyy"),
    "d/m/y": (re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})"), "dd/mm/yyyy"),
    "m/d/y": (re.compile(r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})"), "mm/dd/yyyy"),
}
_CLOCK: Final = re.compile(
    r"(?P<h>[0-9]{1,2}):(?P<min>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,6}))?)?(?: ?(?P<half>[AaPp][Mm]))?"
)
FORMATS: Final = ("iso", *_DATES, *_PER_SECOND, "excel")


class TimeError(ValueError):
    """A cell is not a time in the form named, or none of the zone's; the message says why and what to do."""


def time_reader(form: str) -> Callable[[str], datetime]:
    """Return what reads a cell as a time, naive where the cell names no offset. It raises TimeError.

    form: one of FORMATS, or a pattern of strptime, which has a percent sign. Raises BadInputError.
    """
    if form == "iso":
        return _iso
    if form == "excel":
        return _excel
    if form in _PER_SECOND:
        return partial(_epoch, form=form)
    if form in _DATES:
        return partial(_dated, form=form)
    if "%" not in form:
        message = f"There is no form of times {form!r}: {', '.join(FORMATS)}, or a pattern such as '%d.%m.%y %H:%M'."
        raise BadInputError(message, path=("timestampFormat",))
    try:
        datetime.strptime(datetime(2026, 1, 31, 12, tzinfo=UTC).strftime(form), form)  # noqa: DTZ007
    except (ValueError, re.error):
        message = f"{form!r} is not a pattern of times; %d.%m.%Y %H:%M:%S is one."
        raise BadInputError(message, path=("timestampFormat",)) from None
    return partial(_patterned, form=form)


def _iso(cell: str) -> datetime:
    text = _text(cell)
    if not _ISO.fullmatch(text):
        msg = f"{text!r} is not a time of ISO 8601 (2026-01-31T12:00:00Z){_advice(text)}."
        raise TimeError(msg)
    # More digits than microseconds have are cut off.
    text = _FRACTION.sub(lambda match: match[1] + match[2][:6], text).upper()
    text = text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z")
    # The end of a day, as ISO 8601 and many loggers have it.
    text, is_end = _END_OF_DAY.subn(r"\1T00:00\2", text)
    try:
        return datetime.fromisoformat(text) + timedelta(days=is_end)
    except (ValueError, OverflowError):
        msg = f"{text!r} is not a time that exists."
        raise TimeError(msg) from None


def _advice(text: str) -> str:
    digits = text.partition(".")[0]
    if _NUMBER.fullmatch(text) and len(digits) in _EPOCH_DIGITS:
        return f"; --timestamp-format {_EPOCH_DIGITS[len(digits)]} reads such numbers"
    if _NUMBER.fullmatch(text) and len(digits) == 5:  # noqa: PLR2004
        return "; --timestamp-format excel reads a spreadsheet's numbers of days"
    if _DOTTED.match(text):
        return "; --timestamp-format d.m.y reads such dates"
    if _SLASHED.match(text):
        return "; --timestamp-format m/d/y or d/m/y reads such dates"
    return "; name another with --timestamp-format"


def _text(cell: str) -> str:
    if not (text := cell.strip()):
        msg = "There is no time."
        raise TimeError(msg)
    return text


def _epoch(cell: str, *, form: str) -> datetime:
    text = _text(cell)
    if not _NUMBER.fullmatch(text):
        msg = f"{text!r} is not a number, as times in the form {form} are."
        raise TimeError(msg)
    # What would be 1970 as one form, and this century as another, is the other.
    other = _EPOCH_DIGITS.get(len(text.replace(",", ".").partition(".")[0]), form)
    if other != form:
        msg = f"{text!r} is not a time in the form {form}: it has as many digits as {other} has."
        raise TimeError(msg)
    microseconds = Decimal(text.replace(",", ".")) * 1_000_000 / _PER_SECOND[form]
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        msg = f"{text!r} is not a time in the form {form}."
        raise TimeError(msg) from None


def _excel(cell: str) -> datetime:
    text = _text(cell)
    days = Decimal(text.replace(",", ".")) if _NUMBER.fullmatch(text) else Decimal(0)
    # A spreadsheet's doubles hold milliseconds and no more.
    days_ms = int((days * _DAY_MS).to_integral_value())
    if not _EXCEL_FIRST * _DAY_MS <= days_ms < _EXCEL_END * _DAY_MS:
        msg = f"{text!r} is not a number of days as spreadsheets have them (45000.5)."
        raise TimeError(msg)
    return _EXCEL_EPOCH + timedelta(milliseconds=days_ms)


def _dated(cell: str, *, form: str) -> datetime:
    text = _text(cell)
    pattern, shown = _DATES[form]
    date = pattern.match(text)
    rest = "" if date is None else text[date.end() :].strip(" T,")
    clock = _CLOCK.fullmatch(rest) if rest else None
    if date is None or (rest and clock is None):
        msg = f"{text!r} is not a time in the form {form} ({shown} hh:mm:ss)."
        raise TimeError(msg)
    try:
        at = datetime(int(date["y"]), int(date["m"]), int(date["d"]))  # noqa: DTZ001
        return at if clock is None else at + _clock(clock)
    except (ValueError, OverflowError):
        msg = f"{text!r} is not a time in the form {form} ({shown})."
        raise TimeError(msg) from None


def _clock(match: re.Match[str]) -> timedelta:
    """Return the time of day. Raises ValueError."""
    hour, minute, second = int(match["h"]), int(match["min"]), int(match["s"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004
            raise ValueError
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    if (hour, minute, second, int(match["f"] or 0)) == (24, 0, 0, 0):
        return timedelta(days=1)
    at = time(hour, minute, second, int((match["f"] or "0").ljust(6, "0")))
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)


def _patterned(cell: str, *, form: str) -> datetime:
    text = _text(cell)
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        msg = f"{text!r} is not a time in the form {form}."
        raise TimeError(msg) from None


@dataclass(slots=True)
class _Track:
    """The last local time of one series, and the direction in which its rows go: 1 forward, -1 backward, 0 unknown."""

    last: datetime
    fold: int
    direction: int


class LocalTimes:
    """Local times of one zone as instants, resolved by the order of rows.

    Where the clock goes back, an hour comes twice: its times are of the first until a row of the same series repeats
    one or goes back, and then of the second; where a file goes backward it is the other way round. ambiguous: how many
    times were of such an hour.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._tracks: dict[str, _Track] = {}
        self.ambiguous = 0

    def instant(self, local: datetime, series: str = "") -> datetime:
        """Return the instant of a time; naive ones are of the zone.

        Raises TimeError where the clock skipped it, and at the ends of the first and the last year.
        """
        try:
            return self._instant(local, series)
        except OverflowError:
            msg = f"{local.isoformat(' ')} is not a time that can be stored."
            raise TimeError(msg) from None

    def _instant(self, local: datetime, series: str) -> datetime:
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        first, second = (local.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        instant = first.astimezone(UTC)
        if first.utcoffset() == second.utcoffset():
            self._remember(local, series, fold=0)
            return instant
        if instant.astimezone(self._zone).replace(tzinfo=None) != local:
            msg = f"{local.isoformat(' ')} does not exist in {self._zone}: the clock was put forward past it."
            raise TimeError(msg)
        self.ambiguous += 1
        fold = self._fold(local, series)
        self._remember(local, series, fold=fold)
        return second.astimezone(UTC) if fold else instant

    def _fold(self, local: datetime, series: str) -> int:
        track = self._tracks.get(series)
        direction = 0 if track is None else track.direction or (local > track.last) - (local < track.last)
        begin = 0 if direction >= 0 else 1
        if track is None or not self._is_ambiguous(track.last):
            return begin
        if track.fold != begin:
            return track.fold
        repeats = local <= track.last if direction >= 0 else local >= track.last
        return 1 - begin if repeats else begin

    def _is_ambiguous(self, local: datetime) -> bool:
        first, second = (local.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        return first.utcoffset() != second.utcoffset()

    def _remember(self, local: datetime, series: str, *, fold: int) -> None:
        track = self._tracks.get(series)
        if track is None:
            self._tracks[series] = _Track(local, fold, 0)
            return
        # Within the hour that comes twice, a step back says nothing of the direction of the file.
        if local != track.last and not (self._is_ambiguous(local) and self._is_ambiguous(track.last)):
            track.direction = 1 if local > track.last else -1
        track.last, track.fold = local, fold


class CellTimes:
    """Times of one form as instants, each by itself; those without an offset are of one zone.

    local: how many had none. ambiguous: how many of these were of an hour that comes twice; they are of the first.
    """

    def __init__(self, form: str, zone: tzinfo) -> None:
        """Read times in a form as `time_reader` does, which says what is raised."""
        self._read, self._zone = time_reader(form), zone
        self.local = self.ambiguous = 0

    def instant(self, cell: str) -> datetime:
        """Return the instant of a cell. Raises TimeError."""
        local, times = self._read(cell), LocalTimes(self._zone)
        instant = times.instant(local)
        self.local += local.tzinfo is None
        self.ambiguous += times.ambiguous
        return instant
