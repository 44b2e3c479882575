"""Accept the readings of one call by column, where nothing about them is unusual. Pure; hot path.

A call mostly holds readings of known devices that write their time in one form. Then each column is checked by a few
operations on all of it. Anything else is left to `accept.py`, which looks at one reading after the other and says what
is wrong with it. The result is the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from domain.base.metrics import metrics_canonical_all, reading_keys
from domain.base.packed import EPOCH
from domain.base.quotas import Allowance
from domain.base.timestamps import FIRST_US, LAST_US, is_in_seconds
from domain.telemetry.model.readings import (
    MESSAGE_ID_CHARS_MAX,
    NO_PORT,
    PORT_MAX,
    AcceptedReadings,
    Devices,
    KnownDevice,
    ReadingDraft,
)
from graph.texts import text_nfc

# Shorter calls are not worth it.
READINGS_MIN: Final = 8

_FIELDS: Final = attrgetter("metrics", "device_id", "external_id", "port", "timestamp", "message_id")
_DIGITS: Final = str.maketrans("123456789", "000000000")
# RFC 3339 with every digit as 0; that they are a date and a time is checked by reading them.
_SHAPE: Final = re.compile(r"0000-00-00[Tt ]00:00:00(\.0+)?(Z|[+-]00:00)")
_OFFSET: Final = re.compile(r".*Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]")
_OFFSET_CHARS: Final = 6
_HOUR: Final = slice(11, 13)
_HOUR_END: Final = "24"
_MICROSECOND: Final = timedelta(microseconds=1)
_NULL: Final = type(None)


class _UnusualError(Exception):
    """A reading that is to be looked at by itself."""


def columns_accept(
    readings: Sequence[ReadingDraft],
    *,
    devices: Devices,
    own: KnownDevice | None,
    now_us: int,
    allowance: Allowance | None = None,
) -> dict[int, AcceptedReadings] | None:
    """Return the readings by partition where all of them are accepted; None where they are to be looked at singly.

    The arguments are those of `readings_accept`. Where the result is None, nothing has been taken of the allowance.
    """
    if len(readings) < READINGS_MIN:
        return None
    metrics, device_ids, external_ids, sent_ports, timestamps, message_ids = zip(*map(_FIELDS, readings), strict=True)
    try:
        senders = _senders(device_ids, external_ids, devices, own)
        ports = _ports(sent_ports)
        micros = _micros(timestamps, now_us)
        _message_ids_check(message_ids)
    except _UnusualError:
        return None
    canonical = metrics_canonical_all(metrics)
    if canonical is None:
        return None
    identities = [device.id.bytes for device in senders]
    if allowance is not None and not allowance.admit_all(Counter(identities)):
        return None
    keys = reading_keys(ports=ports, timestamps_us=micros, message_ids=message_ids, metrics=canonical)
    return _by_partition(senders, AcceptedReadings(identities, ports, micros, keys, canonical))


def _senders(
    device_ids: Sequence[str | None], external_ids: Sequence[str | None], devices: Devices, own: KnownDevice | None
) -> list[KnownDevice]:
    ids, names = set(device_ids), set(external_ids)
    if names == {None}:
        if ids == {None}:
            if own is None:
                raise _UnusualError
            return [own] * len(device_ids)
        named, by_name = device_ids, {name: devices.by_id.get(name) for name in ids if name is not None}
    elif ids == {None}:
        named = external_ids
        by_name = {name: devices.by_external_id.get(text_nfc(name)) for name in names if name is not None}
    else:
        raise _UnusualError
    if any(device is None or (own is not None and device.id != own.id) for device in by_name.values()):
        raise _UnusualError
    senders: list[KnownDevice] = []
    for name in named:
        device = None if name is None else by_name[name]
        if device is None:
            raise _UnusualError
        senders.append(device)
    return senders


def _ports(ports: Sequence[Any]) -> list[int]:
    types = set(map(type, ports))
    if types == {_NULL}:
        return [NO_PORT] * len(ports)
    if not types <= {int, _NULL}:
        raise _UnusualError
    if _NULL in types:
        known = [NO_PORT if port is None else port for port in ports]
        # None of those that were sent is the number for none.
        if NO_PORT in ports:
            raise _UnusualError
    elif min(ports) < 0:
        raise _UnusualError
    else:
        known = list(ports)
    if min(known) < NO_PORT or max(known) > PORT_MAX:
        raise _UnusualError
    return known


def _micros(timestamps: Sequence[Any], now_us: int) -> list[int]:
    types = set(map(type, timestamps))
    if types == {str}:
        micros = _micros_of_texts(timestamps)
    elif types == {int}:
        if any(map(is_in_seconds, timestamps)):
            raise _UnusualError
        micros = [timestamp * 1000 for timestamp in timestamps]
    elif types == {_NULL}:
        return [now_us] * len(timestamps)
    else:
        raise _UnusualError
    if min(micros) < FIRST_US or max(micros) > LAST_US:
        raise _UnusualError
    return micros


def _micros_of_texts(timestamps: Sequence[str]) -> list[int]:
    """Return the times of texts in the usual form of RFC 3339: without a leap second, at an offset in capitals."""
    shapes = set("\n".join(timestamps).translate(_DIGITS).split("\n"))
    offsets = {timestamp[-_OFFSET_CHARS:] for timestamp in timestamps}
    if not all(map(_SHAPE.fullmatch, shapes)) or not all(map(_OFFSET.fullmatch, offsets)):
        raise _UnusualError
    if max(timestamp[_HOUR] for timestamp in timestamps) >= _HOUR_END:
        raise _UnusualError
    try:
        return [(instant - EPOCH) // _MICROSECOND for instant in map(datetime.fromisoformat, timestamps)]
    except ValueError:
        raise _UnusualError from None


def _message_ids_check(message_ids: Sequence[Any]) -> None:
    named = [message_id for message_id in message_ids if message_id is not None]
    if not named:
        return
    if set(map(type, named)) != {str} or not all(named) or max(map(len, named)) > MESSAGE_ID_CHARS_MAX:
        raise _UnusualError
    joined = "".join(named)
    if not joined.isascii() or "\0" in joined:
        raise _UnusualError


def _by_partition(senders: Sequence[KnownDevice], accepted: AcceptedReadings) -> dict[int, AcceptedReadings]:
    partitions = [device.partition for device in senders]
    if len(set(partitions)) == 1:
        return {partitions[0]: accepted}
    places: dict[int, list[int]] = {}
    for place, partition in enumerate(partitions):
        places.setdefault(partition, []).append(place)
    return {partition: accepted.take(chosen) for partition, chosen in places.items()}
