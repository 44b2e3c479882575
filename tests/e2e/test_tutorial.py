"""The tutorial is what a running installation answers, block by block."""

from __future__ import annotations

import json
import re
from typing import Any

from testing.installation import PROJECT, Installation
from testing.pages import page_read
from testing.waits import wait_until

_PAGE = PROJECT / "docs" / "tutorials" / "first-hour.md"
_BLOCK = re.compile(r"^```(graphql|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, Any]]:
    """Return the operations of the page, each with the answer that the page expects, or None."""
    result: list[tuple[str, Any]] = []
    for language, text in _BLOCK.findall(page_read(_PAGE)):
        if language == "graphql":
            result.append((text, None))
        else:
            operation, expected = result.pop()
            assert expected is None
            result.append((operation, json.loads(text)))
    return result


def test_every_block_answers_as_the_page_says(installation: Installation) -> None:
    client = installation.organization("Tutorial")
    ids: dict[str, str] = {}
    steps = blocks()
    assert len(steps) > 10
    for operation, expected in steps:
        variables = {name: ids[name] for name in re.findall(r"\$(\w+): ID!", operation)}
        if expected is None:
            data = client.call(operation, variables).data
            assert [payload["errors"] for payload in data.values() if payload.get("errors")] == []
            ids |= ids_of(data)
        else:
            # What follows from a change takes a while.
            wait_until(
                lambda: in_order(client.call(operation).data) == expected,  # noqa: B023  (called at once)
                timeout_s=120,
                details=lambda: in_order(client.call(operation).data),  # noqa: B023
            )


def ids_of(data: dict[str, Any]) -> dict[str, str]:
    """Return the ids of what was made, by the alias of the field that made it."""
    return {
        alias: value["id"]
        for alias, payload in data.items()
        for value in payload.values()
        if isinstance(value, dict) and "id" in value
    }


def in_order(data: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its assets by name, whatever the order in which they were asked."""
    for page in data.values():
        page["nodes"].sort(key=lambda node: node.get("name", ""))
    return data
