"""Confined callers on a running installation: they see and change what lies below their entities, and nothing else.

The plant has two halves that are alike, alpha and BETA; the caller is confined to alpha's hall. Each document selects
every field there is, so that a new one is tried, too.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from graphql import GraphQLNamedType, get_named_type
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from gql.access.principal import PERMISSIONS, SCOPED, Role
from gql.schema import core_schema
from testing.documents import arguments, selection
from testing.halves import Halves, halves_create, run, send
from testing.installation import Client, Installation
from testing.waits import Deadline, patient, quiet_period

pytestmark = pytest.mark.slow

SCHEMA = core_schema()
QUERIES = [name for name in SCHEMA.type_map["Query"].fields if Role.ADMIN in PERMISSIONS["Query"][name]]  # type: ignore[attr-defined]
MUTATIONS = list(SCHEMA.type_map["Mutation"].fields)  # type: ignore[attr-defined]
# How deep a document selects: what an id of any kind may name has very many fields.
DEPTH = {"changes": 1, "entity": 1, "traverse": 1, "path": 1, "rulesInForce": 1, "series": 1}


@pytest.fixture(scope="module")
def halves(installation: Installation) -> Halves:
    return halves_create(installation)


def documents(name: str, ids: dict[str, str]) -> list[str]:
    """Select everything of a query, and of its nodes where these are of any type. ids: what its arguments name."""
    named = get_named_type(SCHEMA.type_map["Query"].fields[name].type)  # type: ignore[attr-defined]
    if named is None or named.name != "Node":
        return [document(name, ids)]
    ids_of = {"node": f'(id: "{ids["pump"]}")', "nodes": f"(ids: {json.dumps(list(ids.values()))})"}
    return [
        f"{{ {name}{ids_of[name]} {{ ... on {member.name} {selection(SCHEMA, member, lambda _: 'x', depth=0)} }} }}"
        for member in SCHEMA.get_possible_types(named)
    ]


def document(name: str, ids: dict[str, str]) -> str:
    """Select everything of a query. ids: what its arguments name."""
    declared = SCHEMA.type_map["Query"].fields[name]  # type: ignore[attr-defined]
    named: GraphQLNamedType = get_named_type(declared.type)

    def id_of(argument: str) -> str:
        return ids[{"spaceId": "hall", "assetId": "pump", "deviceId": "probe"}.get(argument, "pump")]

    inner = selection(SCHEMA, named, id_of, depth=DEPTH.get(name, 2), first=3)
    return f"{{ {name}{arguments(declared.args, id_of, first=20)} {inner} }}"


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_shows_what_lies_elsewhere(halves: Halves, name: str) -> None:
    for text in documents(name, halves.alpha.ids):
        unconfined = halves.admin.call(text)
        assert set(unconfined.error_codes) <= {"NOT_FOUND", "BAD_USER_INPUT"}, unconfined.body
        for role, client in halves.keys.items():
            reply = client.call(text)
            assert not halves.leaks(json.dumps(reply.body)), text
            if name not in SCOPED["Query"]:
                assert reply.error_codes == ["FORBIDDEN"], reply.body
                continue
            # What is for administrators alone stays so.
            allowed = {"NOT_FOUND", "BAD_USER_INPUT"} | ({"FORBIDDEN"} if role in ("viewer", "operator") else set())
            assert set(reply.error_codes) <= allowed, (text, reply.body)


def test_every_list_has_the_own_half_and_the_other_for_whoever_is_not_confined(halves: Halves) -> None:
    """So that the test above could find something."""
    for name in ("entities", "spaces", "assets", "devices", "activities", "events", "rules", "shelves",
                 "maintenanceWindows", "deadLetters", "groups"):  # fmt: skip
        text = document(name, halves.alpha.ids)
        assert halves.leaks(json.dumps(halves.admin.call(text).body)), name
        reply = halves.keys["admin"].call(text)
        answer = json.dumps(reply.body)
        assert any(identity in answer for identity in halves.alpha.ids.values()), (name, answer)


def test_ids_of_elsewhere_name_nothing(halves: Halves) -> None:
    for name in sorted(SCOPED["Query"] - {"viewer"}):
        if "ID" not in str([argument.type for argument in SCHEMA.type_map["Query"].fields[name].args.values()]):  # type: ignore[attr-defined]
            continue
        reply = halves.keys["admin"].call(document(name, halves.beta.ids))
        leaks = halves.leaks(json.dumps(reply.body.get("data")))
        assert not leaks, (name, reply.body)
        assert "INTERNAL" not in reply.error_codes, (name, reply.body)
    for label, identity in halves.beta.ids.items():
        assert halves.keys["admin"].call(f'{{ node(id: "{identity}") {{ id }} }}').data == {"node": None}, label
        if label not in ("token", "letter"):
            assert halves.admin.call(f'{{ node(id: "{identity}") {{ id }} }}').data["node"] is not None, label
    for label, identity in halves.alpha.ids.items():
        if label not in ("former", "worker", "token"):
            assert halves.keys["viewer"].call(f'{{ node(id: "{identity}") {{ id }} }}').data["node"] is not None, label


def test_of_a_group_of_both_halves_the_own_members_are_seen(halves: Halves) -> None:
    alpha, beta, boss = halves.alpha.ids, halves.beta.ids, halves.admin
    made = run(
        boss,
        """mutation {
          both: createGroup(input: {name: "both"}) { group { id } errors { message } }
          own: createGroup(input: {name: "own"}) { group { id } errors { message } }
          none: createGroup(input: {name: "none"}) { group { id } errors { message } } }""",
    )
    ids = {name: made[name]["group"]["id"] for name in made}
    add = "mutation A($g: ID!, $ids: [ID!]!) { addToGroup(groupId: $g, entityIds: $ids) { errors { message } } }"
    run(boss, add, g=ids["both"], ids=[alpha["pump"], beta["pump"]])
    run(boss, add, g=ids["own"], ids=[alpha["pump"]])
    of_both = """mutation G($i: GroupInput!) { createGroup(input: $i) { group { id } errors { message } } }"""
    for name, where in (
        ("all assets", {"kinds": ["ASSET"]}),
        ("a hall elsewhere", {"or": [{"underId": beta["hall"]}, {"underId": alpha["hall"]}]}),
        ("through another", {"not": {"groupId": halves.beta.ids["group"]}}),
    ):
        data = run(boss, of_both, i={"name": name, "kind": "DYNAMIC", "filter": where})
        ids[name] = data["createGroup"]["group"]["id"]
    rule = """mutation R($i: RuleInput!) { createRule(input: $i) { rule { id } errors { message } } }"""
    rules = {
        name: run(
            boss, rule, i={"name": name, "scope": {"groupId": ids[name]}, "condition": {"expression": "no > 1.0"}}
        )["createRule"]["rule"]["id"]
        for name in ("both", "own")
    }
    listed = "{ groups { nodes { id memberCount members { totalCount nodes { id } } } } }"
    for client in halves.everyone:
        reply = client.call(listed)
        assert not halves.leaks(json.dumps(reply.body))
        nodes = {node["id"]: node for node in reply.data["groups"]["nodes"]}
        seen = {name for name, identity in ids.items() if identity in nodes}
        assert seen == {"both", "own", "all assets"}
        for name, members in (("both", ["pump"]), ("own", ["pump"]), ("all assets", ["pump", "motor"])):
            node = nodes[ids[name]]
            assert node["memberCount"] == node["members"]["totalCount"] >= len(members)
            assert {alpha[label] for label in members} <= {item["id"] for item in node["members"]["nodes"]}
        for name in ("none", "a hall elsewhere", "through another"):
            hidden = client.call(
                "query N($id: ID!) { node(id: $id) { id } entities(filter: {groupId: $id}) { totalCount } }",
                {"id": ids[name]},
            )
            assert (hidden.body["data"], hidden.error_codes) == (None, ["NOT_FOUND"]), hidden.body
        visible = {node["id"] for node in client.call("{ rules(first: 100) { nodes { id } } }").data["rules"]["nodes"]}
        assert {name for name, identity in rules.items() if identity in visible} == {"own"}
        for text in (
            f'mutation {{ addToGroup(groupId: "{ids["own"]}", entityIds: ["{alpha["motor"]}"]) {{ errors {{ code }} }} }}',
            f'mutation {{ deleteGroup(id: "{ids["own"]}") {{ errors {{ code }} }} }}',
        ):
            assert client.call(text).error_codes == ["FORBIDDEN"]


def test_what_a_device_measured_for_the_half_is_there_after_it_left(halves: Halves) -> None:
    text = """query S($id: ID!) { entity(id: $id) { name edges(first: 50) { nodes { target { id } } }
        telemetry(metrics: ["vibration"], from: "2025-12-31T00:00:00Z", to: "2026-01-02T00:00:00Z") { timestamps values } } }"""
    reply = halves.keys["viewer"].call(text, {"id": halves.alpha.ids["motor"]})
    assert [series["values"] for series in reply.data["entity"]["telemetry"]] == [[1.5]]
    assert not halves.leaks(json.dumps(reply.body))
    assert halves.keys["viewer"].call(text, {"id": halves.beta.ids["former"]}).data == {"entity": None}


def test_no_mutation_changes_what_lies_elsewhere(halves: Halves) -> None:
    admin = halves.keys["admin"]
    labels = {"Space": "hall", "Asset": "pump", "Device": "probe", "Person": "worker", "Activity": "work",
              "Event": "event", "Edge": "locatedEdge", "Rule": "rule", "Group": "group"}  # fmt: skip
    for name in MUTATIONS:
        declared = SCHEMA.type_map["Mutation"].fields[name]  # type: ignore[attr-defined]
        kind = next((label for kind, label in labels.items() if kind in name), "pump")
        of = {"deviceId": "probe", "assetId": "pump", "tokenId": "token", "entityId": "pump", "underId": "hall",
              "targetIds": "pump", "sourceId": "pump", "targetId": "hall", "replacementId": "former"}  # fmt: skip
        for optional in (*(key for key in declared.args if key in ("entityId", "underId")), ""):
            given = arguments(declared.args, lambda argument: halves.beta.ids[of.get(argument, kind)], named=optional)  # noqa: B023
            reply = admin.call(
                f"mutation {{ {name}{given} {{ __typename ... on Node {{ id }} }} }}".replace(" ... on Node { id }", "")
            )
            if name not in SCOPED["Mutation"]:
                assert reply.error_codes == ["FORBIDDEN"], (name, reply.body)
                continue
            assert not {"INTERNAL"} & set(reply.error_codes), (name, given, reply.body)
    quiet_period(patient(3))
    trail = run(
        halves.admin,
        '{ changes(filter: {actors: ["key:alpha admin"]}, first: 500) { nodes { action subject { id } after } } }',
    )["changes"]["nodes"]
    # What was denied is in the trail; nothing that was done has to do with the other half.
    denied = {row["after"]["field"] for row in trail if row["action"] == "denied"}
    assert denied >= {f"Mutation.{name}" for name in MUTATIONS if name not in SCOPED["Mutation"]}
    assert not halves.leaks(json.dumps([row for row in trail if row["action"] != "denied"]))


def test_a_confined_operator_works_within(halves: Halves) -> None:
    operator, alpha, beta = halves.keys["operator"], halves.alpha.ids, halves.beta.ids
    run(
        operator,
        'mutation M($id: ID!) { acknowledgeEvent(id: $id, note: "seen") { errors { message } } }',
        id=alpha["event"],
    )
    run(
        operator, 'mutation M($id: ID!) { commentEvent(id: $id, note: "hm") { errors { message } } }', id=alpha["event"]
    )
    run(
        operator,
        'mutation M($id: ID!) { updateAsset(id: $id, input: {status: "worn"}) { errors { message } } }',
        id=alpha["pump"],
    )
    made = run(
        operator, 'mutation M($p: ID!) { createAsset(input: {name: "valve", parentId: $p}) { asset { id name } errors { message } } }',
        p=alpha["pump"],
    )["createAsset"]["asset"]  # fmt: skip
    assert made["name"] == "valve"
    edge = """mutation M($s: ID!, $t: ID!) { createEdge(input: {sourceId: $s, targetId: $t, relationship: "FEEDS"})
        { edge { id } errors { code path } } }"""
    run(operator, edge, s=alpha["pump"], t=made["id"])
    refused = operator.call(edge, {"s": alpha["pump"], "t": beta["pump"]}).data["createEdge"]
    assert refused == {"edge": None, "errors": [{"code": "NOT_FOUND", "path": ["input", "targetId"]}]}
    loose = operator.call('mutation { createAsset(input: {name: "loose"}) { asset { id } errors { code } } }').data[
        "createAsset"
    ]
    assert loose == {"asset": None, "errors": [{"code": "FORBIDDEN"}]}
    assert operator.call('mutation { createDevice(input: {name: "loose"}) { device { id } } }').error_codes == [
        "FORBIDDEN"
    ]
    loose_ones = run(halves.admin, '{ entities(filter: {search: "loose"}) { totalCount } }')
    assert loose_ones == {"entities": {"totalCount": 0}}
    template = run(operator, "{ activityTemplates { nodes { id } } }")["activityTemplates"]["nodes"][0]["id"]
    work = """mutation M($id: ID!, $t: [ID!]!) { createActivityFromTemplate(templateId: $id, targetIds: $t)
        { activity { id } errors { code } } }"""
    activity = run(operator, work, id=template, t=[alpha["pump"]])["createActivityFromTemplate"]["activity"]["id"]
    run(
        operator,
        "mutation M($id: ID!) { transitionActivity(id: $id, to: CANCELLED) { errors { message } } }",
        id=activity,
    )
    assert operator.call(work, {"id": template, "t": [alpha["pump"], beta["pump"]]}).data["createActivityFromTemplate"] == {
        "activity": None, "errors": [{"code": "NOT_FOUND"}],
    }  # fmt: skip
    assert send(operator, alpha["probe"], (20, {"temperature": 60})) == {"accepted": 1, "rejected": 0, "errors": []}
    sent = send(operator, beta["probe"], (20, {"temperature": 60}))
    assert (sent["accepted"], [error["code"] for error in sent["errors"]]) == (0, ["UNKNOWN_DEVICE"])


def codes(reply: Any) -> list[str]:
    """Return the codes of the errors in the payload of one mutation."""
    [payload] = reply.data.values()
    return [error["code"] for error in payload["errors"]]


def test_what_concerns_both_halves_is_refused_whole(halves: Halves) -> None:
    """A change that a confined caller saw a part of was once made to that part alone."""
    alpha, beta, boss = halves.alpha.ids, halves.beta.ids, halves.admin
    operator, admin = halves.keys["operator"], halves.keys["admin"]
    template = run(boss, "{ activityTemplates { nodes { id } } }")["activityTemplates"]["nodes"][0]["id"]
    made = run(
        boss,
        """mutation M($template: ID!, $targets: [ID!]!, $pump: ID!, $own: [ID!]!) {
          device: createDevice(input: {name: "shared"}) { device { id } errors { message } }
          spare: createDevice(input: {name: "spare"}) { device { id } errors { message } }
          both: createActivityFromTemplate(templateId: $template, targetIds: $targets) { activity { id } errors { message } }
          own: createActivityFromTemplate(templateId: $template, targetIds: $own) { activity { id } errors { message } }
          first: createAsset(input: {name: "first", parentId: $pump}) { asset { id } errors { message } }
          second: createAsset(input: {name: "second", parentId: $pump}) { asset { id } errors { message } }
          between: createAsset(input: {name: "between"}) { asset { id } errors { message } } }""",
        template=template, targets=[alpha["pump"], beta["pump"]], pump=alpha["pump"], own=[alpha["pump"]],
    )  # fmt: skip
    ids = {name: next(iter(kind["id"] for kind in payload.values() if kind)) for name, payload in made.items()}
    link = """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a, validFrom: "2020-01-01T00:00:00Z"})
        { edge { id } errors { message } } }"""
    run(boss, link, d=ids["device"], a=alpha["pump"])
    run(boss, link, d=ids["device"], a=beta["pump"])
    run(boss, link, d=ids["spare"], a=alpha["motor"])
    believed = "query D($id: ID!) { entity(id: $id) { deletedAt edges(first: 50) { nodes { id validUntil } } } }"
    before = {name: run(boss, believed, id=ids[name]) for name in ("device", "both", "own")}

    assert codes(
        admin.call("mutation D($id: ID!) { deleteDevice(id: $id) { errors { code } } }", {"id": ids["device"]})
    ) == ["FORBIDDEN"]
    assert codes(
        admin.call("mutation D($id: ID!) { deleteActivity(id: $id) { errors { code } } }", {"id": ids["both"]})
    ) == ["FORBIDDEN"]
    replace = "mutation R($d: ID!, $r: ID!) { replaceDevice(deviceId: $d, replacementId: $r) { errors { code } } }"
    assert codes(operator.call(replace, {"d": ids["device"], "r": ids["spare"]})) == ["FORBIDDEN"]
    # Whose work it is, is not for who does not see the person.
    run(boss, "mutation A($id: ID!, $p: ID!) { assignActivity(id: $id, personId: $p) { errors { message } } }",
        id=ids["own"], p=beta["worker"])  # fmt: skip
    before["own"] = run(boss, believed, id=ids["own"])
    assert codes(
        operator.call("mutation A($id: ID!) { assignActivity(id: $id) { errors { code } } }", {"id": ids["own"]})
    ) == ["FORBIDDEN"]
    move = "mutation T($id: ID!) { transitionActivity(id: $id, to: OPEN) { errors { code } } }"
    assert codes(operator.call(move, {"id": ids["own"]})) == ["FORBIDDEN"]
    history = "query H($id: ID!) { node(id: $id) { ... on Activity { status history { kind personId } } } }"
    steps = run(operator, history, id=ids["own"])["node"]["history"]
    assert [step["personId"] for step in steps if step["kind"] == "ASSIGNED"] == [None]
    assert {name: run(boss, believed, id=ids[name]) for name in before} == before

    # A circle that leads through the other half, at another time than now.
    part = """mutation P($s: ID!, $t: ID!) { createEdge(input: {sourceId: $s, targetId: $t, relationship: "HAS_PART",
        validFrom: "2025-01-01T00:00:00Z", validUntil: "2025-06-01T00:00:00Z"}) { edge { id } errors { code } } }"""
    run(boss, part, s=ids["first"], t=ids["between"])
    run(boss, part, s=ids["between"], t=ids["second"])
    assert codes(operator.call(part, {"s": ids["second"], "t": ids["first"]})) == ["CYCLE"]
    # Names are unique in the whole organization, and whose they are is not told.
    taken = operator.call(
        'mutation C($p: ID!) { createAsset(input: {name: "x", externalId: "BETA-pump", parentId: $p}) { errors { code message } } }',
        {"p": alpha["pump"]},
    ).data["createAsset"]["errors"]  # fmt: skip
    assert [error["code"] for error in taken] == ["CONFLICT"]
    assert beta["pump"] not in str(taken)


def test_what_a_confined_caller_needs_is_there(halves: Halves) -> None:
    alpha, beta, boss, operator = halves.alpha.ids, halves.beta.ids, halves.admin, halves.keys["operator"]
    retry = "mutation R($id: ID!) { retryDeadLetters(filter: {deviceId: $id}) { count errors { code } } }"
    assert run(operator, retry, id=alpha["probe"])["retryDeadLetters"]["count"] == 1
    assert operator.call(retry, {"id": beta["probe"]}).data["retryDeadLetters"]["count"] in (0, None)
    assert run(operator, '{ entities(filter: {search: "pump"}) { nodes { name } } }') == {
        "entities": {"nodes": [{"name": "alpha pump"}]}
    }
    # A rule that has become the other half's is not seen any longer, nor is its name.
    rule = run(
        boss,
        """mutation { createRule(input: {name: "everywhere", effectiveFrom: "2025-12-01T00:00:00Z",
           condition: {threshold: {metric: "vibration", operator: GT, value: 1000}}}) { rule { id } errors { message } } }""",
    )["createRule"]["rule"]["id"]  # fmt: skip
    listed = "{ rules(first: 50) { nodes { name } } }"
    assert {"name": "everywhere"} in run(operator, listed)["rules"]["nodes"]
    run(
        boss,
        """mutation U($id: ID!, $entity: ID!) { updateRule(id: $id, input: {name: "BETA rule", scope: {entityId: $entity},
           condition: {threshold: {metric: "vibration", operator: GT, value: 1000}}}) { errors { message } } }""",
        id=rule, entity=beta["pump"],
    )  # fmt: skip
    assert not halves.leaks(json.dumps(run(operator, listed)))
    assert run(boss, listed)["rules"]["nodes"] != run(operator, listed)["rules"]["nodes"]
    # What leaves by a change is not seen in its answer; the change is made.
    part = run(
        boss, 'mutation C($p: ID!) { createAsset(input: {name: "leaving", parentId: $p}) { asset { id } errors { message } } }',
        p=alpha["pump"],
    )["createAsset"]["asset"]["id"]  # fmt: skip
    edges = "query E($id: ID!) { entity(id: $id) { edges { nodes { id } } } }"
    [edge] = run(operator, edges, id=part)["entity"]["edges"]["nodes"]
    ended = operator.call(
        "mutation E($id: ID!) { endEdge(id: $id) { edge { validUntil target { name } } errors { code } } }",
        {"id": edge["id"]},
    )
    assert ended.error_codes == ["NOT_FOUND"]
    assert operator.call("query N($id: ID!) { node(id: $id) { id } }", {"id": part}).data == {"node": None}
    # A metric that was sent only elsewhere is not suggested.
    send(boss, beta["former"], (45, {"BETA_only": 1}))
    halves.installation.wait_processed(boss)
    misspelt = 'query L($id: ID!) { entity(id: $id) { latest(metrics: ["BETA_onl"]) { metric } } }'
    hints = operator.call(misspelt, {"id": alpha["motor"]}).body.get("extensions", {})
    assert "BETA_only" not in str(hints)
    token = halves.installation.run(
        "token", "create", "--organization", "Halves", "--role", "viewer", "--subject", "eve", "--under", alpha["hall"]
    ).stdout.strip()
    eve = Client(halves.installation.url, token)
    run(eve, "mutation { endOwnSessions { subject errors { message } } }")
    deadline = Deadline(30)
    while eve.call("{ viewer { subject } }").error_codes != ["UNAUTHENTICATED"]:
        deadline.pause("The token is still good.")


def subscribe(halves: Halves, client: Client, *queries: str) -> Any:
    socket = connect(halves.installation.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], legacy=True)
    socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}}))
    assert json.loads(socket.recv())["type"] == "connection_ack"
    for number, query in enumerate(queries):
        socket.send(json.dumps({"type": "subscribe", "id": str(number), "payload": {"query": query}}))
    # They have begun by then: the protocol does not tell when.
    quiet_period(patient(1.0))
    return socket


def received(socket: Any, until: str) -> str:
    """Return what comes until a message that holds a text."""
    messages = []
    for _ in itertools.count():
        messages.append(socket.recv(timeout=patient(30)))
        if until in messages[-1]:
            return "\n".join(messages)
    raise AssertionError("unreachable")


def test_subscriptions_bring_the_own_half_as_the_graph_is(halves: Halves) -> None:
    alpha, beta = halves.alpha.ids, halves.beta.ids
    everything = (
        "subscription { telemetry { series { entity { id name } metric values } } }",
        "subscription { events { id entity { id name } } }",
        "subscription { entityChanged { id name status } }",
        "subscription { entityUpdates { what entity { id name status } } }",
        "subscription { edgeUpdates { what edge { id metadata source { id name } target { id name } } } }",
        "subscription { eventUpdates { what event { id entity { id name } rule { name } } } }",
    )
    with subscribe(halves, halves.keys["viewer"], *everything) as socket:
        for half_, minute in ((beta, 50), (alpha, 51)):
            send(halves.admin, half_["probe"], (minute, {"temperature": 97, "marker": minute}))
        update = (
            "mutation M($id: ID!, $s: String!) { updateAsset(id: $id, input: {status: $s}) { errors { message } } }"
        )
        for half_, status in ((beta, "BETA-status"), (alpha, "alpha-status")):
            run(halves.admin, update, id=half_["pump"], s=status)
        messages = received(socket, "alpha-status")
        if '"marker"' not in messages:
            messages += received(socket, '"marker"')
        for field in ("entityUpdates", "eventUpdates"):
            if f'"{field}"' not in messages:
                messages += received(socket, f'"{field}"')
        assert not halves.leaks(messages), messages
        # BETA's motor moves to alpha's pump: from then on its readings come.
        move = """mutation M($s: ID!, $t: ID!) { createEdge(input: {sourceId: $s, targetId: $t, relationship: "HAS_PART"})
            { edge { id } errors { message } } }"""
        inner = run(
            halves.admin,
            'mutation { a: createAsset(input: {name: "guest"}) { asset { id } } d: createDevice(input: {name: "guest probe"}) { device { id } } }',
        )
        guest, probe = inner["a"]["asset"]["id"], inner["d"]["device"]["id"]
        run(halves.admin, """mutation L($d: ID!, $a: ID!) { linkDevice(input: {deviceId: $d, assetId: $a,
            validFrom: "2020-01-01T00:00:00Z"}) { errors { message } } }""", d=probe, a=guest)  # fmt: skip
        send(halves.admin, probe, (52, {"unseen": 1}))
        halves.installation.wait_processed(halves.admin)
        quiet_period(patient(2))
        edge = run(halves.admin, move, s=alpha["pump"], t=guest)["createEdge"]["edge"]["id"]
        quiet_period(patient(3))
        send(halves.admin, probe, (53, {"guest_seen": 1}))
        messages = received(socket, "guest_seen")
        assert '"unseen"' not in messages
        assert '"edgeUpdates"' in messages
        assert not halves.leaks(messages), messages
        run(halves.admin, "mutation E($id: ID!) { endEdge(id: $id) { errors { message } } }", id=edge)
        quiet_period(patient(3))
        send(halves.admin, probe, (54, {"guest_gone": 1}))
        send(halves.admin, alpha["probe"], (55, {"last_marker": 1}))
        assert "guest_gone" not in received(socket, "last_marker")
    named = f'subscription {{ telemetry(entityIds: ["{beta["pump"]}"]) {{ cursor }} }}'
    below = f'subscription {{ telemetry(underId: "{beta["hall"]}") {{ cursor }} }}'
    events = f'subscription {{ events(filter: {{underId: "{beta["hall"]}"}}) {{ id }} }}'
    with subscribe(halves, halves.keys["viewer"], named, below, events) as socket:
        refused = [json.loads(socket.recv(timeout=patient(30))) for _ in range(3)]
        assert [message["type"] for message in refused] == ["error"] * 3
        assert {message["payload"][0]["extensions"]["code"] for message in refused} == {"NOT_FOUND"}


def test_the_key_of_an_unknown_entity_sees_nothing(halves: Halves) -> None:
    create = "mutation C($i: ApiKeyInput!) { createApiKey(input: $i) { key errors { code path } } }"
    for under, code, path in (
        ([], "BAD_USER_INPUT", ["input", "underIds"]),
        (["0190a3c4-0000-7000-8000-000000000000"], "NOT_FOUND", ["input", "underIds", "0"]),
        (["x"], "NOT_FOUND", ["input", "underIds", "0"]),
    ):
        payload = halves.admin.call(create, {"i": {"name": "n", "role": "viewer", "underIds": under}}).data[
            "createApiKey"
        ]
        assert payload["errors"][0] == {"code": code, "path": path}, payload
    token = halves.installation.run(
        "token",
        "create",
        "--organization",
        "Halves",
        "--role",
        "admin",
        "--under",
        "0190a3c4-0000-7000-8000-000000000000",
    ).stdout.strip()
    nobody = Client(halves.installation.url, token)
    assert run(nobody, "{ entities { totalCount } events { totalCount } }") == {
        "entities": {"totalCount": 0}, "events": {"totalCount": 0},
    }  # fmt: skip


def test_no_mutation_is_refused_for_what_lies_within(halves: Halves) -> None:
    """At the end, for it changes the half."""
    admin, alpha = halves.keys["admin"], halves.alpha.ids
    kinds = {"Space": "hall", "Asset": "pump", "Device": "probe", "Activity": "work", "Event": "event",
             "Edge": "locatedEdge", "Shelf": "shelf", "unshelve": "shelf", "endMaintenance": "window"}  # fmt: skip
    of = {"deviceId": "probe", "assetId": "pump", "tokenId": "token", "entityId": "pump", "underId": "hall",
          "targetIds": "pump", "sourceId": "pump", "targetId": "hall", "replacementId": "probe", "parentId": "pump"}  # fmt: skip
    names = sorted(
        SCOPED["Mutation"] - {"ingestTelemetry", "endOwnSessions"}, key=lambda name: name.startswith(("delete", "end"))
    )
    for name in names:
        declared = SCHEMA.type_map["Mutation"].fields[name]  # type: ignore[attr-defined]
        kind = next((label for kind, label in kinds.items() if kind in name), "pump")
        optional = next((key for key in declared.args if key in ("entityId", "underId")), "")
        given = arguments(declared.args, lambda argument: alpha[of.get(argument, kind)], named=optional)  # noqa: B023
        given = (
            given.replace('name: "x"', f'name: "x", parentId: "{alpha["pump"]}"') if name == "createAsset" else given
        )
        given = (
            given.replace('name: "x"', f'name: "x", parentId: "{alpha["hall"]}"') if name == "createSpace" else given
        )
        if name == "cloneAsset":
            # With its rules it is for whoever may make rules for all.
            given = given.replace('name: "x"', 'name: "x", includeRules: false')
        reply = admin.call(f"mutation {{ {name}{given} {{ errors {{ code message }} }} }}")
        assert not {"FORBIDDEN", "INTERNAL"} & set(reply.error_codes), (name, given, reply.body)
        if name != "deleteAsset":
            # An asset that was linked to a device of the other half, for a time, is deleted with its edges.
            assert "FORBIDDEN" not in [error["code"] for error in reply.data[name]["errors"]], (name, given, reply.body)
