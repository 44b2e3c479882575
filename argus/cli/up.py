"""`argus up`: run all of Argus on one machine."""

from __future__ import annotations

import argparse
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import home_default, variables_check
from argus.console.sources import console_find
from argus.supervisor.local_stack import LocalStack, PortTakenError
from argus.tokens import link_create, token_create
from runtime.clock import utc_now
from runtime.embedded.process import StartEndedError
from runtime.settings.model import Settings
from runtime.settings.table import HOME

_DESCRIPTION = """\
Start PostgreSQL and Valkey under one data directory, bring the database to the newest schema, and run the API and
the workers. Whatever ends is started again. Ctrl-C (or SIGTERM) stops everything in order; the next start finds its
data. The first start makes a demo plant with live devices, unless --no-demo is given.
"""
DEMO = "demo"
_TOKEN_TTL = timedelta(days=30)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("up", help="run all of Argus on this machine", description=_DESCRIPTION)
    parser.add_argument(
        "--home",
        metavar="DIRECTORY",
        default=home_default(),
        help=f"data directory (default: $ARGUS_HOME, else {HOME.default})",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--no-demo", action="store_true", help="make no demo plant, and leave one that exists alone")
    parser.add_argument(
        "--build-console",
        action="store_true",
        help="in a checkout, build the console beside the rest where its sources have changed",
    )
    parser.add_argument(
        "--start-timeout",
        type=_seconds,
        metavar="SECONDS",
        help="give up where the start takes longer in all (default: only where a part makes no progress for a minute)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    variables_check()
    with errors_reported():
        try:
            stack = LocalStack.open(
                Path(arguments.home),
                host=arguments.host,
                port=arguments.port,
                say=_say,
                start_timeout_s=arguments.start_timeout,
            )
        except PortTakenError as error:
            raise CommandError(str(error), status=2) from error
        stack.signals_take()
        try:
            with suppress(StartEndedError):
                _start(stack, demo=not arguments.no_demo, build_console=arguments.build_console)
                stack.keep()
        finally:
            if stack.children:
                _say("Stopping")
            stack.stop()
    _say("Stopped; the data is kept")
    return 0


def _start(stack: LocalStack, *, demo: bool, build_console: bool) -> None:
    _say(f"Starting Argus; its data is in {stack.home.directory}")
    settings = stack.servers_start()
    organization = _demo_ensure(settings) if demo else None
    stack.process_start("The API", ["api", "--host", stack.host, "--port", str(stack.port)], log="api")
    stack.process_start("The workers", ["worker"], log="worker")
    stack.wait_ready()
    if stack.stopping:
        return
    if build_console:
        _console_build(stack)
    address = f"http://{stack.host}:{stack.port}/graphql"
    if organization is None:
        _say(f"Ready: GraphiQL is at {address}")
        command = "argus token create --organization my-plant --role admin"
        _say("Make an organization and a token for it:")
        _say(f'  argus organization create "My plant"; {command}')
        if _has_console(settings):
            _say("or a link that signs in to the console:")
            _say(f"  {command} --link http://{stack.host}:{stack.port}/")
        return
    token = token_create(
        settings, organization=organization, role="admin", subject="argus up", now=utc_now(), ttl=_TOKEN_TTL
    )
    stack.process_start("The demo's devices", ["simulate", "--demo", "--url", address], log="simulate")
    if _has_console(settings):
        link = link_create(
            settings,
            address=f"http://{stack.host}:{stack.port}/",
            organization=organization,
            role="admin",
            subject="argus up",
        )
        _say(f"Ready: the console is at {link} (signs in once; later at http://{stack.host}:{stack.port}/)")
        _say(f"GraphiQL: {address}#token={token}")
    else:
        _say(f"Ready: GraphiQL is at {address}#token={token}")
    _say(f"Token (organization {organization}, role admin, 30 days): {token}")


def _has_console(settings: Settings) -> bool:
    """Whether links can sign in to a console here."""
    return settings.tokens.secret is not None and settings.api.console and console_find() is not None


def _console_build(stack: LocalStack) -> None:
    """Build the console where it is not current. The API answers meanwhile, and says how far it is."""
    location = console_find()
    if location is not None and not location.is_current():
        stack.task_start("Building the console", "argus.console", log="console")


def _demo_ensure(settings: Settings) -> str:
    from argus.demo.plant import demo_ensure

    if demo_ensure(settings):
        _say("Made the demo plant")
    return DEMO


def _say(line: str) -> None:
    print(line, flush=True)


def _port(text: str) -> int:
    highest = 65535
    if not text.isdecimal() or not 1 <= int(text) <= highest:
        msg = f"{text!r} is not a port from 1 to {highest}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _seconds(text: str) -> float:
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text!r} is not a whole number of seconds from 1 on"
        raise argparse.ArgumentTypeError(msg)
    return float(text)
