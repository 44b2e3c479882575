"""A port that many assets share: each has from it what it would have from a device of its own.

What is drawn is done to two organizations: in one the assets share devices; in the other each asset has a copy of every
device, which sends the same. Series, derived points, events and rollups of the assets must be the same, also when links
end, are corrected or retracted and when devices are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.base.packed import Aggregate
from domain.configuration.entity_types.operations import entity_type_update
from domain.definitions.entity_types.queries import entity_type_by_name
from domain.derivation.rollups.model import BucketSize, RollupAggregate
from domain.derivation.rollups.operations import rollup_create
from domain.derivation.rollups.rules import RollupWish
from domain.plant.devices.links import device_link
from domain.rules.model import Damping, Scope, Severity
from domain.rules.operations import RuleDraft, rule_create
from domain.telemetry.store.history import telemetry_read
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_end, edge_retract
from graph.edges.replace import edges_replace_target
from graph.errors import ArgusError
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from testing.world import EPOCH
from tests.properties.site import Leases, Site

_SLUGS = count()
BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE_US = 60_000_000
LAST = 120
DEVICES, PUMPS = 2, 3


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


FINAL = at(LAST + 60)


@dataclass(frozen=True)
class Link:
    pump: int
    device: int
    port: int | None
    begins: int
    ends: int | None
    mapping: Mapping[str, str] | None


@dataclass(frozen=True)
class Send:
    device: int
    port: int | None
    minute: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Edit:
    """Of the n-th link that was made: correct, end or retract it. Of a device: replace it by the other."""

    what: str
    number: int
    minute: int


LINK = st.builds(
    Link,
    pump=st.integers(0, PUMPS - 1),
    device=st.integers(0, DEVICES - 1),
    port=st.sampled_from([None, 1]),
    begins=st.integers(0, LAST),
    ends=st.none() | st.integers(30, LAST),
    mapping=st.sampled_from([None, None, {"t": "u", "u": "t"}, {"t": "t"}]),
)
SEND = st.builds(
    Send,
    device=st.integers(0, DEVICES - 1),
    port=st.sampled_from([None, 1]),
    minute=st.integers(0, LAST),
    metrics=st.dictionaries(st.sampled_from("tu"), st.sampled_from([10.0, 40.0, 60.0, 90.0]), min_size=1, max_size=2),
)
EDIT = st.builds(
    Edit,
    what=st.sampled_from(["from", "until", "end", "retract", "replace"]),
    number=st.integers(0, 9),
    minute=st.integers(0, LAST),
)
STEPS = st.lists(st.one_of(LINK, SEND, SEND, SEND, EDIT), min_size=6, max_size=20)


class Plant:
    """Pumps that are parts of a house. copies: by pump; all the same where the pumps share the devices."""

    def __init__(self, site: Site, *, is_shared: bool) -> None:
        self.site, world = site, site.line.world
        self.pumps = [world.entity(EntityKind.ASSET, "pump") for _ in range(PUMPS)]
        self.house = world.entity(EntityKind.ASSET, "house")
        for pump in self.pumps:
            world.edge(self.house, "HAS_PART", pump)
        # By device first: which of two devices goes before the other is by their ids.
        made = [[site.line.device() for _ in range(1 if is_shared else PUMPS)] for _ in range(DEVICES)]
        self.copies = [[copies[pump % len(copies)] for copies in made] for pump in range(PUMPS)]
        self.links: list[EdgeVersion] = []
        named = [(self.house, "house"), *((pump, f"p{n}") for n, pump in enumerate(self.pumps))]
        self.names: dict[UUID, str] = dict(named)
        self._derive()

    def _derive(self) -> None:
        organization_id = self.site.organization_id
        with self.site.line.world.changing() as (session, change):
            pump = entity_type_by_name(session, organization_id=organization_id, kind=EntityKind.ASSET, name="pump")
            assert pump is not None
            schema = {"derived": {"total": {"formula": "t + u", "maxAge": "PT30M"}}}
            entity_type_update(
                session, change=change, entity_type_id=pump.id, telemetry_schema=schema, effective_from=EPOCH
            )
        for metric in ("t", "total"):
            draft = RuleDraft(
                name=metric,
                condition={"threshold": {"metric": metric, "operator": "GT", "value": 50.0}},
                scope=Scope(kind="ASSET", type="pump"),
                severity=Severity.HIGH,
                damping=Damping(100, MINUTE_US),
                effective_from=EPOCH,
            )
            with self.site.line.world.changing() as (session, change):
                rule_create(session, change=change, draft=draft)
        wish = RollupWish(
            name="sum",
            metric="sum",
            relationship="HAS_PART",
            of_metric="t",
            of_types=["pump"],
            aggregate=RollupAggregate.SUM,
            attribute=None,
            bucket=BucketSize("PT1H", 0, timedelta(hours=1)),
        )
        with self.site.line.world.changing() as (session, change):
            rollup_create(session, change=change, wish=wish)

    def do(self, step: Link | Send | Edit) -> str | None:
        """Do it; return the code of what refused it."""
        try:
            if isinstance(step, Send):
                self.site.deliver(self._readings(step), now=FINAL)
            elif isinstance(step, Link):
                self._link(step)
            else:
                self._edit(step)
        except ArgusError as error:
            return error.code
        return None

    def _readings(self, step: Send) -> Sequence[dict[str, Any]]:
        devices = dict.fromkeys(copies[step.device] for copies in self.copies)
        port = {} if step.port is None else {"port": step.port}
        return [
            {"device_id": device, "timestamp": at(step.minute), "metrics": dict(step.metrics), **port}
            for device in devices
        ]

    def _link(self, step: Link) -> None:
        with self.site.line.world.changing() as (session, change):
            link = device_link(
                session,
                change=change,
                device_id=self.copies[step.pump][step.device],
                asset_id=self.pumps[step.pump],
                port=step.port,
                valid_from=at(step.begins),
                valid_until=None if step.ends is None else at(step.ends),
                metadata={} if step.mapping is None else {"metrics_mapping": step.mapping},
            )
        assert not link.exclusive
        self.links.append(link)

    def _edit(self, step: Edit) -> None:
        instant = at(step.minute)
        if step.what != "replace" and not self.links:
            return
        with self.site.line.world.changing() as (session, change):
            if step.what == "replace":
                pairs = [(copies[step.number % DEVICES], copies[(step.number + 1) % DEVICES]) for copies in self.copies]
                for old, new in dict.fromkeys(pairs):
                    edges_replace_target(
                        session, change=change, target_id=old, replacement_id=new, relationships=LINKS, at=instant
                    )
                return
            edge_id = self.links[step.number % len(self.links)].edge_id
            match step.what:
                case "from":
                    edge_correct(session, change=change, edge_id=edge_id, valid_from=instant)
                case "until":
                    edge_correct(session, change=change, edge_id=edge_id, valid_until=instant)
                case "end":
                    edge_end(session, change=change, edge_id=edge_id, at=instant)
                case _:
                    edge_retract(session, change=change, edge_id=edge_id)

    def state(self) -> dict[str, Any]:
        return {
            "events": self.site.events(FINAL, self.names),
            "points": self.site.points(self.names),
            "series": self._series(),
        }

    def _series(self) -> dict[tuple[str, str], list[tuple[int, float]]]:
        with self.site.line.pipeline() as session:
            answers = telemetry_read(
                session,
                organization_id=self.site.organization_id,
                entity_ids=self.pumps,
                metrics=None,
                from_=at(0),
                to=FINAL,
                bucket=None,
                aggregate=Aggregate.MEAN,
                timezone="UTC",
                max_points=10_000,
                now=FINAL,
            )
        return {
            (self.names[pump], series.metric): list(
                zip(series.timestamps.tolist(), series.values.tolist(), strict=True)
            )
            for pump in self.pumps
            for series in answers[pump]
        }


def test_a_shared_port_is_to_each_asset_as_one_of_its_own(engine: Callable[[str], Engine]) -> None:
    leases = Leases(engine("pipeline"))
    seen: dict[str, int] = {"events": 0, "points": 0, "series": 0, "refused": 0}

    @settings(
        max_examples=12,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(STEPS, st.lists(st.booleans(), min_size=20, max_size=20))
    def check(steps: list[Link | Send | Edit], drained: list[bool]) -> None:
        shared, copied = (
            Plant(Site(engine, leases, f"shared-{next(_SLUGS)}"), is_shared=is_shared) for is_shared in (True, False)
        )
        used = [{device for copies in plant.copies for device in copies} for plant in (shared, copied)]
        assert [len(devices) for devices in used] == [DEVICES, DEVICES * PUMPS]
        # So that there is something to share.
        first = [Link(pump, 0, None, 0, None, None) for pump in range(PUMPS)]
        for step, is_drained in zip([*first, *steps], [False] * PUMPS + drained, strict=False):
            refused = [plant.do(step) for plant in (shared, copied)]
            assert refused[0] == refused[1], step
            seen["refused"] += refused[0] is not None
            for plant in (shared, copied) if is_drained else ():
                plant.site.drain(FINAL)
        for plant in (shared, copied):
            plant.site.drain(FINAL)
        state = shared.state()
        assert state == copied.state()
        shared.site.recompute(FINAL)
        assert shared.state() == state
        for what, of_state in state.items():
            seen[what] += len(of_state)

    check()
    assert all(seen.values()), seen
