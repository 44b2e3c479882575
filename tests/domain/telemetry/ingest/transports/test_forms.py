"""Bodies as devices send them: ThingsBoard's forms, SenML's examples, decoded LoRaWAN uplinks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.metrics import metrics_canonical
from domain.telemetry.ingest.accept import readings_accept
from domain.telemetry.ingest.transports.forms import Form, body_read, form_of
from domain.telemetry.ingest.transports.senml import senml_read, senml_resolve
from domain.telemetry.ingest.transports.sent import Sent
from domain.telemetry.model.readings import Devices, KnownDevice
from graph.errors import BadInputError
from testing.installation import SHARED_DATA

PAYLOADS = SHARED_DATA / "payloads"
needs_data = pytest.mark.skipif(not PAYLOADS.exists(), reason="../shared/data is not here")
NOW_S = 1_700_000_000.0


def read(body: Any, form: Form | None = None, *, own: bool = False) -> list[tuple[Any, Any, Any]]:
    sent = body_read(body, form or form_of(body), now_s=NOW_S, own=own)
    assert sent.errors == []
    return [(reading.external_id or reading.device_id, reading.timestamp, reading.metrics) for reading in sent.readings]


@needs_data
def test_each_of_thingsboards_forms() -> None:
    known = json.loads((PAYLOADS / "thingsboard_telemetry_forms.json").read_text())
    bodies = [example["payload"] for example in (*known["device"], *known["gateway"])]
    assert [form_of(body) for body in bodies] == [Form.THINGSBOARD] * 5
    flat, several, stamped, stamped_several, gateway = map(read, bodies)
    assert flat == [(None, None, {"temperature": 22.5, "humidity": 61})]
    assert several == [(None, None, {"key1": "value1"}), (None, None, {"key2": "value2"})]
    assert stamped == [(None, 1451649600512, {"temperature": 22.5, "humidity": 61})]
    assert [(at, metrics["humidity"]) for _, at, metrics in stamped_several] == [
        (1451649600000, 61),
        (1451649601000, 60),
    ]
    assert [(device, at, metrics["humidity"]) for device, at, metrics in gateway] == [
        ("Device A", 1483228800000, 80), ("Device A", 1483228801000, 82), ("Device B", 1483228800000, 80),
    ]  # fmt: skip


def senml_examples() -> list[Path]:
    return sorted(path for path in PAYLOADS.glob("senml/*.json") if "resolved" not in path.name)


@needs_data
@pytest.mark.parametrize("path", senml_examples(), ids=lambda path: path.stem)
def test_senml_is_resolved_as_the_rfc_has_it(path: Path) -> None:
    pack = json.loads(path.read_text())
    expected = json.loads(path.with_suffix("").with_suffix(".gen.resolved.json").read_text())
    # Where an example says no time, the resolved form has the time it was made at.
    now_s = expected[0]["t"] if "t" not in pack[0] and "bt" not in pack[0] else NOW_S
    if path.stem == "ex2":
        now_s = expected[0]["t"]
    sent = Sent()
    records = list(senml_resolve(pack, sent, now_s=now_s))
    assert [(record.base + record.name, record.unit, record.value) for record in records] == [
        (record["n"], record.get("u"), record.get("v", record.get("vs", record.get("vb")))) for record in expected
    ]
    assert [record.time_s for record in records] == pytest.approx([record["t"] for record in expected], abs=1e-6)
    assert [error.path for error in sent.errors] == ([("3",)] if path.stem == "ex7" else [])
    assert form_of(pack) is Form.SENML


def test_senml_makes_one_reading_of_what_a_device_says_of_one_time() -> None:
    pack = [
        {"bn": "urn:dev:1:", "bt": 1_600_000_000, "n": "t", "u": "Cel", "v": 20.5},
        {"n": "h", "v": 50},
        {"n": "h", "v": 51, "t": 60},
        {"n": "h", "v": 52, "t": 60},
        {"bn": "urn:dev:2", "v": 7, "u": "W", "s": 9},
        {"bn": "", "n": "urn:dev:3", "vb": True},
    ]
    assert read(pack) == [
        ("urn:dev:1", 1.6e12, {"t": 20.5, "h": 50}),
        ("urn:dev:1", 1.60000006e12, {"h": 51}),
        ("urn:dev:1", 1.60000006e12, {"h": 52}),
        ("urn:dev:2", 1.6e12, {"W": 7, "W.sum": 9}),
        ("urn:dev:3", 1.6e12, {"value": True}),
    ]
    assert {device for device, *_ in read(pack[:4], own=True)} == {None}


@pytest.mark.parametrize(
    ("pack", "path"),
    [
        ({"n": "x", "v": 1}, ("body",)),
        ([1], ("body",)),
        ([{"n": "x", "v": 1, "new_": 1}], ("0", "new_")),
        ([{"bver": 11, "n": "x", "v": 1}], ("0", "bver")),
    ],
)
def test_a_pack_that_is_not_understood_is_refused_whole(pack: Any, path: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError) as located_errors:
        senml_read(pack, now_s=NOW_S, own=False)
    assert located_errors.value.path == path


def test_a_record_at_fault_does_not_refuse_the_others() -> None:
    sent = senml_read(
        [{"bn": "a:", "n": "t", "v": "1"}, {"n": "t", "v": 1}, {"n": "t"}, {"n": "x", "vd": "aGkK"}, {"foo": 1}],
        now_s=NOW_S,
        own=False,
    )
    assert [reading.metrics for reading in sent.readings] == [{"t": 1}]
    assert [error.path for error in sent.errors] == [("0", "v"), ("2",), ("3",), ("4",)]


@needs_data
def test_uplinks_of_lorawan_are_metrics_as_they_are() -> None:
    """Nested ones are kept in the raw log and end as dead letters, one a metric; no body is refused."""
    lines = (PAYLOADS / "lorawan_bodies.jsonl").read_text().splitlines()
    bodies = [json.loads(line)["body"] for line in lines]
    assert len(bodies) == 120
    device = KnownDevice(UUID(int=1), 0)
    sent = body_read([{"metrics": body} for body in bodies], Form.ARGUS, now_s=NOW_S, own=True)
    done = readings_accept(sent.readings, devices=Devices({}, {}), own=device, now_us=1)
    assert (done.accepted, done.rejected) == (120, 0)
    assert [json.loads(metrics) for metrics in done.by_partition[0].metrics] == [
        json.loads(metrics_canonical(body)) for body in bodies
    ]


def test_detecting_the_form_of_a_body() -> None:
    assert form_of({"metrics": {"t": 1}}) is Form.ARGUS
    assert form_of([{"externalId": "x", "metrics": {"t": 1}}]) is Form.ARGUS
    assert form_of({"metrics": 5}) is Form.THINGSBOARD  # a metric of that name
    assert form_of([{"n": "x", "v": 1}]) is Form.SENML
    assert form_of([{"n": 1, "pressure": 2}]) is Form.THINGSBOARD
    assert form_of({"n": 1, "v": 2}) is Form.THINGSBOARD
    assert form_of([]) is Form.THINGSBOARD


def test_paths_are_those_of_the_body() -> None:
    sent = body_read(
        {"A": [{"ts": "x", "values": {}}], "B": [{"values": []}, 5]}, Form.THINGSBOARD, now_s=NOW_S, own=False
    )
    known = {name: KnownDevice(UUID(int=n), 0) for n, name in enumerate("AB")}
    done = readings_accept(sent.readings, devices=Devices({}, known), own=None, now_us=1)
    assert [(error.code, error.path) for error in sent.located_errors(done.errors)] == [
        ("BAD_USER_INPUT", ("B", "1")),
        ("INVALID_TIMESTAMP", ("A", "0", "ts")),
        ("INVALID_METRICS", ("B", "0", "values")),
    ]
    plain = body_read(
        [{"metrics": {}, "time": 1}, {"deviceId": 7, "metrics": {}}, 5], Form.ARGUS, now_s=NOW_S, own=False
    )
    assert [error.path for error in plain.errors] == [("0", "time"), ("1", "deviceId"), ("2",)]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["n", "bn", "v", "ts", "values", "metrics", "t", "x", "bt", "vs"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(body=anything, form=st.none() | st.sampled_from(list(Form)), own=st.booleans())
def test_no_body_is_a_defect(body: Any, form: Form | None, own: bool) -> None:
    try:
        sent = body_read(body, form or form_of(body), now_s=NOW_S, own=own)
    except BadInputError:
        return
    assert len(sent.readings) == len(sent.places)
    readings_accept(sent.readings, devices=Devices({}, {}), own=None, now_us=1)
