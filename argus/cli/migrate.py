"""`argus migrate`: migrate the database to the newest schema."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from argus.cli.errors import errors_reported
from argus.cli.options import home_add, json_add, settings_of
from migrations.run import migrate


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "migrate",
        help="bring the database to the newest schema",
        description="Create the database roles that are missing, set their passwords, and run every migration not "
        "yet run. Safe to run from several hosts at once; does nothing where nothing is to be done.",
    )
    home_add(parser)
    json_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = settings_of(arguments)
    with errors_reported():
        done = migrate(
            settings.database_url("owner"), {k: v for k, v in settings.role_passwords.items() if k != "argus_owner"}
        )
    if arguments.json:
        print(json.dumps(asdict(done)))
        return 0
    if done.revision == done.revision_before:
        print(f"The database is up to date (revision {done.revision}).")
    else:
        print(f"The database is now at revision {done.revision} (before: {done.revision_before or 'empty'}).")
    if done.left:
        print(
            "Its roles can still make large objects, which no row-level security keeps apart. As a superuser, run in "
            "this database:\n",
            *(f"    {statement};" for statement in done.left),
            sep="\n",
            file=sys.stderr,
        )
    return 0
