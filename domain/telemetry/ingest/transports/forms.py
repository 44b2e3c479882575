"""Detect the form of a body that does not name it. Pure; documented in docs/reference/ingest-http.md."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from domain.telemetry.ingest.transports.plain import plain_read
from domain.telemetry.ingest.transports.senml import senml_read
from domain.telemetry.ingest.transports.sent import Sent
from domain.telemetry.ingest.transports.thingsboard import thingsboard_read

_VALUES: Final = frozenset({"v", "vs", "vb", "vd", "s"})


class Form(StrEnum):
    """Forms of a body of readings."""

    ARGUS = "argus"
    THINGSBOARD = "thingsboard"
    SENML = "senml"


def form_of(body: Any) -> Form:
    """Return the form a body most likely has; of an array its first member tells.

    `metrics` with an object: Argus's own. In an array, a base name, or a name with a value: SenML. All else:
    ThingsBoard's.
    """
    one = body[0] if isinstance(body, list) and body else body
    if isinstance(one, Mapping):
        if isinstance(one.get("metrics"), Mapping) or "deviceId" in one or "externalId" in one:
            return Form.ARGUS
        named = isinstance(one.get("n"), str) and bool(one.keys() & _VALUES)
        if isinstance(body, list) and (named or isinstance(one.get("bn"), str)):
            return Form.SENML
    return Form.THINGSBOARD


def body_read(body: Any, form: Form, *, now_s: float, own: bool) -> Sent:
    """Return the readings of a body. now_s: the time of receipt. own: the sender is the device itself.

    Raises BadInputError for a body that cannot be of the form at all.
    """
    if form is Form.ARGUS:
        return plain_read(body)
    if form is Form.SENML:
        return senml_read(body, now_s=now_s, own=own)
    return thingsboard_read(body)
