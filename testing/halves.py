"""A plant of two halves that are alike, alpha and BETA, and callers who are confined to alpha's hall."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from testing.installation import Client, Installation
from testing.waits import Deadline

BEGIN = "2026-01-01T00:00:00Z"
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02}:00Z"


@dataclass(slots=True)
class Half:
    """One half of the plant: ids by what they are of."""

    name: str
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Halves:
    """The plant, an administrator, and confined callers of each role by API key, and one by a user's token."""

    installation: Installation
    admin: Client
    alpha: Half
    beta: Half
    keys: dict[str, Client] = field(default_factory=dict)

    @property
    def everyone(self) -> list[Client]:
        return list(self.keys.values())

    def leaks(self, text: str) -> list[str]:
        """Return what an answer says of the other half."""
        there = {identity: name for name, identity in self.beta.ids.items()}
        return [there[id_] for id_ in set(UUID_TEXT.findall(text)) if id_ in there] + re.findall(r"BETA\w*", text)


def run(client: Client, text: str, **variables: Any) -> dict[str, Any]:
    """Run an operation that is to go well; return its data."""
    data = client.call(text, variables).data
    for payload in data.values():
        assert not (isinstance(payload, dict) and payload.get("errors")), payload
    return data


def half(admin: Client, name: str, template: str) -> Half:
    made = Half(name)
    for kind, label in (
        ("Space", "hall"), ("Asset", "pump"), ("Device", "probe"), ("Device", "former"), ("Person", "worker"),
    ):  # fmt: skip
        given = {"name": f"{name} {label}", "externalId": f"{name}-{label}", "attributes": {"of": name}}
        if kind in ("Space", "Asset"):
            given["location"] = {"type": "Point", "coordinates": [8.5, 47.4]}
        create = f"create{kind}(input: $i) {{ {kind.lower()} {{ id }} errors {{ message }} }}"
        data = run(admin, f"mutation M($i: Create{kind}Input!) {{ {create} }}", i=given)
        made.ids[label] = data[f"create{kind}"][kind.lower()]["id"]
    ids = made.ids
    part = "mutation M($i: CreateAssetInput!) { createAsset(input: $i) { asset { id } errors { message } } }"
    data = run(admin, part, i={"name": f"{name} motor", "parentId": ids["pump"]})
    ids["motor"] = data["createAsset"]["asset"]["id"]
    edge = "mutation M($i: CreateEdgeInput!) { createEdge(input: $i) { edge { id edgeId } errors { message } } }"
    for label, source, relationship, target in (
        ("located", "pump", "LOCATED_IN", "hall"), ("linked", "pump", "MONITORED_BY", "probe"),
    ):  # fmt: skip
        given = {"sourceId": ids[source], "targetId": ids[target], "relationship": relationship, "validFrom": BEGIN}
        made_edge = run(admin, edge, i=given)["createEdge"]["edge"]
        ids[label], ids[f"{label}Edge"] = made_edge["id"], made_edge["edgeId"]
    data = run(
        admin,
        """mutation M($template: ID!, $targets: [ID!]!, $pump: ID!, $hall: ID!, $to: DateTime!, $probe: ID!,
            $name: String!) {
          work: createActivityFromTemplate(templateId: $template, targetIds: $targets) {
            activity { id } errors { message } }
          shelf: shelveEvents(entityId: $hall, to: $to) { shelf { id } errors { message } }
          window: createMaintenanceWindow(underId: $hall, from: "2030-01-01T00:00:00Z", to: "2030-01-02T00:00:00Z") {
            maintenanceWindow { id } errors { message } }
          token: issueDeviceToken(deviceId: $probe) { tokenId errors { message } }
          rule: createRule(input: {name: $name, scope: {entityId: $pump}, effectiveFrom: "2025-12-01T00:00:00Z",
            condition: {threshold: {metric: "temperature", operator: GT, value: 80}}}) {
            rule { id } errors { message } } }""",
        template=template, targets=[ids["pump"]], pump=ids["pump"], hall=ids["hall"], probe=ids["probe"],
        name=f"{name} hot", to=(datetime.now(UTC) + timedelta(days=1)).isoformat(),
    )  # fmt: skip
    groups = run(
        admin,
        """mutation M($name: String!, $dynamic: String!, $hall: ID!) {
          static: createGroup(input: {name: $name}) { group { id } errors { message } }
          dynamic: createGroup(input: {name: $dynamic, kind: DYNAMIC, filter: {underId: $hall}}) {
            group { id } errors { message } } }""",
        name=f"{name} group", dynamic=f"{name} in hall", hall=ids["hall"],
    )  # fmt: skip
    ids["group"], ids["dynamicGroup"] = groups["static"]["group"]["id"], groups["dynamic"]["group"]["id"]
    member = """mutation M($group: ID!, $ids: [ID!]!, $from: DateTime) {
      addToGroup(groupId: $group, entityIds: $ids, from: $from) { errors { message } } }"""
    run(admin, member, group=ids["group"], ids=[ids["pump"], ids["motor"]], **{"from": BEGIN})
    ids["work"] = data["work"]["activity"]["id"]
    ids["shelf"], ids["window"] = data["shelf"]["shelf"]["id"], data["window"]["maintenanceWindow"]["id"]
    ids["token"], ids["rule"] = data["token"]["tokenId"], data["rule"]["rule"]["id"]
    return made


