"""Events and rollups equal a plain reference, however the work is spread over processes that share nothing.

Each stage of each partition has a memory of its own and takes a reading at a time; devices and entities are spread by
the real hashes; statements, connections and commits fail at any point, and processes are replaced. What is stored in the
end is also what evaluating and deriving everything again finds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import redis
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.base.streams import ATTRIBUTE, DERIVE, NORMALIZE
from domain.configuration.profiles.operations import asset_profile_set, profile_create
from domain.derivation.rollups.model import BucketSize
from domain.derivation.rollups.operations import rollup_create
from domain.rules.assignments import assignments_of
from domain.rules.model import Damping, Scope, Severity, Step
from domain.rules.operations import RuleDraft, rule_create
from domain.rules.queries import rulebook_read
from graph.kinds import EntityKind
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import Line
from testing.rollup_plant import wish
from testing.shared_nothing import DATA, LOST, UNANNOUNCED, Processes, processes_open
from testing.world import EPOCH, world_create
from tests.properties.plain_rules import Readings, severity_at, times_of

_SLUGS = count()
T0 = datetime(2026, 4, 1, tzinfo=UTC)
END = T0 + timedelta(days=3)
MINUTE = 60_000_000
DEVICES = 4
# With it no event is merged into the one before.
DAMPING = Damping(100, MINUTE)


@dataclass(frozen=True)
class Send:
    """A device sends of an instant, so long after the one before, and the stages take it up as far as `until`."""

    device: int
    port: int | None
    minutes: int
    metrics: tuple[tuple[str, float | str | bool], ...]
    until: str = DERIVE


@dataclass(frozen=True)
class Fail:
    """A statement to come fails, or a commit."""

    kind: str
    after: int


@dataclass(frozen=True)
class Restart:
    """Another process takes a stage over."""

    stage: str
    partition: int


VALUES = st.sampled_from([90.0, 10.0, 90.0, 10.0, 55.0, 40.0, "off", True])
METRICS = st.lists(
    st.tuples(st.sampled_from(["t", "u"]), VALUES), min_size=1, max_size=2, unique_by=lambda pair: pair[0]
).map(tuple)
SEND = st.builds(
    Send,
    device=st.sampled_from([1, 1, 0, 2, 3]),
    port=st.sampled_from([None, None, None, 1, 1, 2]),
    minutes=st.sampled_from([1, 1, 2, 3, 6, 20, 0, -15]),
    metrics=METRICS,
    until=st.sampled_from([DERIVE, DERIVE, DERIVE, DERIVE, ATTRIBUTE, NORMALIZE]),
)
FAIL = st.builds(Fail, kind=st.sampled_from([DATA, LOST, UNANNOUNCED]), after=st.integers(0, 40))
RESTART = st.builds(Restart, stage=st.sampled_from([NORMALIZE, ATTRIBUTE, DERIVE]), partition=st.integers(0, 2))
STEP = st.one_of(SEND, SEND, SEND, SEND, SEND, SEND, FAIL, RESTART)


def _threshold(metric: str, value: float, least: int, clear: int, clear_for: int) -> dict[str, Any]:
    limits = {"value": value, "forUs": least * MINUTE, "clearValue": value - clear, "clearForUs": clear_for * MINUTE}
    return {"threshold": {"metric": metric, "operator": "GT", **limits}}


PLAIN = st.builds(lambda: _threshold("t", 50.0, 0, 0, 0))
THRESHOLD = st.builds(
    _threshold,
    metric=st.sampled_from(["t", "t", "u", "total", "all"]),
    value=st.sampled_from([50.0, 80.0]),
    least=st.sampled_from([0, 0, 5]),
    clear=st.sampled_from([0, 30]),
    clear_for=st.sampled_from([0, 0, 4]),
)
NO_DATA = st.builds(
    lambda metric, after, heard: {"noData": {"metric": metric, "afterUs": after * MINUTE, **heard}},
    st.sampled_from(["t", "u", "total"]),
    st.sampled_from([7, 60]),
    st.sampled_from([{}, {"everHeard": False}]),
)
EXPRESSION = st.sampled_from([{"expression": "t > 50.0"}, {"expression": "t + u > 100.0"}])
LEAF = st.one_of(PLAIN, THRESHOLD, THRESHOLD, NO_DATA, EXPRESSION)
# Beside those that are drawn: one that most devices come to open and clear.
WATCHED = _threshold("t", 50.0, 0, 0, 0)
CONDITION = st.one_of(
    LEAF,
    LEAF,
    st.builds(lambda one: {"allOf": [one, {"expression": "t > 30.0"}]}, st.one_of(NO_DATA, THRESHOLD)),
    st.builds(lambda one: {"anyOf": [{"expression": "u > 85.0"}, one]}, st.one_of(NO_DATA, EXPRESSION)),
)
ESCALATION = st.sampled_from([(), (Step(6 * MINUTE, Severity.CRITICAL),)])
WHERE = st.sampled_from(["device", "device", "asset", "site", "devices", "assets", "under", "organization", "profile"])
RULES = st.lists(st.tuples(WHERE, CONDITION, ESCALATION), min_size=1, max_size=3)


class Spread:
    """Four devices, of which assets and a space below a site are made, with what is derived of them."""

    def __init__(self, line: Line, rules: Sequence[tuple[str, dict[str, Any], Sequence[Step]]]) -> None:
        self.line = line
        self.plant = DerivingPlant(line)
        self.at = T0 + timedelta(hours=1)
        world = line.world
        self.plant.formulas({"total": {"formula": "t + u"}}, since=EPOCH)
        self.devices = [line.device(type_name="meter") for _ in range(DEVICES)]
        self.pump, self.tank = self.plant.pump(), world.entity(EntityKind.ASSET, "tank")
        with transaction(line.engine("owner"), line.organization_id) as session:
            session.execute(
                text(
                    "INSERT INTO assets (organization_id, id) SELECT :o, u FROM unnest(CAST(:ids AS uuid[])) AS u (u)"
                ),
                {"o": line.organization_id, "ids": [str(self.pump), str(self.tank)]},
            )
        self.site = world.entity(EntityKind.ASSET)
        self.space = world.entity(EntityKind.SPACE)
        self.linked: dict[UUID, list[tuple[UUID, int | None]]] = {
            self.pump: [(self.devices[0], None), (self.devices[1], 1)],
            self.tank: [(self.devices[2], None)],
            self.site: [],
            self.space: [],
        }
        for asset, links in self.linked.items():
            for device, port in links:
                world.edge(asset, "MONITORED_BY", device, port=port)
        world.edge(self.site, "HAS_PART", self.pump)
        world.edge(self.site, "HAS_PART", self.tank)
        world.edge(self.tank, "LOCATED_IN", self.space)
        world.edge(self.devices[3], "LOCATED_IN", self.space)
        with world.changing() as (session, change):
            profile = profile_create(session, change=change, name="P", effective_from=EPOCH).id
            asset_profile_set(session, change=change, asset_id=self.tank, profile_id=profile)
        with world.changing() as (session, change):
            bucket = BucketSize("PT10M", 0, timedelta(minutes=10))
            total = wish(metric="all", of_metric="t", of_types=["pump", "tank"], bucket=bucket)
            rollup_create(session, change=change, wish=total)
        scopes = {
            "device": Scope(entity_id=self.devices[1]),
            "asset": Scope(entity_id=self.pump),
            "site": Scope(entity_id=self.site),
            "devices": Scope(kind="DEVICE", type="meter"),
            "assets": Scope(kind="ASSET", type="pump"),
            "under": Scope(under_id=self.space),
            "organization": Scope(),
            "profile": Scope(profile_id=profile),
        }
        self.rule_ids: list[UUID] = []
        for n, (where, condition, escalation) in enumerate(rules):
            with world.changing() as (session, change):
                draft = RuleDraft(
                    name=f"rule {n}",
                    condition=condition,
                    scope=scopes[where],
                    escalation=escalation,
                    damping=DAMPING,
                    effective_from=EPOCH,
                )
                self.rule_ids.append(rule_create(session, change=change, draft=draft).id)

    def check(self) -> None:
        """See to it that no device is wrong of which nothing waits: later, one that is may come to be recomputed."""
        self.look()
        waiting = {row.e for row in self.line.rows("SELECT DISTINCT entity_id AS e FROM dirty_windows")}
        rows = self.line.rows(
            "SELECT entity_id, key, opened_at, cleared_at FROM events WHERE withdrawn_at IS NULL AND rule_id = :r",
            r=self.rule_ids[0],
        )
        devices = {*self.devices} - waiting
        assert {tuple(row) for row in rows if row.entity_id in devices} == {
            (device, key, time.opened, time.cleared)
            for device in devices
            for key, readings in self.read(device).items()
            for time in times_of(WATCHED, readings, END)
        }

    @property
    def entities(self) -> list[UUID]:
        return [*self.devices, *self.linked]

    def step(self, processes: Processes, step: Send | Fail | Restart) -> None:
        if isinstance(step, Fail):
            processes.faults.arm(step.kind, step.after)
        elif isinstance(step, Restart):
            processes.restart(step.stage, step.partition % processes.partitions)
        else:
            at = self.at = self.at + timedelta(minutes=step.minutes)
            processes.clock.now = max(processes.clock.now, at)
            reading = {"device_id": self.devices[step.device], "port": step.port, "timestamp": at}
            batches = self.line.send({**reading, "metrics": dict(step.metrics)}, at=processes.clock.now)
            processes.publish(batches)
            for stage in (NORMALIZE, ATTRIBUTE, DERIVE):
                # A device's readings are taken up in its own partition, what they mean to entities in those of theirs.
                own = [batch.partition for batch in batches]
                for partition in range(processes.partitions) if stage == DERIVE else own:
                    processes.poll(stage, partition)
                if stage == step.until:
                    break

    def again(self, processes: Processes) -> None:
        """Have everything derived and recomputed, from points alone, by processes that know nothing."""
        for partition in range(processes.partitions):
            processes.restart(DERIVE, partition)
        with transaction(self.line.engine("owner"), self.line.organization_id) as session:
            session.execute(text("DELETE FROM rule_states"))
            session.execute(
                text(
                    "INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)"
                    " SELECT :o, u, :begins, :ends, 'link' FROM unnest(CAST(:ids AS uuid[])) AS u (u)"
                ),
                {
                    "o": self.line.organization_id,
                    "ids": [str(entity) for entity in self.entities],
                    "begins": T0 - timedelta(days=1),
                    "ends": END,
                },
            )

    def expected(self) -> set[tuple[Any, ...]]:
        with self.line.world.session() as session:
            stored_assignments = assignments_of(
                session,
                organization_id=self.line.organization_id,
                entity_ids=self.entities,
                rulebook=rulebook_read(session, organization_id=self.line.organization_id),
            )
        events: set[tuple[Any, ...]] = set()
        for entity_id, assignments in stored_assignments.items():
            for assignment in assignments:
                version = assignment.segments[-1].version
                read = self.read(entity_id)
                heard = [key for key, readings in read.items() if any(map(readings.get, assignment.metrics))]
                for key in heard or [""]:
                    for time in times_of(version.condition, read.get(key, {}), END, EPOCH):
                        severity = severity_at(version.severity, version.escalation, time, END)
                        events.add((entity_id, assignment.rule_id, key, time.opened, time.cleared, severity))
        return events

    def read(self, entity_id: UUID) -> dict[str, Readings]:
        """What an entity is read as, by port: of two points at one time its own goes first, then the smaller device's."""
        series: dict[str, dict[str, dict[datetime, float | None]]] = {}
        if entity_id in self.devices:
            sources = [(entity_id, port, "" if port is None else str(port)) for port in (None, 1, 2)]
        else:
            sources = [(entity_id, None, ""), *((device, port, "") for device, port in self.linked[entity_id])]
        for owner, port, key in sources:
            for (of, at_port, metric, at), value in self.history.items():
                if (of, at_port) == (owner, port):
                    number = None if isinstance(value, str) or value is None else float(value)
                    series.setdefault(key, {}).setdefault(metric, {}).setdefault(at, number)
        return {
            key: {metric: sorted(points.items(), key=lambda point: point[0]) for metric, points in of_key.items()}
            for key, of_key in series.items()
        }

    def events(self) -> set[tuple[Any, ...]]:
        rows = self.line.rows(
            "SELECT entity_id, rule_id, key, opened_at, cleared_at, severity FROM events"
            " WHERE organization_id = :o AND withdrawn_at IS NULL",
            o=self.line.organization_id,
        )
        assert len({tuple(row) for row in rows}) == len(rows)
        return {tuple(row) for row in rows}

    def look(self) -> None:
        """Take the points in history."""
        self.history = self.line.history()

    def rolled(self) -> dict[datetime, float]:
        """The expected rollup of the site."""
        sums: dict[datetime, list[float]] = {}
        for asset in (self.pump, self.tank):
            for at, number in self.read(asset).get("", {}).get("t", []):
                if number is not None:
                    begin = at - timedelta(minutes=at.minute % 10)
                    sums.setdefault(begin, []).append(number)
        return {begin: math.fsum(numbers) for begin, numbers in sums.items()}


