"""ThingsBoard's forms of telemetry, as its HTTP and gateway interfaces document them. Pure.

{name: value}; {"ts": ms, "values": {name: value}}; arrays of either; and a gateway's {device: [{"ts", "values"}]},
whose devices are found by external id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.telemetry.ingest.transports.sent import Sent
from domain.telemetry.model.readings import ReadingDraft, readings_count_check

_NAMES: Final = {"metrics": "values", "timestamp": "ts"}


def is_gateway(body: Any) -> bool:
    """Return whether a body is of the gateway's form: a map of arrays, of which at least one holds values."""
    return (
        isinstance(body, Mapping)
        and bool(body)
        and all(isinstance(item, list) for item in body.values())
        and any(isinstance(one, Mapping) and "values" in one for item in body.values() for one in item)
    )


def thingsboard_read(body: Any) -> Sent:
    """Return the readings of a body in any of the forms."""
    sent = Sent(names=_NAMES)
    if is_gateway(body):
        readings_count_check(sum(len(readings) for readings in body.values()))
        for device, readings in body.items():
            for place, reading in enumerate(readings):
                _add(sent, reading, (device, str(place)), external_id=device)
    elif isinstance(body, list):
        readings_count_check(len(body))
        for place, item in enumerate(body):
            _add(sent, item, (str(place),))
    else:
        _add(sent, body, ())
    return sent


def _add(sent: Sent, value: Any, place: tuple[str, ...], *, external_id: str | None = None) -> None:
    if not isinstance(value, Mapping):
        sent.refuse("BAD_USER_INPUT", "This is neither {name: value} nor {ts, values}.", *place)
    elif "values" in value and set(value) <= {"ts", "values"}:
        sent.add(ReadingDraft(metrics=value["values"], timestamp=value.get("ts"), external_id=external_id), *place)
    elif external_id is not None:
        sent.refuse("INVALID_METRICS", "A gateway's reading needs values.", *place, "values")
    else:
        sent.add(ReadingDraft(metrics=value), *place)
