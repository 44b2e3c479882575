"""Buckets computed with partial aggregates equal those computed whole, after any late, overwritten, moved or rolled-back data.

Bit for bit, of values whose sums are rounded, with partial aggregates written at every second point.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.derivation.rollups import partial_aggregates
from domain.derivation.rollups.model import RollupAggregate, Worst
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_retract
from graph.errors import ArgusError
from graph.kinds import EntityKind
from testing.line import NOW, Line
from testing.rollup_plant import HOUR, RollupPlant
from testing.world import world_create

_SLUGS = count(1)
STEP = timedelta(minutes=2)
SLOTS = 45
BEGIN = NOW - 2 * HOUR
TICK = timedelta(microseconds=1)
METRICS = ("power_total", "mean", "least", "most", "number", "last")

# Values far apart, whose sums take more than one double, and nothing to see of the order.
values_drawn = st.sampled_from([0.1, -0.1, 1e16, 3.3, -1e16, 1e-9, 0.0, -0.0, 1e-320, "text", 7.7, 5.1])
parts_drawn = st.integers(0, 2)
slots_drawn = st.integers(0, SLOTS - 1)
live_drawn = st.tuples(st.just("live"), parts_drawn, st.integers(3, 10), values_drawn)
late_drawn = st.tuples(st.just("late"), parts_drawn, st.integers(0, 12), values_drawn)
computed_drawn = st.tuples(st.just("compute"), st.sampled_from([3, 500]), st.just(0), st.none())
# Live data, what is late, and computing are most of it, as an edit of the graph makes an end of every partial aggregate.
steps_drawn = st.lists(
    st.one_of(
        *[live_drawn, late_drawn, computed_drawn] * 4,
        st.tuples(st.just("remove"), parts_drawn, st.integers(0, 12), st.none()),
        st.tuples(st.just("again"), parts_drawn, slots_drawn, values_drawn),
        st.tuples(st.sampled_from(["move", "retract"]), parts_drawn, slots_drawn, st.none()),
        st.tuples(st.just("crash"), st.just(0), st.just(0), st.none()),
    ),
    min_size=20,
    max_size=40,
)


class _CrashError(Exception):
    pass


@dataclass(slots=True)
class Machine:
    """Three parts of one machine, each with a device, and what is believed of their links."""

    plant: RollupPlant
    upper: UUID
    parts: list[UUID]
    devices: list[UUID]
    edges: list[EdgeVersion]
    offsets: list[int] = field(default_factory=lambda: [0, 0, 0])

    def live(self, of: int, points: int, value: Any) -> None:
        slots = range(self.offsets[of], min(self.offsets[of] + points, SLOTS))
        self.offsets[of] = slots.stop
        if slots:
            self._send(of, [(slot, value) for slot in slots])
            self._invalidate(of, slots.start, slots.stop)

    def late(self, of: int, slot: int, value: Any) -> None:
        self._send(of, [(slot, value)])
        self._invalidate(of, slot, slot + 1)

    def again(self, of: int, first: int, value: Any) -> None:
        """Write many, and invalidate a span of many buckets, as an edited formula does."""
        self._send(of, [(slot, value) for slot in range(first, SLOTS, 3)])
        self.plant.invalidate({self.parts[of]: [(BEGIN - 90 * HOUR, NOW)]})

    def remove(self, of: int, slot: int, _c: None) -> None:
        self.plant.line.rows(
            "DELETE FROM telemetry_history h USING series s WHERE s.organization_id = :o AND s.entity_id = :e"
            " AND h.organization_id = :o AND h.series_id = s.id AND h.timestamp = :at RETURNING h.series_id",
            o=self.plant.organization_id,
            e=self.devices[of],
            at=BEGIN + slot * STEP,
        )
        self._invalidate(of, slot, slot + 1)

    def move(self, of: int, slot: int, _c: None) -> None:
        """End the membership of a part in the midst of it, or open it again."""
        with suppress(ArgusError), self.plant.line.world.changing() as (session, change):
            edge_correct(
                session,
                change=change,
                edge_id=self.edges[of].edge_id,
                valid_until=None if slot % 2 else BEGIN + slot * STEP + TICK,
            )
        self.plant.invalidate_at(self.upper)

    def retract(self, of: int, slot: int, _c: None) -> None:
        with self.plant.line.world.changing() as (session, change):
            edge_retract(session, change=change, edge_id=self.edges[of].edge_id)
        since = BEGIN - HOUR if slot % 2 else BEGIN + slot * STEP
        self.edges[of] = self.plant.line.world.edge(self.upper, "HAS_PART", self.parts[of], valid_from=since)
        self.plant.invalidate_at(self.upper)

    def compute(self, rows: int, _b: int, _c: None) -> None:
        propagate(self.plant)
        self.plant.compute(rows_max=rows, buckets_max=40)

    def crash(self, _a: int, _b: int, _c: None) -> None:
        propagate(self.plant)
        self.plant.crash(_CrashError)

    def _send(self, of: int, points: list[tuple[int, Any]]) -> None:
        self.plant.send(self.devices[of], "power", [(BEGIN + slot * STEP, value) for slot, value in points])

    def _invalidate(self, of: int, first: int, until: int) -> None:
        self.plant.invalidate({self.parts[of]: [(BEGIN + first * STEP, BEGIN + (until - 1) * STEP + TICK)]})


def propagate(plant: RollupPlant) -> None:
    """Invalidate for the derive stage, so that nothing waits for it."""
    plant.line.rows("DELETE FROM dirty_windows WHERE organization_id = :o RETURNING id", o=plant.organization_id)


def rollups_make(plant: RollupPlant) -> None:
    common: dict[str, Any] = {"at_types": ["machine"]}
    for metric, aggregate in zip(METRICS, RollupAggregate, strict=False):
        if aggregate is RollupAggregate.WEIGHTED_MEAN:
            continue
        plant.create(name=metric, metric=metric, aggregate=aggregate, **common)
    worst = {"aggregate": RollupAggregate.WORST, "worst": Worst.LOWEST}
    plant.create(name="last", metric="last", **worst, **common)


def stored(plant: RollupPlant) -> dict[str, dict[Any, str]]:
    return {metric: {key: value.hex() for key, value in plant.stored(metric).items()} for metric in METRICS}


def test_buckets_with_partial_aggregates_are_those_computed_whole(
    engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Line(world_create(owner=engine("owner"), api=engine("api"), slug="partials"), engine)
    monkeypatch.setattr(partial_aggregates, "OPEN", 1)
    monkeypatch.setattr(partial_aggregates, "LEAST", 2)
    tallied = 0

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(steps=steps_drawn)
    def check(steps: list[tuple[str, int, int, Any]]) -> None:
        nonlocal tallied
        slug = f"partials-{next(_SLUGS)}"
        world = world_create(owner=engine("owner"), api=engine("api"), slug=slug)
        plant = RollupPlant(Line(world, engine, lease=first.run().lease))
        [upper] = world.entities(EntityKind.ASSET, 1, "machine")
        measured = [plant.measured() for _ in range(3)]
        edges = [world.edge(upper, "HAS_PART", part) for part, _ in measured]
        rollups_make(plant)
        plant.drain()
        machine = Machine(plant, upper, [part for part, _ in measured], [device for _, device in measured], edges)
        for name, a, b, c in steps:
            getattr(machine, name)(a, b, c)
        propagate(plant)
        plant.drain()
        delete = "DELETE FROM rollup_partial_aggregates WHERE organization_id = :o RETURNING points"
        tallied += sum(row.points > 0 for row in plant.line.rows(delete, o=plant.organization_id))
        buckets = stored(plant)
        # And all of it again, without a partial aggregate.
        plant.invalidate_at(upper)
        plant.drain()
        assert buckets == stored(plant)

    check()
    assert tallied
