"""A real building from its model and a year of readings to answers computed independently of Argus."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from testing.installation import SHARED_DATA, Client, Installation
from testing.waits import Deadline

MODEL = SHARED_DATA / "hhw" / "models" / "building_53_condensing_x.ttl"
READINGS = SHARED_DATA / "hhw" / "timeseries" / "53hhw_system_data.csv"
LOOP = "https://hhws.example.org#building53.hws.secondary_loop"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MODEL.exists(), reason=f"the building's data is not at {SHARED_DATA}"),
]

TELEMETRY = """
query Telemetry($kind: EntityKind!, $externalId: String!, $metrics: [String!], $from: DateTime!, $to: DateTime,
                $bucket: Duration, $aggregate: Aggregate! = MEAN, $timezone: String! = "UTC", $maxPoints: Int! = 1000) {
  entity(kind: $kind, externalId: $externalId) {
    name type
    telemetry(metrics: $metrics, from: $from, to: $to, bucket: $bucket, aggregate: $aggregate,
              timezone: $timezone, maxPoints: $maxPoints) { metric unit timestamps values truncated }
    latest(metrics: $metrics) { metric value timestamp }
  }
}
"""


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((SHARED_DATA / "EXPECTED.json").read_text())["hhw"]["53"]
    return answers


@pytest.fixture(scope="module")
def building(installation: Installation) -> Client:
    client = installation.organization("Building 53")
    installation.run(
        "import", "brick", str(MODEL), "--organization", "Building 53", "--valid-from", "2020-01-01T00:00:00Z"
    )
    installation.run(
        "import", "series", str(READINGS), "--organization", "Building 53",
        "--timestamp-column", "datetime_UTC", "--url", installation.url,
    )  # fmt: skip
    wait_until_normalized(client)
    return client


def wait_until_normalized(client: Client) -> dict[str, float]:
    deadline = Deadline()
    while True:
        counts: dict[str, float] = client.call(
            '{ ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending } }'
        ).data["ingestAccount"]
        if counts["pending"] == 0:
            return counts
        deadline.pause(counts)


def read(client: Client, kind: str, external_id: str, **variables: Any) -> dict[str, Any]:
    entity: dict[str, Any] = client.call(TELEMETRY, {"kind": kind, "externalId": external_id, **variables}).data[
        "entity"
    ]
    return entity


def values(entity: dict[str, Any], metric: str) -> list[float]:
    [series] = [series for series in entity["telemetry"] if series["metric"] == metric]
    return [value for value in series["values"] if value is not None]


BOTH_ENDS = pytest.mark.parametrize(("kind", "external_id"), [("DEVICE", f"{LOOP}.hw"), ("ASSET", LOOP)])


@BOTH_ENDS
def test_monthly_sums_add_up_to_the_year(
    building: Client, expected: dict[str, Any], kind: str, external_id: str
) -> None:
    entity = read(
        building, kind, external_id, metrics=["hw"], **{"from": "2020-05-01T00:00:00-07:00"},
        to="2021-06-01T00:00:00-07:00", bucket="P1M", aggregate="SUM", timezone="America/Los_Angeles",
    )  # fmt: skip
    months = values(entity, "hw")
    assert len(months) == 13
    assert round(math.fsum(months), 3) == expected["hw_sum"]


@BOTH_ENDS
@pytest.mark.parametrize(
    ("zone", "begins", "ends", "answer"),
    [
        (
            "America/Los_Angeles",
            "2020-11-01T00:00:00-07:00",
            "2020-11-02T00:00:00-08:00",
            "local_day_2020-11-01",
        ),
        ("UTC", "2020-11-01T00:00:00Z", "2020-11-02T00:00:00Z", "utc_day_2020-11-01"),
    ],
)
def test_the_day_that_has_25_hours(
    building: Client, expected: dict[str, Any], kind: str, external_id: str,
    zone: str, begins: str, ends: str, answer: str,
) -> None:  # fmt: skip
    day = {"from": begins, "to": ends, "bucket": "P1D", "timezone": zone}
    sums = values(read(building, kind, external_id, metrics=["hw"], aggregate="SUM", **day), "hw")
    counts = values(read(building, kind, external_id, metrics=["hw"], aggregate="COUNT", **day), "hw")
    supply_of = external_id if kind == "ASSET" else f"{LOOP}.sup"
    means = values(read(building, kind, supply_of, metrics=["sup"], aggregate="MEAN", **day), "sup")
    assert [round(value, 3) for value in sums] == [expected[answer]["hw_sum"]]
    assert counts == [expected[answer]["rows"]]
    assert [round(value, 6) for value in means] == [expected[answer]["sup_mean"]]


def test_nulls_stay_absent(building: Client, expected: dict[str, Any]) -> None:
    with READINGS.open() as file:
        rows = list(csv.DictReader(file))
    for metric in ("sup", "ret", "flow", "hw", "oper"):
        present = sum(1 for row in rows if row[metric] not in ("", "NA"))
        assert len(rows) - present == expected["nulls"][metric]
        owner = "https://hhws.example.org#building53.hws.oper" if metric == "oper" else f"{LOOP}.{metric}"
        entity = read(
            building, "DEVICE", owner, metrics=[metric], **{"from": "2020-01-01T00:00:00Z"},
            to="2022-01-01T00:00:00Z", bucket="P1Y", aggregate="COUNT",
        )  # fmt: skip
        assert sum(values(entity, metric)) == present


def test_a_series_the_file_lacks_has_no_data(building: Client, expected: dict[str, Any]) -> None:
    assert expected["model_series_without_csv_column"] == ["pmp1_spd", "pmp2_spd"]
    for number in (1, 2):
        pump = f"https://hhws.example.org#building53.secondary_pump{number}"
        for kind, external_id in (("DEVICE", f"{pump}.pmp{number}_spd"), ("ASSET", pump)):
            metric = f"pmp{number}_spd"
            entity = read(building, kind, external_id, metrics=[metric], **{"from": "2020-01-01T00:00:00Z"})
            [series] = entity["telemetry"]
            assert (series["metric"], series["timestamps"], series["values"]) == (metric, [], [])
            assert entity["latest"] == []


@BOTH_ENDS
def test_latest_is_the_last_reading(building: Client, expected: dict[str, Any], kind: str, external_id: str) -> None:
    with READINGS.open() as file:
        last = [row for row in csv.DictReader(file) if row["hw"] not in ("", "NA")][-1]
    entity = read(building, kind, external_id, metrics=["hw"], **{"from": "2021-05-01T00:00:00Z"})
    [latest] = entity["latest"]
    assert latest == {"metric": "hw", "value": float(last["hw"]), "timestamp": last["datetime_UTC"]}


def test_importing_twice_changes_nothing(building: Client, installation: Installation) -> None:
    count = "{ devices { totalCount } assets { totalCount } spaces { totalCount } }"
    before = building.call(count).data
    installation.run(
        "import", "brick", str(MODEL), "--organization", "Building 53", "--valid-from", "2020-01-01T00:00:00Z"
    )
    assert building.call(count).data == before
    model = Path(MODEL).read_text()
    assert (
        before["devices"]["totalCount"]
        == model.count("ref:hasTimeseriesId")
        == len(json.loads((SHARED_DATA / "EXPECTED.json").read_text())["hhw"]["53"]["model_series"])
    )
