"""Rollups are the same for any order of readings, edits, invalidations and computations, and after rollbacks.

The reference lays out every point by itself: for each bucket and upper entity it checks, point by point, whether there
is a way down at that very time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.base.packed import Aggregate
from domain.derivation.rollups.model import BucketSize, RollupAggregate
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_retract
from graph.errors import ArgusError
from graph.kinds import EntityKind
from testing.line import Line
from testing.rollup_plant import RollupPlant
from testing.world import world_create

_SLUGS = count(1)
MINUTE = timedelta(minutes=1)
SLOT = 20 * MINUTE
SLOTS = 24
# Later than any clock that a change is recorded by, so that weights can be recorded between slots.
BEGIN = datetime(2100, 5, 1, 4, tzinfo=UTC)


def slot(number: int) -> datetime:
    return BEGIN + number * SLOT


@dataclass(slots=True)
class Fact:
    """An edge as it is believed: from slot `start` up to, and without, `end`; None: for ever."""

    version: EdgeVersion
    source: UUID
    relationship: str
    target: UUID
    start: int
    end: int | None

    def holds(self, at: datetime) -> bool:
        return slot(self.start) <= at and (self.end is None or at < slot(self.end))


@dataclass(slots=True)
class Reference:
    """All that is so: who measures what, what is believed of the graph, and what weights were recorded."""

    readings: dict[UUID, dict[datetime, float]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    weights: dict[UUID, list[tuple[datetime, int]]] = field(default_factory=dict)

    def weight(self, part: UUID, at: datetime) -> int:
        """What was recorded last by then, or else first; 0 is no weight."""
        versions = self.weights.get(part, [])
        return next((weight for since, weight in reversed(versions) if since <= at), versions[0][1] if versions else 0)

    def below(self, upper: UUID, at: datetime) -> set[UUID]:
        nodes = {upper}
        while True:
            down = {f.target for f in self.facts if f.source in nodes and f.relationship == "HAS_PART" and f.holds(at)}
            if down <= nodes:
                return nodes - {upper}
            nodes |= down

    def values(
        self, uppers: list[UUID], parts: list[UUID], hours: int
    ) -> dict[tuple[UUID, datetime], dict[UUID, float]]:
        """Each descendant's own sum of each bucket of so many hours."""
        values_by_bucket: dict[tuple[UUID, datetime], dict[UUID, float]] = {}
        for part in parts:
            for at, value in sorted(self.readings.get(part, {}).items()):
                hour = at.replace(minute=0)
                bucket = hour - timedelta(hours=hour.hour % hours)
                for upper in uppers:
                    if part in self.below(upper, at):
                        of_bucket = values_by_bucket.setdefault((upper, bucket), {})
                        of_bucket[part] = of_bucket.get(part, 0.0) + value
        return values_by_bucket

    def weighted(self, sums: dict[tuple[UUID, datetime], dict[UUID, float]]) -> dict[tuple[UUID, datetime], float]:
        """The means of sums, weighted by what was in force when each bucket began."""
        means = {}
        for (upper, at), of_bucket in sums.items():
            weights = {part: self.weight(part, at) for part in of_bucket}
            if total := sum(weights.values()):
                means[upper, at] = sum(weights[part] * value for part, value in of_bucket.items()) / total
        return means


# Whole numbers: their sums are exact in any order, so the reference may add as it likes.
steps_drawn = st.lists(
    st.one_of(
        *[st.tuples(st.just("read"), st.integers(0, 2), st.integers(0, SLOTS - 1), st.integers(-50, 50))] * 2,
        *[st.tuples(st.just("edge"), st.integers(0, 5), st.integers(0, 5), st.integers(0, SLOTS))] * 2,
        st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, SLOTS), st.integers(1, 12)),
        *[st.tuples(st.just("weigh"), st.integers(0, 2), st.integers(0, SLOTS), st.integers(0, 5))] * 2,
        st.tuples(st.just("retract"), st.integers(0, 9), st.just(0), st.just(0)),
        st.tuples(st.just("compute"), st.integers(1, 3), st.integers(1, 30), st.just(0)),
        st.tuples(st.just("crash"), st.just(0), st.just(0), st.just(0)),
    ),
    min_size=5,
    max_size=30,
)


class _CrashError(Exception):
    pass


