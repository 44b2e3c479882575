"""The two graphs that are walked: edges as columns, times in whole units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.int64]
SEED: Final = 20261123
# Instants lie in [0, SPAN); an edge that is open ends at OPEN.
SPAN: Final = 1_000
OPEN: Final = 1_000_000

TREE_NODES: Final = 122_000
TREE_CHILDREN: Final = 8
VERSIONS: Final = 10
VERSION_EDGES: Final = 100_000
VERSION_NODES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Data:
    """Edge i leads from source[i] to target[i] and holds during [begins[i], ends[i]).

    starts: by name, where walks begin. ways: pairs of nodes between which a shortest path is asked.
    """

    name: str
    nodes: int
    source: Column
    target: Column
    begins: Column
    ends: Column
    relationship: str
    kind: str
    starts: dict[str, int]
    ways: list[tuple[int, int]]


def tree() -> Data:
    """A tree of 122,000 spaces, eight in each; one edge in fifty ended before half of the time."""
    random = np.random.default_rng(SEED)
    target = np.arange(1, TREE_NODES, dtype=np.int64)
    source = (target - 1) // TREE_CHILDREN
    ends = np.full(len(target), OPEN)
    # None near the root, or the size of the walk would hang on a single edge.
    short = (random.random(len(target)) < 1 / 50) & (target > TREE_CHILDREN**3)
    ends[short] = random.integers(1, SPAN // 2, short.sum())
    begins = np.zeros(len(target), dtype=np.int64)
    ways = [(0, int(node)) for node in random.integers(TREE_NODES // 2, TREE_NODES, 50)]
    starts = {"root": 0, "middle": 40, "low": 9_000}
    return Data("tree", TREE_NODES, source, target, begins, ends, "CONTAINS", "SPACE", starts, ways)


def versions() -> Data:
    """100,000 edges between 50,000 assets, each of ten intervals with gaps: two ways to every node, from above."""
    random = np.random.default_rng(SEED)
    target = np.repeat(np.arange(2, VERSION_EDGES // 2 + 2, dtype=np.int64), 2)[:VERSION_EDGES]
    target = np.minimum(target, VERSION_NODES - 1)
    offset = np.tile([0, 1], VERSION_EDGES // 2)
    source = np.maximum(target // 2 - offset, 0)
    step = SPAN // VERSIONS
    begins = np.tile(np.arange(VERSIONS) * step, VERSION_EDGES)
    durations = random.integers(step // 2, step + 1, VERSION_EDGES * VERSIONS)
    ways = [(0, int(node)) for node in random.integers(VERSION_NODES // 2, VERSION_NODES, 50)]
    return Data(
        "versions",
        VERSION_NODES,
        np.repeat(source, VERSIONS),
        np.repeat(target, VERSIONS),
        begins,
        begins + durations,
        "FEEDS",
        "ASSET",
        {"root": 0, "middle": 40, "low": 9_000},
        ways,
    )
