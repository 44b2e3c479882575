"""The REST routes: variables from path, query and body; statuses, entity tags, pages; the table is whole."""

from __future__ import annotations

import gzip
import re
import urllib.request
from typing import Any

import pytest
from graphql import parse, validate

from gql.schema import core_schema
from gql.server.rest.documents import texts
from gql.server.rest.routes import ROUTES
from testing.api import Api
from testing.rest import Answer, RestClient


@pytest.fixture(scope="module")
def rest(api: Api) -> RestClient:
    return RestClient(api.url.removesuffix("/graphql"), api.token("plant", "admin"))


def make(rest: RestClient, path: str, **values: Any) -> dict[str, Any]:
    made = rest.call("POST", f"/api/v1/{path}", values)
    assert made.status == 201, made.body
    body: dict[str, Any] = made.body
    return body


def refused(answer: Answer) -> tuple[int, list[str], list[list[str]]]:
    return answer.status, answer.codes, [error["path"] for error in answer.body["errors"]]


@pytest.mark.parametrize("operation", texts())
def test_every_document_is_valid_and_has_a_route(operation: str) -> None:
    assert validate(core_schema(), parse(texts()[operation])) == []
    assert operation in {route.operation for route in ROUTES}


def test_every_route_has_a_document_and_a_place_of_its_own() -> None:
    assert {route.operation for route in ROUTES} == set(texts())
    shapes = [(route.method, re.sub(r"{\w+}", "{}", route.path)) for route in ROUTES]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize("path", ["devices", "assets", "spaces", "persons", "activities"])
def test_an_entity_is_created_read_changed_and_deleted(rest: RestClient, path: str) -> None:
    made = rest.call("POST", f"/api/v1/{path}", {"name": f"One of {path}", "attributes": {"a": 1, "b": {"c": 2}}})
    assert made.status == 201, made.body
    place = made.headers["Location"]
    assert place == f"/api/v1/{path}/{made.body['id']}"
    read = rest.call("GET", place)
    assert (read.status, read.body) == (200, made.body)
    assert read.headers["ETag"] == made.headers["ETag"] == f'"{made.body["updatedAt"]}"'
    assert read.headers["X-Trace-Id"]
    changed = rest.call("PATCH", place, {"attributes": {"b": {"c": None, "d": 3}}})
    assert changed.body["attributes"] == {"a": 1, "b": {"d": 3}}
    assert rest.call("DELETE", place).status == 204
    assert rest.call("GET", place).body["deletedAt"] is not None
    assert refused(rest.call("DELETE", place)) == (404, ["NOT_FOUND"], [["id"]])


def test_whoever_was_faster_is_not_overwritten(rest: RestClient) -> None:
    place = f"/api/v1/assets/{make(rest, 'assets', name='Tagged')['id']}"
    first = rest.call("GET", place).headers["ETag"]
    second = rest.call("PATCH", place, {"name": "Tagged twice"}, headers={"If-Match": first})
    assert second.status == 200
    late = rest.call("PATCH", place, {"name": "Late"}, headers={"If-Match": first})
    assert refused(late) == (412, ["CONFLICT"], [["If-Match"]])
    assert rest.call("GET", place, headers={"If-None-Match": second.headers["ETag"]}).status == 304
    assert rest.call("GET", place, headers={"If-None-Match": f'W/"x", {first}'}).body["name"] == "Tagged twice"
    for tag in ('W/"x"', "x", '"a", "b"', '""'):
        assert refused(rest.call("PATCH", place, {"name": "x"}, headers={"If-Match": tag}))[:2] == (
            400,
            ["BAD_USER_INPUT"],
        )
    assert rest.call("PATCH", place, {"name": "Any"}, headers={"If-Match": "*"}).status == 200
    # Nothing that could not be held is promised.
    assert rest.call("DELETE", place, headers={"If-Match": second.headers["ETag"]}).status == 400


