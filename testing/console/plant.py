"""A small plant through the API: two boilers in a plant room, a probe that moved, readings, an alarm, work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from testing.installation import Client


@dataclass(frozen=True, slots=True)
class Plant:
    """Ids of what was made, and the instants that matter."""

    site: str
    room: str
    boiler_a: str
    boiler_b: str
    probe: str
    spare: str
    rule: str
    link: str
    # The first reading, and the hour from which the probe is too hot.
    began: datetime
    hot: datetime


def instant(at: datetime) -> str:
    """Return an instant as the API takes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def change(client: Client, field: str, arguments: str, result: str, variables: Mapping[str, Any]) -> Any:
    """Send one mutation; return the object of its payload."""
    declared = arguments.split("|", 1)
    document = (
        f"mutation M({declared[0]}) {{ m: {field}({declared[1]}) {{ {result} errors {{ code message path }} }} }}"
    )
    payload = client.call(document, variables).data["m"]
    assert payload["errors"] == [], payload["errors"]
    return payload[result.split(" ", 1)[0]]


def plant_make(client: Client) -> Plant:
    """Make the plant. Its readings are of the last six hours, one a minute; the last two hours are too hot."""
    now = datetime.now(tz=UTC).replace(second=0, microsecond=0)
    began, hot = now - timedelta(hours=6), now - timedelta(hours=2)
    site = _entity(client, "Space", name="Works", externalId="works", type="Site")
    room = _entity(client, "Space", name="Plant room", externalId="room", type="Room", parentId=site)
    boilers = [
        _entity(client, "Asset", name=f"Boiler {letter}", externalId=f"boiler-{letter.lower()}", type="Boiler")
        for letter in "AB"
    ]
    for boiler in boilers:
        _edge(client, boiler, room, "LOCATED_IN", began - timedelta(days=30))
    probe = _entity(
        client,
        "Device",
        name="Probe",
        externalId="probe",
        type="Temperature probe",
        firmwareVersion="1.4.2",
        attributes={"serial": "PX-1", "interval_s": 60},
        location={"type": "Point", "coordinates": [13.4, 52.5]},
    )
    spare = _entity(client, "Device", name="Spare probe", externalId="spare", type="Temperature probe")
    link = change(
        client,
        "linkDevice",
        "$i: LinkDeviceInput!|input: $i",
        "edge { edgeId }",
        {"i": {"deviceId": probe, "assetId": boilers[0], "validFrom": instant(began - timedelta(days=1))}},
    )["edgeId"]
    rule = change(
        client,
        "createRule",
        "$i: RuleInput!|input: $i",
        "rule { id }",
        {
            "i": {
                "name": "Supply too hot",
                "severity": "HIGH",
                "scope": {"kind": "ASSET", "type": "Boiler"},
                "condition": {"threshold": {"metric": "supply", "operator": "GT", "value": 80, "for": "PT5M"}},
                "effectiveFrom": instant(began - timedelta(days=1)),
            }
        },
    )["id"]
    readings_send(client, began, hot, value=70.0)
    readings_send(client, hot, now, value=90.0)
    return Plant(site, room, boilers[0], boilers[1], probe, spare, rule, link, began, hot)


def readings_send(client: Client, start: datetime, end: datetime, *, value: float) -> None:
    """Send one reading a minute of the probe over [start, end)."""
    minutes = int((end - start) / timedelta(minutes=1))
    readings = [
        {
            "externalId": "probe",
            "timestamp": instant(start + timedelta(minutes=minute)),
            "metrics": {"supply": value + minute % 3, "running": True},
        }
        for minute in range(minutes)
    ]
    document = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }"
    assert client.call(document, {"r": readings}).data["ingestTelemetry"] == {"accepted": minutes, "errors": []}


def _entity(client: Client, kind: str, **fields: Any) -> str:
    """Create an entity; return its id."""
    field = kind.lower()
    made = change(client, f"create{kind}", f"$i: Create{kind}Input!|input: $i", f"{field} {{ id }}", {"i": fields})
    entity_id: str = made["id"]
    return entity_id


def _edge(client: Client, source: str, target: str, relationship: str, valid_from: datetime) -> None:
    change(
        client,
        "createEdge",
        "$i: CreateEdgeInput!|input: $i",
        "edge { edgeId }",
        {
            "i": {
                "sourceId": source,
                "targetId": target,
                "relationship": relationship,
                "validFrom": instant(valid_from),
            }
        },
    )
