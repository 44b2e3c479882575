"""The references: networkx, rustworkx and LadybugDB, each with the same edges and, where it can, the same filter."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from benchmarks.graph_rivals.data import Data


class Networkx:
    """A MultiDiGraph seen through a filter of edges."""

    name = "networkx"

    def __init__(self, data: Data) -> None:
        self._graph: Any = nx.MultiDiGraph()
        self._graph.add_nodes_from(range(data.nodes))
        columns = (data.source, data.target, data.begins, data.ends)
        for source, target, begins, ends in zip(*(column.tolist() for column in columns), strict=True):
            self._graph.add_edge(source, target, begins=begins, ends=ends)

    def _view(self, as_of: int) -> Any:
        edges = self._graph._adj  # noqa: SLF001  (the filter's own look-up is the slower way)

        def holds(source: int, target: int, key: int) -> bool:
            edge = edges[source][target][key]
            return bool(edge["begins"] <= as_of < edge["ends"])

        return nx.subgraph_view(self._graph, filter_edge=holds)

    def descendants(self, start: int, as_of: int) -> int:
        """Return how many there are."""
        return len(nx.descendants(self._view(as_of), start))

    def path(self, begin: int, end: int, as_of: int) -> int | None:
        """Return the length of a shortest path; None: there is none."""
        try:
            return len(nx.bidirectional_shortest_path(self._view(as_of), begin, end)) - 1
        except nx.NetworkXNoPath:
            return None


class Rustworkx:
    """It has no filter of edges: it is given the graph of each instant, made beforehand and not timed."""

    name = "rustworkx, filtered beforehand"

    def __init__(self, data: Data) -> None:
        import rustworkx as rx

        self._rx = rx
        self._data = data
        self._graphs: dict[int, Any] = {}

    def prepare(self, as_of: int) -> None:
        """Make the graph of an instant."""
        if as_of not in self._graphs:
            data = self._data
            holds = (data.begins <= as_of) & (as_of < data.ends)
            graph = self._rx.PyDiGraph(multigraph=True)
            graph.add_nodes_from(list(range(data.nodes)))
            pairs = np.stack([data.source[holds], data.target[holds]], axis=1)
            graph.add_edges_from_no_data([tuple(pair) for pair in pairs.tolist()])
            self._graphs = {as_of: graph}

    def descendants(self, start: int, as_of: int) -> int:
        """Return how many there are."""
        return len(self._rx.descendants(self._graphs[as_of], start))

    def path(self, begin: int, end: int, as_of: int) -> int | None:
        """Return the length of a shortest path; None: there is none."""
        paths = self._rx.dijkstra_shortest_paths(self._graphs[as_of], begin, target=end, default_weight=1.0)
        return len(paths[end]) - 1 if end in paths else None


class Ladybug:
    """LadybugDB in memory: one node table, one edge table with the validity as columns."""

    name = "ladybug"

    def __init__(self, data: Data) -> None:
        import ladybug

        self._database = ladybug.Database(":memory:")
        self._connection = ladybug.Connection(self._database, num_threads=2)
        self._run("CREATE NODE TABLE E (id INT64 PRIMARY KEY)")
        self._run("CREATE REL TABLE R (FROM E TO E, b INT64, e INT64)")
        with tempfile.TemporaryDirectory(prefix="argus-bench-") as directory:
            nodes, edges = Path(directory) / "nodes.csv", Path(directory) / "edges.csv"
            nodes.write_text("".join(f"{n}\n" for n in range(data.nodes)))
            columns = (data.source, data.target, data.begins, data.ends)
            rows = zip(*(column.tolist() for column in columns), strict=True)
            edges.write_text("".join(f"{s},{t},{b},{e}\n" for s, t, b, e in rows))
            self._run(f"COPY E FROM '{nodes}'")
            self._run(f"COPY R FROM '{edges}'")
        hop = "(r, n | WHERE r.b <= $at AND r.e > $at)"
        self._descendants = self._connection.prepare(
            f"MATCH (a:E {{id: $start}})-[r:R* SHORTEST 1..30 {hop}]->(b:E) RETURN count(b.id)",
            {"start": 0, "at": 0},
        )
        self._path = self._connection.prepare(
            f"MATCH (a:E {{id: $start}})-[r:R* SHORTEST 1..30 {hop}]->(b:E {{id: $last}}) RETURN length(r)",
            {"start": 0, "last": 0, "at": 0},
        )

    def _run(self, statement: str) -> Any:
        return self._connection.execute(statement)

    def descendants(self, start: int, as_of: int) -> int:
        """Return how many there are."""
        result: Any = self._connection.execute(self._descendants, {"start": start, "at": as_of})
        return int(result.get_next()[0])

    def path(self, begin: int, end: int, as_of: int) -> int | None:
        """Return the length of a shortest path; None: there is none."""
        result: Any = self._connection.execute(self._path, {"start": begin, "last": end, "at": as_of})
        return int(result.get_next()[0]) if result.has_next() else None


OTHERS: tuple[Callable[[Data], Any], ...] = (Networkx, Rustworkx, Ladybug)
