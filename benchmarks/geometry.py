"""Near and within over 100,000 located entities, against a look at every one with shapely.

Size: 80,000 points and 20,000 small areas, spread over a region of one by one degree. Reference: the same geometries
in memory, every one measured (`distances_m`) or tested (`shapely.covers`) at once, ids and order included. Both must
give the same answer. Prints the medians and their ratio; more than 1: Argus, which asks its database, is faster.

    python -m benchmarks.geometry
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.entities.places import entities_near, entities_within
from graph.geometry.sphere import distances_m
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from runtime.database import engine_create
from testing.servers import servers_open
from testing.world import World, place, world_create

POINTS, AREAS = 80_000, 20_000
WEST, SOUTH = 8.0, 47.0
ROUNDS = 9
FIRST = 50


def shapes() -> list[Any]:
    random = np.random.default_rng(11)
    at = np.column_stack([WEST + random.random(POINTS + AREAS), SOUTH + random.random(POINTS + AREAS)])
    size = random.random(AREAS) * 0.002
    west, south = at[POINTS:].T
    return [
        *np.asarray(shapely.points(at[:POINTS])).tolist(),
        *shapely.box(west, south, west + size, south + size).tolist(),
    ]


def median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000.0)
    return statistics.median(taken)


def compare(
    name: str, world: World, ours: Callable[[Session], Page[EntityId]], brute: Callable[[], list[EntityId]]
) -> None:
    def answer() -> list[EntityId]:
        with world.session() as session:
            return list(ours(session).items)

    assert answer() == brute()[:FIRST], name
    mine, theirs = median_ms(answer), median_ms(brute)
    print(f"{name}: Argus {mine:.1f} ms, every one {theirs:.1f} ms of {len(brute())}, ratio {theirs / mine:.1f}")


def main() -> None:
    with servers_open("argus-bench-") as servers:
        database = servers.database_create()
        owner, api = engine_create(database.url("owner")), engine_create(database.url("api"))
        world = world_create(owner=owner, api=api, slug="bench")
        made = shapes()
        ids = place(world, made[:POINTS], EntityKind.DEVICE) + place(world, made[POINTS:], EntityKind.SPACE)
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        geometries = np.array(made, dtype=object)
        common: dict[str, Any] = {"organization_id": world.organization_id, "page": PageRequest(FIRST)}
        for radius in (100.0, 1_000.0, 10_000.0, 50_000.0):

            def near(radius: float = radius) -> list[EntityId]:
                distances = distances_m(8.5, 47.5, geometries)
                within_radius = np.flatnonzero(distances <= radius).tolist()
                return [entity_id for _, entity_id in sorted((distances[at], ids[at]) for at in within_radius)]

            question = partial(entities_near, longitude=8.5, latitude=47.5, radius_m=radius, **common)
            compare(f"near, {radius:g} m", world, question, near)
        for side in (0.01, 0.1, 0.5):
            square = shapely.Polygon([(8.3, 47.3), (8.3 + side, 47.31), (8.3 + side, 47.3 + side), (8.3, 47.3)])
            polygon = {"type": "Polygon", "coordinates": [list(map(list, square.exterior.coords))]}

            def within(square: Any = square) -> list[EntityId]:
                shapely.prepare(square)
                return [ids[at] for at in np.flatnonzero(shapely.covers(square, geometries)).tolist()]

            question = partial(entities_within, geometry=polygon, **common)
            compare(f"within, a triangle of {side:g} degrees", world, question, within)
        owner.dispose()
        api.dispose()


if __name__ == "__main__":
    main()
