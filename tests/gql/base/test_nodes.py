"""`node` and `nodes` resolve every type with an id, for its own organization only."""

from __future__ import annotations

from typing import Any

from runtime.ids import new_id
from testing.api import Api
from testing.installation import Client
from tests.gql.live.test_event_feed import site

SUM = {"metric": "sum", "relationship": "CONTAINS", "of": {"metric": "t", "kinds": ["SPACE"]}, "aggregate": "SUM",
       "bucket": "PT1H"}  # fmt: skip


def make(client: Client, kind: str, **given: Any) -> str:
    name = kind[0].lower() + kind[1:]
    made: str = client.call(
        f"mutation M($i: {kind}Input!) {{ create{kind}(input: $i) {{ {name} {{ id }} errors {{ code path }} }} }}",
        {"i": given},
    ).data[f"create{kind}"][name]["id"]
    return made


def test_every_type_with_an_id_is_resolved(api: Api) -> None:
    of = site(api, "nodes")
    api.organization("nodes-elsewhere")
    client = api.client("nodes")
    event_id, notification_id = of.open(), new_id()
    of.execute(
        """INSERT INTO notifications (organization_id, id, event_id, url, payload, state, attempts, due_at,
             created_at) VALUES (:o, :id, :event, 'https://example.org/', '{}', 'PENDING', 0, now(), now())""",
        id=notification_id, event=event_id,
    )  # fmt: skip
    wanted = {
        of.rule_id: "Rule",
        str(event_id): "Event",
        make(client, "Rollup", name="sum", **SUM): "Rollup",
        make(client, "ActivityTemplate", name="round"): "ActivityTemplate",
        str(notification_id): "Notification",
        make(client, "AssetProfile", name="Pump"): "AssetProfile",
        make(client, "Group", name="Pumps"): "Group",
    }
    text = "query Q($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id __typename } node(id: $id) { id __typename } }"
    for node_id, of_kind in wanted.items():
        data = client.call(text, {"ids": list(wanted), "id": node_id}).data
        assert data["nodes"] == [{"id": key, "__typename": kind} for key, kind in wanted.items()]
        assert data["node"] == {"id": node_id, "__typename": of_kind}
        theirs = api.client("nodes-elsewhere").call(text, {"ids": list(wanted), "id": node_id}).data
        assert theirs == {"nodes": [None] * len(wanted), "node": None}
