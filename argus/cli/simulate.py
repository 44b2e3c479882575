"""`argus simulate`: simulated devices that send readings."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict
from datetime import timedelta
from random import Random

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import duration, home_add, json_add, settings_of, url_add, url_of
from argus.cli.progress import problem_print
from argus.client import ArgusClient, ClientError
from argus.organizations import organization_find
from argus.simulate.run import Simulation, devices_find, devices_make
from argus.simulate.signals import Faults
from argus.tokens import short_token
from runtime.clock import utc_now

_DESCRIPTION = """\
Devices that send over the public API as real ones do: values that drift and are noisy, readings that are missing,
late, or sent twice. Makes the devices sim-0001 and on where they are missing; with --demo it plays the devices of the
demo plant instead, after giving them a day of history. Ctrl-C ends it and prints what was sent.
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("simulate", help="send readings of simulated devices", description=_DESCRIPTION)
    url_add(parser)
    parser.add_argument("--organization", metavar="NAME", help="name or slug of the organization to make a token for")
    parser.add_argument("--token", help="bearer token, instead of --organization")
    parser.add_argument("--demo", action="store_true", help="play the devices of the organization demo")
    parser.add_argument("--devices", type=int, default=10, metavar="N", help="how many devices (default: %(default)s)")
    parser.add_argument(
        "--interval",
        type=duration,
        default=timedelta(seconds=2),
        metavar="DURATION",
        help="between readings (default: PT2S)",
    )
    parser.add_argument("--duration", type=duration, metavar="DURATION", help="how long (default: until Ctrl-C)")
    for name, default, meaning in (
        ("late", 0.05, "arrive up to ten minutes late"),
        ("duplicates", 0.02, "are sent twice"),
        ("gaps", 0.03, "are missing"),
    ):
        parser.add_argument(
            f"--{name}",
            type=_share,
            default=default,
            metavar="SHARE",
            help=f"share of readings that {meaning} (default: %(default)s)",
        )
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: %(default)s)")
    home_add(parser)
    json_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command until its time is up or it is stopped."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    token = arguments.token or _token(arguments)
    try:
        simulation = _simulation(arguments, token, stopping)
        if arguments.demo:
            simulation.history()
        until = None if arguments.duration is None else utc_now() + arguments.duration
        simulation.run(interval=arguments.interval, until=until)
    except ClientError as error:
        raise CommandError(str(error)) from error
    progress = simulation.progress
    if arguments.json:
        print(json.dumps(asdict(progress)))
    else:
        print(
            f"{progress.readings} readings sent: {progress.accepted} accepted, {progress.rejected} rejected; "
            f"{progress.late} held back to be late, {progress.repeated} sent twice, {progress.left_out} left out",
            file=sys.stderr,
        )
    return 0 if not progress.calls_failed else 1


def _token(arguments: argparse.Namespace) -> str:
    name = "demo" if arguments.demo else arguments.organization
    if name is None:
        msg = "Give --organization NAME, --token TOKEN, or --demo."
        raise CommandError(msg, status=2)
    settings = settings_of(arguments)
    with errors_reported():
        return short_token(settings, organization_find(settings, name).slug, "argus simulate")


def _simulation(arguments: argparse.Namespace, token: str, stopping: threading.Event) -> Simulation:
    client = ArgusClient(url_of(arguments), token, on_retry=problem_print)
    devices = devices_find(client) if arguments.demo else devices_make(client, arguments.devices)
    faults = Faults(late=arguments.late, duplicates=arguments.duplicates, gaps=arguments.gaps)
    return Simulation(client, devices, faults, Random(arguments.seed), utc_now, stopping)  # noqa: S311  (no secrets)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = f"{text!r} is not a share from 0 to 1"
        raise argparse.ArgumentTypeError(msg)
    return value
