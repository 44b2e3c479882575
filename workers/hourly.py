"""Build hourly aggregates: a job every minute.

It takes nothing but the state of the world, and may run twice at once. A job is short, for it keeps a worker from the
stages: what is left is the next job's.
"""

from __future__ import annotations

import time

import structlog

from domain.telemetry.store.hourly_build import Built, hours_aggregate, hours_complete_until, organizations_due
from runtime.database import transaction
from workers.failures import failed_item_log, failure_log, is_retryable, job_guarded
from workers.jobs import HOURLY, job_enqueue
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 2.0
# So many jobs follow each other within a minute; the next minute then goes on.
PARTS_MAX = 20
# Between transactions, so that others get their turn.
_PAUSE_S = 0.02


def summarize(tick: int, part: int) -> None:
    """Build hourly aggregates of all organizations. An RQ job. tick: the minute it is for.

    part: which job of that minute.
    """
    state = state_get()
    with job_guarded(state, "hourly"):
        _summarize(state, tick, part)


def _summarize(state: ProcessState, tick: int, part: int) -> None:
    deadline_s = time.monotonic() + RUN_S
    with transaction(state.engine) as session:
        complete_until = hours_complete_until(session)
        due = list(organizations_due(session, complete_until=complete_until))
    hours = 0
    while due:
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            if part < PARTS_MAX:
                job_enqueue(state, HOURLY, tick, part + 1, arguments=(tick, part + 1))
            break
        try:
            with transaction(state.engine, due[0]) as session:
                built = hours_aggregate(session, organization_id=due[0], complete_until=complete_until)
        except Exception as error:
            if is_retryable(error):
                raise
            # No series by itself: the next minute tries again, and the other organizations go on.
            failure_log(state, "hourly_aggregates_failed", error, organization=due[0])
            built = Built(0, is_done=True)
        for failed in built.failed:
            failed_item_log(state, failed)
        hours += built.hours
        if built.is_done:
            due.pop(0)
        state.stopping.wait(_PAUSE_S)
    if hours:
        _log.info("hourly_aggregates_built", hours=hours, organizations_left=len(due))
