"""The command line: one module per command, each with `register(commands)`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version

from argus.cli.errors import CommandError, errors_reported
from argus.cli.output import OUTPUT_CLOSED, OutputError, output_guarded
from argus.cli.progress import INTERRUPTED

# Modules by command, in the order in which an operator meets them.
COMMANDS = {
    "up": "up",
    "organization": "organization",
    "token": "token",
    "import": "importing",
    "export": "exporting",
    "simulate": "simulate",
    "api": "api",
    "worker": "worker",
    "migrate": "migrate",
    "retention": "retention",
    "check": "check",
}

_DESCRIPTION = """\
Argus, the system of record for a physical plant.

`argus up` runs all of it on a PostgreSQL and a Valkey of its own. In production each process is a command of its
own (api, worker) and finds its database and bus in environment variables; see docs/how-to/operations.md.
"""

_EPILOG = """\
examples:
  argus up                                        run Argus with a demo plant on http://127.0.0.1:8000
  argus organization create "North works"         make an organization (its slug: north-works)
  argus token create --organization north-works --role admin
  argus import brick building.ttl --organization north-works
  argus export graph --organization north-works --out graph.ndjson
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed, 2 used wrongly.

    Where what it prints cannot be written, it ends: without a word if the reader has gone, as `head` goes.
    """
    try:
        with output_guarded():
            return _run(arguments)
    except OutputError as error:
        if error.is_closed:
            return OUTPUT_CLOSED
        # If it is standard error that cannot be written, nobody can be told.
        with suppress(OSError):
            print(f"argus: {error}", file=sys.stderr)
        return 1


def _run(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="argus",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"argus {version('argus-plant')}")
    # What it says of an error beside raising it is no line for an operator.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    argv = sys.argv[1:] if arguments is None else list(arguments)
    # Only what is asked for is loaded: all of it takes seconds.
    wanted = COMMANDS.get(argv[0]) if argv else None
    for module in COMMANDS.values() if wanted is None else (wanted,):
        import_module(f"argus.cli.{module}").register(commands)
    options = parser.parse_args(argv)
    try:
        with errors_reported():
            status: int = options.run(options)
    except CommandError as error:
        print(f"argus: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return INTERRUPTED
    return status
