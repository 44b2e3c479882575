"""What travels on the bus of events: which ones a transaction changed, told once it is committed."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import msgspec

from domain.telemetry.entries import EntryError

_UUID_BYTES = 16


class _Events(msgspec.Struct, array_like=True, tag="events1"):
    organization_id: int
    ids: bytes


def events_encode(organization_id: int, event_ids: Collection[UUID]) -> bytes:
    """Return the entry that tells of these events of an organization."""
    return msgspec.msgpack.encode(_Events(organization_id, b"".join(each.bytes for each in event_ids)))


def events_decode(payload: bytes) -> tuple[int, list[UUID]]:
    """Return the organization and the events that an entry tells of. Raises EntryError for what is none."""
    try:
        found = msgspec.msgpack.decode(payload, type=_Events)
    except msgspec.MsgspecError as error:
        raise EntryError(str(error)) from None
    if len(found.ids) % _UUID_BYTES:
        raise EntryError(f"{len(found.ids)} bytes are no identifiers.")
    ids = [UUID(bytes=found.ids[n : n + _UUID_BYTES]) for n in range(0, len(found.ids), _UUID_BYTES)]
    return found.organization_id, ids
