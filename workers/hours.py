"""Hours: summarizes what ended and what was written to since. Looked at every minute.

It takes nothing but the state of the world, and may run twice at once. A job is short, for it keeps a worker from the
stages: what is left is the next job's.
"""

from __future__ import annotations

import time

import structlog

from domain.telemetry.store.hourly_build import Built, hours_build, hours_settled, organizations_due
from runtime.database import transaction
from workers.failures import failed_item_log, failure_log, is_transient, job_guarded
from workers.jobs import HOURS, job_enqueue
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 2.0
# So many jobs follow each other within a minute; the next minute then goes on.
PARTS_MAX = 20
# Between transactions, so that others get their turn.
_PAUSE_S = 0.02


def summarize(turn: int, part: int) -> None:
    """Summarize hours of all organizations. An RQ job. turn: the minute it is for. part: which job of that minute."""
    state = state_get()
    with job_guarded(state, "hours"):
        _summarize(state, turn, part)


def _summarize(state: ProcessState, turn: int, part: int) -> None:
    deadline_s = time.monotonic() + RUN_S
    with transaction(state.engine) as session:
        settled = hours_settled(session)
        due = list(organizations_due(session, settled=settled))
    hours = 0
    while due:
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            if part < PARTS_MAX:
                job_enqueue(state, HOURS, turn, part + 1, arguments=(turn, part + 1))
            break
        try:
            with transaction(state.engine, due[0]) as session:
                built = hours_build(session, organization_id=due[0], settled=settled)
        except Exception as error:
            if is_transient(error):
                raise
            # No series by itself: the next minute tries again, and the other organizations go on.
            failure_log(state, "hours_not_summarized", error, organization=due[0])
            built = Built(0, is_done=True)
        for failed in built.failed:
            failed_item_log(state, failed)
        hours += built.hours
        if built.is_done:
            due.pop(0)
        state.stopping.wait(_PAUSE_S)
    if hours:
        _log.info("hours_summarized", hours=hours, organizations_left=len(due))
