"""`argus organization`: create, list, rename, suspend, export and delete organizations."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from argus.cli import organization_delete, organization_export
from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import home_add, json_add, settings_of
from argus.organizations import ACTOR, organization_find
from domain.plant.organizations.model import Organization
from domain.plant.organizations.operations import (
    organization_create,
    organization_rename,
    organization_resume,
    organization_suspend,
)
from domain.plant.organizations.queries import organization_list
from graph.change import graph_change_begin
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = commands.add_parser(
        "organization",
        help="make, list, rename, suspend, export and delete organizations",
        description="An organization is a tenant: nothing of one can be seen or changed from another.",
    )
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    create = actions.add_parser(
        "create",
        help="make an organization",
        description="Make an organization with the built-in relationships, and print its slug: the short name by "
        "which tokens and commands know it.",
    )
    create.add_argument("name", metavar="NAME", help='its name, e.g. "North works"')
    create.add_argument("--slug", help="its short name: lower case letters, digits and hyphens (default: from NAME)")
    listing = actions.add_parser("list", help="list the organizations", description="List the organizations.")
    rename = actions.add_parser(
        "rename",
        help="give an organization another name or slug",
        description="Give an organization another name, another slug, or both. What is signed with the slug of before "
        "(users' tokens and sessions) is refused within ten seconds; API keys and devices' tokens stay good.",
    )
    _name_add(rename)
    rename.add_argument("new_name", nargs="?", metavar="NEW_NAME", help="its new name (default: as it is)")
    rename.add_argument("--slug", help="its new slug (default: as it is)")
    suspend = actions.add_parser(
        "suspend",
        help="refuse an organization's callers and readings",
        description="Refuse whoever reads, writes or sends readings in the name of an organization, until it is "
        "resumed: with the code ORGANIZATION_SUSPENDED, within a second, in every process. What was accepted before is "
        "processed to its end, and nothing is deleted.",
    )
    _name_add(suspend)
    resume = actions.add_parser(
        "resume", help="end a suspension", description="Admit the callers and readings of an organization again."
    )
    _name_add(resume)
    export = actions.add_parser(
        "export",
        help="write all of an organization to a directory",
        description="Write all that an organization has to a new directory, as of one instant, in files of one JSON "
        "object a line: graph.ndjson, which `argus import graph` reads; readings.ndjson, which the API takes; "
        "points.ndjson; rules, events, work orders, the audit trail and the like under records/, as they are stored; "
        "manifest.json, which says how many rows each has. Secrets are left out.",
    )
    _name_add(export)
    export.add_argument("--out", type=Path, required=True, metavar="DIRECTORY", help="what to make and write to")
    remove = actions.add_parser(
        "delete",
        help="delete an organization with all that it has",
        description="Delete an organization with all that it has, for good; others are unaffected. It is suspended "
        "first. If this is interrupted, run it again to do the rest: the organization stays suspended until then.",
    )
    _name_add(remove)
    remove.add_argument(
        "--confirm", metavar="NAME", help="its name once more, so that it is meant (default: asked for)"
    )
    for item, run in (
        (create, create_run),
        (listing, list_run),
        (rename, rename_run),
        (suspend, suspend_run),
        (resume, resume_run),
        (export, organization_export.run),
        (remove, organization_delete.run),
    ):
        home_add(item)
        json_add(item)
        item.set_defaults(run=run)


def _name_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name or slug of the organization")


def create_run(arguments: argparse.Namespace) -> int:
    """Create an organization."""
    engine = engine_create(settings_of(arguments).database_url("owner"), pool_size=1)
    with errors_reported(), transaction(engine) as session:
        organization = organization_create(
            session, name=arguments.name, slug=arguments.slug, public_id=new_id(), now=utc_now()
        )
    print(json.dumps(_as_json(organization)) if arguments.json else organization.slug)
    return 0


def list_run(arguments: argparse.Namespace) -> int:
    """List the organizations."""
    engine = engine_create(settings_of(arguments).database_url("owner"), pool_size=1)
    with errors_reported(), transaction(engine) as session:
        organizations = organization_list(session)
    if arguments.json:
        print(json.dumps([_as_json(organization) for organization in organizations]))
        return 0
    for organization in organizations:
        print(f"{organization.slug}\t{organization.name}{_suspension(organization)}")
    return 0


def rename_run(arguments: argparse.Namespace) -> int:
    """Rename an organization."""
    if arguments.new_name is None and arguments.slug is None:
        msg = "Name a new name, a new slug with --slug, or both."
        raise CommandError(msg, status=2)
    return _change(arguments, partial(organization_rename, name=arguments.new_name, slug=arguments.slug))


def suspend_run(arguments: argparse.Namespace) -> int:
    """Suspend an organization."""
    return _change(arguments, organization_suspend)


def resume_run(arguments: argparse.Namespace) -> int:
    """End the suspension of an organization."""
    return _change(arguments, organization_resume)


def _change(arguments: argparse.Namespace, work: Callable[..., Organization]) -> int:
    settings = settings_of(arguments)
    with errors_reported():
        organization = organization_find(settings, arguments.name)
        engine = engine_create(settings.database_url("owner"), pool_size=1)
        try:
            with transaction(engine, organization.id) as session:
                change = graph_change_begin(
                    session,
                    organization_id=organization.id,
                    actor=ACTOR,
                    new_id=new_id,
                    bears_on_derived=False,
                )
                after = work(session, change=change, organization=organization)
        finally:
            engine.dispose()
    print(json.dumps(_as_json(after)) if arguments.json else f"{after.slug}\t{after.name}{_suspension(after)}")
    return 0


def _suspension(organization: Organization) -> str:
    return "" if organization.suspended_at is None else f"\tsuspended since {organization.suspended_at.isoformat()}"


def _as_json(organization: Organization) -> dict[str, str | None]:
    suspended_at = organization.suspended_at
    return {
        "public_id": str(organization.public_id),
        "slug": organization.slug,
        "name": organization.name,
        "suspended_at": None if suspended_at is None else suspended_at.isoformat(),
    }