@pytest.mark.slow
@settings(
    max_examples=25,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    rules=RULES,
    steps=st.lists(STEP, min_size=10, max_size=20),
    partitions=st.integers(2, 3),
)
@example(
    rules=[("device", _threshold("t", 50.0, 0, 0, 0), ())],
    steps=[Send(1, None, 1, (("t", value),)) for value in (10.0, 10.0, 90.0, 90.0, 10.0)],
    partitions=2,
)
def test_events_are_the_same_whatever_processes_find_them(
    engine: Callable[[str], Engine],
    bus: redis.Redis,
    bus_url: str,
    rules: list[tuple[str, dict[str, Any], Sequence[Step]]],
    steps: list[Send | Fail | Restart],
    partitions: int,
) -> None:
    bus.flushall()
    world = world_create(owner=engine("owner"), api=engine("api"), slug=f"p{next(_SLUGS)}")
    line = Line(world, engine, partitions=partitions)
    with transaction(engine("owner")) as session:
        # The example before this one held them, and left timers.
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
        session.execute(text("DELETE FROM rule_timers"))
    spread = Spread(line, [("devices", WATCHED, ()), *rules])
    with processes_open(
        engine=engine, url=bus_url, partitions=partitions, organization_id=line.organization_id, now=T0
    ) as processes:
        for step in steps:
            spread.step(processes, step)
            spread.check()
        processes.faults.kind = None
        processes.clock.now = END
        processes.drain()
        spread.look()
        assert spread.events() == spread.expected()
        rolled = {
            at: value for (of, _, metric, at), value in spread.history.items() if (of, metric) == (spread.site, "all")
        }
        assert rolled == pytest.approx(spread.rolled())
        events = spread.events()
        spread.again(processes)
        processes.drain()
        assert (spread.events(), line.history()) == (events, spread.history)
