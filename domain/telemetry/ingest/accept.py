"""Validate the readings of one call: which are accepted, and an error for each other. Pure; hot path.

A reading is refused only for an unknown device, a timestamp that is none, metrics that are no map, and bounds.
Whatever else is wrong with it (a metric that is no number, boolean or text; a time in the far future) is found
by the normalize stage and ends as a dead letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.base.metrics import MetricsError, metrics_canonical, reading_key
from domain.base.quotas import Allowance, whole_seconds
from domain.base.timestamps import is_in_seconds, reading_time
from domain.telemetry.ingest.accept_columns import columns_accept
from domain.telemetry.model.readings import (
    MESSAGE_ID_CHARS_MAX,
    NO_PORT,
    PORT_MAX,
    AcceptedReadings,
    Devices,
    KnownDevice,
    ReadingDraft,
    UserError,
    readings_count_check,
)
from graph.texts import text_nfc


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The result of a call: the accepted readings by partition, and an error for each refused one.

    duplicates: accepted readings that repeat another of the same call; informative. retry_after_s: after how long
    all readings beyond their devices' quotas may be sent again; None where there were none.
    """

    by_partition: Mapping[int, AcceptedReadings]
    accepted: int
    rejected: int
    duplicates: int
    errors: Sequence[UserError] = field(default_factory=tuple)
    retry_after_s: float | None = None


class _RefusedError(Exception):
    def __init__(self, code: str, message: str, *argument: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.argument = argument


def readings_accept(
    readings: Sequence[ReadingDraft],
    *,
    devices: Devices,
    own: KnownDevice | None,
    now_us: int,
    allowance: Allowance | None = None,
) -> Acceptance:
    """Validate one call's readings: by column where all are usual, else one by one.

    devices: those of the organization that the readings name and that may send. own: the device whose token
    the call bears, which may send for itself alone; None for a user's. now_us: the time of receipt, which is
    that of a reading without a timestamp, in microseconds since the Unix epoch. allowance: what each device may
    still send; None: without limit.
    Raises LimitExceededError for more than 1,000 readings.
    """
    readings_count_check(len(readings))
    usual = columns_accept(readings, devices=devices, own=own, now_us=now_us, allowance=allowance)
    if usual is not None:
        distinct = sum(len(set(zip(column.devices, column.keys, strict=True))) for column in usual.values())
        return Acceptance(usual, len(readings), 0, len(readings) - distinct, [])
    return readings_accept_singly(readings, devices=devices, own=own, now_us=now_us, allowance=allowance)


def readings_accept_singly(
    readings: Sequence[ReadingDraft],
    *,
    devices: Devices,
    own: KnownDevice | None,
    now_us: int,
    allowance: Allowance | None = None,
) -> Acceptance:
    """Validate one call's readings one by one. The arguments and the result are those of `readings_accept`."""
    columns: dict[int, AcceptedReadings] = {}
    errors: list[UserError] = []
    seen: set[tuple[bytes, bytes]] = set()
    retry_after_s: float | None = None
    for n, reading in enumerate(readings):
        try:
            device = _device(reading, devices, own)
            port = NO_PORT if reading.port is None else _port(reading)
            timestamp = now_us if reading.timestamp is None else _timestamp(reading)
            message_id = None if reading.message_id is None else _message_id(reading)
            metrics = _metrics(reading)
            # Last: a reading that is refused for itself takes nothing of its device's quota.
            if allowance is not None and (wait_s := allowance.wait_s(device.id.bytes)):
                retry_after_s = max(wait_s, retry_after_s or 0.0)
                raise _over_quota(wait_s)
        except _RefusedError as refused:
            errors.append(UserError(refused.code, refused.message, ("readings", str(n), *refused.argument)))
            continue
        key = reading_key(port=port, timestamp_us=timestamp, message_id=message_id, metrics=metrics)
        identity = device.id.bytes
        seen.add((identity, key))
        column = columns.get(device.partition)
        if column is None:
            column = columns[device.partition] = AcceptedReadings.empty()
        column.devices.append(identity)
        column.ports.append(port)
        column.timestamps.append(timestamp)
        column.keys.append(key)
        column.metrics.append(metrics)
    accepted = len(readings) - len(errors)
    return Acceptance(columns, accepted, len(errors), accepted - len(seen), errors, retry_after_s)


def _over_quota(wait_s: float) -> _RefusedError:
    msg = f"The device sends more than its quota. Try again in {whole_seconds(wait_s)} s."
    return _RefusedError("RATE_LIMITED", msg)


def _device(reading: ReadingDraft, devices: Devices, own: KnownDevice | None) -> KnownDevice:
    device = own
    if reading.device_id is not None:
        device = devices.by_id.get(reading.device_id)
        if device is None:
            raise _RefusedError("UNKNOWN_DEVICE", "There is no such device.", "deviceId")
    if reading.external_id is not None:
        named = devices.by_external_id.get(text_nfc(reading.external_id))
        if named is None or (device is not None and named.id != device.id):
            raise _RefusedError("UNKNOWN_DEVICE", "There is no such device.", "externalId")
        device = named
    if device is None:
        raise _RefusedError("UNKNOWN_DEVICE", "A reading names its device by deviceId or externalId.", "deviceId")
    if own is not None and device.id != own.id:
        raise _RefusedError("UNKNOWN_DEVICE", "A device sends for itself alone.", "deviceId")
    return device


def _port(reading: ReadingDraft) -> int:
    port = reading.port
    if type(port) is not int or not 0 <= port <= PORT_MAX:
        msg = f"A port is a whole number from 0 to {PORT_MAX}."
        raise _RefusedError("BAD_USER_INPUT", msg, "port")
    return int(port)


def _timestamp(reading: ReadingDraft) -> int:
    if is_in_seconds(reading.timestamp):
        msg = f"{reading.timestamp} looks like seconds since the Unix epoch: a number counts milliseconds."
        raise _RefusedError("INVALID_TIMESTAMP", msg, "timestamp")
    timestamp = reading_time(reading.timestamp)
    if timestamp is None:
        msg = "A timestamp is RFC 3339 with an offset from UTC, or milliseconds since the Unix epoch."
        raise _RefusedError("INVALID_TIMESTAMP", msg, "timestamp")
    return timestamp


def _message_id(reading: ReadingDraft) -> str:
    message_id = reading.message_id
    if isinstance(message_id, str) and 0 < len(message_id) <= MESSAGE_ID_CHARS_MAX and "\0" not in message_id:
        try:
            message_id.encode()
        except UnicodeEncodeError:
            pass
        else:
            return message_id
    msg = f"A messageId is a text of 1 to {MESSAGE_ID_CHARS_MAX} characters, none of them NUL."
    raise _RefusedError("BAD_USER_INPUT", msg, "messageId")


def _metrics(reading: ReadingDraft) -> bytes:
    try:
        return metrics_canonical(reading.metrics)
    except MetricsError as error:
        raise _RefusedError("INVALID_METRICS", str(error), "metrics") from None
