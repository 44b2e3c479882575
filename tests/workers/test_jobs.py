"""The table of jobs: every entry leads to a function that takes what it is given, and no other name is enqueued."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest

from testing.installation import PROJECT
from workers.jobs import JOBS, Job, job_tick

# What the functions are enqueued with, in order.
TAKEN = {
    "partition_task_run": ("partition",),
    "sweep": (),
    "compute": ("tick", "part"),
    "summarize": ("tick", "part"),
    "check": ("tick",),
    "retain": ("tick", "part"),
    "forget": ("tick", "part", "table", "first_page"),
    "erase": ("tick", "part"),
    "replay_run": ("organization_id", "replay_id", "tick"),
}


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.function)
def test_a_job_leads_to_a_function(job: Job) -> None:
    module, name = job.function.rsplit(".", 1)
    taken = tuple(inspect.signature(getattr(import_module(module), name)).parameters)
    assert taken == TAKEN[name]
    assert not job.in_parts or taken == ("tick", "part")
    assert job.every_s is None or job.result_ttl_s > job.every_s
    assert job.ttl_s > 0
    assert job.timeout_s > 0


def test_nothing_is_enqueued_beside_the_table() -> None:
    for path in sorted((PROJECT / "workers").rglob("*.py")):
        if path.name != "jobs.py":
            assert not re.search(r"\.enqueue\(", path.read_text(encoding="utf-8")), path


def test_an_offset_in_the_interval_is_the_same_on_every_host() -> None:
    for job in JOBS:
        if job.every_s is not None:
            assert job_tick(job, 7.0 * job.every_s) == job_tick(job, 7.9 * job.every_s) == 7
