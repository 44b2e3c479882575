"""`argus organization`: make and list organizations."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from argus.cli.errors import told
from argus.cli.options import home_add, json_add, settings_of
from domain.plant.organizations.model import Organization
from domain.plant.organizations.operations import organization_create
from domain.plant.organizations.queries import organization_list
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = commands.add_parser(
        "organization",
        help="make and list organizations",
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
    for each, run in ((create, create_run), (listing, list_run)):
        home_add(each)
        json_add(each)
        each.set_defaults(run=run)


def create_run(arguments: argparse.Namespace) -> int:
    """Make an organization."""
    engine = engine_create(settings_of(arguments).database_url("owner"), pool_size=1)
    with told(), transaction(engine) as session:
        made = organization_create(session, name=arguments.name, slug=arguments.slug, public_id=new_id(), now=utc_now())
    print(json.dumps(_shown(made)) if arguments.json else made.slug)
    return 0


def list_run(arguments: argparse.Namespace) -> int:
    """List the organizations."""
    engine = engine_create(settings_of(arguments).database_url("owner"), pool_size=1)
    with told(), transaction(engine) as session:
        found = organization_list(session)
    if arguments.json:
        print(json.dumps([_shown(each) for each in found]))
        return 0
    for each in found:
        print(f"{each.slug}\t{each.name}")
    return 0


def _shown(organization: Organization) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(organization).items() if name != "id"}
