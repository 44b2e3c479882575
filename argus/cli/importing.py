"""`argus import`: import a building's model and its readings."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from argus.changes import changes_run
from argus.cli.errors import CommandError, errors_reported
from argus.cli.importing_series import series_add
from argus.cli.options import TIMES, home_add, instant, json_add, settings_of, table_add, times_add
from argus.cli.progress import INTERRUPTED, INTERRUPTED_MESSAGE, progress_end, progress_print, terminable
from argus.importing.files import file_opened, unreadable
from argus.organizations import organization_find
from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.files import Format, TableForm, records_read
from domain.exchange.imports.outcome import Outcome
from domain.exchange.imports.records import Record, Remark
from domain.exchange.tables.cells import CellForm
from domain.exchange.tables.texts import lines_read, text_of, undecodable
from runtime.settings.model import Settings

# Of an import's remarks; a file at fault in every line would fill the terminal.
REMARKS_PRINTED = 100

_IMPORT = """\
Bring what is already known of a plant: what there is and how it is connected, then what was measured. Importing a file
twice changes nothing. What cannot be taken as it is written is left out and reported, the rest goes through.
"""

_IMPORT_EPILOG = """\
In this order, for a building with a Brick model and a log:
  argus import brick building.ttl --organization north-works --valid-from 2020-01-01T00:00:00Z
  argus import series log.csv --organization north-works

exit status:
  0 all of it was taken    1 something was refused, or an error ended it    2 used wrongly    130 interrupted
"""

_BRICK = """\
Bring a Brick model: points become devices, equipment becomes assets, places become spaces, relations become edges. An
entity is found again by its URI. docs/how-to/import-brick.md has the mapping.

Links from a device to what it measures hold from --valid-from on: name a time before the first reading, for earlier
readings are not attributed through them. What is left out is reported, predicates that are not understood with their
counts; the exit status is 1 only where records were refused.
"""

_BRICK_EPILOG = """\
examples:
  argus import brick building.ttl --organization north-works --dry-run
  argus import brick building.ttl --organization north-works --valid-from 2020-01-01T00:00:00Z
"""

_GRAPH = """\
Bring entities and edges with dates: one JSON object a line, as `argus export graph` writes them, or CSV, entities and
edges each in a file of their own. An entity is found again by its external id, an edge by its ends and its begin; what
is there is changed where the file says something else. A line at fault is reported and left out, and the exit status is
1. Run an interrupted import again to do the rest. docs/how-to/import.md has all fields.
"""

_GRAPH_EPILOG = f"""\
NDJSON:
  {{"record":"entity", "kind":"ASSET", "externalId":"P-1", "name":"Pump 1", "type":"pump", "attributes":{{"kW":5}}}}
  {{"record":"edge", "source":"P-1", "relationship":"MONITORED_BY", "target":"M-7", "validFrom":"2024-03-01T00:00:00Z"}}

CSV:
  kind,externalId,name,type,attributes.kW          source,relationship,target,validFrom
  ASSET,P-1,Pump 1,pump,5                          P-1,MONITORED_BY,M-7,2024-03-01T00:00:00Z

  Columns of entities: kind, name; externalId, id, type, status, attributes.NAME, location (GeoJSON) or longitude and
  latitude, deletedAt (with id); profile (name) of an asset, firmwareVersion of a device, email of a person;
  category, priority, dueAt, checklist of an activity.
  Columns of edges: source, relationship, target; sourceKind, targetKind, port and exclusive (true, false) of a link,
  validFrom, validUntil, metadata.NAME.

{TIMES}
examples:
  argus import graph graph.ndjson --organization north-works --dry-run
  argus import graph pumps.csv --organization north-works --decimal , --encoding latin-1
  argus import graph links.csv --organization north-works --timestamp-format d.m.y --timezone Europe/Zurich
  argus export graph --organization north-works | argus import graph - --organization south-works
