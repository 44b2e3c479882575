"""`argus import series`: send a CSV file's readings through the API."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import TIMES, settings_of, table_add, times_add, url_add, url_of
from argus.cli.progress import (
    INTERRUPTED,
    INTERRUPTED_MESSAGE,
    counted,
    problem_print,
    progress_end,
    progress_print,
    terminable,
)
from argus.client import ArgusClient, ClientError
from argus.importing.columns import Columns, SeriesError
from argus.importing.files import unreadable
from argus.importing.series import MixedColumn, Sent, series_send
from argus.organizations import organization_find
from argus.tokens import short_token
from domain.exchange.tables.cells import CellForm
from runtime.settings.model import Settings

_SERIES = """\
Send the readings of a CSV file through the API, as a device would. A row is one instant, a column a metric. Sending a
file twice changes nothing: readings are recognised as repeats.

Which device a value belongs to:
  --device EXTERNAL_ID     all columns belong to this device
  --device-column COLUMN   each row names its device in this column
  --map COLUMN=...         this column belongs to that device, under that metric
  none of these            a column belongs to the device whose attribute timeseriesId is the column's name, which
                           `argus import brick` writes

A cell or a time that cannot be read is not guessed: the cell or the row is left out and reported with its line, the
rest is sent, and the exit status is 1.
"""

_EPILOG = f"""\
values:
  Absent are empty cells, NA, N/A, #N/A, NaN, null, none, nil, unavailable and a spreadsheet's errors, in any case, and
  what --null names. true and false are booleans, other texts are texts.

{TIMES}
  Times without an offset are local ones of --timezone. In the hour that comes twice in autumn, rows are of the first
  until one repeats or goes back; times that spring leaves out are faults.

examples:
  argus import series log.csv --organization north-works --device probe-1
  argus import series export.txt --organization north-works --device-column Sensor --decimal , \\
      --timestamp-column Zeit --timestamp-format d.m.y --timezone Europe/Zurich --encoding latin-1
  logger | argus import series - --organization north-works --no-header --map 2=boiler-a1::supply \\
      --timestamp-format epoch-s

docs/how-to/import-readings.md has more.
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
    series.add_argument("file", metavar="FILE.csv", type=Path, help="- reads standard input")
    places = series.add_argument_group("where the values go")
    device = places.add_mutually_exclusive_group()
    device.add_argument("--device", metavar="EXTERNAL_ID", help="the device of all columns")
    device.add_argument("--device-column", metavar="COLUMN", help="the column that names each row's device")
    places.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=EXTERNAL_ID[::METRIC]",
        help="the device of one column, and the metric (default: the column's name); repeatable",
    )
    places.add_argument(
        "--metric-columns", metavar="A,B", help="columns to send (default: all that belong to a device)"
    )
    times = series.add_argument_group("how times are written")
    times.add_argument(
        "--timestamp-column",
        action="append",
        metavar="COLUMN",
        help="the column of times (default: timestamp, and without a header the first); repeat it where date and time "
        "have columns of their own",
    )
    times_add(times)
    table_add(series, without_header="columns are named 1, 2, 3 and so on")
    url_add(series)
    series.add_argument("--token", help="bearer token (default: one is made, where this Argus signs its own)")
    series.set_defaults(run=series_run)
    return series


def series_run(arguments: argparse.Namespace) -> int:
    """Send a CSV file's readings."""
    settings: Settings | None = None if arguments.token else settings_of(arguments)
    with errors_reported():
        token = arguments.token
        if settings is not None and arguments.organization is None:
            msg = "--organization is needed, or the --token of somebody in it."
            raise CommandError(msg, status=2)
        if settings is not None:
            token = short_token(settings, organization_find(settings, arguments.organization).slug, "argus import")
        columns = Columns(
            timestamps=arguments.timestamp_column or ("1" if arguments.no_header else "timestamp",),
            timezone=arguments.timezone or "UTC",
            timestamp_format=arguments.timestamp_format,
            device=arguments.device,
            device_column=arguments.device_column,
            metrics=None if arguments.metric_columns is None else tuple(arguments.metric_columns.split(",")),
            placed=_placements(arguments.map),
            cells=CellForm(decimal=arguments.decimal, absent=frozenset(arguments.null)),
            encoding=arguments.encoding,
            delimiter=arguments.delimiter,
            has_header=not arguments.no_header,
            skip=arguments.skip_lines,
        )
        client = _client(url_of(arguments), token)
        sent, is_whole, problem = Sent(), True, None
        try:
            with terminable():
                series_send(arguments.file, columns, client=client, progress=progress_print, sent=sent)
        except KeyboardInterrupt:
            is_whole = False
        except (SeriesError, ClientError) as error:
            problem = CommandError(str(error))
        except OSError as error:
            problem = CommandError(unreadable(arguments.file, error))
        finally:
            client.close()
            progress_end()
    if problem is not None and not sent.rows:
        raise problem
    if arguments.timezone is not None:
        # What was named was not taken for granted.
        sent.times_local = 0
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
    accepted = counted(sent.accepted, "readings")
    print(f"{counted(sent.rows, 'rows')}: {accepted} accepted{repeats}, {sent.rejected} rejected")
    if sent.columns_left_out:
        print(f"Columns left out: {', '.join(sent.columns_left_out)}")
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
        rows, cells = counted(sent.rows_failed, "rows"), counted(sent.cells_failed, "cells")
        remarks.append(f"Left out: {rows}, and {cells} of other rows")
    if sent.instants_repeated:
        rows = counted(sent.instants_repeated, "rows")
        remarks.append(f"On the time of an earlier row: {rows}; where both have a value, the later counts")
    if sent.times_local:
        remarks.append(f"Without an offset, and taken as UTC: {counted(sent.times_local, 'times')}; see --timezone")
    if sent.times_ambiguous:
        times = counted(sent.times_ambiguous, "local times")
        remarks.append(f"In the hour that comes twice, and resolved by the order of rows: {times}")
    remarks += map(_mixed, sent.mixed_columns)
    return remarks


def _mixed(column: MixedColumn) -> str:
    numbers, texts = counted(column.numbers, "numbers"), counted(column.texts, "texts")
    return (
        f"Column {column.column}: {numbers} and {texts}, the first in line {column.line}: {column.example!r}."
        " What means no value is named with --null"
    )


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
