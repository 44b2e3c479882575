"""Prometheus metrics: what they count, and that the alert rules and the dashboard use existing ones."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from runtime.database import engine_create, transaction
from testing.api import Api, api_serve
from testing.installation import PROJECT
from testing.servers import TestServers
from testing.waits import patient, wait_until
from tests.gql.server.graphql_ws import LIVE
from tests.gql.server.http_streams import EVENT_STREAM, opened
from tests.gql.server.updates import Source
from workers.jobs import JOBS

MONITORING = PROJECT / "docs" / "how-to" / "monitoring"


@pytest.fixture(scope="module")
def api(servers: TestServers) -> Iterator[Api]:
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url) as served:
            yield served
    finally:
        servers.database_drop(database)


def scraped(api: Api) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urllib.request.urlopen(f"http://{urlsplit(api.url).netloc}/metrics", timeout=patient(30)) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        page = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def of(samples: dict[Any, float], name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def test_streams_are_counted_while_they_are_open_and_have_no_duration(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.organization("streamed")
    source = Source()
    monkeypatch.setattr(api.services.feed, "subscribe", source.subscribe)
    before = scraped(api)
    with opened(api.port, LIVE, accept=EVENT_STREAM, token=api.token("streamed", "viewer")) as response:
        assert response.status == 200
        wait_until(lambda: source.open == 1)
        assert of(scraped(api), "argus_http_streams_open") == 1
    wait_until(lambda: of(scraped(api), "argus_http_streams_open") == 0)
    after = scraped(api)
    labels = {"route": "/graphql", "method": "POST", "status": "200"}
    counted = of(after, "argus_http_requests_total", **labels) or 0
    assert counted - (of(before, "argus_http_requests_total", **labels) or 0) == 1
    durations = [
        of(samples, "argus_http_request_duration_seconds_count", route="/graphql") for samples in (before, after)
    ]
    assert durations[0] == durations[1]


def test_requests_are_counted_by_route_and_no_path_makes_a_label(api: Api) -> None:
    api.organization("measured")
    client = api.client("measured")
    before = scraped(api)
    client.call("{ viewer { role } }")
    for path in ("/nowhere", "/api/v1/secret-token/telemetry"):
        request = urllib.request.Request(
            f"http://{urlsplit(api.url).netloc}{path}", b"{}", {"Content-Type": "application/json"}
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=patient(30))  # noqa: S310  (the test's own server)
    after = scraped(api)
    for route, method, status in (
        ("/graphql", "POST", "200"), ("other", "POST", "404"), ("/api/v1/{token}/telemetry", "POST", "401"),
    ):  # fmt: skip
        labels = {"route": route, "method": method, "status": status}
        count = [of(metrics, "argus_http_requests_total", **labels) or 0 for metrics in (before, after)]
        assert count[1] - count[0] == 1, route
    assert "secret-token" not in str(after)
    assert of(after, "argus_part_up", part="database") == of(after, "argus_part_up", part="bus") == 1


def test_the_state_of_the_pipeline_names_no_organization(api: Api) -> None:
    api.organization("waiting")
    client = api.client("waiting")
    client.call('mutation { createDevice(input: {name: "m", externalId: "m"}) { device { id } } }')
    client.call(
        'mutation { ingestTelemetry(readings: [{externalId: "m", metrics: {a: 1}}, {externalId: "m", metrics: {a: 2}}]) { accepted } }'
    )
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        session.execute(
            text(
                "INSERT INTO dead_letters (organization_id, id, raw_id, device_id, stage, code, message, payload, received_at, attempts, failed_at)"
                " SELECT id, gen_random_uuid(), 1, gen_random_uuid(), 'normalize', 'X', '', '1', now(), 1, now() FROM organizations WHERE slug = 'waiting'"
            )
        )
        session.execute(
            text("INSERT INTO stage_leases VALUES ('normalize', 0, 'me', 1, 7, now() - interval '1 minute')")
        )
    engine.dispose()
    samples = scraped(api)
    # No worker runs here: what was received waits.
    waiting = sum(value for (name, _), value in samples.items() if name == "argus_pipeline_unfinished_readings")
    assert waiting == of(samples, "argus_readings_received_last_minute", transport="graphql") == 2
    assert all(value >= 0 for (name, _), value in samples.items() if name == "argus_pipeline_lag_seconds")
    assert of(samples, "argus_dead_letters_open", stage="normalize", code="X") == 1
    assert of(samples, "argus_stage_commits_total", stage="normalize", partition="0") == 7
    assert of(samples, "argus_stage_lease_held", stage="normalize", partition="0") == 0
    assert "waiting" not in {value for _, labels in samples for _, value in labels}


def families(api: Api) -> set[str]:
    """Return the names of all metrics, also of those of which nothing is measured now."""
    with urllib.request.urlopen(f"http://{urlsplit(api.url).netloc}/metrics", timeout=patient(30)) as answer:
        named = set(re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.MULTILINE))
    return {name for name in named if not name.endswith("_created")}


def test_all_metrics_that_are_named_anywhere_exist(api: Api) -> None:
    names = families(api) | {name for name, _ in scraped(api)}
    pages = [path for path in (PROJECT / "docs").rglob("*") if path.suffix in {".md", ".yml", ".json"}]
    assert {path.name for path in pages} >= {"alerts.yml", "dashboard.json", "health.md"}
    roles = {"argus_api", "argus_ingest", "argus_owner", "argus_pipeline", "argus_root", "argus_scoped"}
    unknown = {
        f"{path.name}: {name}"
        for path in pages
        for name in set(re.findall(r"\bargus_[a-z_]+", path.read_text(encoding="utf-8"))) - names - roles
        if not name.startswith(("argus_dev_", "argus_key_", "argus_whs_"))
    }
    assert unknown == set()
    for file in ("alerts.yml", "dashboard.json"):
        assert "argus_" in (MONITORING / file).read_text(encoding="utf-8")
    assert json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]


def documented() -> dict[str, set[str]]:
    """Return the labels of each metric, as the page has them."""
    page = (MONITORING / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`(argus_[a-z_]+)(?:\{([^}]*)\})?`", "\n".join(re.findall(r"^\| (.*?) \|", page, re.MULTILINE)))
    return {name: set(filter(None, labels.replace(" ", "").split(","))) for name, labels in named}


def test_every_metric_is_documented_with_its_labels(api: Api) -> None:
    api.organization("labelled")
    engine = engine_create(api.settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        for computation in ("ROLLUP", "HEALTH"):
            session.execute(
                text(
                    "INSERT INTO dirty_buckets (organization_id, entity_id, computation, computation_id, begins, ends, generation)"
                    " SELECT id, gen_random_uuid(), :computation, gen_random_uuid(), '2026-01-01', '2026-01-02', 1"
                    " FROM organizations WHERE slug = 'labelled'"
                ),
                {"computation": computation},
            )
        session.execute(text("INSERT INTO stage_leases VALUES ('derive', 0, 'me', 1, 7, now())"))
    engine.dispose()
    pages, samples = documented(), scraped(api)
    assert families(api) == set(pages)
    labels: dict[str, set[str]] = {}
    for name, of_sample in samples:
        if not name.endswith("_created"):
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            labels.setdefault(family if family in pages else name, set()).update(dict(of_sample))
    assert {name: of - {"process", "le"} for name, of in labels.items()} == {name: pages[name] for name in labels}
    assert {of(samples, "argus_dirty_buckets", of=computation) for computation in ("rollup", "health")} == {1}
    assert of(samples, "argus_dirty_bucket_age_seconds", of="rollup") is not None


def test_what_alerts_count_the_increase_of_is_there_from_the_start(api: Api) -> None:
    """The first value of a series is no increase: neither rate() nor increase() sees it, and delta() has no past."""
    alerts = (MONITORING / "alerts.yml").read_text(encoding="utf-8")
    assert re.findall(r"\bi?delta\(", re.sub(r"#.*", "", alerts)) == []
    counted = re.findall(
        r"\b(?:rate|increase)\((?:\w+ by \(\w+\) \()?(argus_[a-z_]+)(?:\{(\w+)=~\"([^\"]*)\"\})?", alerts
    )
    assert len(counted) >= 4
    samples = scraped(api)
    for name, label, pattern in counted:
        values = {dict(labels).get(label, "") for sampled, labels in samples if sampled == name}
        assert any(re.fullmatch(pattern, value) for value in values), (name, label, pattern)
    routes = {dict(labels)["route"] for name, labels in samples if name == "argus_http_requests_total"}
    assert {"/graphql", "/api/v1/telemetry/ingest"} <= routes
    jobs = {dict(labels)["job"] for name, labels in samples if name == "argus_jobs_expired_total"}
    assert jobs == {job.name for job in JOBS}
    outcomes = {dict(labels)["outcome"] for name, labels in samples if name == "argus_webhook_calls_total"}
    assert outcomes == {"delivered", "failed", "dead", "lost"}
