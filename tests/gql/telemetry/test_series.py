"""Aggregates and fills of series, through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from testing.api import Api
from testing.line import Line

DAY = datetime(2026, 4, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
TELEMETRY = """query Q($id: ID!, $aggregate: Aggregate! = MEAN, $bucket: Duration = "PT1H", $fill: Fill! = NONE) {
  node(id: $id) { ... on Device { telemetry(from: "2026-04-03T01:00:00Z", to: "2026-04-03T04:00:00Z",
    aggregate: $aggregate, bucket: $bucket, fill: $fill) { metric values } } } }"""


def send(line: Line, device: UUID, *points: tuple[float, Any], metric: str = "m") -> None:
    """Have points normalized, given as (hours after DAY, value)."""
    readings = [
        {"device_id": device, "timestamp": DAY + hours * HOUR, "metrics": {metric: value}} for hours, value in points
    ]
    line.normalize(line.send(*readings))
    # Lines of one database take turns.
    line.rows("UPDATE stage_leases SET expires_at = '-infinity' RETURNING 1")
    line.lease = None


@pytest.mark.parametrize(
    ("aggregate", "values"),
    [
        ("MEDIAN", [7.5, None, 20]),
        ("P05", [3.45, None, 20]),
        ("P95", [11.55, None, 20]),
        ("STDDEV", [6.363961, None, None]),
        ("TIME_WEIGHTED_MEAN", [8.75, 3, 11.5]),
        ("DELTA", [-5, None, 17]),
        ("INCREASE", [7, None, 17]),
        ("RATE", [7 / 3600, None, 17 / 3600]),
    ],
)
def test_every_aggregate_is_answered(
    api: Api, lines: Callable[[], tuple[str, Line]], aggregate: str, values: list[float | None]
) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 8), (1.25, 12), (1.75, 3), (3.5, 20))
    answer = api.client(name, "viewer").call(TELEMETRY, {"id": str(device), "aggregate": aggregate})
    [series] = answer.data["node"]["telemetry"]
    assert [None if v is None else pytest.approx(v, rel=1e-5) for v in values] == series["values"]


def test_empty_buckets_are_filled(api: Api, lines: Callable[[], tuple[str, Line]]) -> None:
    name, line = lines()
    device = line.device()
    send(line, device, (0.5, 8), (1.5, 2), (3.5, 4))
    client = api.client(name, "viewer")
    filled = {}
    for fill in ("NONE", "PREVIOUS", "LINEAR"):
        [series] = client.call(TELEMETRY, {"id": str(device), "fill": fill}).data["node"]["telemetry"]
        filled[fill] = series["values"]
    assert filled == {"NONE": [2, None, 4], "PREVIOUS": [2, 2, 4], "LINEAR": [2, 3, 4]}
    refusal = client.call(TELEMETRY, {"id": str(device), "fill": "LINEAR", "bucket": None}).body["errors"][0]
    assert (refusal["extensions"]["code"], refusal["extensions"]["argumentPath"]) == ("BAD_USER_INPUT", ["fill"])