def send(client: Client, device_id: str, *readings: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    rows = [{"deviceId": device_id, "timestamp": at(minute), "metrics": metrics} for minute, metrics in readings]
    payload: dict[str, Any] = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted rejected errors { code path } } }",
        {"r": rows},
    ).data["ingestTelemetry"]
    return payload


def halves_create(
    installation: Installation, *, organization: str = "Halves", names: tuple[str, str] = ("alpha", "BETA")
) -> Halves:
    """Make the plant on an installation, in an organization of its own; wait for its events and dead letters.

    names: with which the names of what is in the halves begin.
    """
    admin = installation.organization(organization)
    template = run(
        admin,
        'mutation { createActivityTemplate(input: {name: "look"}) { activityTemplate { id } errors { message } } }',
    )["createActivityTemplate"]["activityTemplate"]["id"]
    run(
        admin,
        """mutation { createRule(input: {name: "any", effectiveFrom: "2025-12-01T00:00:00Z",
           condition: {threshold: {metric: "temperature", operator: GT, value: 90}}}) { errors { message } } }""",
    )
    first, second = (half(admin, name, template) for name in names)
    plant = Halves(installation, admin, first, second)
    alpha, beta = plant.alpha.ids, plant.beta.ids
    # A device that was alpha's for half an hour, and is BETA's since.
    link = """mutation L($d: ID!, $a: ID!, $s: DateTime!, $u: DateTime) { linkDevice(input:
        {deviceId: $d, assetId: $a, validFrom: $s, validUntil: $u}) { edge { id edgeId } errors { message } } }"""
    run(admin, link, d=beta["former"], a=alpha["motor"], s=BEGIN, u=at(30))
    run(admin, link, d=beta["former"], a=beta["motor"], s=at(30))
    for one in (plant.alpha, plant.beta):
        metrics = {"temperature": 95, f"{one.name}_flow": 1, "broken": {"not": "a value"}}
        sent = send(admin, one.ids["probe"], (1, {"temperature": 70}), (2, metrics), (3, {"temperature": 96}))
        assert sent["accepted"] == 3, sent
    send(admin, beta["former"], (10, {"vibration": 1.5}), (40, {"vibration": 99.5}))
    installation.wait_processed(admin)
    deadline = Deadline(60)
    while True:
        events = run(admin, "{ events(first: 50) { nodes { id entity { id } } } }")["events"]["nodes"]
        of = {place: [e["id"] for e in events if e["entity"]["id"] == place] for place in (alpha["pump"], beta["pump"])}
        if all(of.values()):
            break
        deadline.pause(events)
    alpha["event"], beta["event"] = of[alpha["pump"]][0], of[beta["pump"]][0]
    for number, event in enumerate(of[beta["pump"]][1:]):
        beta[f"event{number}"] = event
    dead_letters = run(admin, "{ deadLetters(first: 50) { nodes { id device { id } } } }")["deadLetters"]["nodes"]
    for one in (plant.alpha, plant.beta):
        one.ids["letter"] = next(n["id"] for n in dead_letters if n["device"]["id"] == one.ids["probe"])
    create = "mutation C($i: ApiKeyInput!) { createApiKey(input: $i) { key apiKey { underIds } errors { message } } }"
    for role in ("viewer", "operator", "admin"):
        made = run(admin, create, i={"name": f"alpha {role}", "role": role, "underIds": [alpha["hall"]]})[
            "createApiKey"
        ]
        assert made["apiKey"]["underIds"] == [alpha["hall"]]
        plant.keys[role] = Client(installation.url, made["key"])
    token = installation.run(
        "token",
        "create",
        "--organization",
        organization,
        "--role",
        "admin",
        "--subject",
        "ann",
        "--under",
        alpha["hall"],
    ).stdout.strip()
    plant.keys["user"] = Client(installation.url, token)
    return plant
