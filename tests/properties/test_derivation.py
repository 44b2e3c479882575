"""Convergence of what is derived: a function of the raw log, the links and the configuration, whatever the schedule."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.exchange.replays.operations import ReplayRun, replay_order, replay_part
from domain.pipeline.attribute.stage import AssetEntry, asset_decode, asset_encode
from domain.pipeline.derive.checkpoints import Checkpoints
from domain.pipeline.derive.stage import entities_derive
from domain.pipeline.normalize.stage import batches_normalize
from domain.telemetry.feed.entries import NormEntry, norm_decode, norm_encode
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import StageCache
from graph.edges.model import EdgeVersion
from graph.entities.model import EntityPatch
from graph.entities.operations import entity_update
from graph.entities.queries import entity_get
from graph.errors import ArgusError
from runtime.database import transaction
from testing.deriving_plant import DerivingPlant
from testing.line import NOW, TOLERANCE, Line
from testing.world import new_id, world_create
from tests.properties.plain_formulas import ATTRIBUTES, FORMULAS, carried, plain

_SLUGS = count()
BEGIN = NOW - timedelta(hours=2)
DEVICES, PUMPS = 2, 2
VERSIONS = (1, 2)


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


@dataclass(frozen=True)
class Sent:
    device: int
    minute: int
    message_id: str | None
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Deliver:
    """Normalize batches; then attribute what was stored, unless the bus loses it; perhaps the whole thing rolls back."""

    batches: list[int]
    worker: int
    crashes: bool
    is_lost: bool


@dataclass(frozen=True)
class Derive:
    """Derive with what the bus has brought, or with nothing; perhaps it rolls back, or the process is another."""

    brings: bool
    crashes: bool
    forgets: bool


@dataclass(frozen=True)
class Live:
    """The next batches that nobody has delivered go all the way, one after the other."""

    batches: int


@dataclass(frozen=True)
class Again:
    """Replay everything, in parts of so many readings."""

    readings_max: int


@dataclass(frozen=True)
class Edit:
    """Change a link, the formulas or an attribute. A refused one (an overlap) changes nothing."""

    what: str
    link: int
    device: int
    pump: int
    begins: int
    ends: int | None
    formulas: int


@dataclass(frozen=True)
class Promote:
    """Put a version of the stage in force, in the past as a rule."""

    version: int
    since: int


SENT = st.builds(
    Sent,
    device=st.integers(0, DEVICES - 1),
    minute=st.integers(0, 30),
    message_id=st.sampled_from([None, None, None, "m", "n"]),
    metrics=st.dictionaries(
        st.sampled_from(["a", "b", "c", "z"]),
        st.sampled_from([0, 1, 1.1, 2.5, -3, "text", True]),
        min_size=1,
        max_size=3,
    ),
)
STEP = st.one_of(
    st.builds(
        Deliver,
        batches=st.lists(st.integers(0, 7), min_size=1, max_size=3, unique=True),
        worker=st.integers(0, 1),
        crashes=st.sampled_from([False, False, True]),
        is_lost=st.sampled_from([False, False, True]),
    ),
    st.builds(Derive, brings=st.booleans(), crashes=st.sampled_from([False, False, True]), forgets=st.booleans()),
    st.builds(Live, batches=st.integers(1, 4)),
    st.builds(Again, readings_max=st.integers(1, 9)),
    st.builds(Promote, version=st.sampled_from(VERSIONS), since=st.integers(0, 30)),
    st.builds(
        Edit,
        what=st.sampled_from(["link", "end", "move", "retract", "formulas", "map", "attribute"]),
        link=st.integers(0, 3),
        device=st.integers(0, DEVICES - 1),
        pump=st.integers(0, PUMPS - 1),
        begins=st.integers(0, 30),
        ends=st.one_of(st.none(), st.integers(1, 31)),
        formulas=st.integers(0, len(FORMULAS) - 1),
    ),
)


Step = Deliver | Derive | Edit | Live | Again | Promote


class _CrashError(Exception):
    pass


class Schedule:
    """One example: an organization, and what has been done to it."""

    def __init__(self, plant: DerivingPlant, formulas: Mapping[str, Any]) -> None:
        self.plant = plant
        self.devices = [plant.line.device() for _ in range(DEVICES)]
        self.links: list[EdgeVersion] = []
        self.batches: list[RawBatch] = []
        self.log: list[tuple[int, Sent]] = []
        self.waiting: list[NormEntry] = []
        self.delivered: set[int] = set()
        self.memories = [StageCache(), StageCache()]
        plant.formulas(formulas, since=at(0))
        self.pumps = [plant.pump() for _ in range(PUMPS)]
        self.formulas: dict[datetime, Mapping[str, Any]] = {at(0): formulas}
        self.promoted: dict[datetime, int] = {}
        # By pump: since when which attribute k was recorded, ascending.
        self.recorded: dict[UUID, list[tuple[int, Any]]] = {pump: [] for pump in self.pumps}
        for pump in self.pumps:
            self.record(pump, 0, ATTRIBUTES[0])
        self.links.append(plant.link(self.devices[0], self.pumps[0], valid_from=at(0)))

    def send(self, readings: Sequence[Sent]) -> None:
        [batch] = self.plant.line.send(
            *(
                {
                    "device_id": self.devices[sent.device],
                    "timestamp": at(sent.minute),
                    "message_id": sent.message_id,
                    "metrics": sent.metrics,
                }
                for sent in readings
            )
        )
        self.batches.append(batch)
        self.log += [(int(raw_id), sent) for raw_id, sent in zip(batch.raw_ids, readings, strict=True)]

    def step(self, step: Step) -> None:
        try:
            if isinstance(step, Live):
                for n in [n for n in range(len(self.batches)) if n not in self.delivered][: step.batches]:
                    self._deliver(Deliver([n], 0, crashes=False, is_lost=False))
                    self._derive(Derive(brings=True, crashes=False, forgets=False))
            elif isinstance(step, Again):
                assert self.replay(step.readings_max) == 0
            elif isinstance(step, Promote):
                self.plant.promote(step.version, since=at(step.since))
                self.promoted[at(step.since)] = step.version
            elif isinstance(step, Deliver):
                self._deliver(step)
            elif isinstance(step, Derive):
                self._derive(step)
            else:
                self._edit(step)
        except (_CrashError, ArgusError):
            pass

    def _deliver(self, step: Deliver) -> None:
        chosen = [self.batches[n] for n in step.batches if n < len(self.batches)]
        if not chosen:
            return
        line = self.plant.line
        line.stage_cache = self.memories[step.worker]
        with line.pipeline() as session:
            result = batches_normalize(
                session, organization_id=line.organization_id, batches=chosen, run=line.run(), now=NOW
            )
            if step.crashes:
                raise _CrashError
        line.stage_cache.keep(result.notes)
        self.delivered |= set(step.batches)
        if not step.is_lost:
            self.waiting += [norm_decode(norm_encode(entry)) for entry in result.entries]

    def replay(self, readings_max: int) -> int:
        """Return how many points were other than they should be."""
        line, replay_id = self.plant.line, new_id()
        organization_id = line.organization_id
        with transaction(line.engine("api"), organization_id) as session:
            replay_order(
                session,
                organization_id=organization_id,
                replay_id=replay_id,
                begins=at(0),
                ends=NOW,
                device_ids=None,
                dry_run=False,
                side_effects=False,
                actor="test",
                now=NOW,
            )
        run = ReplayRun(TOLERANCE, line.stage_cache, line.dependency_cache)
        while True:
            with line.pipeline() as session:
                part = replay_part(
                    session,
                    organization_id=organization_id,
                    replay_id=replay_id,
                    run=run,
                    now=NOW,
                    readings_max=readings_max,
                )
            if part.replay.state.is_over:
                return int(part.replay.changes["points"]) + int(part.replay.changes["letters"])

    def _derive(self, step: Derive) -> None:
        plant = self.plant
        if step.forgets:
            plant.checkpoints = Checkpoints()
        at_hand: list[AssetEntry] = []
        if step.brings:
            at_hand = [asset_decode(asset_encode(entry)) for entry in plant.attribute(self.waiting)]
            self.waiting = []
        run = plant.run()
        with plant.line.pipeline() as session:
            done = entities_derive(
                session,
                organization_id=plant.organization_id,
                entities=[pump.bytes for pump in self.pumps],
                at_hand=at_hand,
                run=run,
                now=NOW,
                chunk=timedelta(minutes=7),
            )
            if step.crashes:
                raise _CrashError
        plant.keep(done)

    def _edit(self, edit: Edit) -> None:
        plant, begins = self.plant, at(edit.begins)
        ends = None if edit.ends is None else at(edit.ends)
        if edit.what == "formulas":
            plant.formulas(FORMULAS[edit.formulas], since=begins)
            self.formulas[begins] = FORMULAS[edit.formulas]
            return
        if edit.what == "attribute":
            pump = self.pumps[edit.pump]
            self.record(pump, self.recorded[pump][-1][0] + 1 + edit.begins % 9, ATTRIBUTES[edit.formulas % 5])
            return
        if edit.what in {"link", "map"}:
            mapping = {"metadata": {"metrics_mapping": {"z": "a", "b": "b"}}} if edit.what == "map" else {}
            device, pump = self.devices[edit.device], self.pumps[edit.pump]
            self.links.append(plant.link(device, pump, valid_from=begins, valid_until=ends, **mapping))
            return
        link = self.links[edit.link % len(self.links)]
        if edit.what == "end":
            plant.end(link, begins)
        elif edit.what == "retract":
            plant.retract(link)
        else:
            plant.correct(link, valid_from=begins, valid_until=ends)

    def record(self, pump: UUID, minute: int, k: Any) -> None:
        """Change the attribute of a pump as if that had been recorded at a minute."""
        line, attributes = self.plant.line, {} if k is None else {"k": k}
        with line.world.changing() as (session, change):
            before = entity_get(session, organization_id=line.organization_id, entity_id=pump)
            entity_update(session, change=change, before=before, patch=EntityPatch(attributes=attributes))
        self.recorded[pump].append((minute, k))
        with transaction(line.engine("owner")) as session:
            when = {"o": line.organization_id, "was": change.recorded, "at": at(minute)}
            session.execute(
                text("UPDATE changes SET recorded_at = :at WHERE organization_id = :o AND recorded_at = :was"), when
            )
            session.execute(
                text("UPDATE dirty_windows SET begins = :at WHERE organization_id = :o AND begins = :was"), when
            )

    def k(self, pump: UUID, t: datetime) -> Any:
        """Return the attribute of a pump as recorded at a time; before the first record, as that."""
        return [k for minute, k in self.recorded[pump] if at(minute) <= t or minute == 0][-1]

    def version(self, t: datetime) -> int:
        """Return the version in force at a time."""
        return self.promoted[max(u for u in self.promoted if u <= t)] if t >= min(self.promoted, default=NOW) else 1

    def different(self, shadow: int | None) -> dict[tuple[UUID, str, datetime], tuple[int, float, int, float]]:
        """How a version in shadow must differ. None of these numbers is too great for any."""
        if shadow is None:
            return {}
        ours, theirs = self.expected(), self.expected(only=shadow)
        return {
            (pump, metric, t): (self.version(t), value, shadow, theirs[pump, metric, t])
            for (pump, metric, t), value in ours.items()
            if theirs[pump, metric, t] != value
        }

    def expected(self, *, only: int | None = None) -> dict[tuple[UUID, str, datetime], float]:
        """The expected points, in a few lines, from the raw log, the links as believed, the formulas and the versions.

        only: as if this version had always been in force.
        """
        said: dict[Any, int] = {}
        points: dict[tuple[int, str], dict[datetime, Any]] = {}
        for raw_id, sent in self.log:
            # Without a messageId a reading is known by what it says: its repeat does not win over one in between.
            content = (sent.minute, json.dumps(sent.metrics, sort_keys=True))
            if said.setdefault((sent.device, sent.message_id or content), raw_id) != raw_id:
                continue
            for name, value in sent.metrics.items():
                points.setdefault((sent.device, name), {})[at(sent.minute)] = value
        expected: dict[tuple[UUID, str, datetime], float] = {}
        for pump in self.pumps:
            inputs = self._inputs(pump, points)
            derived: dict[str, dict[datetime, Any]] = {}
            for since, until, formulas in self._versions():
                # Those of expressions read sums, or one another in this order.
                for metric, formula in sorted(
                    formulas.items(), key=lambda item: ("formula" in item[1], item[0] == "other")
                ):
                    for t, values in carried(
                        formula, inputs, {m: derived.get(m, {}) for m in formulas}, (since, until)
                    ):
                        value = plain(formula, values, self.k(pump, t), exactly=(only or self.version(t)) == 2)
                        if value is not None:
                            expected[pump, metric, t] = derived.setdefault(metric, {})[t] = value
        return expected

    def _inputs(
        self, pump: UUID, points: Mapping[tuple[int, str], Mapping[datetime, Any]]
    ) -> dict[str, dict[datetime, Any]]:
        inputs: dict[str, dict[datetime, Any]] = {}
        for device, begins, ends, mapping in sorted(self._believed(pump), reverse=True):
            for (of, name), series in points.items():
                metric = mapping.get(name) if mapping is not None else name
                if of == device and metric is not None:
                    within = {t: v for t, v in series.items() if begins <= t and (ends is None or t < ends)}
                    inputs.setdefault(metric, {}).update(within)
        return inputs

    def _versions(self) -> list[tuple[datetime, datetime, Mapping[str, Any]]]:
        times = sorted(self.formulas)
        return [(t, u, self.formulas[t]) for t, u in zip(times, [*times[1:], NOW], strict=True)]

    def _believed(self, pump: UUID) -> list[tuple[int, datetime, datetime | None, Any]]:
        rows = self.plant.line.rows(
            "SELECT target_id, lower(valid) AS b, upper(valid) AS e, metadata -> 'metrics_mapping' AS m"
            " FROM entity_edges WHERE organization_id = :o AND source_id = :s AND upper_inf(recorded)",
            o=self.plant.organization_id,
            s=pump,
        )
        return [(self.devices.index(row.target_id), row.b, row.e, row.m) for row in rows]

    def stored_points(self) -> dict[tuple[UUID, str, datetime], float | str | None]:
        return {
            (entity_id, metric, t): value
            for (entity_id, _, metric, t), value in self.plant.line.history().items()
            if entity_id in self.pumps
        }


@pytest.mark.slow
@settings(
    max_examples=120,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@example(
    # The last repeats the first, and does not win over the second.
    sent=[
        Sent(0, 7, None, {"b": 1.1, "a": 1.1}),
        Sent(0, 7, "n", {"b": "text", "a": 2.5}),
        Sent(0, 7, None, {"b": 1.1, "a": 1.1}),
    ],
    sizes=[1] * 8,
    steps=[],
    in_order=False,
    first={"total": {"sum": {"a": 0.1, "b": 0.2}, "offset": 0.3, "maxAge": "PT10M"}},
    recorded=[],
    shadow=None,
)
@given(
    sent=st.lists(SENT, min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 5), min_size=8, max_size=8),
    steps=st.lists(STEP, max_size=14),
    in_order=st.booleans(),
    first=st.sampled_from(FORMULAS),
    recorded=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(ATTRIBUTES)), max_size=3),
    shadow=st.sampled_from([None, *VERSIONS]),
)
def test_any_schedule_derives_the_same(
    engine: Callable[[str], Engine],
    sent: list[Sent],
    sizes: list[int],
    steps: list[Step],
    in_order: bool,
    first: Mapping[str, Any],
    recorded: list[tuple[int, Any]],
    shadow: int | None,
) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"d{next(_SLUGS)}"), engine)
    with transaction(engine("owner")) as session:
        # The example before this one held them.
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
    schedule = Schedule(DerivingPlant(line), first)
    for minutes, k in recorded:
        schedule.record(schedule.pumps[0], schedule.recorded[schedule.pumps[0]][-1][0] + minutes, k)
    if shadow is not None:
        schedule.plant.try_out(shadow)
    remaining = sorted(sent, key=lambda reading: reading.minute) if in_order else list(sent)
    while remaining:
        size = sizes[len(schedule.batches)] if len(schedule.batches) < len(sizes) - 1 else len(remaining)
        taken, remaining = remaining[:size], remaining[size:]
        schedule.send(taken)
    for step in steps:
        schedule.step(step)
    for n in reversed(range(len(schedule.batches))):
        schedule.step(Deliver([n], n % 2, crashes=False, is_lost=bool(n % 3)))
    schedule.step(Derive(brings=True, crashes=False, forgets=False))
    schedule.plant.drain(chunk=timedelta(minutes=11))
    assert schedule.stored_points() == schedule.expected()
    latest = line.rows(
        'SELECT s.entity_id, s.metric, l."timestamp", l.value FROM latest_values l JOIN series s USING (organization_id)'
        " WHERE s.id = l.series_id AND s.organization_id = :o AND s.entity_id = ANY(:pumps)",
        o=line.organization_id,
        pumps=schedule.pumps,
    )
    last: dict[tuple[UUID, str], tuple[datetime, float]] = {}
    for (pump, metric, t), value in sorted(schedule.expected().items(), key=lambda item: item[0][2]):
        last[pump, metric] = (t, value)
    assert {(row.entity_id, row.metric): (row.timestamp, row.value) for row in latest} == last

    # What ran in shadow all along has what one computes for the past on request.
    assert schedule.plant.differences() == schedule.different(shadow)
    other = 1 if shadow == 2 else 2
    schedule.plant.try_out(None)
    assert schedule.plant.differences() == {}
    schedule.plant.try_out(other)
    assert schedule.plant.compare(at(-1), NOW) == len(schedule.pumps)
    schedule.plant.drain(chunk=timedelta(minutes=11))
    assert schedule.plant.differences() == schedule.different(other)
    assert schedule.stored_points() == schedule.expected()
