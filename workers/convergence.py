"""The self-check job: each minute a few entities of each organization are recomputed and compared with the store.

It takes nothing but the state of the world and writes nothing but what it found; it may run twice at once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import DBAPIError

from domain.base.packed import instant_of
from domain.convergence.check import checked_span, entities_check
from domain.convergence.ledger import organizations_all, progress_get, progress_set, report_write
from domain.convergence.model import Difference
from graph.errors import NotFoundError
from runtime.database import snapshot, transaction
from workers.failures import job_guarded
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

# A job is short, for it keeps a worker from the stages; what it does not come to is the next minute's.
RUN_S = 2.0
# Between organizations, so that others get their turn.
_PAUSE_S = 0.02


def check(tick: int) -> None:
    """Check some entities of each organization. An RQ job. tick: the minute, which rotates where to begin."""
    state = state_get()
    if state.context.check_entities > 0:
        with job_guarded(state, "check"):
            _check(state, tick, most=state.context.check_entities)


def _check(state: ProcessState, tick: int, *, most: int) -> None:
    deadline_s = time.monotonic() + RUN_S
    with transaction(state.engine) as session:
        known = organizations_all(session)
    first = tick % len(known) if known else 0
    for organization_id in known[first:] + known[:first]:
        if state.stopping.is_set() or time.monotonic() > deadline_s:
            break
        try:
            report = organization_check(state, organization_id, most=most)
        except NotFoundError:
            continue
        except JobTimeoutException:
            # A machine that is too slow just now, and no fault of what was checked; the next minute goes on from here.
            _log.warning("convergence_not_checked", organization=organization_id, error="it took too long")
            return
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            _log.warning("convergence_not_checked", organization=organization_id, error=repr(error.orig))
            continue
        for item in report:
            _difference_log(organization_id, item)
        state.stopping.wait(_PAUSE_S)


def organization_check(state: ProcessState, organization_id: int, *, most: int) -> list[Difference]:
    """Check the next entities of an organization; return the differences that were not known."""
    now = datetime.now(UTC)
    with snapshot(state.engine, organization_id) as session:
        after = progress_get(session, organization_id=organization_id)
        checked = entities_check(
            session, organization_id=organization_id, after=after, most=most, span=checked_span(now), now=now
        )
    with transaction(state.engine, organization_id) as session:
        progress_set(session, organization_id=organization_id, last=checked.last)
        return report_write(session, organization_id=organization_id, report=checked.report, now=now)


def _difference_log(organization_id: int, difference: Difference) -> None:
    _log.error(
        "convergence_difference",
        organization=organization_id,
        kind=difference.kind.value,
        entity=str(difference.entity_id),
        subject=difference.subject,
        at=instant_of(difference.at_us).isoformat(),
        stored=difference.stored,
        computed=difference.computed,
    )
