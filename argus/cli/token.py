"""`argus token`: create tokens for users."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from uuid import UUID

from argus.cli.errors import errors_reported
from argus.cli.options import duration, home_add, json_add, settings_of
from argus.organizations import organization_find
from argus.tokens import ROLES, link_create, token_create
from runtime.clock import utc_now
from runtime.settings.model import Settings

_TTL_DEFAULT = timedelta(hours=12)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "token",
        help="make tokens for users",
        description="Tokens for users of an Argus that signs its own. A device gets its token from the API, by "
        "the mutation issueDeviceToken.",
    )
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    create = actions.add_parser(
        "create",
        help="make a token",
        description="Make a bearer token for a user and print it alone. viewer reads; operator also changes the "
        "graph and sends readings; admin also deletes, registers types and hands out device tokens.",
    )
    create.add_argument("--organization", metavar="NAME", required=True, help="name or slug of the organization")
    create.add_argument("--role", choices=ROLES, required=True)
    create.add_argument("--subject", default="argus token", help="whom the audit trail names (default: %(default)s)")
    create.add_argument(
        "--under",
        metavar="ID",
        type=_entity_id,
        action="append",
        help="confine the user to the entity with this id and what lies below it; may be given several times",
    )
    create.add_argument(
        "--ttl", type=duration, default=_TTL_DEFAULT, metavar="DURATION", help="ISO 8601, e.g. P30D (default: PT12H)"
    )
    create.add_argument(
        "--link",
        metavar="ADDRESS",
        help="print a link that signs in to the console at this address, once and within 12 hours, in place of a token",
    )
    home_add(create)
    json_add(create)
    create.set_defaults(run=run)


def _entity_id(text: str) -> str:
    """Return the id of an entity as it was written. Raises ValueError."""
    UUID(text)
    return text


def _link(settings: Settings, organization: str, arguments: argparse.Namespace) -> str:
    return link_create(
        settings,
        address=arguments.link.rstrip("/") + "/",
        organization=organization,
        role=arguments.role,
        subject=arguments.subject,
        under=arguments.under,
    )


def run(arguments: argparse.Namespace) -> int:
    """Create a token."""
    settings = settings_of(arguments)
    with errors_reported():
        organization = organization_find(settings, arguments.organization)
        if arguments.link is not None:
            print(_link(settings, organization.slug, arguments))
            return 0
        now = utc_now()
        token = token_create(
            settings,
            organization=organization.slug,
            role=arguments.role,
            subject=arguments.subject,
            now=now,
            ttl=arguments.ttl,
            under=arguments.under,
        )
    if not arguments.json:
        print(token)
        return 0
    answer = {
        "token": token,
        "organization": organization.slug,
        "role": arguments.role,
        "subject": arguments.subject,
        "under": arguments.under,
        "expires_at": (now + arguments.ttl).isoformat(),
    }
    print(json.dumps(answer))
    return 0