def test_pages_follow_the_link(rest: RestClient) -> None:
    names = [f"Page {number}" for number in range(5)]
    for name in names:
        make(rest, "assets", name=name, type="Paged/ö")
    path: str | None = "/api/v1/assets?types=Paged%2F%C3%B6&types=Other&first=2&orderBy=NAME_ASC"
    seen: list[str] = []
    while path is not None:
        page = rest.call("GET", path)
        assert page.body["totalCount"] == 5
        seen += [node["name"] for node in page.body["nodes"]]
        link = page.headers["Link"]
        path = None if link is None else re.fullmatch(r'<(.*)>; rel="next"', link)[1]  # type: ignore[index]
    assert seen == names


def test_every_filter_of_a_list_selects(rest: RestClient) -> None:
    made = make(rest, "devices", name="Filtered", externalId="f-1", type="Meter", attributes={"floor": 3})
    other = make(rest, "devices", name="Another", externalId="f-2", type="Meter", attributes={"floor": 4})
    since = made["createdAt"]
    for query, names in (
        ("externalIds=f-1", {"Filtered"}),
        (f"ids={made['id']}&ids={other['id']}", {"Filtered", "Another"}),
        ("types=Meter&search=filt", {"Filtered"}),
        ('types=Meter&filter={"attributes":[{"path":"floor","gte":4}]}', {"Another"}),
        (f"types=Meter&createdFrom={since}", {"Filtered", "Another"}),
        (f"types=Meter&createdTo={since}", set()),
        ("types=Meter&connectivity=ONLINE", set()),
        ("types=Meter&isLinked=false", {"Filtered", "Another"}),
        ("types=Meter&deleted=true", set()),
    ):
        path = "/api/v1/devices?" + query.replace('"', "%22").replace("{", "%7B").replace("}", "%7D").replace(
            "+", "%2B"
        )
        answer = rest.call("GET", path)
        assert answer.status == 200, answer.body
        assert {node["name"] for node in answer.body["nodes"]} == names, query


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("first=x", "first"), ("first=2.5", "first"), ("first=1&first=2", "first"), ("first=-1", "first"),
        ("deleted=yes", "deleted"), ("orderBy=SIZE", "orderBy"), ("filter={", "filter"),
        ("createdFrom=yesterday", "createdFrom"), ("underId=x", "underId"), ("typs=a", "typs"), ("after=x", "after"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_used_is_named(rest: RestClient, query: str, path: str) -> None:
    answer = rest.call("GET", f"/api/v1/assets?{query}".replace("{", "%7B"))
    assert answer.status == 400, answer.body
    assert [error["path"][0] for error in answer.body["errors"]] == [path]


def test_a_body_that_cannot_be_used_is_refused(rest: RestClient) -> None:
    place = "/api/v1/assets"
    for raw, status in ((b"{", 400), (b"[]", 400), (b"", 400), (b'{"name": 5}', 400), (b'{"nam": "x"}', 400)):
        assert rest.call("POST", place, raw=raw).status == status, raw
    assert refused(rest.call("POST", place, {"name": ""})) == (400, ["BAD_USER_INPUT"], [["name"]])
    assert rest.call("POST", place, {"name": "x"}, headers={"Content-Type": "text/plain"}).status == 415
    assert rest.call("POST", place, {"name": "x" * 9_000_000}).status == 413
    assert rest.call("POST", f"{place}?first=1", {"name": "x"}).status == 400
    missing = rest.call("POST", "/api/v1/telemetry/replay", {})
    assert refused(missing) == (400, ["BAD_USER_INPUT"] * 2, [["body"]] * 2)
    assert ["'from'" in error["message"] for error in missing.body["errors"]] == [True, False]
    assert refused(rest.call("GET", "/api/v1/assets?first=100000"))[:2] == (400, ["COST_LIMIT_EXCEEDED"])


def test_ids_of_nothing_or_of_another_kind_are_not_found(rest: RestClient) -> None:
    device = make(rest, "devices", name="Not an asset")["id"]
    for path in (
        f"assets/{device}", f"spaces/{device}", f"rules/{device}", f"events/{device}", f"dead-letters/{device}",
        f"assets/{device}/devices", f"assets/{device}/hierarchy", f"telemetry/replay/{device}",
        f"telemetry/asset/{device}?startTime=2026-01-01T00:00:00Z",
    ):  # fmt: skip
        assert rest.call("GET", f"/api/v1/{path}").status == 404, path
    assert rest.call("GET", "/api/v1/assets/x").status in {400, 404}


def test_without_a_token_nothing_is_read(api: Api, rest: RestClient) -> None:
    answer = RestClient(rest.address, None).call("GET", "/api/v1/assets")
    assert refused(answer) == (401, ["UNAUTHENTICATED"], [[]])
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert RestClient(rest.address, "nonsense").call("GET", "/api/v1/assets").status == 401
    viewer = RestClient(rest.address, api.token("plant", "viewer"))
    assert viewer.call("GET", "/api/v1/assets").status == 200
    assert refused(viewer.call("POST", "/api/v1/assets", {"name": "x"}))[:2] == (403, ["FORBIDDEN"])


def test_addresses_of_nothing_are_refused_as_all_else(rest: RestClient) -> None:
    assert refused(rest.call("GET", "/api/v1/pumps")) == (404, ["NOT_FOUND"], [[]])


def test_methods_that_a_path_does_not_have_are_refused(rest: RestClient) -> None:
    answer = rest.call("PUT", "/api/v1/assets", {"name": "x"})
    assert refused(answer) == (405, ["BAD_USER_INPUT"], [[]])
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}
    assert rest.call("HEAD", "/api/v1/assets").status == 200


