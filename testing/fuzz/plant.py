"""A small plant with one of everything, so that calls find something."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from runtime.clock import utc_now
from testing.fuzz.known import Known
from testing.installation import Client

# In names of what lies beside the house, which a caller that is confined to the house may not know. It is of no source
# code: Hypothesis draws texts that it finds there.
OUTSIDE: Final = f"outside {uuid4()}"
_KINDS: Final = ("assets", "devices", "spaces", "persons", "activities")
# Ids of everything that calls name.
_ALL: Final = (
    "{"
    + " ".join(f"{kind}(first: 20) {{ nodes {{ id }} pageInfo {{ endCursor }} }}" for kind in _KINDS)
    + """ entityTypes { id } relationships { id }
    assetProfiles { nodes { id } } groups { nodes { id } }
    rollups { nodes { id } } rules { nodes { id } } replays { nodes { id } }
    events { nodes { id } } shelves { nodes { id } } maintenanceWindows { nodes { id } } deadLetters { nodes { id } }
    activityTemplates { nodes { id } } notifications { nodes { id } } apiKeys { nodes { id } }
    edgeVersions(from: "2026-01-01T00:00:00Z", first: 50) { nodes { id edgeId } }
}"""
)
_MAKE: Final = """mutation M($p: String!, $d: String!, $to: DateTime!) {
  profile: createAssetProfile(input: {name: $p, type: "pump",
    defaultHealthThresholds: {temperature: {warnHigh: 80, critHigh: 90, weight: 40}},
    formulas: {spread: {sum: {temperature: 1, humidity: -1}, maxAge: "PT10M"}}}) { errors { message } }
  rollup: createRollup(input: {name: $p, metric: "total", relationship: "HAS_PART", of: {metric: "power"},
    aggregate: MEAN, bucket: "PT15M"}) { errors { message } }
  rule: createRule(input: {name: $p, severity: HIGH, effectiveFrom: "2026-01-01T00:00:00Z",
    condition: {threshold: {metric: "temperature", operator: GT, value: 30, for: "PT0S"}}}) { errors { message } }
  template: createActivityTemplate(input: {name: $p, checklist: [{text: "look"}]}) { errors { message } }
  window: createMaintenanceWindow(to: $to) { errors { message } }
  static: createGroup(input: {name: $p}) { errors { message } }
  dynamic: createGroup(input: {name: $d, kind: DYNAMIC, filter: {types: ["pump"]}}) { errors { message } }
}"""


def plant_make(client: Client, prefix: str, number: int) -> None:
    """Make the entities of a plant where they are missing, what evaluates them, and readings.

    prefix: of all names. number: of this time, in the names of what has no external id.
    """
    records: list[dict[str, Any]] = [
        {"record": "entity", "kind": "SPACE", "externalId": f"{prefix}hall", "name": f"{prefix}Hall 1", "type": "hall",
         "location": {"type": "Polygon", "coordinates": [[[8, 50], [8.1, 50], [8.1, 50.1], [8, 50.1], [8, 50]]]}},
        {"record": "entity", "kind": "ASSET", "externalId": f"{prefix}house", "name": f"{prefix}House"},
        {"record": "entity", "kind": "ASSET", "externalId": f"{prefix}vault", "name": f"{prefix}{OUTSIDE}",
         "attributes": {"maker": OUTSIDE}, "location": {"type": "Point", "coordinates": [8.02, 50.05]}},
        {"record": "entity", "kind": "DEVICE", "externalId": f"{prefix}vault-meter", "name": f"{prefix}{OUTSIDE} m"},
        {"record": "edge", "source": f"{prefix}vault", "relationship": "MONITORED_BY",
         "target": f"{prefix}vault-meter", "validFrom": "2026-01-01T00:00:00Z"},
        {"record": "entity", "kind": "PERSON", "externalId": f"{prefix}ann", "name": f"{prefix}Ann",
         "type": "technician"},
        {"record": "entity", "kind": "ACTIVITY", "externalId": f"{prefix}look", "name": f"{prefix}Look",
         "checklist": [{"id": "1", "text": "look"}]},
    ]  # fmt: skip
    for n in range(3):
        records += [
            {"record": "entity", "kind": "ASSET", "externalId": f"{prefix}pump-{n}", "name": f"{prefix}Pump {n}",
             "type": "pump", "attributes": {"ratedKw": n, "maker": f"{prefix}X"},
             "location": {"type": "Point", "coordinates": [8.01 + n / 100, 50.05]}},
            {"record": "entity", "kind": "DEVICE", "externalId": f"{prefix}meter-{n}", "name": f"{prefix}Meter {n}",
             "type": "meter"},
            {"record": "edge", "source": f"{prefix}house", "relationship": "HAS_PART", "target": f"{prefix}pump-{n}"},
            {"record": "edge", "source": f"{prefix}pump-{n}", "relationship": "MONITORED_BY",
             "target": f"{prefix}meter-{n}", "validFrom": "2026-01-01T00:00:00Z"},
        ]  # fmt: skip
    for record in records:
        # One by one: calls may have taken a name or a place that one of them needs.
        client.call("mutation G($r: [JSON!]!) { importGraph(records: $r) { errors { code } } }", {"r": [record]})
    now = utc_now()
    to = (now + timedelta(seconds=1)).isoformat()
    client.call(_MAKE, {"p": f"{prefix}{number}", "d": f"{prefix}{number} pumps", "to": to})
    sent = [
        {
            "externalId": f"{prefix}meter-{n % 3}",
            "timestamp": (now - timedelta(minutes=60 - n)).isoformat(),
            "metrics": {"temperature": 20 + n % 20, "humidity": 40, "power": n, "label": f"{prefix}{n}"},
        }
        for n in range(60)
    ]
    sent += [{"externalId": f"{prefix}vault-meter", "timestamp": now.isoformat(), "metrics": {"label": OUTSIDE}}]
    client.call("mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }", {"r": sent})


def plant_learn(client: Client, known: Known) -> None:
    """Remember the ids of what there is."""
    known.learn(client.call(_ALL).body.get("data"))


def api_key(client: Client, role: str, *, under: str | None = None) -> str:
    """Return a new API key. under: external id of the asset that it is confined to."""
    ids = None
    if under is not None:
        asset = client.call("query A($x: String!) { entity(kind: ASSET, externalId: $x) { id } }", {"x": under}).data
        ids = [asset["entity"]["id"]]
    made = client.call(
        """mutation K($role: String!, $ids: [ID!]) {
          createApiKey(input: {name: "fuzz", role: $role, underIds: $ids}) { key errors { message } } }""",
        {"role": role, "ids": ids},
    ).data["createApiKey"]
    key: str = made["key"]
    return key


def device_token(client: Client) -> str:
    """Return the token of a new device."""
    device = client.call('mutation { createDevice(input: {name: "Fuzz"}) { device { id } errors { message } } }').data
    identity = device["createDevice"]["device"]["id"]
    token: str = client.call(
        "mutation T($id: ID!) { issueDeviceToken(deviceId: $id) { token errors { message } } }", {"id": identity}
    ).data["issueDeviceToken"]["token"]
    return token
