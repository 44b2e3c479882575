"""`argus worker`: a pool of worker processes."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from argus.cli.options import home_add, settings_of
from runtime.settings.model import Settings
from runtime.settings.table import WORKERS

if TYPE_CHECKING:
    from workers.context import WorkerContext


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "worker",
        help="run a pool of worker processes",
        description="Run the pipeline's stages and the recurring jobs. Any number of these may run on any hosts; "
        "leases see to it that each partition of a stage is worked on by one process at a time.",
    )
    parser.add_argument("--workers", type=int, metavar="N", help=f"processes that run jobs (default: ${WORKERS.name})")
    home_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command until it is stopped."""
    from runtime.logs import logs_configure
    from workers.supervise import run_workers

    settings = settings_of(arguments)
    logs_configure(json=settings.log_json, level=settings.log_level, secrets=settings.secrets)
    context = context_of(settings)
    run_workers(replace(context, workers=arguments.workers) if arguments.workers else context)
    return 0


def context_of(settings: Settings) -> WorkerContext:
    """Return the context of worker processes from the settings.

    Raises SettingsError without an address of the database for them.
    """
    from workers.context import WorkerContext

    return WorkerContext(
        database_url=settings.database_url("pipeline"),
        redis_url=settings.redis_url,
        partitions=settings.partitions,
        workers=settings.workers,
        future_tolerance=settings.future_tolerance,
        replay_readings_per_s=settings.replay_readings_per_s,
        webhook_allow=settings.webhook_allow,
        webhook_calls=settings.webhook_calls,
        act_late=settings.act_late,
        check_entities=settings.check_entities,
        retention_raw=settings.retention_raw,
        retention_points=settings.retention_points,
        retention_changes=settings.retention_changes,
        retention_notifications=settings.retention_notifications,
        retention_history=settings.retention_history,
    )
