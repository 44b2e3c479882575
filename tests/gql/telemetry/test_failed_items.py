"""Failed items over GraphQL: listed and retried, within one organization."""

from __future__ import annotations

from typing import Any

from domain.base.failed_items.model import FailedQueue
from domain.base.failed_items.operations import item_failed, items_resolved
from runtime.database import engine_create, transaction
from testing.api import Api
from testing.installation import Client

LIST = """query F($q: [FailedQueue!], $s: [FailedItemState!], $n: Int, $a: String) {
  failedItems(queues: $q, states: $s, first: $n, after: $a) { totalCount pageInfo { endCursor hasNextPage }
    nodes { id queue item holds reason tries state dueAt resolvedAt } } }"""
RETRY = """mutation R($ids: [ID!], $q: [FailedQueue!]) {
  retryFailedItems(ids: $ids, queues: $q) { count errors { code path } } }"""


def listed(client: Client, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = client.call(LIST, {"n": 50, **variables}).data["failedItems"]["nodes"]
    return nodes


def test_failed_items_are_listed_and_retried_by_their_organization_alone(api: Api) -> None:
    of, other = api.organization("failing"), api.organization("failing-too")
    engine = engine_create(api.settings.database_url("pipeline"), pool_size=1)

    def fail(organization_id: int | None, queue: FailedQueue, item: str, times: int = 1) -> None:
        for _ in range(times):
            with transaction(engine, organization_id) as session:
                item_failed(
                    session, organization_id=organization_id, queue=queue, item=item, holds="h",
                    error=ValueError("line one\nline two \0"),
                )  # fmt: skip

    fail(of, FailedQueue.EVENT_CHANGES, "1", times=5)
    fail(of, FailedQueue.DERIVATION, "2")
    fail(other, FailedQueue.EVENT_CHANGES, "3")
    fail(None, FailedQueue.RETENTION, "a partition")
    with transaction(engine, other) as session:
        items_resolved(session, organization_id=other, queue=FailedQueue.EVENT_CHANGES, items=["3", "1"])
    engine.dispose()

    client = api.client("failing", "operator")
    second, first = listed(client)
    assert (first["queue"], first["item"], first["tries"], first["state"]) == ("EVENT_CHANGES", "1", 5, "SET_ASIDE")
    assert (first["reason"], first["dueAt"], first["holds"]) == ("ValueError: line one", None, "h")
    assert (second["queue"], second["tries"], second["state"]) == ("DERIVATION", 1, "RETRYING")
    page = client.call(LIST, {"n": 1}).data["failedItems"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    [last] = listed(client, a=page["pageInfo"]["endCursor"])
    assert last["id"] == first["id"]
    assert [dead_letter["id"] for dead_letter in listed(client, q=["DERIVATION"])] == [second["id"]]
    assert [dead_letter["id"] for dead_letter in listed(client, s=["SET_ASIDE"])] == [first["id"]]

    stranger = api.client("failing-too", "admin")
    assert listed(stranger) == []
    assert [dead_letter["state"] for dead_letter in listed(stranger, s=["RESOLVED"])] == ["RESOLVED"]
    answer = stranger.call(RETRY, {"ids": [first["id"]]}).data["retryFailedItems"]
    assert answer == {"count": 0, "errors": []}
    assert listed(client, s=["SET_ASIDE"]) != []

    refused = client.call(RETRY, {}).data["retryFailedItems"]
    assert refused == {"count": 0, "errors": [{"code": "BAD_USER_INPUT", "path": ["ids"]}]}
    assert client.call(RETRY, {"q": ["EVENT_CHANGES"]}).data["retryFailedItems"]["count"] == 1
    assert [(dead_letter["tries"], dead_letter["state"]) for dead_letter in listed(client, q=["EVENT_CHANGES"])] == [
        (0, "RETRYING")
    ]
    assert client.call(RETRY, {"ids": [first["id"], "nonsense"]}).data["retryFailedItems"]["count"] == 1
