"""A small production line: devices of one organization; ingest and normalize are run by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from domain.base.leases import Lease, lease_acquire
from domain.base.packed import EPOCH, micros_of
from domain.base.streams import NORMALIZE
from domain.configuration.entity_types.operations import entity_type_create, entity_type_update
from domain.definitions.entity_types.queries import entity_type_by_name
from domain.derivation.dependencies.index import DependencyCache
from domain.pipeline.normalize.stage import batches_normalize
from domain.pipeline.normalize.work import NormalizedBatches, StageRun
from domain.telemetry.ingest.accept import Acceptance, readings_accept
from domain.telemetry.ingest.accounting import IngestCounts, ingest_counts
from domain.telemetry.ingest.directory import DeviceDirectory
from domain.telemetry.model.readings import RawBatch, ReadingDraft
from domain.telemetry.model.stage_cache import StageCache
from domain.telemetry.store.hourly_build import hours_aggregate, hours_complete_until
from domain.telemetry.store.raw_log import ReadingGroup, raw_append, raw_partition_ensure
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.world import World

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOLERANCE = timedelta(minutes=5)
TTL = timedelta(seconds=30)


@dataclass(slots=True)
class Line:
    """An organization with devices; every device is in partition 0 unless `partitions` says otherwise."""

    world: World
    engine: Callable[[str], Engine]
    partitions: int = 1
    stage_cache: StageCache = field(default_factory=StageCache)
    dependency_cache: DependencyCache = field(default_factory=DependencyCache)
    lease: Lease | None = None

    @property
    def organization_id(self) -> int:
        return self.world.organization_id

    @contextmanager
    def pipeline(self) -> Iterator[Session]:
        """Open a transaction of the pipeline's role."""
        with transaction(self.engine("pipeline"), self.organization_id) as session:
            yield session

    def device(self, external_id: str | None = None, *, type_name: str | None = None) -> UUID:
        """Make a device."""
        device_id = self.world.entity(EntityKind.DEVICE, type_name)
        with transaction(self.engine("owner")) as session:
            session.execute(
                text("INSERT INTO devices (organization_id, id) VALUES (:o, :d)"),
                {"o": self.organization_id, "d": device_id},
            )
            if external_id is not None:
                session.execute(
                    text("UPDATE entities SET external_id = :x WHERE organization_id = :o AND id = :d"),
                    {"o": self.organization_id, "d": device_id, "x": external_id},
                )
        return device_id

    def schema(self, type_name: str, schema: dict[str, Any], *, begins: datetime = EPOCH) -> None:
        """Put a telemetry schema of a type of devices in force."""
        with self.world.changing() as (session, change):
            entity_type = entity_type_by_name(
                session, organization_id=self.organization_id, kind=EntityKind.DEVICE, name=type_name
            )
            if entity_type is None:
                entity_type_create(
                    session,
                    change=change,
                    kind=EntityKind.DEVICE,
                    name=type_name,
                    telemetry_schema=schema,
                    effective_from=begins,
                )
            else:
                entity_type_update(
                    session,
                    change=change,
                    entity_type_id=entity_type.id,
                    telemetry_schema=schema,
                    effective_from=begins,
                )

    def reopen(self) -> None:
        """Have every batch processed again, as a replay does."""
        with transaction(self.engine("owner")) as session:
            session.execute(
                text("UPDATE raw_batches SET normalized_at = NULL WHERE organization_id = :o"),
                {"o": self.organization_id},
            )

    def directory(self, monotonic_s: Callable[[], float] = lambda: 0.0) -> DeviceDirectory:
        return DeviceDirectory(
            read=lambda organization_id: transaction(self.engine("api"), organization_id),
            partitions=self.partitions,
            monotonic_s=monotonic_s,
        )

    def accept(self, *readings: dict[str, Any], at: datetime = NOW) -> Acceptance:
        """Evaluate readings, each given as a client writes it."""
        drafts = [draft(reading) for reading in readings]
        devices = self.directory().resolve(drafts, organization_id=self.organization_id)
        return readings_accept(drafts, devices=devices, own=None, now_us=micros_of(at))

    def append(self, acceptance: Acceptance, *, at: datetime = NOW, transport: str = "graphql") -> list[RawBatch]:
        """Write accepted readings to the raw log."""
        groups = [
            ReadingGroup(self.organization_id, partition, transport, readings)
            for partition, readings in acceptance.by_partition.items()
        ]
        if not groups:
            return []
        with transaction(self.engine("ingest")) as session:
            raw_partition_ensure(session, at=at)
            return raw_append(session, groups=groups, received_us=micros_of(at))

    def send(self, *readings: dict[str, Any], at: datetime = NOW) -> list[RawBatch]:
        """Accept readings, none of which is refused, and append them."""
        acceptance = self.accept(*readings, at=at)
        assert acceptance.errors == [], acceptance.errors
        return self.append(acceptance, at=at)

    def run(self) -> StageRun:
        if self.lease is None:
            with transaction(self.engine("pipeline")) as session:
                self.lease = lease_acquire(session, stage=NORMALIZE, partition=0, holder="test", ttl=TTL)
        assert self.lease is not None
        return StageRun(self.lease, TTL, TOLERANCE, self.stage_cache, self.dependency_cache)

    def normalize(self, batches: Sequence[RawBatch], *, is_isolating: bool = False) -> NormalizedBatches:
        """Normalize batches in one transaction."""
        run = self.run()
        with self.pipeline() as session:
            result = batches_normalize(
                session,
                organization_id=self.organization_id,
                batches=batches,
                run=run,
                now=NOW,
                is_isolating=is_isolating,
            )
        self.stage_cache.keep(result.notes)
        return result

    def summarize(self) -> int:
        """Summarize all hours that may be; return how many were."""
        hours = 0
        with transaction(self.engine("pipeline")) as session:
            complete_until = hours_complete_until(session)
        while True:
            with self.pipeline() as session:
                built = hours_aggregate(session, organization_id=self.organization_id, complete_until=complete_until)
            hours += built.hours
            if built.is_done:
                return hours

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Read as the tables' owner."""
        with transaction(self.engine("owner"), self.organization_id) as session:
            return list(session.execute(text(statement), values).all())

    def history(self) -> dict[tuple[UUID, int | None, str, datetime], float | str | None]:
        """Everything in history."""
        return {
            (row.entity_id, row.port, row.metric, row.timestamp): row.text if row.type == 2 else row.value
            for row in self.rows(
                'SELECT s.entity_id, s.port, s.metric, h."timestamp", h.type, h.value, h.text'
                " FROM telemetry_history h"
                " JOIN series s ON s.organization_id = h.organization_id AND s.id = h.series_id"
                " WHERE h.organization_id = :o",
                o=self.organization_id,
            )
        }

    def ingest_counts(self, **arguments: Any) -> IngestCounts:
        with transaction(self.engine("api"), self.organization_id) as session:
            return ingest_counts(
                session,
                organization_id=self.organization_id,
                **{"from_": NOW - timedelta(days=400), "to": NOW + timedelta(days=400), **arguments},
            )


def draft(reading: dict[str, Any]) -> ReadingDraft:
    """Return a reading's draft; ids may be UUIDs, times datetimes."""
    given = dict(reading)
    if isinstance(given.get("device_id"), UUID):
        given["device_id"] = str(given["device_id"])
    if isinstance(given.get("timestamp"), datetime):
        given["timestamp"] = given["timestamp"].isoformat()
    return ReadingDraft(**given)
