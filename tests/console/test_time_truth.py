"""What the browser picks from edge versions at (t, k) is what the API answers there, over 1,000 drawn moments."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from argus.console.build import Build, say
from argus.console.sources import console_find
from testing.console.plant import change, instant
from testing.installation import Client, Installation

MOMENTS = 1_000
BATCH = 50
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 40


def _moves(client: Client, draw: random.Random) -> tuple[str, list[str]]:
    """Link a device to assets, end, correct and retract links at random. Return the device, and instants recorded."""
    device = change(
        client, "createDevice", "$i: CreateDeviceInput!|input: $i", "device { id }", {"i": {"name": "Moved"}}
    )["id"]
    assets = [
        change(client, "createAsset", "$i: CreateAssetInput!|input: $i", "asset { id }", {"i": {"name": f"A{n}"}})["id"]
        for n in range(4)
    ]
    edges: list[str] = []
    for _ in range(60):
        day = FIRST + timedelta(days=draw.randrange(DAYS), microseconds=draw.choice((0, 1, 500)))
        if not edges or draw.random() < 0.4:
            payload = client.call(
                "mutation M($i: LinkDeviceInput!) { m: linkDevice(input: $i) { edge { edgeId } errors { code } } }",
                {
                    "i": {
                        "deviceId": device,
                        "assetId": draw.choice(assets),
                        "port": draw.choice((None, 1)),
                        "validFrom": instant(day),
                        "validUntil": instant(day + timedelta(days=draw.randrange(1, 9))),
                    }
                },
            ).data["m"]
            if payload["edge"] is not None:
                edges.append(payload["edge"]["edgeId"])
            continue
        variables: dict[str, Any] = {"id": draw.choice(edges), "from": instant(day)}
        correction = draw.choice(("validFrom: $from", "validUntil: $from", "retract: true"))
        declared = "$id: ID!" if correction == "retract: true" else "$id: ID!, $from: DateTime!"
        # Refusals (an empty range, an overlap, one retracted before) are as good as changes: nothing is recorded.
        client.call(
            f"mutation M({declared}) {{ correctEdge(id: $id, {correction}) {{ errors {{ code }} }} }}", variables
        )
    history = client.call(
        "query H($id: ID!) { entity(id: $id) { edgeHistory(first: 500) { nodes { recordedAt retractedAt } } } }",
        {"id": device},
    ).data["entity"]["edgeHistory"]["nodes"]
    recorded = {text for node in history for text in (node["recordedAt"], node["retractedAt"]) if text}
    return device, sorted(recorded)


def _moments(draw: random.Random, recorded: list[str]) -> Iterator[tuple[str, str | None]]:
    for _ in range(MOMENTS):
        at = FIRST + timedelta(
            days=draw.randrange(-1, DAYS + 10), microseconds=draw.choice((-1, 0, 1, 500, 43_200_000_000))
        )
        known = draw.choice([None, *recorded])
        if known is not None and draw.random() < 0.3:
            known = instant(datetime.fromisoformat(known) - timedelta(microseconds=1))
        yield instant(at), known


def test_the_browser_picks_what_the_api_answers(installation: Installation, tmp_path: Path) -> None:
    draw = random.Random(20_261_201)  # noqa: S311
    client = installation.organization("Moves")
    device, recorded = _moves(client, draw)
    assert len(recorded) > 20
    fields = "nodes { id edgeId validFrom validUntil recordedAt retractedAt }"
    versions = client.call(
        f"query V($id: ID!) {{ entity(id: $id) {{ edgeHistory(first: 500) {{ {fields} }} }} }}", {"id": device}
    ).data["entity"]["edgeHistory"]["nodes"]
    moments = list(_moments(draw, recorded))
    answered: list[dict[str, Any]] = []
    for start in range(0, MOMENTS, BATCH):
        part = moments[start : start + BATCH]
        aliases = " ".join(
            f'm{n}: edges(asOf: "{at}"{"" if known is None else f", knownAt: {json.dumps(known)}"}) {{ nodes {{ id }} }}'
            for n, (at, known) in enumerate(part)
        )
        entity = client.call(f"query M($id: ID!) {{ entity(id: $id) {{ {aliases} }} }}", {"id": device}).data["entity"]
        answered += [
            {"asOf": at, "knownAt": known, "ids": [node["id"] for node in entity[f"m{n}"]["nodes"]]}
            for n, (at, known) in enumerate(part)
        ]
    assert len({tuple(moment["ids"]) for moment in answered}) > 20
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"versions": versions, "moments": answered}))
    location = console_find()
    assert location is not None
    assert location.sources is not None
    with patch.dict(os.environ, {"TIME_TRUTH": str(truth)}):
        Build(Path(location.sources).parent, location, say).check(["test"])
