"""Messages between the processes of the API."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

from argus.api.readers.channel import PACKET_MAX_BYTES, Channel, Kind, Message, connection_pack, connection_unpack
from testing.waits import patient


def files_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_messages_of_any_length_arrive_whole_in_order_and_with_their_files() -> None:
    async def main() -> None:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        received: list[Message] = []
        whole, ended = asyncio.Event(), asyncio.Event()

        def take(message: Message) -> None:
            received.append(message)
            if message.kind is Kind.READY:
                whole.set()

        left = Channel(one, received=lambda _: None, ended=lambda: None)
        lengths = [0, 1, PACKET_MAX_BYTES, PACKET_MAX_BYTES + 1, 3_000_000] + [100] * 200
        # More than the socket holds: what does not go waits.
        for number, length in enumerate(lengths):
            read, write = os.pipe()
            os.write(write, str(number).encode())
            os.close(write)
            left.send(Kind.CONNECTION, number, b"x" * length, file=read)
        left.send(Kind.READY)
        Channel(other, received=take, ended=ended.set)
        async with asyncio.timeout(patient(60)):
            await whole.wait()
            left.close()
            await ended.wait()
        assert [(each.identity, len(each.body)) for each in received[:-1]] == list(enumerate(lengths))
        assert received[-1].kind is Kind.READY
        for number, each in enumerate(received[:-1]):
            assert each.file is not None
            assert os.read(each.file, 10) == str(number).encode()
            os.close(each.file)

    before = files_open()
    asyncio.run(main())
    assert files_open() == before


def test_what_was_not_sent_when_it_closes_leaves_no_file_open() -> None:
    async def main() -> None:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        left = Channel(one, received=lambda _: None, ended=lambda: None)
        for number in range(50):
            left.send(Kind.CONNECTION, number, b"x" * 100_000, file=os.open("/dev/null", os.O_RDONLY))
        left.close()
        left.send(Kind.CONNECTION, 50, file=os.open("/dev/null", os.O_RDONLY))
        other.close()

    before = files_open()
    asyncio.run(main())
    assert files_open() == before


def test_a_connection_is_packed_with_its_address() -> None:
    assert connection_unpack(connection_pack("2001:db8::1", b"GET /")) == ("2001:db8::1", b"GET /")
    assert connection_unpack(connection_pack("unknown", b"")) == ("unknown", b"")
