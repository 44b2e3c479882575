"""Bus entries of events: encoding and decoding, and refusal of anything else."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from domain.rules.events.entries import events_decode, events_encode
from domain.telemetry.feed.entries import EntryError

IDS = [UUID(int=7), UUID(int=2**127 + 1)]


def test_encoding_and_decoding_agree() -> None:
    assert events_decode(events_encode(12, IDS)) == (12, IDS)
    assert events_decode(events_encode(1, [])) == (1, [])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"no entry",
        events_encode(12, IDS)[:-1],
        events_encode(12, IDS) + b"\x00",
        msgspec.msgpack.encode(["events2", 12, IDS]),
        msgspec.msgpack.encode(["events1", "12", IDS]),
        msgspec.msgpack.encode(["events1", 12, ["no id"]]),
    ],
)
def test_anything_else_is_refused(payload: bytes) -> None:
    with pytest.raises(EntryError):
        events_decode(payload)
