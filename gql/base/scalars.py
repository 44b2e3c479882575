"""Scalars of the schema. An invalid value refuses the call; ReadingTime alone is checked reading by reading."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NewType, NoReturn

import orjson
import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from graph.instants import instant_read

# Of the text of an instant in UTC, which ends with +00:00.
_OFFSET_BEGIN = -6
_WHOLE_SECONDS_CHARS = len("2026-03-01T08:00:00Z")
_DURATION = re.compile(
    r"P(?!$)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,6})?)S)?)?"
)
DURATION_MAX = timedelta(days=366 * 100)
# Python reads no integer of more than 4,300 digits.
_DURATION_MAX_CHARS = 200

JSON = NewType("JSON", object)
GeoJSON = NewType("GeoJSON", object)
ReadingTime = NewType("ReadingTime", object)
# RFC 3339 in, UTC out. A name of its own, so that strawberry's lenient DateTime is out of reach.
DateTime = NewType("DateTime", datetime)


class Duration:
    """An ISO 8601 duration: calendar months, and an exact length beside them."""

    __slots__ = ("length", "months", "text")

    def __init__(self, text: str, months: int, length: timedelta) -> None:
        self.text, self.months, self.length = text, months, length

    def exact(self) -> timedelta:
        """Return the length of a duration without months or years."""
        if self.months:
            message = f"{self.text} has no fixed length; use weeks, days or less."
            raise GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
        return self.length


def date_time_parse(value: object) -> datetime:
    """Parse RFC 3339 with an offset; return UTC."""
    if not isinstance(value, str):
        _refuse(f"A DateTime is RFC 3339 text such as 2026-03-01T08:00:00+01:00; it was {_quoted(value)}.")
    try:
        instant = instant_read(value)
    except ValueError:
        _refuse(f"{_quoted(value)} is not an instant between the years 1 and 9999.")
    if instant is None:
        _refuse(f"{_quoted(value)} is not an RFC 3339 time with an offset, such as 2026-03-01T08:00:00Z.")
    return instant


def date_time_print(value: datetime) -> str:
    """Print an instant in UTC with 'Z', without empty fractions."""
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    text = utc.isoformat()[:_OFFSET_BEGIN]
    return f"{text.rstrip('0')}Z" if utc.microsecond else f"{text}Z"


def date_times_print(values: Sequence[datetime]) -> list[str]:
    """Print many instants as `date_time_print` does. Hot path."""
    in_utc = [value if value.tzinfo is UTC else value.astimezone(UTC) for value in values]
    texts: list[str] = orjson.loads(orjson.dumps(in_utc, option=orjson.OPT_UTC_Z))
    return [text if len(text) == _WHOLE_SECONDS_CHARS else f"{text[:-1].rstrip('0')}Z" for text in texts]


def duration_parse(value: object) -> Duration:
    """Parse an ISO 8601 duration."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) <= _DURATION_MAX_CHARS else None
    if match is None or not isinstance(value, str) or not any(match.groups()):
        _refuse(f"{_quoted(value)} is not an ISO 8601 duration such as PT15M or P1D.")
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups()[:6])
    try:
        length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(match[7] or 0))
    except OverflowError:
        length = timedelta.max
    if length > DURATION_MAX or 12 * years + months > 1200:  # noqa: PLR2004
        _refuse(f"{_quoted(value)} is longer than a hundred years.")
    return Duration(value, 12 * years + months, length)


def duration_print(value: object) -> str:
    """Print a duration as it was given, or a timedelta in seconds."""
    if isinstance(value, Duration):
        return value.text
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"
    return str(value)


def json_parse(value: object) -> object:
    """Take any JSON value as it is; NaN and Infinity are not JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        _refuse("NaN and Infinity are not JSON.")
    return value


def json_parse_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> object:
    """Read a JSON value written in the document."""
    try:
        return value_from_ast_untyped(node, variables)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        _refuse("This is not a JSON value.")


def geojson_parse(value: object) -> object:
    """Take a GeoJSON object; what it holds is checked where it is used, with a place in the message."""
    if not isinstance(value, dict):
        _refuse(f"A GeoJSON geometry is an object with type and coordinates; it was {_quoted(value)}.")
    return value


def geojson_parse_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> object:
    """Read a GeoJSON object written in the document."""
    return geojson_parse(json_parse_literal(node, variables))


def _refuse(message: str) -> NoReturn:
    raise GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def _quoted(value: object) -> str:
    text = repr(value)
    longest = 60
    return text if len(text) <= longest else text[:longest] + "..."


def as_is(value: object) -> object:
    """Return a value as it is."""
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 with an offset ('Z' or '+02:00'); naive or date-only input is refused. "
        "Output is UTC with 'Z'.",
        serialize=date_time_print,
        parse_value=date_time_parse,
    ),
    ReadingTime: strawberry.scalar(
        name="ReadingTime",
        description="RFC 3339 with an offset, or milliseconds since the Unix epoch. A bad one refuses its reading "
        "alone (INVALID_TIMESTAMP), not the call.",
        serialize=as_is,
        parse_value=as_is,
        parse_literal=json_parse_literal,
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="ISO 8601 duration, e.g. PT15M, P1D.",
        serialize=duration_print,
        parse_value=duration_parse,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=as_is,
        parse_value=json_parse,
        parse_literal=json_parse_literal,
    ),
    GeoJSON: strawberry.scalar(
        name="GeoJSON",
        description="A GeoJSON geometry, WGS 84, longitude first.",
        serialize=as_is,
        parse_value=geojson_parse,
        parse_literal=geojson_parse_literal,
    ),
}
