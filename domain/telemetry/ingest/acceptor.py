"""Accept the readings of a call, whatever its transport: checked, made durable, then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from domain.base.packed import micros_of
from domain.base.quotas import QuotaKeeper
from domain.base.transient import NO_ANSWER
from domain.base.waiting import thread_await
from domain.telemetry.ingest.accept import Acceptance, readings_accept
from domain.telemetry.ingest.directory import DeviceDirectory
from domain.telemetry.ingest.group_commit import GroupCommitter
from domain.telemetry.model.readings import Devices, ReadingDraft, readings_count_check
from domain.telemetry.store.raw_log import ReadingGroup
from graph.errors import UnavailableError


class Acceptor:
    """Accepts readings of every transport.

    now: the time, in UTC. quotas: what may be sent to this process; None: without limit. is_silent: tells that the
    database is known to give no answer just now.
    """

    def __init__(
        self,
        *,
        directory: DeviceDirectory,
        committer: GroupCommitter,
        now: Callable[[], datetime],
        quotas: QuotaKeeper | None = None,
        is_silent: Callable[[], bool] = lambda: False,
    ) -> None:
        self._directory = directory
        self._committer = committer
        self._now = now
        self._quotas = quotas
        self._is_silent = is_silent

    async def accept(
        self,
        *,
        organization_id: int,
        readings: Sequence[ReadingDraft],
        transport: str,
        own_device_id: UUID | None,
        under: Collection[UUID] | None = None,
        trace_id: str | None = None,
    ) -> Acceptance:
        """Accept a call's readings; return once the accepted ones are durable.

        transport: "graphql", "http", ...; kept with the batch. own_device_id: the device whose token the call
        bears, which sends for itself alone; None for a user. under: the entities below which the caller may send for
        devices; None: for all of the organization. trace_id: by which the call is found in the logs.
        Raises LimitExceededError for more than 1,000 readings, RateLimitedError where the organization is over its
        quota or too much waits to be written, UnavailableError where the database is away: then nothing was kept.
        """
        readings_count_check(len(readings))
        if self._is_silent():
            raise UnavailableError(f"{NO_ANSWER}. Nothing was kept; try again.")
        sent, quotas = len(readings), self._quotas
        if quotas is not None:
            # Whoever may send nothing at all just now costs no more than this.
            quotas.allowance(organization_id, sent=sent)
        result = await asyncio.to_thread(
            self._directory.resolve,
            readings,
            organization_id=organization_id,
            own_device_id=own_device_id,
            under=under,
        )
        own = None
        if own_device_id is not None:
            own = result.by_id.get(str(own_device_id))
            if own is None:
                # Deleted since its token was verified: it sends for nobody.
                result = Devices({}, {})
        # From here to `take` nothing is awaited, so that no other call takes what this one was shown.
        allowance = None if quotas is None else quotas.allowance(organization_id, sent=sent)
        acceptance = readings_accept(
            readings, devices=result, own=own, now_us=micros_of(self._now()), allowance=allowance
        )
        if quotas is not None:
            quotas.take(organization_id, acceptance.accepted, allowance, sent=sent)
        traces = () if trace_id is None else (trace_id,)
        groups = [
            ReadingGroup(organization_id, partition, transport, columns, traces)
            for partition, columns in acceptance.by_partition.items()
        ]
        # A caller that goes away does not take the readings of others with it.
        await thread_await(self._committer.submit(groups))
        return acceptance
