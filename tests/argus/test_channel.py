"""Messages between the processes of the API."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path

from argus.api.readers.channel import PACKET_MAX_BYTES, Channel, Kind, Message, connection_pack, connection_unpack
from testing.waits import patient


def identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def still_open(files: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these files this process has open; others may come and go meanwhile."""
    still = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            still.add(identity(entry.stat()))
    return files & still


def test_messages_of_any_length_arrive_whole_in_order_and_with_their_files() -> None:
    files: set[tuple[int, int]] = set()

    async def main() -> None:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        received: list[Message] = []
        whole, ended = asyncio.Event(), asyncio.Event()

        def take(message: Message) -> None:
            received.append(message)
            if message.kind is Kind.READY:
                whole.set()

        files.update(identity(os.fstat(end.fileno())) for end in (one, other))
        left = Channel(one, received=lambda _: None, ended=lambda: None)
        assert still_open(files) == files
        lengths = [0, 1, PACKET_MAX_BYTES, PACKET_MAX_BYTES + 1, 3_000_000] + [100] * 200
        # More than the socket holds: what does not go waits.
        for number, length in enumerate(lengths):
            read, write = os.pipe()
            files.add(identity(os.fstat(read)))
            os.write(write, str(number).encode())
            os.close(write)
            left.send(Kind.CONNECTION, number, b"x" * length, file=read)
        left.send(Kind.READY)
        Channel(other, received=take, ended=ended.set)
        async with asyncio.timeout(patient(60)):
            await whole.wait()
            left.close()
            await ended.wait()
        assert [(message.identity, len(message.body)) for message in received[:-1]] == list(enumerate(lengths))
        assert received[-1].kind is Kind.READY
        for number, item in enumerate(received[:-1]):
            assert item.file is not None
            assert os.read(item.file, 10) == str(number).encode()
            os.close(item.file)

    asyncio.run(main())
    assert len(files) > 200
    assert still_open(files) == set()


def test_unsent_messages_leave_no_file_open(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.touch()

    async def main() -> None:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        left = Channel(one, received=lambda _: None, ended=lambda: None)
        for number in range(50):
            left.send(Kind.CONNECTION, number, b"x" * 100_000, file=os.open(sent, os.O_RDONLY))
        left.close()
        left.send(Kind.CONNECTION, 50, file=os.open(sent, os.O_RDONLY))
        other.close()

    asyncio.run(main())
    assert still_open({identity(sent.stat())}) == set()


def test_a_connection_is_packed_with_its_address() -> None:
    assert connection_unpack(connection_pack("2001:db8::1", b"GET /")) == ("2001:db8::1", b"GET /")
    assert connection_unpack(connection_pack("unknown", b"")) == ("unknown", b"")