def test_a_type_keeps_what_a_patch_leaves_out(rest: RestClient) -> None:
    made = make(rest, "types", kind="ASSET", name="Patched", description="a")
    changed = rest.call("PATCH", f"/api/v1/types/{made['id']}", {"description": "b"})
    assert changed.body == {**made, "description": "b"}
    assert rest.call("PATCH", f"/api/v1/types/{made['id']}", {"name": "Renamed"}).body["kind"] == "ASSET"
    unknown = "0" * 8 + "-0000-7000-8000-" + "0" * 12
    assert rest.call("PATCH", f"/api/v1/types/{unknown}", {"description": "b"}).status in {400, 404}


def test_other_organizations_see_nothing(api: Api, rest: RestClient) -> None:
    api.organization("elsewhere")
    made = make(rest, "assets", name="Ours")
    other = RestClient(rest.address, api.token("elsewhere", "admin"))
    assert other.call("GET", f"/api/v1/assets/{made['id']}").status == 404
    assert other.call("PATCH", f"/api/v1/assets/{made['id']}", {"name": "x"}).status == 404
    assert other.call("GET", "/api/v1/assets").body["nodes"] == []


def test_a_confined_caller_sees_its_part_alone(api: Api, rest: RestClient) -> None:
    inside, outside = make(rest, "assets", name="Inside"), make(rest, "assets", name="Outside")
    confined = RestClient(rest.address, api.token("plant", "viewer", under=[inside["id"]]))
    assert [node["name"] for node in confined.call("GET", "/api/v1/assets").body["nodes"]] == ["Inside"]
    assert confined.call("GET", f"/api/v1/assets/{outside['id']}").status == 404


def test_long_answers_are_compressed(rest: RestClient) -> None:
    for number in range(30):
        make(rest, "spaces", name=f"Space {number}")
    address = "/api/v1/spaces?first=50"
    request = urllib.request.Request(  # noqa: S310
        rest.address + address, headers={"Authorization": f"Bearer {rest.token}", "Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"Space 29" in gzip.decompress(response.read())
