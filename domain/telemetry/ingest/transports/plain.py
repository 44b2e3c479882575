"""Argus's own form: {deviceId, externalId, port, timestamp, metrics, messageId}, one, an array, or one a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.telemetry.ingest.transports.sent import Sent
from domain.telemetry.model.readings import ReadingDraft, readings_count_check

_KNOWN: Final = frozenset({"deviceId", "externalId", "port", "timestamp", "metrics", "messageId"})


def plain_read(body: Any) -> Sent:
    """Return the readings of a body: an object or an array of such."""
    sent = Sent()
    if isinstance(body, list):
        readings_count_check(len(body))
        for place, item in enumerate(body):
            plain_add(sent, item, str(place))
    else:
        plain_add(sent, body)
    return sent


def plain_add(sent: Sent, value: Any, *place: str) -> None:
    """Add the reading an object describes, or the reason why it describes none."""
    if not isinstance(value, Mapping):
        sent.refuse("BAD_USER_INPUT", "A reading is a JSON object with metrics.", *place)
        return
    unknown = sorted(set(value) - _KNOWN)
    if unknown:
        # A misspelt timestamp must not silently become the time of receipt.
        sent.refuse("BAD_USER_INPUT", f"A reading has no {unknown[0]!r}.", *place, unknown[0])
        return
    for name in ("deviceId", "externalId"):
        if value.get(name) is not None and not isinstance(value[name], str):
            sent.refuse("BAD_USER_INPUT", f"{name} is a text.", *place, name)
            return
    sent.add(
        ReadingDraft(
            metrics=value.get("metrics"),
            device_id=value.get("deviceId"),
            external_id=value.get("externalId"),
            port=value.get("port"),
            timestamp=value.get("timestamp"),
            message_id=value.get("messageId"),
        ),
        *place,
    )
