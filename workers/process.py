"""The state of one worker process: made after the fork, used by its jobs one after the other."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from domain.base.bus import Bus
from domain.derivation.dependencies.index import DependencyCache
from domain.derivation.rollups.topology import RollupCache
from domain.pipeline.derive.checkpoints import Checkpoints
from domain.telemetry.model.stage_cache import StageCache
from graph.errors import LimitExceededError
from runtime.bus.redis_streams import RedisStreams, bus_connect
from runtime.database import engine_create, transaction
from runtime.watchdog import DatabaseWatchdog
from workers.context import WorkerContext
from workers.throttle import Throttle

# Partition tasks run for minutes; short jobs go to a separate queue.
QUEUE_SHORT = "argus-short"
QUEUE_PARTITIONS = "argus-partitions"
_ORPHAN_CHECK_S = 1.0
_ORPHAN_PATIENCE = 10


@dataclass(slots=True)
class ProcessState:
    """State shared by the jobs of a process. stopping: set when it is to end. began_s: when it began; monotonic.

    shared_with: the queues whose jobs have nobody else to run them, so that a partition task makes way for those that
    wait.
    """

    context: WorkerContext
    engine: Engine
    bus: Bus
    queues: redis.Redis
    holder: str
    stage_cache: StageCache = field(default_factory=StageCache)
    dependency_cache: DependencyCache = field(default_factory=DependencyCache)
    rollups: RollupCache = field(default_factory=RollupCache)
    # By partition, with the fence they were made under.
    checkpoints: dict[int, tuple[int, Checkpoints]] = field(default_factory=dict)
    shared_with: tuple[str, ...] = (QUEUE_PARTITIONS, QUEUE_SHORT)
    stopping: threading.Event = field(default_factory=threading.Event)
    throttle: Throttle = field(default_factory=Throttle)
    began_s: float = field(default_factory=time.monotonic)

    @contextmanager
    def remembering(self, organization_id: int) -> Iterator[Session]:
        """Open a transaction that fills the process's caches of an organization; a failure drops them.

        Whatever failed, a statement or the commit. Only a bound that is reached is no failure of what was read.
        """
        try:
            with transaction(self.engine, organization_id) as session:
                yield session
        except LimitExceededError:
            raise
        except BaseException:
            self.forget(organization_id)
            raise

    def forget(self, organization_id: int) -> None:
        """Drop the caches of an organization, except checkpoints."""
        self.stage_cache.forget()
        self.dependency_cache.drop(organization_id)
        self.rollups.drop(organization_id)

    def queue(self, name: str) -> Queue:
        """Return one of the job queues."""
        return Queue(name, connection=self.queues, serializer=JSONSerializer)


_state: ProcessState | None = None


def state_open(context: WorkerContext) -> ProcessState:
    """Connect this process. Call it once, after the fork."""
    global _state  # noqa: PLW0603  (jobs are called by name and find their process here)
    engine = engine_create(context.database_url, pool_size=2)
    # Ends with the process.
    DatabaseWatchdog(context.database_url, engines=[engine]).start()
    _state = ProcessState(
        context,
        engine,
        RedisStreams(bus_connect(context.redis_url)),
        redis.Redis.from_url(context.redis_url, socket_connect_timeout=1, socket_timeout=10, health_check_interval=30),
        holder_name(),
    )
    return _state


def state_get() -> ProcessState:
    """Return this process's state. Raises RuntimeError outside a worker."""
    if _state is None:
        raise RuntimeError("This process is no worker.")
    return _state


def holder_name() -> str:
    """Return a name for this process that no other has, on this host or another."""
    return f"{_where()}/{os.getpid()}/{_started(os.getpid()) or 0}"


def holder_is_dead(holder: str) -> bool:
    """Return whether a holder is known to have ended: a process that this one would see, and does not."""
    # Whatever bears no name of this form is of no process that could be looked for.
    rest, _, started = holder.rpartition("/")
    where, _, pid = rest.rpartition("/")
    if where != _where() or not pid.isdigit() or not Path("/proc/self/stat").exists():
        return False
    return _started(int(pid)) != started


def _where() -> str:
    """Return within what process numbers mean something: a host since it was started, and a namespace on it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Containers on the host's network bear its name, and have numbers of their own.
        return f"{socket.gethostname()}/{boot[:8]}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """Return when a process was started, in the kernel's ticks; None where there is none or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def end_with_parent() -> None:
    """End this process soon after its parent has ended, however that ended."""
    parent = os.getppid()

    def watch() -> None:
        orphaned = 0
        forever = threading.Event()
        while not forever.wait(_ORPHAN_CHECK_S):
            if os.getppid() != parent:
                orphaned += 1
                if orphaned == 1:
                    os.kill(os.getpid(), signal.SIGTERM)
                elif orphaned > _ORPHAN_PATIENCE:
                    os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
