"""Encode and decode bus entries of events: the events of an organization that changed in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.telemetry.feed.entries import EntryError


class _Events(msgspec.Struct, array_like=True, tag="events1"):
    organization_id: int
    events: list[UUID]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Events)


def events_encode(organization_id: int, event_ids: Sequence[UUID]) -> bytes:
    """Return the bytes of an entry."""
    return _encoder.encode(_Events(organization_id, list(event_ids)))


def events_decode(payload: bytes) -> tuple[int, list[UUID]]:
    """Return (organization, events) of these bytes. Raises EntryError."""
    try:
        entry = _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise EntryError(str(error)) from None
    return entry.organization_id, entry.events
