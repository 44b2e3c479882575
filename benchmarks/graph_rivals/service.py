"""The snapshot behind an API: how soon another process sees an edge, and what GraphQL adds to a walk."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit

import orjson

from benchmarks.graph_rivals.argus import node_id
from graph.kinds import EntityKind
from graph.walk.model import DEPTH_MAX, Step
from graph.walk.queries import traverse
from graph.walk.snapshot.cache import Snapshots
from runtime.database import engine_create
from testing.api import api_serve
from testing.servers import TestDatabase, TestServers
from testing.world import World

EDGES = 300
ROUNDS = 60
LIMIT = 1_000
STEP = Step(("CONTAINS",), depth=DEPTH_MAX)


def visibility_measure(database: TestDatabase, world: World) -> None:
    """Time from the commit of an edge to the walk of another process that has it, over the whole tree's snapshot."""
    reader = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.graph_rivals.watch", database.url("api"), str(world.organization_id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    try:
        assert reader.stdout.readline() == "ready\n"
        taken = []
        for number in range(EDGES):
            target = world.entities(EntityKind.SPACE, 1)[0]
            reader.stdin.write(f"{target}\n")
            reader.stdin.flush()
            time.sleep(0.002)
            world.edge(node_id(number + 1), "CONTAINS", target)
            committed = time.monotonic()
            taken.append((float(reader.stdout.readline()) - committed) * 1000.0)
    finally:
        reader.stdin.close()
        reader.wait(timeout=30)
    taken.sort()
    print(
        f"commit to another process's walk: median {statistics.median(taken):.1f} ms,"
        f" 99th percentile {taken[int(len(taken) * 0.99)]:.1f} ms, of {EDGES} edges"
    )


def graphql_measure(servers: TestServers, database: TestDatabase) -> None:
    """Time of `traverse` over HTTP to 1,000 nodeIds, and of the same walk in process with its JSON."""
    with api_serve(database, servers.bus_server.url) as api:
        token = api.token("tree", "viewer")
        engine = engine_create(database.url("api"), pool_size=1)
        world = World(1, engine)
        address = urlsplit(api.url)
        connection = http.client.HTTPConnection(address.netloc)
        query = (
            'query W($start: ID!) { traverse(input: {startIds: [$start], steps: [{relationships: ["CONTAINS"],'
            f" depth: {DEPTH_MAX}}}], limit: {LIMIT}}}) {{ nodeIds }} }}"
        )
        body = json.dumps({"query": query, "variables": {"start": str(node_id(0))}})
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        def over_http() -> int:
            connection.request("POST", address.path, body, headers)
            return len(json.loads(connection.getresponse().read())["data"]["traverse"]["nodeIds"])

        snapshots = Snapshots()

        def bare() -> int:
            with world.session(snapshots) as session:
                reached = traverse(
                    session,
                    organization_id=world.organization_id,
                    start_ids=[node_id(0)],
                    steps=[STEP],
                    limit=LIMIT,
                )
            return len(orjson.loads(orjson.dumps({"nodeIds": reached.ids}))["nodeIds"])

        while over_http() != LIMIT:
            time.sleep(0.1)
        medians = []
        for work in (bare, over_http):
            work()
            taken = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                assert work() == LIMIT
                taken.append((time.perf_counter() - began) * 1000.0)
            medians.append(statistics.median(taken))
        connection.close()
        engine.dispose()
    print(
        f"traverse to {LIMIT} nodeIds: walk and JSON in process {medians[0]:.2f} ms, over HTTP {medians[1]:.2f} ms,"
        f" ratio {medians[1] / medians[0]:.2f}"
    )
