"""`argus import series`: send a CSV file's readings through the API."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import settings_of, table_add, url_add, url_of
from argus.cli.progress import INTERRUPTED, INTERRUPTED_MESSAGE, problem_print, progress_end, progress_print, terminable
from argus.client import ArgusClient, ClientError
from argus.importing.columns import Columns, SeriesError
from argus.importing.series import Sent, series_send
from argus.organizations import organization_find
from argus.tokens import short_token
from domain.exchange.tables.cells import CellForm
from runtime.settings.model import Settings

_SERIES = """\
Send a CSV file's readings through the API, as a device would. Each row is one instant. Sending a file twice changes
nothing: readings are recognised as repeats.

Without --map and --device, a column belongs to the device whose attribute timeseriesId has the column's name, which
is what `argus import brick` writes, and the metric is named as the column is.

Encoding (UTF-8, or as a byte order mark says) and delimiter (comma, semicolon, tab, bar) are found out. Empty cells,
NA, #N/A, NaN, null, none, unavailable and a spreadsheet's errors are absent. What is nearly a number or a time is not
guessed: the cell or the row is left out, reported with its line and counted. The exit status is 1 where a row or cell
was left out, or a reading rejected. Repeated times are counted among the first 2,000,000 rows.
"""

_EPILOG = """\
forms of times (--timestamp-format):
  iso      2026-01-31T12:00:00Z, 2026-01-31 12:00 (default)
  d.m.y    31.01.2026 12:00          d/m/y    31/01/2026 12:00
  m/d/y    1/31/2026 12:00 PM        excel    46053.5, a spreadsheet's days
  epoch-s  1769860800, seconds since 1970; epoch-ms, epoch-us, epoch-ns
  or a pattern such as '%%d-%%b-%%y %%H:%%M'

Times without an offset are local ones of --timezone. In the hour that comes twice in autumn, rows are of the first
until one repeats or goes back; times that spring leaves out are faults.

examples:
  argus import series log.csv --organization north-works --device probe-1
  argus import series export.txt --organization north-works --device-column Sensor --decimal , \\
      --timestamp-column Zeit --timestamp-format d.m.y --timezone Europe/Zurich --encoding latin-1
"""


def series_add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the command."""
    series = actions.add_parser(
        "series",
        help="readings (CSV)",
        description=_SERIES,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    series.add_argument("file", metavar="FILE.csv", type=Path)
    series.add_argument(
        "--timestamp-column", metavar="COLUMN", help="default: timestamp, and without a header the first column"
    )
    series.add_argument(
        "--timestamp-format", default="iso", metavar="FORM", help="how times are written, see below (default: iso)"
    )
    series.add_argument(
        "--timezone", default="UTC", metavar="ZONE", help="of timestamps without an offset (default: %(default)s)"
    )
    device = series.add_mutually_exclusive_group()
    device.add_argument("--device", metavar="EXTERNAL_ID", help="one device that all columns belong to")
    device.add_argument("--device-column", metavar="COLUMN", help="the column that names each row's device")
    series.add_argument("--metric-columns", metavar="A,B", help="columns to send (default: all that can be placed)")
    series.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=EXTERNAL_ID[::METRIC]",
        help="where a column belongs; repeatable",
    )
    table_add(series)
    series.add_argument(
        "--no-header", action="store_true", help="the first line is a row; columns are named 1, 2, 3 and so on"
    )
    url_add(series)
    series.add_argument("--token", help="bearer token (default: one is made, where this Argus signs its own)")
    series.set_defaults(run=series_run)
    return series


