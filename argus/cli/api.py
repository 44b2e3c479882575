"""`argus api`: the processes of one API under one address."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from argus.cli.errors import errors_reported
from argus.cli.options import home_add, settings_of
from runtime.settings.model import Settings
from runtime.settings.table import API_PROCESSES

if TYPE_CHECKING:
    import uvicorn

NOT_STARTED = 3


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
    # How the process that listens starts the others: the file of the channel between them.
    parser.add_argument("--reader", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--live", action="store_true", help=argparse.SUPPRESS)
    home_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command until it is stopped."""
    from runtime.logs import logs_configure

    settings = settings_of(arguments)
    logs_configure(json=settings.log_json, level=settings.log_level, secrets=settings.secrets)
    if arguments.reader is not None:
        from argus.api.processes import reader_run

        with suppress(KeyboardInterrupt):
            return 0 if reader_run(settings, file=arguments.reader, is_live=arguments.live) else NOT_STARTED
        return 0
    from runtime.collection import startup_freeze

    with errors_reported():
        server = _server(settings, host=arguments.host, port=arguments.port, home=arguments.home)
    startup_freeze()
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else NOT_STARTED


def _server(settings: Settings, *, host: str, port: int, home: str | None) -> uvicorn.Server:
    """Return the server of the process that listens."""
    import uvicorn

    from argus.api.serving import Admission, files_raise, server_config

    bounds = replace(settings.api, connections_max=files_raise(settings.api.connections_max))
    own = replace(settings, api=bounds)
    if bounds.processes:
        from argus.api.readers.pool import Readers, reader_command

        readers = Readers(reader_command(home), bounds.processes, admission=Admission(bounds))
        # They load what they need while this process does.
        readers.begin()
        from argus.api.processes import listening_server

        return listening_server(own, readers, host=host, port=port)
    from argus.api.wiring import app_create

    return uvicorn.Server(
        server_config(app_create(own), bounds, host=host, port=port, log_config=None, access_log=False)
    )
