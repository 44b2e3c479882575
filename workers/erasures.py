"""Erase entities: a job every few seconds while any erasure is under way.

It takes nothing but the state of the world, and may run twice at once. A job is short, for it keeps a worker from the
stages: what is left is the next job's, after whatever end of this one.
"""

from __future__ import annotations

import time

import structlog

from domain.base.streams import DEAD, stream_name
from domain.nodes.erasures.operations import Erasure, erasure_finish, erasure_page, erasures_under_way
from graph.change import graph_change_begin
from runtime.database import transaction
from runtime.ids import new_id
from workers.failures import failure_log, is_retryable, job_guarded
from workers.jobs import ERASURE, job_enqueue
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

RUN_S = 2.0
# So many jobs follow each other within a tick; the next tick then goes on.
PARTS_MAX = 20
# Between pages, so that others get their turn.
_PAUSE_S = 0.02
_ACTOR = "argus erasure"


def erase(tick: int, part: int) -> None:
    """Go on with all erasures that are under way. An RQ job.

    tick: what it is for. part: which job of that tick it is.
    """
    state = state_get()
    with job_guarded(state, "erasure"):
        _erase(state, tick, part)


def _erase(state: ProcessState, tick: int, part: int) -> None:
    deadline_s = time.monotonic() + RUN_S
    with transaction(state.engine) as session:
        waiting = erasures_under_way(session)
    while waiting:
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            if part < PARTS_MAX:
                job_enqueue(state, ERASURE, tick, part + 1, arguments=(tick, part + 1))
            return
        try:
            is_left = _go_on(state, waiting[0])
        except Exception as error:
            if is_retryable(error):
                raise
            # The next job tries again, and the other erasures go on.
            failure_log(state, "erasure_failed", error, organization=waiting[0].organization_id)
            is_left = False
        if not is_left:
            waiting.pop(0)
        state.stopping.wait(_PAUSE_S)


def _go_on(state: ProcessState, erasure: Erasure) -> bool:
    """Do a page, or finish; return whether the next page can be done at once."""
    with transaction(state.engine, erasure.organization_id) as session:
        if erasure_page(session, erasure=erasure):
            return True
    # Before it is finished, for what is not done then is done again; and after, for what was sent meanwhile.
    _mirror_clear(state, erasure)
    with transaction(state.engine, erasure.organization_id) as session:
        graph_change_begin(session, organization_id=erasure.organization_id, actor=_ACTOR, new_id=new_id)
        is_finished = erasure_finish(session, erasure=erasure)
    if is_finished:
        _mirror_clear(state, erasure)
        _log.info("entity_erased", organization=erasure.organization_id, erasure=str(erasure.id))
    return False


def _mirror_clear(state: ProcessState, erasure: Erasure) -> None:
    """Remove its dead letters from their stream. What the other streams hold is trimmed within a minute."""
    for partition in range(state.context.partitions):
        state.bus.remove(stream_name(DEAD, partition), holding=str(erasure.entity_id).encode())
