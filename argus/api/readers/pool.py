"""Start and supervise the reader processes, and hand connections to them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from argus.api.readers.channel import Channel, Kind, Message, connection_pack, connection_unpack
from argus.api.readers.template import ReaderProcess, Template
from argus.api.serving import UNKNOWN, Admission, unavailable
from argus.supervisor.child import Child
from runtime.embedded import process

# Handed over and not taken: more are refused.
UNTAKEN_MAX: Final = 256
UNTAKEN_MAX_BYTES: Final = 32 * 1024 * 1024
# A reader is asked every second; one that says nothing for so long is busy.
BUSY_AFTER_S: Final = 5.0
# One that says nothing for so long has come to a halt, and is ended.
HALTED_AFTER_S: Final = 120.0
# For so long a request waits for a reader to come back.
WAIT_MAX_S: Final = 10.0
STOP_TIMEOUT_S: Final = 8.0
METRICS_TIMEOUT_S: Final = 1.0
_LOOK_S: Final = 0.1
_PING_EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)

Adopt = Callable[[int, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handed:
    """A connection on its way to a reader. file: kept open until it is taken, in case the reader ends before."""

    file: int
    address: str
    data: bytes
    is_live: bool
    since_s: float


@dataclass(slots=True)
class Reader:
    """One reader process.

    is_live: it has the WebSockets. addresses: of the connections it holds. answered_s: when it last answered.
    """

    name: str
    child: Child
    is_live: bool
    end: socket.socket | None = None
    channel: Channel | None = None
    is_ready: bool = False
    answered_s: float = 0.0
    is_pinged: bool = False
    addresses: Counter[str] = field(default_factory=Counter)
    untaken: dict[int, Handed] = field(default_factory=dict)
    metrics: str = ""
    metrics_arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_busy(self) -> bool:
        """Whether it has not answered for a while."""
        return self.is_ready and time.monotonic() - self.answered_s > BUSY_AFTER_S

    @property
    def is_full(self) -> bool:
        """Whether as many connections wait for it as may."""
        return _is_full(self.untaken.values())


def _is_full(waiting: Collection[Handed]) -> bool:
    """Return whether as many connections wait as may, or as many bytes with them."""
    return len(waiting) >= UNTAKEN_MAX or sum(len(handed.data) for handed in waiting) >= UNTAKEN_MAX_BYTES


class Readers:
    """The reader processes of one API. template: forks them.

    admission: counts their connections with this process's own. adopt: serves a connection that a reader hands back;
    set before `channels_open`, after `processes_start`. on_template_ended: called where no reader can be started any
    more.
    """

    def __init__(self, template: Template, count: int, *, admission: Admission) -> None:
        self._template = template
        self.admission = admission
        self._number = 0
        # Connections that wait for a reader to come back, while none lives.
        self._waiting: list[Handed] = []
        self._watching: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.adopt: Adopt | None = None
        self.on_template_ended: Callable[[], None] = lambda: None
        self.readers = [self._reader(f"reader-{n}") for n in range(1, count + 1)]
        self.readers.append(self._reader("live", is_live=True))

    def processes_start(self) -> None:
        """Start the reader processes, without waiting for them."""
        for reader in self.readers:
            reader.child.start()

    async def channels_open(self) -> None:
        """Open their channels, and start again those that end."""
        for reader in self.readers:
            if reader.child.process is None:
                reader.child.start()
            else:
                self._connect(reader)
        self._watching = asyncio.create_task(self._watch())

    def drain(self) -> None:
        """Let them answer their open requests and end."""
        if self._watching is not None:
            self._watching.cancel()
        for reader in self.readers:
            if reader.channel is not None:
                reader.channel.close()
                reader.channel = None

    async def stop(self) -> None:
        """Wait until they have ended; end those that do not."""
        self.drain()
        await asyncio.gather(*(asyncio.to_thread(reader.child.stop) for reader in self.readers))
        for reader in self.readers:
            self._waiting += reader.untaken.values()
            reader.untaken.clear()
        for handed in self._waiting:
            self._give_up(handed)
        self._waiting.clear()
        await asyncio.to_thread(self._template.close)

    def give(self, file: int, address: str, data: bytes, is_live: bool) -> bool:
        """Hand a connection to the reader of its kind that has the fewest; False: none can take it. Closes the file."""
        if self._give(Handed(file, address, data, is_live, time.monotonic())):
            return True
        os.close(file)
        return False

    def unavailable(self) -> dict[str, str]:
        """Return why reads cannot be answered now; empty: they can."""
        kinds = [[reader.is_ready for reader in self.readers if reader.is_live == kind] for kind in (False, True)]
        return {} if all(any(kind) for kind in kinds) else {"readers": "are starting"}

    def busy(self) -> dict[str, str]:
        """Return which of them do not answer now, each with the reason."""
        starting = {reader.name: "is starting" for reader in self.readers if not reader.is_ready}
        return starting | {reader.name: "is busy" for reader in self.readers if reader.is_busy}

    async def metrics(self) -> Mapping[str, str]:
        """Return the metrics of each by name: its last ones, where it does not answer in time."""
        ready = [reader for reader in self.readers if reader.channel is not None and reader.is_ready]
        for reader in ready:
            reader.metrics_arrived.clear()
            if reader.channel is not None:
                reader.channel.send(Kind.METRICS)
        with suppress(TimeoutError):
            async with asyncio.timeout(METRICS_TIMEOUT_S):
                await asyncio.gather(*(reader.metrics_arrived.wait() for reader in ready))
        return {reader.name: reader.metrics for reader in self.readers}

    def _reader(self, name: str, *, is_live: bool = False) -> Reader:
        def end(running: process.Running) -> None:
            process.stop(running, how=signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)

        reader = Reader(name, Child(name, lambda: self._process_start(reader), end), is_live)
        return reader

    def _process_start(self, reader: Reader) -> ReaderProcess:
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            try:
                started = self._template.start(f"argus-{reader.name}", other.fileno(), is_live=reader.is_live)
            except OSError:
                own.close()
                raise
        reader.is_ready, reader.is_pinged, reader.answered_s = False, False, time.monotonic()
        reader.end = own
        if self.adopt is not None:
            self._connect(reader)
        return started

    def _connect(self, reader: Reader) -> None:
        if reader.end is None:
            return
        received, ended = partial(self._received, reader), partial(self._channel_ended, reader)
        reader.channel, reader.end = Channel(reader.end, received=received, ended=ended), None
        waiting, self._waiting = self._waiting, []
        for handed in waiting:
            if not self._give(handed):
                self._give_up(handed)

    def _give(self, handed: Handed) -> bool:
        # What is live does not wait for what is heavy.
        kind = [reader for reader in self.readers if reader.is_live == handed.is_live]
        living = [reader for reader in kind if reader.channel is not None]
        if not living and not _is_full(self._waiting):
            # The first that comes back takes it.
            self._waiting.append(handed)
            return True
        able = [reader for reader in living if not reader.is_full]
        if not able:
            return False
        chosen = min(able, key=lambda reader: (not reader.is_ready, reader.is_busy, reader.addresses.total()))
        try:
            self._send(chosen, handed)
        except OSError as error:
            # This process has too many files.
            _log.warning("connection_not_handed", error=repr(error))
            return False
        return True

    def _give_up(self, handed: Handed) -> None:
        with socket.socket(fileno=handed.file) as connection, suppress(OSError):
            connection.setblocking(False)
            connection.send(unavailable())
        self.admission.leave(handed.address)

    def _send(self, reader: Reader, handed: Handed) -> None:
        assert reader.channel is not None  # noqa: S101  (for the type checker)
        copy = os.dup(handed.file)
        self._number += 1
        reader.untaken[self._number] = handed
        reader.addresses[handed.address] += 1
        reader.channel.send(Kind.CONNECTION, self._number, connection_pack(handed.address, handed.data), file=copy)

    def _received(self, reader: Reader, message: Message) -> None:
        reader.answered_s = time.monotonic()
        match message.kind:
            case Kind.READY:
                reader.is_ready = True
            case Kind.TAKEN:
                os.close(reader.untaken.pop(message.identity).file)
            case Kind.CLOSED:
                self._forget(reader, message.body.decode())
            case Kind.CONNECTION:
                address, data = connection_unpack(message.body)
                reader.addresses[address] -= 1
                self._adopt(message.file, address, data)
            case Kind.OPENED:
                # It has no address, and is not refused: its process has bounds of its own for what it forwards.
                self.admission.enter(UNKNOWN)
                self._adopt(message.file, UNKNOWN, message.body)
            case Kind.PING:
                reader.is_pinged = False
            case Kind.METRICS:
                reader.metrics = message.body.decode()
                reader.metrics_arrived.set()

    def _adopt(self, file: int | None, address: str, data: bytes) -> None:
        """Serve a connection here. It is counted already."""

        async def adopt() -> None:
            assert self.adopt is not None  # noqa: S101  (set before the start)
            assert file is not None  # noqa: S101  (for the type checker)
            try:
                await self.adopt(file, data)
            except OSError:
                self.admission.leave(address)

        if file is None:
            self.admission.leave(address)
            return
        task = asyncio.create_task(adopt())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _channel_ended(self, reader: Reader) -> None:
        """Hand the connections that a reader had not taken to another; its own are closed with it."""
        reader.channel, reader.is_ready = None, False
        untaken = list(reader.untaken.values())
        reader.untaken.clear()
        for handed in untaken:
            reader.addresses[handed.address] -= 1
            if not self._give(handed):
                self._give_up(handed)
        for address in list(reader.addresses.elements()):
            self._forget(reader, address)
        reader.addresses.clear()

    def _forget(self, reader: Reader, address: str) -> None:
        reader.addresses[address] -= 1
        self.admission.leave(address)

    async def _watch(self) -> None:
        pinged_s, trouble = 0.0, ""
        while self._template.is_running():
            try:
                pinged_s = self._look(pinged_s)
            except Exception as error:  # noqa: BLE001  (without this task no reader would be started again)
                if repr(error) != trouble:
                    trouble = repr(error)
                    _log.exception("readers_not_watched")
            await asyncio.sleep(_LOOK_S)
        _log.error("reader_template_ended")
        self.on_template_ended()

    def _look(self, pinged_s: float) -> float:
        """Ping the readers and end those that hang; return when they were last pinged. pinged_s: the time before."""
        now_s = time.monotonic()
        for reader in self.readers:
            reader.child.watch(_say)
            is_halted = reader.is_ready and now_s - reader.answered_s > HALTED_AFTER_S
            if is_halted and reader.child.process is not None:
                _log.error("reader_halted", reader=reader.name, silent_s=round(now_s - reader.answered_s))
                reader.child.process.kill()
        while self._waiting and now_s - self._waiting[0].since_s > WAIT_MAX_S:
            self._give_up(self._waiting.pop(0))
        if now_s - pinged_s < _PING_EVERY_S:
            return pinged_s
        for reader in self.readers:
            if reader.channel is not None and reader.is_ready and not reader.is_pinged:
                reader.is_pinged = True
                reader.channel.send(Kind.PING)
        return now_s


def _say(line: str) -> None:
    if line.endswith("is running again"):
        _log.warning("reader_process", line=line)
    else:
        _log.error("reader_process", line=line)