@dataclass(slots=True)
class Machine:
    """The system under test and the reference, taking the same steps."""

    plant: RollupPlant
    uppers: list[UUID]
    parts: list[UUID]
    devices: dict[UUID, UUID]
    reference: Reference = field(default_factory=Reference)

    def step(self, name: str, a: int, b: int, c: int) -> None:
        getattr(self, name)(a, b, c)

    def build(self) -> None:
        """Begin with all parts in one machine, a reading of each in every hour, and weights of two; all computed."""
        for number, part in enumerate(self.parts):
            self.edge(0, len(self.uppers) + number, 0)
            points = [(slot(n), float(n + 7**number)) for n in range(number, SLOTS, 3)]
            self.plant.send(self.devices[part], "power", points, received=slot(SLOTS))
            self.reference.readings[part] = dict(points)
            self.plant.invalidate_all(part)
        self.weigh(0, None, 1)
        self.weigh(1, None, 3)
        self.plant.drain()

    def read(self, part: int, when: int, value: int) -> None:
        entity, at = self.parts[part], slot(when)
        # A later reading of the same time wins.
        self.plant.send(self.devices[entity], "power", [(at, value)], received=slot(SLOTS))
        self.reference.readings.setdefault(entity, {})[at] = float(value)
        self.plant.invalidate({entity: [(at, at + timedelta(microseconds=1))]})

    def edge(self, source: int, target: int, start: int) -> None:
        nodes = [*self.uppers, *self.parts]
        one, other = nodes[source], nodes[target]
        if source == target:
            return
        try:
            version = self.plant.line.world.edge(one, "HAS_PART", other, valid_from=slot(start))
        except ArgusError:
            return
        self.reference.facts.append(Fact(version, one, "HAS_PART", other, start, None))
        self.plant.invalidate_at(one)

    def move(self, which: int, start: int, length: int) -> None:
        if not self.reference.facts:
            return
        fact = self.reference.facts[which % len(self.reference.facts)]
        try:
            with self.plant.line.world.changing() as (session, change):
                edge_correct(
                    session,
                    change=change,
                    edge_id=fact.version.edge_id,
                    valid_from=slot(start),
                    valid_until=slot(start + length),
                )
        except ArgusError:
            return
        fact.start, fact.end = start, start + length
        self.plant.invalidate_at(fact.source)

    def weigh(self, part: int, when: int | None, weight: int) -> None:
        entity = self.parts[part]
        versions = self.reference.weights.setdefault(entity, [])
        recorded = self.plant.weigh(entity, weight, at=None if when is None else slot(when))
        if not versions or versions[-1][1] != weight:
            versions.append((recorded, weight))
        self.plant.follow(entity)

    def retract(self, which: int, _b: int, _c: int) -> None:
        if not self.reference.facts:
            return
        fact = self.reference.facts.pop(which % len(self.reference.facts))
        with self.plant.line.world.changing() as (session, change):
            edge_retract(session, change=change, edge_id=fact.version.edge_id)
        self.plant.invalidate_at(fact.source)

    def compute(self, rows: int, buckets: int, _c: int) -> None:
        self.plant.compute(rows_max=rows, buckets_max=buckets)

    def crash(self, _a: int, _b: int, _c: int) -> None:
        self.plant.crash(_CrashError)


def test_rollups_are_a_function_of_what_is_so(engine: Callable[[str], Engine]) -> None:
    # One holder for all examples.
    first = Line(world_create(owner=engine("owner"), api=engine("api"), slug="rollups"), engine)

    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(steps=steps_drawn)
    def check(steps: list[tuple[str, int, int, int]]) -> None:
        slug = f"rollups-{next(_SLUGS)}"
        world = world_create(owner=engine("owner"), api=engine("api"), slug=slug)
        plant = RollupPlant(Line(world, engine, lease=first.run().lease))
        uppers = plant.line.world.entities(EntityKind.ASSET, 3, "machine")
        measured = [plant.measured() for _ in range(3)]
        parts = [part for part, _ in measured]
        machine = Machine(plant, [*uppers], parts, dict(measured))
        four = BucketSize("PT4H", 0, timedelta(hours=4))
        at = {"at_types": ["machine"]}
        plant.create(**at)
        plant.create(
            name="Worst", metric="worst", aggregate=RollupAggregate.MAX, bucket=four, combine=Aggregate.SUM, **at
        )
        plant.create(name="Number", metric="number", aggregate=RollupAggregate.COUNT, bucket=four, **at)
        mean = {"aggregate": RollupAggregate.WEIGHTED_MEAN, "attribute": "size", "combine": Aggregate.SUM}
        plant.create(name="Mean", metric="mean", **mean, **at)
        machine.build()
        for step in steps:
            machine.step(*step)
        plant.drain()
        hourly = machine.reference.values([*uppers], parts, 1)
        sums = {key: sum(of_bucket.values()) for key, of_bucket in hourly.items()}
        assert plant.stored() == sums
        means = machine.reference.weighted(hourly)
        assert plant.stored("mean") == means
        by_four = machine.reference.values([*uppers], parts, 4)
        assert plant.stored("worst") == {key: max(of_bucket.values()) for key, of_bucket in by_four.items()}
        assert plant.stored("number") == {key: len(of_bucket) for key, of_bucket in by_four.items()}
        # And all of it again, as one that knew from the start.
        plant.invalidate_at(*uppers)
        plant.drain()
        assert plant.stored() == sums
        assert plant.stored("mean") == means

    check()
