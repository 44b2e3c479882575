"""`argus api`: the processes of one API under one address."""

from __future__ import annotations

import argparse
from contextlib import suppress

from argus.cli.errors import errors_reported
from argus.cli.options import home_add, settings_of
from runtime.settings.table import API_PROCESSES


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "api",
        help="run the API",
        description="Serve the GraphQL API (HTTP and WebSocket on /graphql), ingest, /healthz, /readyz and /metrics. "
        f"One process listens, and answers devices and health; ${API_PROCESSES.name} others (default "
        f"{API_PROCESSES.default}) answer the rest. "
        "Any number of these may run on any hosts against one database and one bus.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    home_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command until it is stopped."""
    from runtime.logs import logs_configure

    settings = settings_of(arguments)
    logs_configure(json=settings.log_json, level=settings.log_level, secrets=settings.secrets)
    from argus.api.processes import NOT_STARTED, server_create
    from runtime.collection import startup_freeze

    with errors_reported():
        server = server_create(settings, host=arguments.host, port=arguments.port)
    startup_freeze()
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else NOT_STARTED
