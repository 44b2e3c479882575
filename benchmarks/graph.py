"""Walks of a temporal graph: Argus's snapshot against recursive SQL, networkx, rustworkx and LadybugDB.

Two graphs: (a) a tree of 122,000 nodes; (b) 100,000 edges of 10 versions each between 50,000 nodes, 1,000,000 in
all. Of each: all descendants as of a random instant from the root, from a node in the middle and from a low one, and
a shortest path. All engines answer the same questions, and their answers are compared. Prints the median of each and
its ratio to the snapshot's. Then: memory an edge version; from an edge's commit to its being seen by another
process's snapshot; `traverse` through GraphQL against the bare walk.

rustworkx and ladybug are needed beside what Argus needs: requirements-bench.lock, which `make bench` installs.

    python -m benchmarks.graph
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

from benchmarks.graph_rivals.argus import BySql, InMemory, random_instants, store, versions_bytes
from benchmarks.graph_rivals.data import SPAN, Data, tree, versions
from benchmarks.graph_rivals.others import OTHERS
from benchmarks.graph_rivals.service import graphql_measure, visibility_measure
from runtime.database import engine_create
from testing.servers import TestServers, servers_open
from testing.world import World, world_create

INSTANTS: Final = 30
# Each question is asked until so much time has passed, at each instant once at most, the first time for warming up.
ENOUGH_S: Final = 4.0


def time_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000.0


def questions(data: Data) -> dict[str, list[Callable[[Any], int | None]]]:
    """Return, by name, the same questions for every engine; `prepare` is not part of the time."""
    instants = random_instants(INSTANTS, SPAN)
    by_name: dict[str, list[Callable[[Any], int | None]]] = {}
    for name, start in data.starts.items():
        by_name[f"descendants of the {name}"] = [
            lambda engine, start=start, at=at: engine.descendants(start, at)  # type: ignore[misc]
            for at in instants
        ]
    by_name["shortest path"] = [
        lambda engine, way=way, at=at: engine.path(*way, at)  # type: ignore[misc]
        for way, at in zip(data.ways, instants, strict=False)
    ]
    return by_name


def compare(data: Data, engines: list[Any]) -> None:
    instants = random_instants(INSTANTS, SPAN)
    for question, variants in questions(data).items():
        answers: dict[int, int | None] = {}
        reference = 0.0
        for engine in engines:
            taken: list[float] = []
            prepared: list[float] = []
            began = time.perf_counter()
            for number in (0, *range(len(variants))):
                if hasattr(engine, "prepare"):
                    prepared.append(time_ms(lambda: engine.prepare(instants[number])))  # noqa: B023  (runs at once)
                results: list[int | None] = []
                taken.append(time_ms(lambda: results.append(variants[number](engine))))  # noqa: B023  (runs at once)
                assert answers.setdefault(number, results[0]) == results[0], (
                    engine.name,
                    question,
                    number,
                )
                if time.perf_counter() - began > ENOUGH_S:
                    break
            taken = taken[1:] or taken
            median = statistics.median(taken)
            reference = reference or median
            shown = (
                f"{data.name}, {question}: {engine.name} {median:.3f} ms, {median / reference:.1f} times the snapshot"
            )
            if prepared:
                shown += f"; with the making of the instant's graph {median + statistics.median(prepared):.0f} ms"
            print(shown, flush=True)
        print(f"{data.name}, {question}: median answer {statistics.median(a for a in answers.values() if a):.0f}")


def graph_measure(servers: TestServers, data: Data) -> None:
    database = servers.database_create()
    owner, api = engine_create(database.url("owner")), engine_create(database.url("api"))
    try:
        world: World = world_create(owner=owner, api=api, slug=data.name)
        store(owner, world, data)
        memory = InMemory(world, data)
        alone, whole = versions_bytes(memory.snapshot)
        print(
            f"{data.name}: {data.nodes} nodes, {memory.snapshot.edges} edge versions, read in {memory.load_s:.2f} s;"
            f" {alone:.1f} bytes an edge version, {whole:.1f} with the nodes"
        )
        sql = BySql(world, data)
        compare(data, [memory, sql, *(make(data) for make in OTHERS)])
        sql.close()
        if data.name == "tree":
            visibility_measure(database, world)
            graphql_measure(servers, database)
    finally:
        owner.dispose()
        api.dispose()
        servers.database_drop(database)


def main() -> None:
    missing = [name for name in ("rustworkx", "ladybug") if find_spec(name) is None]
    if missing:
        sys.exit(f"Not installed: {', '.join(missing)}. Run: .venv/bin/pip install -r requirements-bench.lock")
    with servers_open("argus-bench-") as servers:
        for make in (tree, versions):
            graph_measure(servers, make())


if __name__ == "__main__":
    main()
