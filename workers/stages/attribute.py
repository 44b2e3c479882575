"""The attribute stage of a partition task: route points to the entities that depend on them."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from domain.base.bus import BusEntry
from domain.base.leases import Lease
from domain.base.streams import ASSET, LENGTH_MAX, stream_name
from domain.derivation.dependencies.index import DependencyIndex, dependency_devices
from domain.pipeline.attribute.stage import asset_encode, entries_route, entries_whole
from domain.telemetry.feed.entries import EntryError, NormEntry, norm_decode
from graph.change import graph_hold
from workers.failures import failure_log, is_retryable
from workers.process import ProcessState
from workers.stages.counters import StageCounters
from workers.stages.reader import StageReader

_log = structlog.get_logger(__name__)

READ_ENTRIES = 256


class AttributeStage:
    """One run of the stage under a lease. It stores nothing: what it loses is read back by the derive stage."""

    def __init__(self, state: ProcessState, lease: Lease) -> None:
        self.lease = lease
        self.reader = StageReader(state.bus, stage=lease.stage, partition=lease.partition, consumer=state.holder)
        self.counters = StageCounters()
        self._state = state

    def poll(self) -> bool:
        """Process the next entries; return whether there were any."""
        entries = self.reader.next(count=READ_ENTRIES)
        if entries:
            with self.counters.busy():
                self._process(entries)
            self.reader.done(entries)
        return bool(entries)

    def _process(self, entries: Sequence[BusEntry]) -> None:
        by_organization: dict[int, list[NormEntry]] = {}
        for entry_id, payload in entries:
            try:
                entry = norm_decode(payload)
            except EntryError as error:
                _log.error("entry_unreadable", stream=self.reader.stream, entry=entry_id, error=str(error))
                self.counters.errors += 1
                continue
            by_organization.setdefault(entry.organization_id, []).append(entry)
            self.counters.items += len(entry.ports)
        for organization_id, of_organization in by_organization.items():
            try:
                index = self._index_read(organization_id, of_organization)
                if not index.is_idle:
                    self._send(of_organization, index)
            except Exception as error:
                if is_retryable(error):
                    raise
                # It stores nothing: what is not sent is read back by the derive stage.
                failure_log(self._state, "points_not_published", error, organization=organization_id)
                self.counters.errors += 1

    def _index_read(self, organization_id: int, entries: Sequence[NormEntry]) -> DependencyIndex:
        devices = {entry.devices[i : i + 16] for entry in entries for i in range(0, len(entry.devices), 16)}
        with self._state.remembering(organization_id) as session:
            graph_hold(session, organization_id=organization_id)
            index = self._state.dependency_cache.get(session, organization_id=organization_id)
            dependency_devices(session, organization_id=organization_id, index=index, devices=devices)
        return index

    def _send(self, entries: Sequence[NormEntry], index: DependencyIndex) -> None:
        payloads: dict[int, list[bytes]] = {}
        for of_commit in entries_whole(entries):
            routed = entries_route(of_commit, index=index, partitions=self._state.context.partitions)
            for partition, entry in routed.items():
                payloads.setdefault(partition, []).append(asset_encode(entry))
        for partition, of_partition in payloads.items():
            stream = stream_name(ASSET, partition)
            # Where the derive stage is far behind, it will read back; the bus holds its entries in memory.
            if self._state.bus.length(stream) < LENGTH_MAX:
                self._state.bus.publish(stream, of_partition)
