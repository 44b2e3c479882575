"""Mutations in one transaction: all or none, with the ids of what was made before, as one after the other would be."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql.base.transactions import SEPARATE
from gql.schema import core_schema
from testing.api import Api
from testing.installation import Client

ERRORS = "errors { code message path }"


@pytest.fixture
def client(api: Api, request: pytest.FixtureRequest) -> Client:
    """A client of an organization of the test's own."""
    name = f"t {abs(hash(request.node.nodeid))}"
    api.organization(name)
    return api.client(name.replace(" ", "-"))


def names(client: Client) -> list[str]:
    return [
        node["name"] for node in client.call("{ entities(first: 500) { nodes { name } } }").data["entities"]["nodes"]
    ]


def test_what_was_made_further_up_is_named_by_its_alias(client: Client) -> None:
    made = client.call(
        """mutation Line($name: String!) @transaction {
          hall: createSpace(input: {name: "Hall"}) { space { id name children { nodes { name } } } errors { code } }
          pump: createAsset(input: {name: $name}) { asset { id devices { nodes { name } } } errors { code } }
          meter: createDevice(input: {name: "Meter"}) { device { id } errors { code } }
          link: linkDevice(input: {deviceId: "@meter", assetId: "@pump"}) { edge { id } errors { code } }
          place: createEdge(input: {sourceId: "@pump", targetId: "@hall", relationship: "LOCATED_IN"}) { edge { id } errors { code } }
          work: createActivity(input: {name: "Look"}) { activity { name } errors { code } }
        }""",
        {"name": "Pump @ 1"},
    ).data
    # Read after all of them: the pump has the device that was linked further down.
    assert made["pump"]["asset"]["devices"]["nodes"] == [{"name": "Meter"}]
    assert all(payload["errors"] == [] for payload in made.values())
    edges = client.call(
        "query($id: ID!) { entity(id: $id) { edges { nodes { relationship target { name } } } } }",
        {"id": made["pump"]["asset"]["id"]},
    ).data["entity"]["edges"]["nodes"]
    assert {(edge["relationship"], edge["target"]["name"]) for edge in edges} >= {
        ("MONITORED_BY", "Meter"), ("LOCATED_IN", "Hall"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "code", "path"),
    [
        ('createAsset(input: {name: ""})', "BAD_USER_INPUT", ["input", "name"]),
        ('createAsset(input: {name: "b", externalId: "e"})', "CONFLICT", ["input", "externalId"]),
        ('createAsset(input: {name: "b", parentId: "@nothing"})', "BAD_USER_INPUT", ["input", "parentId"]),
        ('updateAsset(id: "@last", input: {name: "b"})', "BAD_USER_INPUT", ["id"]),
    ],
)
def test_if_one_is_refused_none_is_made(client: Client, last: str, code: str, path: list[str]) -> None:
    reply = client.call(
        f"""mutation @transaction {{
          first: createAsset(input: {{name: "a", externalId: "e"}}) {{ asset {{ id }} {ERRORS} }}
          last: {last} {{ asset {{ id }} {ERRORS} }}
          after: createSpace(input: {{name: "s"}}) {{ space {{ id }} {ERRORS} }}
        }}"""
    )
    assert reply.body["data"] is None
    [error] = reply.body["errors"]
    assert (error["path"], error["extensions"]["code"], error["extensions"]["argumentPath"]) == (["last"], code, path)
    assert names(client) == []
    # Nothing stays held: the next change goes through.
    assert client.call('mutation { createAsset(input: {name: "c", externalId: "e"}) { errors { code } } }').data == {
        "createAsset": {"errors": []}
    }


def test_without_the_directive_each_is_one_of_its_own(client: Client) -> None:
    reply = client.call(
        f"""mutation {{
          first: createAsset(input: {{name: "a"}}) {{ {ERRORS} }}
          last: createAsset(input: {{name: "b", parentId: "@first"}}) {{ {ERRORS} }}
        }}"""
    )
    assert reply.data["last"]["errors"]
    assert names(client) == ["a"]


def test_nobody_sees_a_part(client: Client) -> None:
    """Readers beside see all entities of a transaction or none."""
    seen: set[int] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(client.call("{ assets { totalCount } }").data["assets"]["totalCount"])

    reader = threading.Thread(target=look)
    reader.start()
    try:
        fields = " ".join(f'a{n}: createAsset(input: {{name: "a{n}"}}) {{ errors {{ code }} }}' for n in range(40))
        client.call(f"mutation @transaction {{ {fields} }}").data  # noqa: B018  (it asserts that there is no error)
    finally:
        done.set()
        reader.join()
    seen.add(client.call("{ assets { totalCount } }").data["assets"]["totalCount"])
    assert seen <= {0, 40}
    assert 40 in seen


