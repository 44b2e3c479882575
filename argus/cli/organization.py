"""`argus organization`: create and list organizations."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from argus.cli.errors import errors_reported
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
    for item, run in ((create, create_run), (listing, list_run)):
        home_add(item)
        json_add(item)
        item.set_defaults(run=run)


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
        print(f"{organization.slug}\t{organization.name}")
    return 0


def _as_json(organization: Organization) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(organization).items() if name != "id"}
