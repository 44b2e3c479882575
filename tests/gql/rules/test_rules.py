"""Rules and events over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from testing.api import Api
from testing.installation import Client

FIELDS = "name condition scope severity action escalation damping isActive effectiveFrom deletedAt"
CREATE = f"""mutation C($input: RuleInput!) {{ createRule(input: $input) {{
  rule {{ id {FIELDS} }} errors {{ code message path }} }} }}"""
UPDATE = f"""mutation U($id: ID!, $input: RuleInput!) {{ updateRule(id: $id, input: $input) {{
  rule {{ id {FIELDS} }} errors {{ code message path }} }} }}"""
DELETE = "mutation D($id: ID!) { deleteRule(id: $id) { rule { id isActive } errors { code message path } } }"
HOT: dict[str, Any] = {
    "name": "hot",
    "condition": {"threshold": {"metric": "t", "operator": "GT", "value": 80, "for": "PT5M", "clearValue": 70}},
    "effectiveFrom": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def client(api: Api) -> Client:
    name = f"rules-{datetime.now(UTC):%H%M%S%f}"
    api.organization(name)
    return api.client(name)


def test_a_rule_is_written_listed_edited_and_deleted(client: Client) -> None:
    made = client.call(CREATE, {"input": HOT}).data["createRule"]
    assert made["errors"] == []
    rule_id = made["rule"].pop("id")
    assert made["rule"] == {
        "name": "hot",
        "condition": {
            "threshold": {
                "metric": "t", "operator": "GT", "value": 80, "for": "PT300S", "clearValue": 70, "clearFor": "PT0S",
            }
        },
        "scope": {"entityId": None, "kind": None, "type": None, "underId": None, "profileId": None, "groupId": None},
        "severity": "MEDIUM",
        "action": {},
        "escalation": [],
        "damping": {"maxEvents": 12, "per": "PT3600S"},
        "isActive": True,
        "effectiveFrom": "2026-01-01T00:00:00Z",
        "deletedAt": None,
    }  # fmt: skip
    edited = {
        "name": "hotter",
        "condition": {"anyOf": [{"noData": {"metric": "t", "after": "PT1H"}}, {"expression": "t > 90.0"}]},
        "severity": "HIGH",
        "escalation": [{"after": "PT2H", "severity": "CRITICAL"}],
    }
    after = client.call(UPDATE, {"id": rule_id, "input": edited}).data["updateRule"]
    assert after["errors"] == []
    assert after["rule"]["condition"] == {
        "anyOf": [{"noData": {"metric": "t", "after": "PT3600S"}}, {"expression": "t > 90.0"}]
    }
    listed = client.call("{ rules { totalCount nodes { id name severity } } }").data["rules"]
    assert listed == {"totalCount": 1, "nodes": [{"id": rule_id, "name": "hotter", "severity": "HIGH"}]}
    [rule] = client.call(
        "{ rules { nodes { effectiveFrom versions { effectiveFrom recordedAt actor severity condition isActive } } } }"
    ).data["rules"]["nodes"]
    first, second = rule["versions"]
    assert (first["effectiveFrom"], first["severity"], first["isActive"]) == ("2026-01-01T00:00:00Z", "MEDIUM", True)
    assert (second["effectiveFrom"], second["severity"]) == (rule["effectiveFrom"], "HIGH")
    assert second["condition"] == after["rule"]["condition"]
    assert first["recordedAt"] < second["recordedAt"]
    assert first["actor"] == second["actor"] != ""
    gone = client.call(DELETE, {"id": rule_id}).data["deleteRule"]
    assert gone == {"rule": {"id": rule_id, "isActive": False}, "errors": []}
    assert client.call("{ rules { totalCount } }").data["rules"] == {"totalCount": 0}
    deleted_too = client.call("{ rules(filter: {includeDeleted: true}) { totalCount nodes { id } } }").data["rules"]
    assert deleted_too == {"totalCount": 1, "nodes": [{"id": rule_id}]}
    [again] = client.call(DELETE, {"id": rule_id}).data["deleteRule"]["errors"]
    assert (again["code"], again["path"]) == ("NOT_FOUND", ["id"])


def test_the_version_in_force_is_that_of_event_time_and_as_far_as_it_was_recorded(client: Client) -> None:
    rule_id = client.call(CREATE, {"input": HOT}).data["createRule"]["rule"]["id"]
    later = {**HOT, "severity": "HIGH", "effectiveFrom": "2026-02-01T00:00:00Z"}
    assert client.call(UPDATE, {"id": rule_id, "input": later}).data["updateRule"]["errors"] == []
    query = """query F($asOf: DateTime, $knownAt: DateTime) {
      rules { nodes { inForce(asOf: $asOf, knownAt: $knownAt) { severity effectiveFrom recordedAt } } } }"""

    def severity(**coordinates: str) -> Any:
        [rule] = client.call(query, coordinates).data["rules"]["nodes"]
        return None if rule["inForce"] is None else rule["inForce"]["severity"]

    assert severity() == "HIGH"
    assert severity(asOf="2025-12-31T23:59:59Z") is None
    assert severity(asOf="2026-01-31T23:59:59Z") == "MEDIUM"
    assert severity(asOf="2026-02-01T00:00:00Z") == "HIGH"
    [rule] = client.call("{ rules { nodes { versions { recordedAt } } } }").data["rules"]["nodes"]
    first = rule["versions"][0]["recordedAt"]
    assert severity(asOf="2026-02-01T00:00:00Z", knownAt=first) == "MEDIUM"
    assert severity(asOf="2026-02-01T00:00:00Z", knownAt="2026-01-01T00:00:00Z") is None


def test_rules_are_filtered_by_name_severity_and_activity(client: Client) -> None:
    for name, severity, is_active in (
        ("Kühlung hot", "HIGH", True),
        ("cold", "LOW", True),
        ("KUHLUNG cold", "LOW", False),
    ):
        rule = {**HOT, "name": name, "severity": severity, "isActive": is_active}
        assert client.call(CREATE, {"input": rule}).data["createRule"]["errors"] == []

    def named(condition: str) -> list[str]:
        page = client.call(f"{{ rules(filter: {{{condition}}}) {{ totalCount nodes {{ name }} }} }}").data["rules"]
        assert page["totalCount"] == len(page["nodes"])
        return sorted(node["name"] for node in page["nodes"])

    assert named("") == ["KUHLUNG cold", "Kühlung hot", "cold"]
    assert named('search: "kühl"') == ["KUHLUNG cold", "Kühlung hot"]
    assert named("severities: [HIGH, CRITICAL]") == ["Kühlung hot"]
    assert named("isActive: false") == ["KUHLUNG cold"]
    assert named('search: "kuhl", isActive: true, severities: [LOW]') == []
    refused = client.call("query Q($s: String!) { rules(filter: {search: $s}) { totalCount } }", {"s": "x" * 501})
    assert refused.error_codes == ["BAD_USER_INPUT"]


def test_the_entities_of_each_sort_of_scope_are_counted_as_of_now(client: Client) -> None:
    made = client.call(
        """mutation { site: createSpace(input: {name: "site", type: "Site"}) { space { id } }
          lone: createAsset(input: {name: "lone", type: "Boiler"}) { asset { id } } }"""
    ).data
    site, lone = made["site"]["space"]["id"], made["lone"]["asset"]["id"]
    made = client.call(
        f"""mutation {{ room: createSpace(input: {{name: "room", type: "Room", parentId: "{site}"}}) {{ space {{ id }} }}
          guard: createPerson(input: {{name: "guard"}}) {{ person {{ id }} }}
          group: createGroup(input: {{name: "some", kind: STATIC}}) {{ group {{ id }} errors {{ message }} }} }}"""
    ).data
    room, guard, group = made["room"]["space"]["id"], made["guard"]["person"]["id"], made["group"]["group"]["id"]
    added = client.call(
        "mutation A($g: ID!, $ids: [ID!]!) { addToGroup(groupId: $g, entityIds: $ids) { errors { message } } }",
        {"g": group, "ids": [room, guard]},
    )
    assert added.data["addToGroup"]["errors"] == []
    scopes: list[dict[str, Any]] = [
        {}, {"entityId": lone}, {"kind": "ASSET", "type": "Boiler"}, {"underId": site}, {"groupId": group},
    ]  # fmt: skip
    for n, scope in enumerate(scopes):
        rule = {**HOT, "name": str(n), "scope": scope}
        assert client.call(CREATE, {"input": rule}).data["createRule"]["errors"] == []

    def counts() -> list[int]:
        nodes = client.call("{ rules { nodes { name entityCount profileId } } }").data["rules"]["nodes"]
        assert {node["profileId"] for node in nodes} == {None}
        return [node["entityCount"] for node in sorted(nodes, key=lambda node: str(node["name"]))]

    # Site, room and boiler; a person has no readings.
    assert counts() == [3, 1, 1, 2, 1]
    client.call(f'mutation {{ deleteAsset(id: "{lone}") {{ errors {{ code }} }} }}')
    assert counts() == [2, 0, 0, 2, 1]


def test_why_a_rule_was_written_changed_and_deleted_is_in_its_history(client: Client) -> None:
    made = client.call(
        'mutation C($input: RuleInput!) { createRule(input: $input, reason: "asked for") { rule { id } errors { code } } }',
        {"input": HOT},
    ).data["createRule"]
    rule_id = made["rule"]["id"]
    client.call(
        """mutation U($id: ID!, $input: RuleInput!) {
          updateRule(id: $id, input: $input, reason: "too late") { errors { code } } }""",
        {"id": rule_id, "input": {**HOT, "severity": "HIGH"}},
    )
    client.call(
        'mutation D($id: ID!) { deleteRule(id: $id, reason: "not needed") { errors { code } } }', {"id": rule_id}
    )
    changes = client.call(
        "query H($ids: [ID!]!) { changes(filter: {subjectIds: $ids}) { nodes { action reason } } }", {"ids": [rule_id]}
    ).data["changes"]["nodes"]
    assert [(item["action"], item["reason"]) for item in changes] == [
        ("deleted", "not needed"),
        ("updated", "too late"),
        ("created", "asked for"),
    ]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        (
            {"condition": {"threshold": {"metric": "t", "operator": "GT", "value": 80, "clearValue": 90}}},
            ["input", "condition", "threshold", "clearValue"],
        ),
        ({"condition": {"expression": "1 < 2"}}, ["input", "condition", "expression"]),
        ({"scope": {"kind": "PERSON", "type": "guard"}}, ["input", "scope", "kind"]),
        ({"scope": {"kind": "ASSET"}}, ["input", "scope"]),
        ({"name": ""}, ["input", "name"]),
        ({"action": {"webhookUrl": "ftp://x"}}, ["input", "action", "webhookUrl"]),
        ({"damping": {"maxEvents": 0}}, ["input", "damping", "maxEvents"]),
        ({"escalation": [{"after": "PT1H", "severity": "LOW"}]}, ["input", "escalation", "0", "severity"]),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_where_it_does_not(
    client: Client, more: dict[str, Any], path: list[str]
) -> None:
    payload = client.call(CREATE, {"input": {**HOT, **more}}).data["createRule"]
    assert payload["rule"] is None
    [error] = payload["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", path)


def test_events_are_listed_and_an_unknown_one_cannot_be_annotated(client: Client) -> None:
    nothing = "0190a3c4-0000-7000-8000-000000000000"
    query = """{ events(filter: {states: [OPEN, ACKNOWLEDGED, CLEARED, DISMISSED, WITHDRAWN], severities: [HIGH],
      openAt: "2026-01-01T00:00:00Z", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z",
      entityIds: ["%s"], ruleIds: ["%s"]}) { totalCount nodes { id } } }""" % (nothing, nothing)  # noqa: UP031
    assert client.call(query).data["events"] == {"totalCount": 0, "nodes": []}
    assert client.call(f'{{ events(filter: {{underId: "{nothing}"}}) {{ totalCount }} }}').error_codes == ["NOT_FOUND"]
    for field in ("acknowledgeEvent", "dismissEvent", "commentEvent"):
        mutation = f'mutation {{ {field}(id: "{nothing}", note: "seen") {{ event {{ id }} errors {{ code path }} }} }}'
        assert client.call(mutation).data[field] == {"event": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}


def test_a_rule_is_tried_before_it_is_made(client: Client) -> None:
    tried = """mutation T($input: RuleInput!, $from: DateTime!, $to: DateTime!) { testRule(input: $input, from: $from, to: $to) {
      test { entities points truncated events { entityId openedAt } } errors { code path } } }"""
    client.call('mutation { createDevice(input: {name: "boiler"}) { device { id } } }')
    given = {"input": HOT, "to": "2026-02-01T00:00:00Z"}
    assert client.call(tried, {**given, "from": "2026-01-01T00:00:00Z"}).data["testRule"] == {
        "test": {"entities": 1, "points": 0, "truncated": False, "events": []},
        "errors": [],
    }
    [error] = client.call(tried, {**given, "from": "2026-03-01T00:00:00Z"}).data["testRule"]["errors"]
    assert error == {"code": "BAD_USER_INPUT", "path": ["to"]}
    low = {"threshold": {**HOT["condition"]["threshold"], "clearValue": 90}}
    refused = {**given, "input": {**HOT, "condition": low}, "from": "2026-01-01T00:00:00Z"}
    [error] = client.call(tried, refused).data["testRule"]["errors"]
    assert (error["code"], error["path"][:2]) == ("BAD_USER_INPUT", ["input", "condition"])
