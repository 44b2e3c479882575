"""`argus organization delete`: an organization and all that is its own, for good."""

from __future__ import annotations

import argparse
import json
import sys
import time

from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import settings_of
from argus.cli.progress import INTERRUPTED, INTERRUPTED_MESSAGE, progress_end, progress_print, terminable
from argus.organizations import ACTOR, organization_find
from domain.plant.organizations.deletion import (
    OrganizationTable,
    organization_page_delete,
    organization_rest_delete,
    organization_tables,
)
from domain.plant.organizations.model import Organization
from domain.plant.organizations.operations import organization_suspend
from graph.change import graph_change_begin
from runtime.database import engine_create, transaction
from runtime.ids import new_id

# By then every process that verifies tokens knows of the suspension.
_NOTICED_S = 1.0
_UNDEFINED_TABLE = "42P01"


def run(arguments: argparse.Namespace) -> int:
    """Delete an organization."""
    settings = settings_of(arguments)
    counts: dict[str, int] = {}
    with errors_reported():
        organization = organization_find(settings, arguments.name)
        _confirm(organization, arguments.confirm)
        engine = engine_create(settings.database_url("owner"), pool_size=1)
        try:
            with terminable():
                _delete(engine, organization, counts)
        except KeyboardInterrupt:
            progress_end()
            print(f"argus: {INTERRUPTED_MESSAGE}", file=sys.stderr)
            return INTERRUPTED
        finally:
            engine.dispose()
    progress_end()
    rows = sum(counts.values())
    if arguments.json:
        print(json.dumps({"slug": organization.slug, "name": organization.name, "deletedRows": rows}))
    else:
        print(f"{organization.slug} is deleted: {rows} rows", file=sys.stderr)
    return 0


def _confirm(organization: Organization, confirmed: str | None) -> None:
    """Have the name repeated, so that it is meant. Raises CommandError where it is another."""
    if confirmed is None:
        if not sys.stdin or not sys.stdin.isatty():
            msg = f"This deletes {organization.name!r} for good. Repeat its name: --confirm NAME."
            raise CommandError(msg, status=2)
        print(
            f"This deletes {organization.name!r} for good. Its name, once more: ", end="", file=sys.stderr, flush=True
        )
        confirmed = sys.stdin.readline().rstrip("\n")
    if confirmed != organization.name:
        msg = f"The organization's name is {organization.name!r}, not {confirmed!r}. Nothing was deleted."
        raise CommandError(msg, status=2)


def _delete(engine: Engine, organization: Organization, counts: dict[str, int]) -> None:
    if organization.suspended_at is None:
        with transaction(engine, organization.id) as session:
            change = graph_change_begin(session, organization_id=organization.id, actor=ACTOR, new_id=new_id)
            organization_suspend(session, change=change, organization=organization)
        time.sleep(_NOTICED_S)
    with transaction(engine) as session:
        tables = organization_tables(session)
    for table in tables:
        if table.is_free:
            _empty(engine, organization, table, counts)
    with transaction(engine, organization.id) as session:
        # Partitions may have come since, or gone.
        rest = organization_rest_delete(session, organization_id=organization.id, tables=organization_tables(session))
    for name, count in rest.items():
        counts[name] = counts.get(name, 0) + count


def _empty(engine: Engine, organization: Organization, table: OrganizationTable, counts: dict[str, int]) -> None:
    deleted = 1
    while deleted:
        try:
            with transaction(engine, organization.id) as session:
                deleted = organization_page_delete(session, organization_id=organization.id, table=table)
        except ProgrammingError as error:
            # Retention has dropped the partition.
            if table.is_partition and getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
                return
            raise
        counts[table.name] = counts.get(table.name, 0) + deleted
        progress_print(sum(counts.values()))
