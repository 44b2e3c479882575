"""The sweeper: resend unfinished batches of the raw log whose bus entries were lost.

It takes nothing but the state of the world, may run twice at once, and may send what was sent: stages know what
they have done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from domain.base.failed_items.model import FailedQueue
from domain.base.streams import LENGTH_MAX, NORMALIZE, RAW, stream_name
from domain.telemetry.feed.entries import raw_encode
from domain.telemetry.store.raw_log import BatchName, batches_unfinished, partitions_unfinished, raw_batches_read
from runtime.database import transaction
from workers.failures import FailedView, failure_log, is_retryable, job_guarded
from workers.process import ProcessState, state_get

_log = structlog.get_logger(__name__)

# A batch committed so long before the oldest entry that waits has lost its entry. Clocks of hosts may differ less.
SLACK = timedelta(seconds=3)
SWEEP_BATCHES = 200
SWEEP_S = 4.0


def sweep() -> None:
    """Resend lost batches, in every partition. An RQ job."""
    state = state_get()
    with job_guarded(state, "sweep"):
        deadline_s = time.monotonic() + SWEEP_S
        with transaction(state.engine) as session:
            partitions = partitions_unfinished(session)
        for partition in partitions:
            try:
                partition_sweep(state, partition=partition, deadline_s=deadline_s)
            except Exception as error:
                if is_retryable(error):
                    raise
                failure_log(state, "partition_not_swept", error, partition=partition)


def partition_sweep(state: ProcessState, *, partition: int, deadline_s: float, slack: timedelta = SLACK) -> int:
    """Resend the lost batches of a partition; return how many. Raises ConnectionError without a bus."""
    stream = stream_name(RAW, partition)
    oldest_ms = state.bus.oldest_waiting_ms(stream, NORMALIZE)
    before = datetime.fromtimestamp((state.bus.now_ms() if oldest_ms is None else oldest_ms) / 1000, UTC) - slack
    failed = FailedView(state, FailedQueue.BATCHES)
    sent = 0
    last = -1
    while time.monotonic() < deadline_s and state.bus.length(stream) < LENGTH_MAX:
        with transaction(state.engine) as session:
            names = batches_unfinished(session, partition=partition, before=before, after_id=last, limit=SWEEP_BATCHES)
        if not names:
            break
        last = names[-1].id
        isolated = failed.open()
        entries = _read(
            state, failed, [name for name in names if not isolated.get((name.organization_id, str(name.id)))]
        )
        if entries:
            state.bus.publish(stream, entries)
        sent += len(entries)
    if sent:
        _log.info("batches_resent", partition=partition, batches=sent)
    return sent


def _read(state: ProcessState, failed: FailedView, names: Sequence[BatchName]) -> list[bytes]:
    """Return the entries of batches; one that cannot be read is left alone, and the others go on."""
    by_organization: dict[int, list[BatchName]] = {}
    for name in names:
        by_organization.setdefault(name.organization_id, []).append(name)
    entries: list[bytes] = []
    for organization_id, of_organization in by_organization.items():
        try:
            entries += _entries(state, organization_id, of_organization)
        except Exception as error:
            if is_retryable(error):
                raise
            entries += _singly(state, failed, organization_id, of_organization)
    return entries


def _singly(state: ProcessState, failed: FailedView, organization_id: int, names: Sequence[BatchName]) -> list[bytes]:
    entries: list[bytes] = []
    for name in names:
        try:
            entries += _entries(state, organization_id, [name])
        except Exception as error:
            if is_retryable(error):
                raise
            failed.fail(organization_id, str(name.id), error)
    return entries


def _entries(state: ProcessState, organization_id: int, names: Sequence[BatchName]) -> list[bytes]:
    with transaction(state.engine, organization_id) as session:
        batches = raw_batches_read(session, organization_id=organization_id, names=names)
    return [raw_encode(batch) for batch in batches]
