"""What is asked, by name, and the plant it is asked of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from testing.installation import Client

ASSETS: Final = 100
SERIES, POINTS = 10, 1_000
READINGS: Final = 1_000
BEGIN: Final = datetime(2026, 3, 1, tzinfo=UTC)

TYPENAME: Final = "{ __typename }"
LIST: Final = """{ assets(first: 100, filter: {types: ["pump"]}) {
  nodes { id kind name externalId type status attributes createdAt updatedAt deletedAt } } }"""
NESTED: Final = """{ assets(first: 100, filter: {types: ["pump"]}) { nodes {
  id name externalId status
  latest { metric value timestamp }
  ... on Asset { parents { id name } devices(first: 5) { nodes { id name externalId } } } } } }"""
TELEMETRY: Final = """{ entity(kind: DEVICE, externalId: "logger") {
  telemetry(from: "2026-03-01T00:00:00Z", to: "2026-03-02T00:00:00Z", maxPoints: 1000) { metric values } } }"""
INGEST: Final = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted rejected } }"

QUERIES: Final = {"__typename": TYPENAME, "list": LIST, "nested": NESTED, "series": TELEMETRY}


def readings() -> list[dict[str, Any]]:
    """Return readings of one device, a second apart: of one metric each, so that each is a typed object."""
    return [
        {
            "externalId": "meter-0",
            "port": 1,
            "timestamp": (BEGIN + timedelta(seconds=n)).isoformat(),
            "metrics": {"power": n / 7},
        }
        for n in range(READINGS)
    ]


def plant_make(client: Client) -> None:
    """Make a house of pumps with a meter each that has measured, and a logger of ten series."""
    records: list[dict[str, Any]] = [
        {"record": "entity", "kind": "ASSET", "externalId": "house", "name": "House"},
        {"record": "entity", "kind": "DEVICE", "externalId": "logger", "name": "Logger"},
    ]
    for n in range(ASSETS):
        records += [
            {
                "record": "entity", "kind": "ASSET", "externalId": f"pump-{n}", "name": f"Pump {n}", "type": "pump",
                "attributes": {"ratedKw": n, "maker": "X"},
            },
            {"record": "entity", "kind": "DEVICE", "externalId": f"meter-{n}", "name": f"Meter {n}"},
            {"record": "edge", "source": "house", "relationship": "HAS_PART", "target": f"pump-{n}"},
            {
                "record": "edge", "source": f"pump-{n}", "relationship": "MONITORED_BY", "target": f"meter-{n}",
                "validFrom": BEGIN.isoformat(),
            },
        ]  # fmt: skip
    made = client.call("mutation G($r: [JSON!]!) { importGraph(records: $r) { errors { message } } }", {"r": records})
    assert made.data["importGraph"]["errors"] == []
    measured = [
        {
            "externalId": f"meter-{n}",
            "timestamp": BEGIN.isoformat(),
            "metrics": {"power": n / 3, "temperature": n + 0.1},
        }
        for n in range(ASSETS)
    ]
    measured += [
        {
            "externalId": "logger",
            "timestamp": (BEGIN + timedelta(minutes=n)).isoformat(),
            "metrics": {f"m{m}": (n * 37 % 101) / 7 + m for m in range(SERIES)},
        }
        for n in range(POINTS)
    ]
    for begin in range(0, len(measured), READINGS):
        sent = client.call(INGEST, {"r": measured[begin : begin + READINGS]})
        assert sent.data["ingestTelemetry"]["rejected"] == 0
