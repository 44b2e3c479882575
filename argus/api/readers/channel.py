"""Messages between the process that listens and a reader process, each with at most one open file, in order."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

# A packet has to fit into the least buffer of a socket there is.
PACKET_MAX_BYTES: Final = 48 * 1024
_HEAD: Final = struct.Struct("!BQB")
_LENGTH: Final = struct.Struct("!B")
# After so many packets the loop has its turn.
_AT_ONCE: Final = 64
_CLOSE_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Kind(IntEnum):
    """Kinds of messages. OPENED: a connection of the reader's own, to be served like one from outside."""

    CONNECTION = 1
    TAKEN = 2
    CLOSED = 3
    READY = 4
    PING = 5
    METRICS = 6
    OPENED = 7


@dataclass(frozen=True, slots=True)
class Message:
    """One message. file: whoever receives it closes it."""

    kind: Kind
    identity: int
    body: bytes
    file: int | None


class Channel:
    """One end of the channel between two processes.

    received: called with each message. ended: called once, when the other end is closed.
    """

    def __init__(
        self,
        end: socket.socket,
        *,
        received: Callable[[Message], None],
        ended: Callable[[], None],
    ) -> None:
        end.setblocking(False)
        self._end = end
        self._received, self._ended = received, ended
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self._parts: dict[tuple[int, int], tuple[bytearray, int | None]] = {}
        self._is_open = True
        self._loop.add_reader(end.fileno(), self._read)

    def send(self, kind: Kind, identity: int = 0, body: bytes = b"", *, file: int | None = None) -> None:
        """Send a message, after those before it. file: closed here once it has been sent."""
        begins = 0
        while True:
            part = body[begins : begins + PACKET_MAX_BYTES]
            begins += PACKET_MAX_BYTES
            is_last = begins >= len(body)
            self._waiting.append((_HEAD.pack(kind, identity, is_last) + part, file))
            file = None
            if is_last:
                break
        if self._is_open:
            self._write()
        else:
            self._drop()

    def close(self) -> None:
        """Close this end; what was not sent is dropped."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._end.fileno())
        self._loop.remove_writer(self._end.fileno())
        self._end.close()
        self._drop()
        for _, file in self._parts.values():
            if file is not None:
                os.close(file)
        self._parts.clear()

    def _write(self) -> None:
        while self._waiting:
            packet, file = self._waiting[0]
            try:
                socket.send_fds(self._end, [packet], [] if file is None else [file])
            except BlockingIOError:
                self._loop.add_writer(self._end.fileno(), self._write)
                return
            except OSError:
                # The other end is gone: reading says so.
                break
            self._waiting.popleft()
            if file is not None:
                os.close(file)
        self._loop.remove_writer(self._end.fileno())

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._is_open:
                return
            try:
                packet, files, _, _ = socket.recv_fds(self._end, PACKET_MAX_BYTES + _HEAD.size, 1, _CLOSE_ON_EXEC)
            except BlockingIOError:
                return
            except OSError:
                packet, files = b"", []
            if not packet:
                self.close()
                self._ended()
                return
            self._take(packet, files[0] if files else None)

    def _take(self, packet: bytes, file: int | None) -> None:
        kind, identity, is_last = _HEAD.unpack_from(packet)
        body, first = self._parts.pop((kind, identity), (bytearray(), file))
        body += packet[_HEAD.size :]
        if is_last:
            self._received(Message(Kind(kind), identity, bytes(body), first))
        else:
            self._parts[kind, identity] = body, first

    def _drop(self) -> None:
        for _, file in self._waiting:
            if file is not None:
                with suppress(OSError):
                    os.close(file)
        self._waiting.clear()


def connection_pack(address: str, data: bytes) -> bytes:
    """Return the body of a message that hands a connection over: where it comes from, and what was read of it."""
    encoded = address.encode()[:255]
    return _LENGTH.pack(len(encoded)) + encoded + data


def connection_unpack(body: bytes) -> tuple[str, bytes]:
    """Return where a connection comes from, and what was read of it."""
    (length,) = _LENGTH.unpack_from(body)
    return body[1 : 1 + length].decode(), body[1 + length :]
