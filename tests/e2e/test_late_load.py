"""Real loads that come late, out of order and twice, with counts computed independently of Argus."""

from __future__ import annotations

import gzip
import json
import math
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from testing.installation import SHARED_DATA, Client, Installation
from testing.waits import patient

TRUCKS = SHARED_DATA / "load" / "tsbs_iot_scale20_1day_1m_seed123.lp.gz"
MACHINE = SHARED_DATA / "series" / "machine_temperature_system_failure.csv"
EXPECTED = SHARED_DATA / "EXPECTED.json"
PORTS = {"readings": 0, "diagnostics": 1}
CALL = 1_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EXPECTED.exists(), reason=f"the loads are not at {SHARED_DATA}"),
]


def counts(client: Client) -> dict[str, int]:
    query = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending } }'
    answer: dict[str, int] = client.call(query).data["ingestAccount"]
    return answer


def rows_read(path: Path) -> list[tuple[str, str, int, dict[str, float]]]:
    """Return measurement, truck, time in ms and fields of each line. A line without a name goes by its other tags."""
    rows = []
    with gzip.open(path, "rt") as file:
        for line in file:
            head, fields, nanoseconds = line.rstrip("\n").split(" ")
            measurement, *tags = head.split(",")
            truck = dict(tag.split("=") for tag in tags).get("name", ",".join(tags))
            values = {name: float(value.rstrip("i")) for name, value in (f.split("=") for f in fields.split(","))}
            rows.append((measurement, truck, int(nanoseconds) // 1_000_000, values))
    return rows


def devices_create(client: Client, names: list[str]) -> None:
    for begin in range(0, len(names), 50):
        fields = "\n".join(
            f"d{n}: createDevice(input: {{name: {json.dumps(name)}, externalId: {json.dumps(name)}}}) {{ errors {{ code }} }}"
            for n, name in enumerate(names[begin : begin + 50])
        )
        assert all(not made["errors"] for made in client.call(f"mutation {{ {fields} }}").data.values())


def send(installation: Installation, client: Client, readings: list[dict[str, Any]]) -> None:
    for begin in range(0, len(readings), CALL):
        request = urllib.request.Request(  # noqa: S310
            installation.url.replace("/graphql", "/api/v1/telemetry/ingest"),
            data=json.dumps(readings[begin : begin + CALL]).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {client.token}"},
        )
        with urllib.request.urlopen(request, timeout=patient(60)) as response:  # noqa: S310
            assert json.loads(response.read())["rejected"] == 0


def counted(client: Client, external_id: str, day: str) -> dict[tuple[int, str], tuple[float, float]]:
    """Return, by port and metric, the number and the sum of a device's points in a month."""
    values_by_bucket: dict[tuple[int, str], list[float]] = defaultdict(list)
    for aggregate in ("COUNT", "SUM"):
        entity = client.call(
            """query Q($x: String!, $a: Aggregate!, $from: DateTime!, $to: DateTime!) {
                 entity(kind: DEVICE, externalId: $x) {
                   telemetry(from: $from, to: $to, bucket: "P1M", aggregate: $a) { metric port values } } }""",
            {"x": external_id, "a": aggregate, "from": f"{day}T00:00:00Z", "to": "2016-02-01T00:00:00Z"},
        ).data["entity"]
        for series in entity["telemetry"]:
            values_by_bucket[series["port"], series["metric"]].append(
                math.fsum(value for value in series["values"] if value is not None)
            )
    return {key: (count, total) for key, (count, total) in values_by_bucket.items()}


def test_a_load_that_is_late_by_design_is_stored_whole(installation: Installation) -> None:
    expected = json.loads(EXPECTED.read_text())["tsbs_iot"]
    rows = rows_read(TRUCKS)
    client = installation.organization("Trucks")
    trucks = sorted({truck for _, truck, _, _ in rows})
    devices_create(client, trucks)
    send(
        installation,
        client,
        [
            {"externalId": truck, "port": PORTS[measurement], "timestamp": at, "metrics": values}
            for measurement, truck, at, values in rows
        ],
    )
    installation.wait_processed(client)
    whole = {"received": expected["rows"], "stored": expected["rows"], "duplicate": 0, "dead": 0, "pending": 0}
    assert counts(client) == whole

    # Every value, by measurement and in all; no two lines say one thing.
    wanted: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for measurement, truck, _, values in rows:
        for name, value in values.items():
            wanted[truck, PORTS[measurement], name].append(value)
    points = dict.fromkeys(PORTS.values(), 0.0)
    for truck in trucks:
        for (port, name), (count, total) in counted(client, truck, "2016-01-01").items():
            points[port] += count
            assert (count, total) == (len(wanted[truck, port, name]), math.fsum(wanted[truck, port, name]))
    assert points == {PORTS[name]: count for name, count in expected["field_values"].items()}

    # As it was received: what lay behind the newest of its truck and measurement.
    late = 0
    newest: dict[tuple[str, str], int] = {}
    for measurement, truck, at, _ in rows:
        key = (measurement, "" if "," in truck else truck)
        late += at < newest.get(key, 0)
        newest[key] = max(newest.get(key, 0), at)
    assert late == expected["late_per_truck"]
    # The latest value is the newest, whatever came last.
    for (measurement, truck), at in newest.items():
        if truck:
            latest = client.call(
                "query Q($x: String!) { entity(kind: DEVICE, externalId: $x) { latest { port timestamp } } }",
                {"x": truck},
            ).data["entity"]["latest"]
            of_port = {point["timestamp"] for point in latest if point["port"] == PORTS[measurement]}
            assert max(of_port) == _shown(at)


def _shown(milliseconds: int) -> str:

    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")


def test_of_two_values_at_one_time_the_later_received_is_stored(installation: Installation) -> None:
    answers = json.loads(EXPECTED.read_text())
    expected, hour = (
        answers["nab/realKnownCause/machine_temperature_system_failure"],
        answers["nab/duplicate_hour_2014-01-07T02"],
    )
    client = installation.organization("Machine")
    devices_create(client, ["machine"])
    installation.run(
        "import", "series", str(MACHINE), "--organization", "Machine", "--device", "machine", "--url", installation.url
    )  # fmt: skip
    installation.wait_processed(client)
    got = counts(client)
    assert (got["received"], got["stored"], got["duplicate"], got["dead"]) == (expected["rows"], expected["rows"], 0, 0)

    def buckets(aggregate: str, bucket: str, begins: str, ends: str) -> list[float]:
        entity = client.call(
            """query Q($a: Aggregate!, $b: Duration!, $from: DateTime!, $to: DateTime!) {
                 entity(kind: DEVICE, externalId: "machine") {
                   telemetry(from: $from, to: $to, bucket: $b, aggregate: $a) { values } } }""",
            {"a": aggregate, "b": bucket, "from": begins, "to": ends},
        ).data["entity"]
        [series] = entity["telemetry"]
        return [value for value in series["values"] if value is not None]

    year = ("2013-12-01T00:00:00Z", "2014-03-01T00:00:00Z")
    assert sum(buckets("COUNT", "P1M", *year)) == expected["distinct_ts"]
    assert len(buckets("COUNT", "PT1H", *year)) == expected["hour_buckets_nonempty"]
    twice = ("2014-01-07T02:00:00Z", "2014-01-07T03:00:00Z")
    assert buckets("COUNT", "PT1H", *twice) == [hour["distinct_ts"]]
    [mean] = buckets("MEAN", "PT1H", *twice)
    assert round(mean, 9) == hour["mean_last_wins"]
