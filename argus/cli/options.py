"""Options shared by commands, and the settings from them."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from argus.cli.errors import errors_reported
from domain.exchange.tables.texts import encoding_check
from domain.exchange.tables.times import time_reader
from domain.telemetry.model.buckets import zone_of
from graph.errors import BadInputError
from graph.instants import instant_read
from runtime.embedded.home import address_read
from runtime.settings.load import settings_load
from runtime.settings.model import Settings
from runtime.settings.table import HOME
from runtime.settings.unknown import variables_unknown

URL_DEFAULT = "http://127.0.0.1:8000/graphql"
TIMES = """\
times (--timestamp-format):
  iso      2026-01-31T12:00:00Z, 2026-01-31 12:00 (default)
  d.m.y    31.01.2026 12:00          d/m/y    31/01/2026 12:00
  m/d/y    1/31/2026 12:00 PM        excel    46053.5, a spreadsheet's days
  epoch-s  1769860800, seconds since 1970; epoch-ms, epoch-us, epoch-ns
  or a pattern such as '%d-%b-%y %H:%M'
"""
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def home_default() -> str:
    """Return the data directory where --home names none."""
    return os.environ.get("ARGUS_HOME") or str(HOME.default)


def home_add(parser: argparse.ArgumentParser) -> None:
    """Add --home."""
    parser.add_argument(
        "--home",
        metavar="DIRECTORY",
        help=f"data directory of an embedded Argus (default: $ARGUS_HOME, else {HOME.default}; "
        "without it, ARGUS_DATABASE_URL and its kin are used where they are set)",
    )


def json_add(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")


def table_add(parser: argparse.ArgumentParser, *, without_header: str) -> argparse._ArgumentGroup:
    """Add what says how a table of text is written; return the group. without_header: what names the columns then."""
    table = parser.add_argument_group("how a table is written")
    table.add_argument(
        "--encoding",
        type=checked(encoding_check),
        metavar="NAME",
        help="such as latin-1, cp1252, utf-16 (default: by a byte order mark, else utf-8)",
    )
    table.add_argument(
        "--delimiter",
        metavar="CHARACTER",
        type=_delimiter,
        help="between cells; tab: \\t (default: comma, semicolon, tab or bar, by the first line)",
    )
    table.add_argument(
        "--decimal",
        choices=[".", ","],
        default=".",
        metavar="SIGN",
        help="the decimal sign of numbers, a point or a comma (default: a point)",
    )
    table.add_argument(
        "--null", action="append", default=[], metavar="TEXT", help="one more text that means no value; repeatable"
    )
    table.add_argument("--no-header", action="store_true", help=f"the first line is a row; {without_header}")
    table.add_argument(
        "--skip-lines", type=whole, default=0, metavar="N", help="so many lines come before the header (default: 0)"
    )
    return table


def times_add(group: argparse._ArgumentGroup) -> None:
    """Add what says how times of a table are written; TIMES explains it."""
    group.add_argument(
        "--timestamp-format", default="iso", type=checked(time_reader), metavar="FORM", help="see below (default: iso)"
    )
    group.add_argument(
        "--timezone", type=checked(zone_of), metavar="ZONE", help="of times without an offset (default: UTC)"
    )


def checked(check: Callable[[str], object]) -> Callable[[str], str]:
    """Return an argparse type of texts that `check` does not refuse with a BadInputError."""

    def parse(text: str) -> str:
        try:
            check(text)
        except BadInputError as error:
            raise argparse.ArgumentTypeError(error.message) from None
        return text

    return parse


def whole(text: str) -> int:
    """Parse a whole number from 0 on, as an argparse type."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        msg = f"{text!r} is not a whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _delimiter(text: str) -> str:
    character = "\t" if text in {"\\t", "tab"} else text
    if len(character) != 1 or character in '"\r\n':
        msg = f"{text!r} is not a single character"
        raise argparse.ArgumentTypeError(msg)
    return character


def url_add(parser: argparse.ArgumentParser) -> None:
    """Add --url."""
    parser.add_argument("--url", help=f"address of the API (default: that of a running `argus up`, else {URL_DEFAULT})")


def url_of(arguments: argparse.Namespace) -> str:
    """Return the address of the API: as given, as `argus up` has written it down, or the default."""
    if arguments.url is not None:
        return str(arguments.url)
    return address_read(Path(arguments.home or home_default())) or URL_DEFAULT


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings from --home and the environment; report unknown variables."""
    variables_check()
    with errors_reported():
        return settings_load(arguments.home)


def variables_check() -> None:
    """Report on standard error the environment variables that look like settings of Argus but are not."""
    for unknown in variables_unknown(os.environ):
        print(f"argus: {unknown}", file=sys.stderr)


def duration(text: str) -> timedelta:
    """Parse an ISO 8601 duration of days, hours, minutes and seconds, as an argparse type."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        msg = f"{text!r} is not an ISO 8601 duration such as PT12H or P30D"
        raise argparse.ArgumentTypeError(msg)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def instant(text: str) -> datetime:
    """Parse an RFC 3339 time with an offset, as an argparse type."""
    try:
        at = instant_read(text)
    except ValueError:
        at = None
    if at is None:
        msg = f"{text!r} is not an RFC 3339 time with an offset, such as 2020-01-01T00:00:00Z"
        raise argparse.ArgumentTypeError(msg)
    return at
