"""`argus worker`: a pool of worker processes."""

from __future__ import annotations

import argparse

from argus.cli.options import home_add, settings_of


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "worker",
        help="run a pool of worker processes",
        description="Run the pipeline's stages and the recurring jobs. Any number of these may run on any hosts; "
        "leases see to it that each partition of a stage is worked on by one process at a time.",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that run jobs (default: $ARGUS_WORKERS, else 3)"
    )
    home_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command until it is told to stop."""
    from runtime.logs import logs_configure
    from workers.context import WorkerContext
    from workers.supervise import run_workers

    settings = settings_of(arguments)
    logs_configure(json=settings.log_json, level=settings.log_level, secrets=settings.secrets)
    run_workers(
        WorkerContext(
            database_url=settings.database_url("pipeline"),
            redis_url=settings.redis_url,
            partitions=settings.partitions,
            workers=arguments.workers or settings.workers,
            future_tolerance=settings.future_tolerance,
            replay_readings_per_s=settings.replay_readings_per_s,
            webhook_allow=settings.webhook_allow,
            webhook_calls=settings.webhook_calls,
            act_late=settings.act_late,
            check_entities=settings.check_entities,
            keep_raw=settings.keep_raw,
            keep_points=settings.keep_points,
            keep_changes=settings.keep_changes,
            keep_notifications=settings.keep_notifications,
            keep_history=settings.keep_history,
        )
    )
    return 0
