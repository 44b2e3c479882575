"""What callers were denied, in the audit trail."""

from __future__ import annotations

from typing import Any

from testing.api import Api
from testing.installation import Client
from testing.waits import wait_until


def denied(admin: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = admin.call(
        '{ changes(filter: {actions: ["denied"]}) { nodes { actor after } } }'
    ).data["changes"]["nodes"]
    return rows


def test_denied_attempts_are_in_the_trail_together(api: Api) -> None:
    api.organization("denied")
    admin, viewer = api.client("denied", subject="boss"), api.client("denied", "viewer", subject="ann")
    for _ in range(5):
        assert viewer.call('mutation { deleteAsset(id: "x") { errors { code } } }').error_codes == ["FORBIDDEN"]
    assert viewer.call("{ apiKeys { totalCount } }").error_codes == ["FORBIDDEN"]
    # Whoever has no token at all belongs to nobody's trail.
    assert Client(api.url, None).call("{ apiKeys { totalCount } }").error_codes == ["UNAUTHENTICATED"]
    wait_until(lambda: sum(row["after"]["attempts"] for row in denied(admin)) == 6)
    fields = {row["after"]["field"]: row for row in denied(admin)}
    assert set(fields) == {"Mutation.deleteAsset", "Query.apiKeys"}
    assert {row["actor"] for row in fields.values()} == {"ann"}
    assert fields["Query.apiKeys"]["after"]["role"] == "viewer"
    assert "needs the role" in fields["Query.apiKeys"]["after"]["message"]