@pytest.mark.parametrize("name", sorted(SEPARATE))
def test_what_writes_elsewhere_is_refused(client: Client, name: str) -> None:
    mutation_type = core_schema().mutation_type
    assert mutation_type is not None
    declared = mutation_type.fields[name]
    variables = {key: argument.type for key, argument in declared.args.items() if "!" in str(argument.type)}
    given = ", ".join(f"${key}: {of}" for key, of in variables.items())
    passed = ", ".join(f"{key}: ${key}" for key in variables)
    head = f"({given})" if given else ""
    body = f"({passed})" if passed else ""
    reply = client.call(f"mutation{head} @transaction {{ {name}{body} {{ __typename }} }}")
    assert reply.error_codes == ["BAD_USER_INPUT"]
    assert "cannot be part of a transaction" in reply.body["errors"][0]["message"]


def test_fragments_and_confined_callers_are_refused(api: Api, client: Client) -> None:
    text = 'mutation @transaction { ...F } fragment F on Mutation { createAsset(input: {name: "a"}) { __typename } }'
    assert client.call(text).error_codes == ["BAD_USER_INPUT"]
    assert names(client) == []
    made = client.call('mutation { createAsset(input: {name: "a"}) { asset { id } } }').data["createAsset"]["asset"]
    [slug] = [client.call("{ viewer { organizationName } }").data["viewer"]["organizationName"].replace(" ", "-")]
    confined = api.client(slug, "operator", under=[made["id"]])
    text = f'mutation @transaction {{ updateAsset(id: "{made["id"]}", input: {{name: "b"}}) {{ {ERRORS} }} }}'
    assert confined.call(text).error_codes == ["FORBIDDEN"]
    assert api.client(slug, "viewer").call(text).error_codes == ["FORBIDDEN"]


# What a step does: to which of those made before (by number), and whether it is wrong.
STEPS = st.lists(
    st.tuples(st.sampled_from(["asset", "device", "link", "rename", "delete"]), st.integers(0, 5), st.integers(0, 9)),
    min_size=1,
    max_size=7,
)


def field(place: int, step: tuple[str, int, int], made: Sequence[str], refer: Any) -> str:
    """Write a step as a field. made: kinds of what the steps before make; refer: how one of them is named."""
    what, number, chance = step
    name = "" if chance == 0 else f"n{place}"
    assets = [at for at, kind in enumerate(made) if kind == "asset"]
    devices = [at for at, kind in enumerate(made) if kind == "device"]
    if what == "link" and assets and devices:
        pair = refer(devices[number % len(devices)]), refer(assets[number % len(assets)])
        return f'f{place}: linkDevice(input: {{deviceId: "{pair[0]}", assetId: "{pair[1]}"}}) {{ {ERRORS} }}'
    if what in {"rename", "delete"} and assets:
        target = refer(assets[number % len(assets)])
        if what == "delete":
            return f'f{place}: deleteAsset(id: "{target}") {{ {ERRORS} }}'
        return f'f{place}: updateAsset(id: "{target}", input: {{name: "{name}"}}) {{ {ERRORS} }}'
    kind = "Device" if what == "device" else "Asset"
    return f'f{place}: create{kind}(input: {{name: "{name}"}}) {{ {kind.lower()} {{ id }} {ERRORS} }}'


def test_it_is_what_one_after_the_other_would_be(api: Api) -> None:
    count = 0

    @settings(max_examples=25, deadline=None)
    @given(STEPS)
    def holds(steps: list[tuple[str, int, int]]) -> None:
        nonlocal count
        count += 1
        clients = []
        for way in ("together", "separate"):
            api.organization(f"{way} {count}")
            clients.append(api.client(f"{way}-{count}"))
        together, separate = clients
        made: list[str] = []
        fields: list[str] = []
        identities: list[str] = []
        is_refused = False
        for place, step in enumerate(steps):
            fields.append(field(place, step, made, lambda at: f"@f{at}"))
            text = field(place, step, made, identities.__getitem__)
            payload = separate.call(f"mutation {{ {text} }}").data[f"f{place}"]
            is_refused = is_refused or bool(payload["errors"])
            kind = next((kind for kind in ("asset", "device") if kind in payload), "")
            made.append(kind)
            identities.append(((payload.get(kind) or {}).get("id")) or "nothing")
        reply = together.call(f"mutation @transaction {{ {' '.join(fields)} }}")
        if is_refused:
            assert reply.body["data"] is None
            assert names(together) == []
        else:
            assert reply.data is not None
            assert state(together) == state(separate)

    holds()


def state(client: Client) -> str:
    """Return what there is, without ids and instants."""
    text = """{ entities(first: 500, filter: {}) { nodes { kind name status
        edges(first: 50) { nodes { relationship source { name } target { name } } } } }
        changes(first: 200) { nodes { action } } }"""
    data = client.call(text).data
    nodes = sorted(json.dumps(node, sort_keys=True) for node in data["entities"]["nodes"])
    return json.dumps([nodes, [change["action"] for change in data["changes"]["nodes"]]])
