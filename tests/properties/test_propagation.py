"""Convergence of events and rollups over derived metrics: a rule about everything below a site, and a rollup up to it.

Any schedule of readings, corrected links, moved parts, edited formulas and an edited rule, with crashes, gives what a
plain reference makes of the raw log, the edges as believed, the formulas and the rule's versions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.derivation.rollups.compute import BucketRun, buckets_compute
from domain.derivation.rollups.model import BucketSize
from domain.derivation.rollups.operations import rollup_create
from domain.derivation.rollups.topology import RollupCache
from domain.rules.model import Scope
from domain.rules.operations import RuleDraft, rule_create, rule_update
from domain.telemetry.model.stage_cache import StageCache
from graph.edges.model import EdgeVersion
from graph.errors import ArgusError
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, Line
from testing.rollup_plant import wish
from testing.world import world_create
from tests.properties import test_derivation as deriving
from tests.properties.plain_formulas import FORMULAS
from tests.properties.test_derivation import PUMPS, Deliver, Derive, Schedule, at

_SLUGS = count()
FOR = timedelta(minutes=2)
BUCKET = timedelta(minutes=10)
THRESHOLDS: Sequence[float | None] = (1.0, 2.5, None)


@dataclass(frozen=True)
class Part:
    """Make a pump part of the site from a minute on, until another; or take a part back, or end it."""

    what: str
    pump: int
    begins: int
    ends: int | None


@dataclass(frozen=True)
class Ruling:
    """Put a threshold in force, or none, from a minute on."""

    threshold: float | None
    since: int


@dataclass(frozen=True)
class Compute:
    """Compute what is dirty of the rollup; perhaps it rolls back."""

    crashes: bool


PROPAGATION = st.one_of(
    st.builds(
        Part,
        what=st.sampled_from(["make", "retract", "end"]),
        pump=st.integers(0, PUMPS - 1),
        begins=st.integers(0, 30),
        ends=st.one_of(st.none(), st.integers(1, 31)),
    ),
    st.builds(Ruling, threshold=st.sampled_from(THRESHOLDS), since=st.integers(0, 30)),
    st.builds(Compute, crashes=st.booleans()),
)


class _CrashError(Exception):
    pass


class Propagation:
    """A schedule with a site above the pumps, a rule about what is below it, and a rollup."""

    def __init__(self, plant: DerivingPlant) -> None:
        self.schedule = Schedule(plant, FORMULAS[0])
        self.plant = plant
        self.run = BucketRun(StageCache(), RollupCache())
        self.site = plant.line.world.entity(EntityKind.ASSET, "site")
        self.parts: list[EdgeVersion] = [
            plant.line.world.edge(self.site, "HAS_PART", pump, valid_from=at(0)) for pump in self.schedule.pumps
        ]
        self.versions: dict[datetime, float | None] = {at(0): 1.0}
        with plant.line.world.changing() as (session, change):
            self.rule_id = rule_create(session, change=change, draft=self._draft(1.0, at(0))).id
        with plant.line.world.changing() as (session, change):
            rollup_create(
                session,
                change=change,
                wish=wish(metric="all", of_metric="total", of_types=["pump"], bucket=BucketSize("PT10M", 0, BUCKET)),
            )

    def _draft(self, threshold: float | None, since: datetime) -> RuleDraft:
        limit = {"metric": "total", "operator": "GT", "value": threshold or 0.0, "forUs": 120_000_000}
        return RuleDraft(
            name="much",
            condition={"threshold": limit},
            scope=Scope(under_id=self.site),
            is_active=threshold is not None,
            effective_from=since,
        )

    def step(self, step: object) -> None:
        try:
            if isinstance(step, Part):
                self._part(step)
            elif isinstance(step, Ruling):
                with self.plant.line.world.changing() as (session, change):
                    draft = self._draft(step.threshold, at(step.since))
                    rule_update(session, change=change, rule_id=self.rule_id, draft=draft)
                self.versions[at(step.since)] = step.threshold
            elif isinstance(step, Compute):
                self.compute(crashes=step.crashes)
            else:
                self.schedule.step(step)  # type: ignore[arg-type]  # one of its own
        except (_CrashError, ArgusError):
            pass

    def _part(self, step: Part) -> None:
        plant, ends = self.plant, None if step.ends is None else at(step.ends)
        if step.what == "make":
            pump = self.schedule.pumps[step.pump]
            made = plant.line.world.edge(self.site, "HAS_PART", pump, valid_from=at(step.begins), valid_until=ends)
            self.parts.append(made)
        elif step.what == "retract":
            plant.retract(self.parts[step.begins % len(self.parts)])
        else:
            plant.end(self.parts[step.begins % len(self.parts)], at(step.begins))

    def compute(self, *, crashes: bool = False) -> bool:
        with self.plant.line.pipeline() as session:
            done = buckets_compute(session, organization_id=self.plant.organization_id, run=self.run, now=NOW)
            if crashes:
                raise _CrashError
        self.run.stage_cache.keep(done.notes)
        return done.is_done and not done.taken

    def drain(self) -> None:
        """Work until nothing is dirty."""
        while True:
            self.plant.drain(chunk=timedelta(minutes=11))
            if self.compute() and not self.plant.windows():
                return

    def members(self, pump: UUID) -> list[tuple[datetime, datetime]]:
        """When a pump is part of the site, as believed."""
        rows = self.plant.line.rows(
            "SELECT lower(valid) AS b, coalesce(upper(valid), :now) AS e FROM entity_edges WHERE organization_id = :o"
            " AND source_id = :s AND target_id = :p AND relationship = 'HAS_PART' AND upper_inf(recorded) ORDER BY 1",
            o=self.plant.organization_id,
            s=self.site,
            p=pump,
            now=NOW,
        )
        joined: list[tuple[datetime, datetime]] = []
        for row in rows:
            if joined and joined[-1][1] == row.b:
                joined[-1] = (joined[-1][0], row.e)
            else:
                joined.append((row.b, row.e))
        return joined

    def totals(self, pump: UUID) -> list[tuple[datetime, float]]:
        return sorted(
            (t, v) for (p, metric, t), v in self.schedule.expected().items() if (p, metric) == (pump, "total")
        )

    def expected_events(self) -> set[tuple[UUID, datetime, datetime, datetime | None, str | None]]:
        events = set()
        times = sorted(self.versions)
        for pump in self.schedule.pumps:
            totals = self.totals(pump)
            # When which threshold evaluates the pump, and why it stops; one that follows itself at once is one.
            spans: list[tuple[datetime, datetime, float, str | None]] = []
            for since, until in zip(times, [*times[1:], NOW], strict=True):
                threshold = self.versions[since]
                for begins, ends in self.members(pump):
                    first, last = max(since, begins), min(until, ends)
                    if threshold is None or first >= last:
                        continue
                    reason = None if last == NOW else "RULE_CHANGED" if last == until else "SCOPE_LEFT"
                    if spans and spans[-1][1:3] == (first, threshold):
                        first = spans.pop()[0]
                    spans.append((first, last, threshold, reason))
            for first, last, threshold, reason in spans:
                events |= {
                    (pump, b, o, c or (None if reason is None else last), "CONDITION" if c else reason)
                    for b, o, c in machine(totals, threshold, first, last)
                }
        return events

    def stored_events(self) -> set[tuple[UUID, datetime, datetime, datetime | None, str | None]]:
        rows = self.plant.line.rows(
            "SELECT entity_id, began_at, opened_at, cleared_at, cleared_reason FROM events"
            " WHERE organization_id = :o AND withdrawn_at IS NULL",
            o=self.plant.organization_id,
        )
        assert len({tuple(row) for row in rows}) == len(rows)
        return {tuple(row) for row in rows}

    def expected_rollup(self) -> dict[datetime, float]:
        buckets: dict[datetime, list[float]] = {}
        for pump in self.schedule.pumps:
            spans = self.members(pump)
            for t, value in self.totals(pump):
                if any(begins <= t < ends for begins, ends in spans):
                    begin = t - timedelta(minutes=t.minute % 10, seconds=t.second, microseconds=t.microsecond)
                    buckets.setdefault(begin, []).append(value)
        return {begin: math.fsum(values) for begin, values in buckets.items()}

    def stored_rollup(self) -> dict[datetime, float]:
        return {
            t: float(value)
            for (entity_id, _, metric, t), value in self.plant.line.history().items()
            if (entity_id, metric) == (self.site, "all") and value is not None
        }


def machine(
    readings: Sequence[tuple[datetime, float]], threshold: float, since: datetime, until: datetime
) -> list[tuple[datetime, datetime, datetime | None]]:
    """Began, opened, cleared: held for FOR, cleared by the first reading that does not. The last reading at since is read."""
    before = [(t, v) for t, v in readings if t < since]
    within = [(t, v) for t, v in readings if since <= t < until]
    if before and not (within and within[0][0] == since):
        within.insert(0, (since, before[-1][1]))
    spans: list[tuple[datetime, datetime, datetime | None]] = []
    began: datetime | None = None
    opened: datetime | None = None
    for t, value in before:
        # It may have held for long, but none is remembered for longer than FOR.
        began = (began or t) if value > threshold else None
    began = None if began is None else max(began, since - FOR)
    for t, value in within:
        if value > threshold:
            began = began or t
            opened = opened or (t if t - began >= FOR else None)
        else:
            if began is not None and opened is not None:
                spans.append((began, opened, t))
            began = opened = None
    if began is not None and opened is not None:
        spans.append((began, opened, None))
    return spans


def readings_send(propagation: Propagation, sent: Sequence[deriving.Sent], sizes: Sequence[int]) -> None:
    """Send readings in batches of these sizes, the last batch with all that remain."""
    remaining = list(sent)
    while remaining:
        number = len(propagation.schedule.batches)
        size = sizes[number] if number < len(sizes) - 1 else len(remaining)
        propagation.schedule.send(remaining[:size])
        del remaining[:size]


@pytest.mark.slow
@settings(
    max_examples=60,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    sent=st.lists(deriving.SENT, min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 5), min_size=8, max_size=8),
    steps=st.lists(st.one_of(deriving.STEP, PROPAGATION), max_size=14),
    in_order=st.booleans(),
)
def test_any_schedule_finds_the_same_events_and_rollups(
    engine: Callable[[str], Engine],
    sent: list[deriving.Sent],
    sizes: list[int],
    steps: list[object],
    in_order: bool,
) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"f{next(_SLUGS)}"), engine)
    with transaction(engine("owner")) as session:
        # The example before this one held them.
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
    propagation = Propagation(DerivingPlant(line))
    readings_send(propagation, sorted(sent, key=lambda reading: reading.minute) if in_order else sent, sizes)
    for step in steps:
        propagation.step(step)
    for n in reversed(range(len(propagation.schedule.batches))):
        propagation.step(Deliver([n], n % 2, crashes=False, is_lost=bool(n % 3)))
    propagation.step(Derive(brings=True, crashes=False, forgets=False))
    propagation.drain()
    assert propagation.stored_events() == propagation.expected_events()
    assert propagation.stored_rollup() == pytest.approx(propagation.expected_rollup(), rel=1e-12)
