"""Updates merge attributes, replace them where that is meant, and refuse where somebody was faster."""

from __future__ import annotations

from typing import Any

import pytest

from testing.api import Api

KINDS = ("Device", "Asset", "Space", "Person", "Activity")


def make(api: Api, kind: str, attributes: Any) -> str:
    made = api.client("plant").call(
        f"mutation M($i: Create{kind}Input!) {{ create{kind}(input: $i) {{ {kind.lower()} {{ id }} }} }}",
        {"i": {"name": "It", "attributes": attributes}},
    )
    identity: str = made.data[f"create{kind}"][kind.lower()]["id"]
    return identity


def update(api: Api, kind: str, identity: str, **values: Any) -> tuple[Any, list[Any]]:
    payload = (
        api.client("plant")
        .call(
            f"mutation M($id: ID!, $i: Update{kind}Input!) {{ update{kind}(id: $id, input: $i) {{"
            f" {kind.lower()} {{ attributes updatedAt }} errors {{ code path }} }} }}",
            {"id": identity, "i": values},
        )
        .data[f"update{kind}"]
    )
    return payload[kind.lower()], payload["errors"]


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_are_merged_and_replaced(api: Api, kind: str) -> None:
    identity = make(api, kind, {"a": 1, "motor": {"kW": 2, "poles": 4, "none": None}, "kept": [1]})
    merged, errors = update(api, kind, identity, attributes={"a": None, "motor": {"kW": 3}, "new": "x"})
    assert errors == []
    assert merged["attributes"] == {"motor": {"kW": 3, "poles": 4, "none": None}, "kept": [1], "new": "x"}
    replaced, errors = update(api, kind, identity, replaceAttributes={"only": None})
    assert errors == []
    assert replaced["attributes"] == {"only": None}
    untouched, _ = update(api, kind, identity, name="Other")
    assert untouched["attributes"] == {"only": None}
    emptied, _ = update(api, kind, identity, attributes=None)
    assert emptied["attributes"] == {}


@pytest.mark.parametrize("kind", KINDS)
def test_both_are_refused(api: Api, kind: str) -> None:
    identity = make(api, kind, {"a": 1})
    row, errors = update(api, kind, identity, attributes={"b": 1}, replaceAttributes={"c": 1})
    assert row is None
    assert errors == [{"code": "BAD_USER_INPUT", "path": ["input", "replaceAttributes"]}]


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_was_faster_is_not_overwritten(api: Api, kind: str) -> None:
    identity = make(api, kind, {})
    first, _ = update(api, kind, identity, attributes={"a": 1})
    second, errors = update(api, kind, identity, attributes={"a": 2}, ifUpdatedAt=first["updatedAt"])
    assert errors == []
    late, errors = update(api, kind, identity, attributes={"a": 3}, ifUpdatedAt=first["updatedAt"])
    assert late is None
    assert errors == [{"code": "CONFLICT", "path": ["input", "ifUpdatedAt"]}]
    unchanged, _ = update(api, kind, identity)
    assert unchanged == {"attributes": {"a": 2}, "updatedAt": second["updatedAt"]}


def test_what_is_merged_may_not_become_too_large(api: Api) -> None:
    identity = make(api, "Asset", {"a": "x" * 40_000})
    row, errors = update(api, "Asset", identity, attributes={"b": "x" * 40_000})
    assert row is None
    assert errors == [{"code": "LIMIT_EXCEEDED", "path": ["input", "attributes"]}]
