"""Where things that move are now, on a running installation: by their latest fix, through links, whatever comes late."""

from __future__ import annotations

from typing import Any

from testing.installation import Client, Installation
from testing.waits import wait_until

HERE, THERE = (8.5400, 47.3700), (8.5500, 47.3800)
NEAR = """query N($x: Float!, $y: Float!, $kinds: [EntityKind!]) {
  near(longitude: $x, latitude: $y, radiusM: 50, kinds: $kinds) { totalCount nodes { name } } }"""


def near(client: Client, at: tuple[float, float], *kinds: str) -> list[str]:
    page = client.call(NEAR, {"x": at[0], "y": at[1], "kinds": list(kinds) or None}).data["near"]
    assert page["totalCount"] == len(page["nodes"])
    return sorted(node["name"] for node in page["nodes"])


def send(client: Client, when: str, at: tuple[float, float]) -> None:
    reading = {"externalId": "tracker-1", "timestamp": when, "metrics": {"longitude": at[0], "latitude": at[1]}}
    query = "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted } }"
    assert client.call(query, {"r": [reading]}).data == {"ingestTelemetry": {"accepted": 1}}


def test_the_forklift_is_where_its_tracker_says(installation: Installation) -> None:
    client = installation.organization("Forklifts")
    point = {"type": "Point", "coordinates": list(HERE)}
    made: dict[str, Any] = client.call(
        """mutation M($p: GeoJSON) @transaction {
          lift: createAsset(input: {name: "Forklift", location: $p}) { asset { id } errors { message } }
          shelf: createAsset(input: {name: "Shelf", location: $p}) { asset { id } errors { message } }
          tracker: createDevice(input: {name: "Tracker", externalId: "tracker-1"}) { device { id } errors { message } }
          yard: createSpace(input: {name: "Yard", location: {type: "Polygon", coordinates: [[[8.549, 47.379],
            [8.551, 47.379], [8.551, 47.381], [8.549, 47.381], [8.549, 47.379]]]}}) { space { id } errors { message } }
          link: linkDevice(input: {deviceId: "@tracker", assetId: "@lift", validFrom: "2026-03-01T00:00:00Z"}) {
            edge { id } errors { message } } }""",
        {"p": point},
    ).data
    assert near(client, HERE) == ["Forklift", "Shelf"]
    send(client, "2026-03-05T12:00:00Z", THERE)
    wait_until(lambda: near(client, THERE) == ["Forklift", "Tracker", "Yard"])
    assert near(client, THERE, "ASSET") == ["Forklift"]
    assert near(client, HERE) == ["Shelf"]
    inside = "query A($id: ID!) { inAreaOf(entityId: $id) { nodes { name } } }"
    yard = {"id": made["yard"]["space"]["id"]}
    assert {node["name"] for node in client.call(inside, yard).data["inAreaOf"]["nodes"]} == {"Forklift", "Tracker"}
    # An older fix that comes late moves nothing; a newer one does.
    send(client, "2026-03-04T12:00:00Z", HERE)
    client.call('mutation { createSpace(input: {name: "Elsewhere"}) { errors { code } } }')
    history = """query H($id: ID!) { entity(id: $id) {
      telemetry(metrics: ["longitude"], from: "2026-03-01T00:00:00Z") { values } } }"""
    tracker = {"id": made["tracker"]["device"]["id"]}
    wait_until(lambda: client.call(history, tracker).data["entity"]["telemetry"][0]["values"] == [HERE[0], THERE[0]])
    assert near(client, THERE) == ["Forklift", "Tracker", "Yard"]
    # The link was wrong from the beginning: the forklift is at its location, the tracker stays where it is.
    correct = "mutation C($id: ID!) { correctEdge(id: $id, retract: true) { errors { message } } }"
    assert client.call(correct, {"id": made["link"]["edge"]["id"]}).data == {"correctEdge": {"errors": []}}
    assert near(client, HERE) == ["Forklift", "Shelf"]
    assert near(client, THERE) == ["Tracker", "Yard"]
