"""The README's example of a link corrected in the past is what a running installation answers."""

from __future__ import annotations

import json
import re
from typing import Any

from testing.installation import PROJECT, Client, Installation
from testing.pages import page_read


def blocks(language: str) -> list[str]:
    """Return the blocks of that language in the README's section about time, in order."""
    readme = page_read(PROJECT / "README.md")
    section = re.search(r"^## What only a graph .*?(?=^## )", readme, re.MULTILINE | re.DOTALL)
    assert section is not None
    return re.findall(rf"```{language}\n(.*?)```", section[0], re.DOTALL)


def test_a_link_corrected_in_the_past_answers_as_the_readme_says(installation: Installation) -> None:
    client = installation.organization("Readme")
    link, day, correct = blocks("graphql")
    before, after = (json.loads(text) for text in blocks("json"))
    probe = client.call('mutation { createDevice(input: {name: "probe", externalId: "probe"}) { device { id } } }').data
    named = {"probe": probe["createDevice"]["device"]["id"]}
    for key in ("a", "b"):
        made = client.call(
            f'mutation {{ createAsset(input: {{name: "boiler {key.upper()}"}}) {{ asset {{ id }} }} }}'
        ).data
        named[key] = made["createAsset"]["asset"]["id"]

    linked = client.call(link, {key: named[key] for key in ("probe", "a")}).data
    assert linked["ingestTelemetry"]["accepted"] == 2
    installation.wait_processed(client)
    assert answer(client, day) == before

    named["link"] = linked["linkDevice"]["edge"]["id"]
    corrected = client.call(correct, {key: named[key] for key in ("link", "probe", "b")})
    assert corrected.error_codes == []
    installation.wait_processed(client)
    assert answer(client, day) == after


def answer(client: Client, query: str) -> Any:
    """Return the assets, by name."""
    return sorted(client.call(query).data["assets"]["nodes"], key=lambda asset: asset["name"])
