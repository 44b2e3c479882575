"""A second version of the derive stage: tried in shadow, promoted into the past and dropped, while readings come."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest

from testing.installation import Client, Installation
from testing.waits import Deadline, patient

pytestmark = pytest.mark.slow

PLAIN, EXACT = 0.1 + 0.2 + 0.3, math.fsum([0.1, 0.2, 0.3])
BEFORE, DURING, AFTER = 20, 60, 20
PATIENCE_S = 60
READ = """query R($id: ID!) { entity(id: $id) { telemetry(metrics: ["total"], from: "2026-01-01T00:00:00Z",
  to: "2026-01-02T00:00:00Z") { timestamps values } } }"""
SHADOW = """{ shadow(stage: "derive") { different compared truncated errors }
  shadowDifferences(stage: "derive", first: 500) { totalCount nodes { timestamp value shadowValue version } } }"""


def site(client: Client) -> str:
    made = client.call(
        """mutation { createEntityType(input: {kind: ASSET, name: "mixer", effectiveFrom: "2020-01-01T00:00:00Z",
             telemetrySchema: {derived: {total: {sum: {a: 0.1, b: 0.2, c: 0.3}}}}}) { errors { message } }
           createDevice(input: {name: "d", externalId: "d"}) { device { id } }
           createAsset(input: {name: "m", type: "mixer"}) { asset { id } } }"""
    ).data
    device, asset = made["createDevice"]["device"]["id"], made["createAsset"]["asset"]["id"]
    client.call(
        """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,
           validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""",
        {"d": device, "a": asset},
    )
    return str(asset)


def at(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z"


def send(client: Client, *seconds: int) -> None:
    rows = [{"externalId": "d", "timestamp": at(n), "metrics": {"a": 1, "b": 1, "c": 1}} for n in seconds]
    payload = client.call(
        "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }",
        {"r": rows},
    ).data["ingestTelemetry"]
    assert payload == {"accepted": len(rows), "errors": []}


def until(look: Callable[[], Any], wanted: Any) -> None:
    deadline = Deadline(PATIENCE_S)
    while (value := look()) != wanted:
        deadline.pause((value, wanted))


def test_a_version_is_tried_promoted_and_dropped_while_readings_come(installation: Installation) -> None:
    client = installation.organization("Shadow")
    asset = site(client)

    def values() -> list[float]:
        [series] = client.call(READ, {"id": asset}).data["entity"]["telemetry"]
        return list(series["values"])

    def differences() -> tuple[int, int, list[Any]]:
        state = client.call(SHADOW).data
        rows = state["shadowDifferences"]
        return int(state["shadow"]["different"]), rows["totalCount"], sorted(row["timestamp"] for row in rows["nodes"])

    send(client, *range(BEFORE))
    until(values, [PLAIN] * BEFORE)
    flag = client.call('mutation { setFeatureFlag(name: "derive.shadow", value: 2) { errors { message } } }').data
    assert flag["setFeatureFlag"]["errors"] == []

    # Readings go on coming, one at a call, through all that follows.
    middle = threading.Event()

    def sending() -> None:
        for second in range(BEFORE, BEFORE + DURING):
            send(client, second)
            if second == BEFORE + DURING // 3:
                middle.set()

    sender = threading.Thread(target=sending)
    sender.start()
    assert middle.wait(patient(PATIENCE_S))
    compared = client.call(
        f'mutation {{ compareShadow(stage: "derive", from: "{at(0)}", to: "{at(BEFORE)}") {{ entities }} }}'
    ).data
    assert compared["compareShadow"] == {"entities": 1}
    promoted = client.call(
        f'mutation {{ promoteProcessor(stage: "derive", version: 2, effectiveFrom: "{at(10)}") '
        "{ processor { version } errors { message } } }"
    ).data
    assert promoted["promoteProcessor"] == {"processor": {"version": 2}, "errors": []}
    sender.join()
    send(client, *range(BEFORE + DURING, BEFORE + DURING + AFTER))
    until(values, [PLAIN] * 10 + [EXACT] * (BEFORE + DURING + AFTER - 10))
    # What differs is what lies before the promotion.
    until(differences, (10, 10, [at(n) for n in range(10)]))
    [row, *_] = client.call(SHADOW).data["shadowDifferences"]["nodes"]
    assert (row["value"], row["shadowValue"], row["version"]) == (PLAIN, EXACT, 1)
    dropped = client.call('mutation { dropShadow(stage: "derive") { shadow { different errors } errors { code } } }')
    assert dropped.data["dropShadow"] == {"shadow": {"different": 10, "errors": 0}, "errors": []}
    assert client.call(SHADOW).data == {"shadow": None, "shadowDifferences": {"totalCount": 0, "nodes": []}}
    counts = client.call('{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored pending } }').data
    total = BEFORE + DURING + AFTER
    assert counts["ingestAccount"] == {"received": total, "stored": total, "pending": 0}
