"""The stages of several worker processes in one, each with a memory of its own, on a real database and a real bus."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from psycopg.errors import AdminShutdown
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from domain.base.leases import lease_acquire
from domain.base.streams import ATTRIBUTE, DERIVE, NORMALIZE, RAW, stream_name
from domain.derivation.invalidation.buckets import Computation
from domain.telemetry.feed.entries import raw_encode
from domain.telemetry.model.readings import RawBatch
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.database import transaction
from testing.context import worker_context
from workers import buckets
from workers.process import ProcessState
from workers.stages import derive, normalize
from workers.stages.attribute import AttributeStage
from workers.stages.derive import DeriveStage
from workers.stages.normalize import NormalizeStage

Stage = NormalizeStage | AttributeStage | DeriveStage
TTL = timedelta(hours=1)
# How a transaction fails: by what a statement holds, with the connection, or after a commit that nobody learns of.
DATA, LOST, UNANNOUNCED = "data", "lost", "unannounced"


@dataclass(slots=True)
class Faults:
    """Makes one statement fail in the real database. after: so many succeed before. of: one with this text."""

    kind: str | None = None
    after: int = 0
    of: str = ""

    def arm(self, kind: str, after: int = 0, *, of: str = "") -> None:
        self.kind, self.after, self.of = kind, after, of

    def _is_now(self) -> bool:
        self.after -= 1
        return self.after < 0

    def statement(self, *given: Any) -> tuple[str, Any]:
        """Before a statement: connection, cursor, statement, parameters, context, whether there are many."""
        statement, parameters = given[2], given[3]
        if self.kind not in {DATA, LOST} or self.of not in statement or not self._is_now():
            return statement, parameters
        failing = {DATA: "SELECT 1 / 0", LOST: "SELECT pg_terminate_backend(pg_backend_pid())"}[self.kind]
        self.kind = None
        return failing, [()] if given[5] else ()

    def commit(self, connection: Connection) -> None:
        """Before a commit."""
        if self.kind == UNANNOUNCED and self._is_now():
            self.kind = None
            done = connection.connection.driver_connection
            assert done is not None
            done.commit()
            raise OperationalError("COMMIT", {}, AdminShutdown("the answer was lost"))


@dataclass(slots=True)
class Clock:
    """What the stages take for now."""

    now: datetime

    def patched(self, base: type[datetime]) -> type[datetime]:
        clock = self

        class Patched(base):  # type: ignore[misc, valid-type]
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return clock.now.astimezone(tz)

        return Patched


@dataclass(slots=True)
class Processes:
    """Each stage of each partition in a separate process. `drain` works until nothing waits."""

    engine: Engine
    owner: Engine
    url: str
    partitions: int
    organization_id: int
    clock: Clock
    faults: Faults = field(default_factory=Faults)
    stages: dict[tuple[str, int], Stage] = field(default_factory=dict)
    errors: int = 0
    buckets: ProcessState = field(init=False)

    def __post_init__(self) -> None:
        for partition in range(self.partitions):
            for stage in (NORMALIZE, ATTRIBUTE, DERIVE):
                self.restart(stage, partition)
        self.buckets = self._process("buckets")

    def _process(self, name: str) -> ProcessState:
        context = worker_context(str(self.engine.url), self.url, partitions=self.partitions)
        client = bus_connect(self.url)
        return ProcessState(context, self.engine, RedisStreams(client), redis.Redis.from_url(self.url), name)

    def restart(self, stage: str, partition: int) -> None:
        """Let another process take a stage over, which remembers nothing."""
        if (stage, partition) in self.stages:
            with transaction(self.owner) as session:
                session.execute(
                    text("UPDATE stage_leases SET expires_at = '-infinity' WHERE stage = :s AND partition = :p"),
                    {"s": stage, "p": partition},
                )
        with transaction(self.owner) as session:
            lease = lease_acquire(session, stage=stage, partition=partition, holder="test", ttl=TTL)
        assert lease is not None
        state = self._process(f"{stage}{partition}.{random.random()}")  # noqa: S311
        made: Stage
        if stage == ATTRIBUTE:
            made = AttributeStage(state, lease)
        elif stage == NORMALIZE:
            made = NormalizeStage(state, lease, lease_ttl=TTL)
        else:
            made = DeriveStage(state, lease, lease_ttl=TTL)
        state.bus.group_ensure(made.reader.stream, stage)
        made.reader.again()
        self.stages[stage, partition] = made

    def publish(self, batches: Sequence[RawBatch]) -> None:
        for batch in batches:
            bus = self.buckets.bus
            bus.publish(stream_name(RAW, batch.partition), [raw_encode(batch)])

    def poll(self, stage: str, partition: int) -> bool:
        """Poll a stage once; a poll that fails is tried again, as the partition task does."""
        task = self.stages[stage, partition]
        while True:
            try:
                was_busy = task.poll()
            except SQLAlchemyError:
                self.errors += 1
                task.reader.again()
                continue
            self._failed_again()
            return was_busy

    def _failed_again(self) -> None:
        """Make failed items due at once."""
        with transaction(self.owner) as session:
            deleted = session.execute(text("DELETE FROM failed_items RETURNING 1")).all()
        if deleted:
            for stage in self.stages.values():
                if not isinstance(stage, AttributeStage):
                    stage._failed._open = {}

    def compute(self) -> bool:
        """Compute dirty buckets; return whether there were any."""
        while True:
            try:
                done = buckets._some(self.buckets, Computation.ROLLUP, self.organization_id)
            except SQLAlchemyError:
                self.errors += 1
                continue
            self._failed_again()
            return done is not None and (bool(done.taken) or not done.is_done)

    def drain(self) -> None:
        """Work until no entry, no window and no bucket waits."""
        busy = True
        while busy:
            busy = False
            for stage in (NORMALIZE, ATTRIBUTE, DERIVE):
                for partition in range(self.partitions):
                    busy = self.poll(stage, partition) or busy
            busy = self.compute() or busy
            with transaction(self.owner) as session:
                # So that nobody waits for what the bus may still bring.
                session.execute(text("UPDATE dirty_windows SET created_at = created_at - interval '1 hour'"))
                waiting = session.execute(text("SELECT count(*) FROM dirty_windows")).scalar_one()
                timers = session.execute(
                    text("SELECT count(*) FROM rule_timers WHERE due_at < :now"), {"now": self.clock.now}
                ).scalar_one()
            busy = busy or waiting > 0 or timers > 0
            for task in self.stages.values():
                if isinstance(task, DeriveStage):
                    task._overdue_at_s = 0.0


@contextmanager
def processes_open(
    *, engine: Callable[[str], Engine], url: str, partitions: int, organization_id: int, now: datetime
) -> Iterator[Processes]:
    """Start them, at an instant that moves as `clock.now` is set."""
    clock = Clock(now)
    with pytest.MonkeyPatch.context() as patch:
        for module in (derive, normalize, buckets):
            patch.setattr(module, "datetime", clock.patched(datetime))
        processes = Processes(engine("pipeline"), engine("owner"), url, partitions, organization_id, clock)
        event.listen(processes.engine, "before_cursor_execute", processes.faults.statement, retval=True, named=False)
        event.listen(processes.engine, "commit", processes.faults.commit)
        try:
            yield processes
        finally:
            event.remove(processes.engine, "before_cursor_execute", processes.faults.statement)
            event.remove(processes.engine, "commit", processes.faults.commit)
