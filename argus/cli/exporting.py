"""`argus export`: an organization's graph as records."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import home_add, instant, json_add, settings_of
from argus.organizations import organization_find
from domain.exchange.exports.graph import graph_export
from runtime.database import engine_create, transaction

_EXPORT = """\
Write what an organization's graph holds to a file, for another organization, another Argus or a backup of the graph.
"""

_EPILOG = """\
examples:
  argus export graph --organization north-works --out graph.ndjson
  argus export graph --organization north-works --as-of 2026-01-31T12:00:00Z | grep '"record":"edge"'
"""

_GRAPH = """\
Write an organization's graph, one JSON object a line: its own relationships, its types, its entities, those that were
deleted too, and the edges of all times. `argus import graph` reads it again, into this or another organization, into
the same graph with the same past. docs/how-to/import.md has the form.

Telemetry, rules, profiles and rollups are not in it, nor what was believed before edges were corrected.
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "export",
        help="write an organization's graph to a file",
        description=_EXPORT,
        epilog=_EPILOG,
        formatter_class=raw,
    )
    actions = parser.add_subparsers(title="what", dest="what", metavar="WHAT", required=True)
    graph = actions.add_parser(
        "graph", help="entities and edges (NDJSON)", description=_GRAPH, epilog=_EPILOG, formatter_class=raw
    )
    graph.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: standard output)")
    graph.add_argument(
        "--as-of",
        type=instant,
        metavar="TIME",
        help="only edges that are true then, and entities not deleted by then (default: of all times)",
    )
    graph.add_argument("--organization", required=True, metavar="NAME", help="name or slug of the organization")
    home_add(graph)
    json_add(graph)
    graph.set_defaults(run=graph_run)


def graph_run(arguments: argparse.Namespace) -> int:
    """Write the graph."""
    if arguments.json and arguments.out is None:
        msg = "--json prints the result on standard output: name a file with --out."
        raise CommandError(msg, status=2)
    if arguments.out is None and sys.stdout is None:
        msg = "Standard output is closed: name a file with --out."
        raise CommandError(msg)
    settings = settings_of(arguments)
    counts: dict[str, int] = {}
    with errors_reported():
        organization = organization_find(settings, arguments.organization)
        engine = engine_create(settings.database_url("api"), pool_size=1).execution_options(
            isolation_level="REPEATABLE READ"
        )
        try:
            with _opened(arguments.out) as out, transaction(engine, organization.id) as session:
                for record in graph_export(session, organization_id=organization.id, as_of=arguments.as_of):
                    out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
                    counts[record["record"]] = counts.get(record["record"], 0) + 1
        finally:
            engine.dispose()
    if arguments.json:
        print(json.dumps({"entities": counts.get("entity", 0), "edges": counts.get("edge", 0)}))
    else:
        print(f"{counts.get('entity', 0)} entities, {counts.get('edge', 0)} edges written", file=sys.stderr)
    return 0


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """Yield what is written to. A file has its name once it is whole: half an export looks like one."""
    if path is None:
        yield sys.stdout
        return
    is_special = path.exists() and not path.is_file()
    # Of a link, what it leads to.
    whole = path.resolve()
    written = path if is_special else whole.with_name(f"{whole.name}.part")
    try:
        try:
            with written.open("w", encoding="utf-8") as file:
                yield file
            if not is_special:
                written.replace(whole)
        except BaseException:
            if not is_special:
                written.unlink(missing_ok=True)
            raise
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}."
        raise CommandError(msg) from error
