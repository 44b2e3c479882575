"""Settings of workers in tests: the declared defaults, but that nothing is ever deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from argus.cli.worker import context_of
from runtime.settings.load import settings_load
from workers.context import WorkerContext

_ENVIRONMENT = {
    "ARGUS_DATABASE_URL_PIPELINE": "postgresql://argus_pipeline@localhost/argus",
    "ARGUS_REDIS_URL": "redis://localhost",
    "ARGUS_PARTITIONS": "2",
    "ARGUS_RETENTION_RAW": "forever",
    "ARGUS_RETENTION_POINTS": "forever",
    "ARGUS_RETENTION_CHANGES": "forever",
    "ARGUS_RETENTION_NOTIFICATIONS": "forever",
    "ARGUS_RETENTION_HISTORY": "forever",
}


def worker_context(database_url: str, redis_url: str, **changed: Any) -> WorkerContext:
    """Return the settings of a pool of workers. changed: what is not as by default."""
    usual = context_of(settings_load(environment=_ENVIRONMENT))
    return replace(usual, database_url=database_url, redis_url=redis_url, **changed)