"""

_FROM_NOW = (
    "{count} are valid from now on: earlier readings will not be attributed through them. Import again with"
    " --valid-from TIME, a time before the first reading, and they are valid from then on."
)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "import",
        help="bring a building's model and its readings",
        description=_IMPORT,
        epilog=_IMPORT_EPILOG,
        formatter_class=raw,
    )
    actions = parser.add_subparsers(title="what", dest="what", metavar="WHAT", required=True)
    brick = actions.add_parser(
        "brick", help="a Brick model (Turtle)", description=_BRICK, epilog=_BRICK_EPILOG, formatter_class=raw
    )
    brick.add_argument("file", metavar="FILE.ttl", type=Path, help="- reads standard input")
    brick.set_defaults(run=brick_run)
    graph = actions.add_parser(
        "graph",
        help="entities and edges (NDJSON, CSV)",
        description=_GRAPH,
        epilog=_GRAPH_EPILOG,
        formatter_class=raw,
    )
    graph.add_argument("file", metavar="FILE", type=Path, help="- reads standard input")
    graph.add_argument(
        "--format",
        choices=[item.value for item in Format],
        help="default: csv where the file's name ends with it, else ndjson",
    )
    table = table_add(graph, without_header="--columns names the columns")
    table.add_argument(
        "--columns", metavar="A,B", help="names of the columns without a header; one without a name is left out: A,,B"
    )
    times_add(table)
    graph.set_defaults(run=graph_run)
    for item in (brick, graph):
        item.add_argument(
            "--valid-from",
            type=instant,
            metavar="TIME",
            help="since when edges are true that do not say so themselves (default: now)",
        )
        item.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    series = series_add(actions)
    for item in (brick, graph, series):
        item.add_argument(
            "--organization", required=item is not series, metavar="NAME", help="name or slug of the organization"
        )
        home_add(item)
        json_add(item)


def brick_run(arguments: argparse.Namespace) -> int:
    """Import a Brick model."""
    # What reads RDF takes its time to load.
    from domain.exchange.imports.brick import FILE_MAX_BYTES, brick_read

    settings = settings_of(arguments)
    with errors_reported():
        model = brick_read(_read(arguments.file, FILE_MAX_BYTES))
        outcome = Outcome(not_understood=model.not_understood)
        return _records_run(arguments, settings, model.records(), total=len(list(model.records())), outcome=outcome)


def graph_run(arguments: argparse.Namespace) -> int:
    """Import entities and edges."""
    settings = settings_of(arguments)
    if arguments.no_header != (arguments.columns is not None):
        msg = "--no-header and --columns belong together: a file without a header needs names for its columns."
        raise CommandError(msg, status=2)
    table = TableForm(
        delimiter=arguments.delimiter,
        cells=CellForm(arguments.decimal, frozenset(arguments.null)),
        names=None if arguments.columns is None else arguments.columns.split(","),
        skip=arguments.skip_lines,
        timestamp_format=arguments.timestamp_format,
        timezone=arguments.timezone,
    )
    with errors_reported():
        records = records_read(_lines(arguments.file, arguments.encoding), _format(arguments), table=table)
        return _records_run(arguments, settings, records, total=None, outcome=Outcome())


def _records_run(
    arguments: argparse.Namespace,
    settings: Settings,
    records: Iterable[Record | Remark],
    *,
    total: int | None,
    outcome: Outcome,
) -> int:
    organization = organization_find(settings, arguments.organization)
    is_whole, problem, done = True, None, 0

    def progress(count: int) -> None:
        nonlocal done
        done = count
        progress_print(count, total)

    try:
        with (
            terminable(),
            errors_reported(),
            changes_run(
                settings, organization_id=organization.id, actor="argus import", dry_run=arguments.dry_run
            ) as run,
        ):
            records_apply(
                records,
                run=run,
                valid_from=arguments.valid_from,
                progress=progress,
                outcome=outcome,
            )
    except KeyboardInterrupt:
        is_whole = False
    except CommandError as error:
        problem = error
    progress_end()
    if problem is not None and not done:
        raise problem
    if outcome.links_from_now:
        # First, for of many remarks only the first are printed.
        outcome.remarks.insert(0, Remark("links", _FROM_NOW.format(count=outcome.links_from_now)))
    ending = {"dry_run": arguments.dry_run, "interrupted": not is_whole, "error": problem and str(problem)}
    _outcome_print(outcome, ending, as_json=arguments.json)
    if problem is not None:
        raise problem
    if not is_whole:
        return INTERRUPTED
    return 1 if outcome.refused else 0


def _lines(path: Path, encoding: str | None) -> Iterator[str]:
    """Yield the lines of a file. Only its own errors are caught here, not those of whoever reads on."""
    try:
        with file_opened(path) as file:
            yield from lines_read(text_of(file, encoding))
    except UnicodeError as error:
        raise CommandError(undecodable(error)) from error
    except OSError as error:
        raise CommandError(unreadable(path, error)) from error


def _format(arguments: argparse.Namespace) -> Format:
    if arguments.format is not None:
        return Format(arguments.format)
    return Format.CSV if arguments.file.suffix.lower() == ".csv" else Format.NDJSON


def _outcome_print(outcome: Outcome, ending: dict[str, Any], *, as_json: bool) -> None:
    """Print the outcome. ending: dry_run, interrupted, error."""
    if as_json:
        print(json.dumps(asdict(outcome) | ending))
        return
    would = "Would have: " if ending["dry_run"] else ""
    print(f"{would}entities: {outcome.created} created, {outcome.updated} updated, {outcome.unchanged} unchanged")
    if outcome.deleted:
        print(f"{would}entities that were deleted where they come from: {outcome.deleted} deleted")
    if outcome.definitions_created or outcome.definitions_updated or outcome.definitions_unchanged:
        print(
            f"{would}types and relationships: {outcome.definitions_created} created,"
            f" {outcome.definitions_updated} updated, {outcome.definitions_unchanged} unchanged"
        )
    print(
        f"{would}edges: {outcome.edges_created} created, {outcome.edges_updated} corrected,"
        f" {outcome.edges_unchanged} unchanged"
    )
    # In the order of the file, where an edge may have waited for its ends.
    remarks = sorted(outcome.remarks, key=lambda remark: remark.line or 0)
    for remark in remarks[:REMARKS_PRINTED]:
        print(_remark_line(remark), file=sys.stderr)
    if more := remarks[REMARKS_PRINTED:]:
        counts = Counter(remark.code or "without a code" for remark in more)
        by_code = ", ".join(f"{count} {code}" for code, count in counts.most_common())
        print(f"and {len(more)} more ({by_code}); --json has all of them", file=sys.stderr)
    for predicate, count in outcome.not_understood.items():
        statements = "1 statement is" if count == 1 else f"{count} statements are"
        print(f"{predicate}: {statements} not understood; left out", file=sys.stderr)
    if ending["interrupted"]:
        print("Interrupted: nothing was changed." if ending["dry_run"] else INTERRUPTED_MESSAGE, file=sys.stderr)


def _remark_line(remark: Remark) -> str:
    where = "" if remark.line is None else f"line {remark.line}: "
    field = f" ({'.'.join(remark.path)})" if remark.path else ""
    code = "" if remark.code is None else f" [{remark.code}]"
    subject = "" if remark.subject == f"line {remark.line}" else f"{remark.subject}: "
    return f"{where}{subject}{remark.message}{field}{code}"


def _read(path: Path, max_bytes: int) -> str:
    try:
        with file_opened(path) as file:
            text = text_of(file).read(max_bytes + 1)
    except UnicodeError as error:
        msg = f"{path} cannot be read: Turtle is UTF-8, and this is not ({error})."
        raise CommandError(msg) from error
    except OSError as error:
        raise CommandError(unreadable(path, error)) from error
    if len(text) > max_bytes:
        msg = f"{path} is larger than {max_bytes} characters."
        raise CommandError(msg)
    return text
