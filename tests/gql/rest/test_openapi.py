"""The description of the routes: whole, valid OpenAPI, and true of what each route answers, as schemathesis finds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.schemas import OpenApiSchema

from gql.schema import core_schema
from gql.server.rest.openapi import openapi
from gql.server.rest.routes import BASE, ROUTES, Route
from testing.api import Api
from testing.rest import RestClient

# What a shape cannot say is refused too: a name that is taken, an id of nothing, a filter that costs too much.
EXCLUDED = ["positive_data_acceptance"]
# In an address all is text: false, given for a list of texts, is a list of one.
EXCLUDED_OF_QUERIES = [*EXCLUDED, "negative_data_rejection"]


def checks(names: list[str]) -> list[Any]:
    return [CHECKS.get_one(name) for name in names]


ROUTE_IDS = [f"{route.method} {route.path}" for route in ROUTES]


@pytest.fixture(scope="module")
def rest(api: Api) -> RestClient:
    return RestClient(api.url.removesuffix("/graphql"), api.token("plant", "admin"))


@pytest.fixture(scope="module")
def ids(rest: RestClient) -> dict[str, str]:
    """An object of each kind, by the first segment of its path."""
    made: dict[str, str] = {}
    rule = {
        "name": "Hot",
        "condition": {"threshold": {"metric": "t", "operator": "GT", "value": 80}},
        "severity": "LOW",
    }
    replay = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "dryRun": True}
    for path, body in {
        "devices": {"name": "x"}, "assets": {"name": "x"}, "spaces": {"name": "x"}, "persons": {"name": "x"},
        "activities": {"name": "x"}, "types": {"name": "x", "kind": "ASSET"}, "rules": rule,
        "activity-templates": {"name": "x"}, "asset-profiles": {"name": "x"}, "telemetry/replay": replay,
    }.items():  # fmt: skip
        answer = rest.call("POST", f"{BASE}/{path}", body)
        assert answer.status == 201, answer.body
        made[path] = answer.body["id"]
    return made


def id_of(route: Route, ids: dict[str, str]) -> str:
    """Return the id of an object that a route's path can name."""
    special = {"assets/from-profile/{id}": "asset-profiles", "activities/from-template/{id}": "activity-templates",
               "telemetry/device/{id}": "devices", "telemetry/asset/{id}": "assets",
               "telemetry/replay/{id}": "telemetry/replay"}  # fmt: skip
    return ids.get(special.get(route.path, route.path.partition("/")[0]), "01890000-0000-7000-8000-000000000000")


@pytest.fixture(scope="module")
def described(rest: RestClient) -> OpenApiSchema:
    answer = RestClient(rest.address, None).call("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.body == json.loads(json.dumps(openapi(core_schema())))
    return schemathesis.openapi.from_dict(answer.body)


def test_the_description_is_valid_and_whole(described: OpenApiSchema) -> None:
    described.validate()
    paths: dict[str, Any] = described.raw_schema["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == {
        (route.method, f"{BASE}/{route.path}") for route in ROUTES
    }
    for route in ROUTES:
        operation = paths[f"{BASE}/{route.path}"][route.method.lower()]
        assert operation["description"]
        for parameter in operation["parameters"]:
            assert parameter.get("description"), (route, parameter["name"])


def test_every_reference_leads_somewhere(described: OpenApiSchema) -> None:
    text = json.dumps(described.raw_schema)
    for kind, name in set(re.findall(r'"#/components/(\w+)/(\w+)"', text)):
        assert name in described.raw_schema["components"][kind]


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
def test_every_route_answers_as_it_is_described(
    rest: RestClient, ids: dict[str, str], described: OpenApiSchema, route: Route, mode: GenerationMode
) -> None:
    operation = described[f"{BASE}/{route.path}"][route.method]
    named = {"id": id_of(route, ids), "assetId": ids["assets"]}
    own = {name: value for name, value in named.items() if f"{{{name}}}" in route.path}
    # What is deleted would be gone for the next.
    path_parameters = own or None if route.method != "DELETE" else None

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(mode, path_parameters=path_parameters))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(
            base_url=rest.address,
            headers={"Authorization": f"Bearer {rest.token}"},
            excluded_checks=checks(EXCLUDED if route.has_body else EXCLUDED_OF_QUERIES),
        )

    holds()
