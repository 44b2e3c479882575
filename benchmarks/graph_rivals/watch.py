"""A process that walks over and over until it comes to an entity, and says when it did."""

from __future__ import annotations

import sys
import time
from uuid import UUID

from benchmarks.graph_rivals.argus import node_id
from graph.direction import Direction
from graph.walk.queries import path
from graph.walk.snapshot.cache import Snapshots
from runtime.database import engine_create
from testing.world import World


def main() -> None:
    """Read ids from standard input; write for each the time (monotonic) at which a path to it was found."""
    engine = engine_create(sys.argv[1], pool_size=1)
    world, snapshots = World(int(sys.argv[2]), engine), Snapshots()

    def reached(target: UUID) -> bool:
        with world.session(snapshots) as session:
            way = path(
                session, organization_id=world.organization_id, from_id=node_id(0), to_id=target,
                relationships=["CONTAINS"], direction=Direction.OUT,
            )  # fmt: skip
            return way is not None

    reached(node_id(1))
    print("ready", flush=True)
    for line in sys.stdin:
        target = UUID(line.strip())
        while not reached(target):
            pass
        print(time.monotonic(), flush=True)
    engine.dispose()


if __name__ == "__main__":
    main()
