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
from testing.waits import patient


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


def test_the_rules_and_the_dashboard_use_metrics_that_exist(api: Api) -> None:
    folder = PROJECT / "docs" / "how-to" / "monitoring"
    names = {name for name, _ in scraped(api)}
    with urllib.request.urlopen(f"http://{urlsplit(api.url).netloc}/metrics", timeout=patient(30)) as answer:
        names |= set(re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.MULTILINE))
    for file in ("alerts.yml", "dashboard.json", "README.md"):
        used = set(re.findall(r"\bargus_[a-z_]+", (folder / file).read_text(encoding="utf-8")))
        assert len(used) > 5
        assert used <= names, file
    assert json.loads((folder / "dashboard.json").read_text(encoding="utf-8"))["panels"]