def series_run(arguments: argparse.Namespace) -> int:
    """Send a CSV file's readings."""
    settings: Settings | None = None if arguments.token else settings_of(arguments)
    with errors_reported():
        token = arguments.token
        if settings is not None:
            token = short_token(settings, organization_find(settings, arguments.organization).slug, "argus import")
        columns = Columns(
            timestamp=arguments.timestamp_column or ("1" if arguments.no_header else "timestamp"),
            timezone=arguments.timezone,
            timestamp_format=arguments.timestamp_format,
            device=arguments.device,
            device_column=arguments.device_column,
            metrics=None if arguments.metric_columns is None else tuple(arguments.metric_columns.split(",")),
            placed=_placements(arguments.map),
            cells=CellForm(decimal=arguments.decimal, absent=frozenset(arguments.null)),
            encoding=arguments.encoding,
            delimiter=arguments.delimiter,
            has_header=not arguments.no_header,
        )
        client = _client(url_of(arguments), token)
        sent, is_whole, problem = Sent(), True, None
        try:
            with terminable():
                series_send(arguments.file, columns, client=client, progress=progress_print, sent=sent)
        except KeyboardInterrupt:
            is_whole = False
        except (SeriesError, ClientError, OSError) as error:
            problem = CommandError(str(error))
        finally:
            client.close()
            progress_end()
    if problem is not None and not sent.rows:
        raise problem
    _sent_print(sent, problem, as_json=arguments.json, is_whole=is_whole)
    if problem is not None:
        raise problem
    return INTERRUPTED if not is_whole else 1 if sent.faults_total else 0


def _client(url: str, token: str) -> ArgusClient:
    try:
        return ArgusClient(url, token, on_retry=problem_print)
    except ClientError as error:
        raise CommandError(str(error), status=2) from error


def _sent_print(sent: Sent, problem: CommandError | None, *, as_json: bool, is_whole: bool) -> None:
    """Print what was sent, also before an error in the middle of the file."""
    if as_json:
        error = None if problem is None else str(problem)
        print(json.dumps(asdict(sent) | {"interrupted": not is_whole, "error": error}))
        return
    repeats = f" ({sent.duplicates} of them repeats within a call)" if sent.duplicates else ""
    print(f"{sent.rows} rows: {sent.accepted} readings accepted{repeats}, {sent.rejected} rejected")
    if sent.columns_left_out:
        print(f"Columns of no device, left out: {', '.join(sent.columns_left_out)}")
    for line in _remarks(sent):
        print(line)
    for fault in sent.faults:
        print(f"line {fault.line}: {fault.message}", file=sys.stderr)
    if sent.faults_total > len(sent.faults):
        print(f"and {sent.faults_total - len(sent.faults)} faults more", file=sys.stderr)
    if not is_whole:
        print(f"{INTERRUPTED_MESSAGE} Readings of the last call may have been taken too.", file=sys.stderr)


def _remarks(sent: Sent) -> list[str]:
    """Return what to say of a file besides its faults, a line each."""
    remarks = []
    if sent.rows_failed or sent.cells_failed:
        remarks.append(f"Left out: {sent.rows_failed} rows, and {sent.cells_failed} cells of other rows")
    if sent.instants_repeated:
        remarks.append(
            f"{sent.instants_repeated} rows have the time of an earlier one: where both have a value, the later counts"
        )
    if sent.times_ambiguous:
        remarks.append(
            f"{sent.times_ambiguous} local times come twice in autumn, and were told apart by the order of rows"
        )
    return remarks


def _placements(texts: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    placed: dict[str, tuple[str, str | None]] = {}
    for text in texts:
        column, place = _placement(text)
        if column in placed:
            msg = f"--map names the column {column!r} twice; it belongs to one device and metric."
            raise CommandError(msg, status=2)
        placed[column] = place
    return placed


def _placement(text: str) -> tuple[str, tuple[str, str | None]]:
    column, equals, rest = text.partition("=")
    if not equals or not column or not rest:
        msg = f"--map {text!r} must read COLUMN=EXTERNAL_ID or COLUMN=EXTERNAL_ID::METRIC."
        raise CommandError(msg, status=2)
    external_id, _, metric = rest.partition("::")
    return column, (external_id, metric or None)
