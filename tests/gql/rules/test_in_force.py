"""The rules that evaluate an entity at an instant: by every sort of scope, and by the version of that instant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import domain.rules.in_force
from runtime.ids import new_id
from testing.api import Api
from testing.installation import Client

IN_FORCE = """query R($id: ID!, $asOf: DateTime, $knownAt: DateTime) {
  rulesInForce(entityId: $id, asOf: $asOf, knownAt: $knownAt) { rule { name } condition severity effectiveFrom } }"""
CREATE = "mutation C($i: RuleInput!) { createRule(input: $i) { rule { id createdAt } errors { message } } }"
UPDATE = "mutation U($id: ID!, $i: RuleInput!) { updateRule(id: $id, input: $i) { errors { message } } }"
DELETE = "mutation D($id: ID!) { deleteRule(id: $id) { errors { message } } }"
EDGE = """mutation E($s: ID!, $t: ID!, $f: DateTime!) { createEdge(input:
  {sourceId: $s, targetId: $t, relationship: "LOCATED_IN", validFrom: $f}) { errors { message } } }"""


@pytest.fixture
def client(api: Api) -> Client:
    name = f"in-force-{datetime.now(UTC):%H%M%S%f}"
    api.organization(name)
    return api.client(name)


def entity(client: Client, kind: str, fields: str) -> str:
    field = f"create{kind}"
    made = client.call(f"mutation {{ {field}(input: {{{fields}}}) {{ {kind.lower()} {{ id }} }} }}").data[field]
    entity_id: str = made[kind.lower()]["id"]
    return entity_id


def rule_input(name: str, value: float, scope: dict[str, Any], begins: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    threshold = {"metric": "t", "operator": "GT", "value": value}
    return {"name": name, "condition": {"threshold": threshold}, "scope": scope, "effectiveFrom": begins}


def rule_make(client: Client, given: dict[str, Any]) -> dict[str, Any]:
    payload = client.call(CREATE, {"i": given}).data["createRule"]
    assert payload["errors"] == []
    rule: dict[str, Any] = payload["rule"]
    return rule


def values(client: Client, entity_id: str, **given: Any) -> dict[str, float]:
    """Return the threshold of each rule in force, by the rule's name."""
    rows = client.call(IN_FORCE, {"id": entity_id, **given}).data["rulesInForce"]
    return {row["rule"]["name"]: row["condition"]["threshold"]["value"] for row in rows}


def test_every_sort_of_scope_counts_and_a_place_only_while_it_was_there(client: Client) -> None:
    hall, other = entity(client, "Space", 'name: "Hall"'), entity(client, "Space", 'name: "Other"')
    pump = entity(client, "Asset", 'name: "Pump", type: "Pump"')
    assert client.call(EDGE, {"s": pump, "t": hall, "f": "2026-02-01T00:00:00Z"}).data["createEdge"]["errors"] == []
    rule_make(client, rule_input("by id", 1, {"entityId": pump}))
    rule_make(client, rule_input("by type", 2, {"kind": "ASSET", "type": "Pump"}))
    rule_make(client, rule_input("below", 3, {"underId": hall}))
    rule_make(client, rule_input("elsewhere", 4, {"underId": other}))
    rule_make(client, rule_input("other type", 5, {"kind": "ASSET", "type": "Fan"}))
    rule_make(client, {**rule_input("off", 6, {"entityId": pump}), "isActive": False})
    assert values(client, pump) == {"by id": 1, "by type": 2, "below": 3}
    # Before it was in the hall, and before the rules were in force.
    assert values(client, pump, asOf="2026-01-15T00:00:00Z") == {"by id": 1, "by type": 2}
    assert values(client, pump, asOf="2025-12-31T00:00:00Z") == {}
    assert values(client, hall) == {"below": 3}


def test_the_version_of_the_instant_counts_also_of_a_rule_that_was_deleted_since(client: Client) -> None:
    pump = entity(client, "Asset", 'name: "Pump"')
    rule = rule_make(client, rule_input("hot", 80, {"entityId": pump}))
    changed = rule_input("hot", 90, {"entityId": pump}, "2026-03-01T00:00:00Z")
    assert client.call(UPDATE, {"id": rule["id"], "i": changed}).data["updateRule"]["errors"] == []
    assert values(client, pump, asOf="2026-02-28T23:59:59Z") == {"hot": 80}
    assert values(client, pump, asOf="2026-03-01T00:00:00Z") == {"hot": 90}
    # When only the first version was recorded, 80 was what was believed of March.
    assert values(client, pump, asOf="2026-03-02T00:00:00Z", knownAt=rule["createdAt"]) == {"hot": 80}
    assert values(client, pump, asOf="2026-03-02T00:00:00Z", knownAt="2026-01-01T00:00:00Z") == {}
    assert client.call(DELETE, {"id": rule["id"]}).data["deleteRule"]["errors"] == []
    assert values(client, pump) == {}
    assert values(client, pump, asOf="2026-03-02T00:00:00Z") == {"hot": 90}


def test_an_unknown_entity_and_too_many_rules_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.call(IN_FORCE, {"id": str(new_id())}).error_codes == ["NOT_FOUND"]
    pump = entity(client, "Asset", 'name: "Pump"')
    rule_make(client, rule_input("one", 1, {"entityId": pump}))
    rule_make(client, rule_input("two", 2, {"entityId": pump}))
    monkeypatch.setattr(domain.rules.in_force, "RULES_MAX", 1)
    assert client.call(IN_FORCE, {"id": pump}).error_codes == ["LIMIT_EXCEEDED"]
