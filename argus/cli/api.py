"""`argus api`: one API process."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import replace

from argus.cli.errors import told
from argus.cli.options import home_add, settings_of

NOT_STARTED = 3


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "api",
        help="run one API process",
        description="Serve the GraphQL API (HTTP and WebSocket on /graphql), /healthz and /readyz. Any number of "
        "these may run on any hosts against one database and one bus.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    home_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command until it is told to stop."""
    import uvicorn

    from argus.api import app_create
    from argus.serving import files_raise, server_config
    from runtime.logs import logs_configure

    settings = settings_of(arguments)
    logs_configure(json=settings.log_json, level=settings.log_level, secrets=settings.secrets)
    with told():
        app = app_create(settings)
    bounds = replace(settings.api, connections_max=files_raise(settings.api.connections_max))
    server = uvicorn.Server(
        server_config(app, bounds, host=arguments.host, port=arguments.port, log_config=None, access_log=False)
    )
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else NOT_STARTED
