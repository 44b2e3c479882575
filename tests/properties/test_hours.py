"""Buckets read by the hour equal buckets read by the point, bit for bit, whatever was written and summarized when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.base.packed import Aggregate, Series
from domain.telemetry.store import bucketed
from domain.telemetry.store.history import telemetry_read
from domain.telemetry.store.hourly_build import hours_aggregate, hours_complete_until
from domain.telemetry.store.retention import RetentionPolicy, partition_drop, partitions_outdated
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.model import EdgeVersion
from graph.kinds import EntityKind
from runtime.database import engine_create, transaction
from testing.line import NOW, Line
from testing.servers import TestServers
from testing.world import world_create

_SLUGS = count()
# The clocks of Berlin go forward on the 29th.
BEGIN = datetime(2026, 3, 28, tzinfo=UTC)
MINUTES = 3 * 24 * 60

values = st.one_of(
    st.floats(-100, 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5),
    st.booleans(),
    st.sampled_from(["on", "off"]),
)
# Many in few hours, so that hours have several points and are written to again.
minutes = st.one_of(st.integers(0, 5 * 60), st.integers(0, MINUTES))


@dataclass(frozen=True)
class Write:
    device: int
    points: list[tuple[int, Any]]


@dataclass(frozen=True)
class Summarize:
    """So many transactions of it. until: up to which minute hours have been given up by those who write."""

    rounds: int


@dataclass(frozen=True)
class Read:
    entity: int
    begins: int
    minutes: int
    bucket: tuple[int, timedelta]
    aggregate: Aggregate
    zone: str


writes = st.builds(Write, st.integers(0, 1), st.lists(st.tuples(minutes, values), min_size=1, max_size=8))
summaries = st.builds(Summarize, st.integers(1, 3))
reads = st.builds(
    Read,
    st.integers(0, 2),
    st.one_of(st.integers(0, MINUTES), st.integers(0, 72).map(lambda hour: hour * 60)),
    st.integers(1, MINUTES),
    st.sampled_from(
        [
            (0, timedelta(hours=1)),
            (0, timedelta(hours=6)),
            (0, timedelta(days=1)),
            (0, timedelta(minutes=30)),
            (0, timedelta(minutes=15)),
            (0, timedelta(minutes=10)),
            (0, timedelta(hours=7)),
            (1, timedelta()),
        ]
    ),
    st.sampled_from(list(Aggregate)),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"]),
)


def swapped(line: Line) -> list[UUID]:
    """Make two devices and an asset that has one after the other, the swap within an hour."""
    devices = [line.device(), line.device()]
    asset = line.world.entity(EntityKind.ASSET)
    swap = BEGIN + timedelta(minutes=140)
    with line.world.changing() as (session, change):
        drafts = [
            EdgeDraft(
                source_id=asset, target_id=device, relationship="MONITORED_BY", valid_from=begins, valid_until=ends
            )
            for device, begins, ends in ((devices[0], BEGIN, swap), (devices[1], swap, None))
        ]
        assert all(isinstance(edge, EdgeVersion) for edge in edges_create(session, change=change, drafts=drafts))
    return [*devices, asset]


@pytest.fixture
def plants(engine: Callable[[str], Engine]) -> Callable[[], tuple[Line, list[UUID]]]:
    """Make a line with two devices and an asset that has one after the other, the swap within an hour."""

    lines: list[Line] = []

    def make() -> tuple[Line, list[UUID]]:
        line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"hours{next(_SLUGS)}"), engine)
        # One lease for all: no two work at once.
        line.lease = lines[0].run().lease if lines else None
        lines.append(line)
        return line, swapped(line)

    return make


def shown(line: Line, entity_id: UUID, read: Read) -> list[tuple[Any, ...]]:
    begins = BEGIN + timedelta(minutes=read.begins)
    with transaction(line.engine("api"), line.organization_id) as session:
        series: Sequence[Series] = telemetry_read(
            session,
            organization_id=line.organization_id,
            entity_ids=[entity_id],
            metrics=None,
            from_=begins,
            to=begins + timedelta(minutes=read.minutes),
            bucket=read.bucket,
            aggregate=read.aggregate,
            timezone=read.zone,
            max_points=1000,
            now=NOW,
        )[entity_id]
    # + 0.0: of both zeros there is one. NaN is made one, too.
    return [
        (
            s.metric,
            s.type,
            s.timestamps.tolist(),
            (np.nan_to_num(s.values, nan=np.nan) + 0.0).tobytes(),
            s.texts,
            s.incomplete,
        )
        for s in series
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(writes, summaries, reads), min_size=3, max_size=14), last=st.lists(reads, min_size=2))
def test_hours_say_what_points_say(
    plants: Callable[[], tuple[Line, list[UUID]]],
    monkeypatch: pytest.MonkeyPatch,
    steps: list[Write | Summarize | Read],
    last: list[Read],
) -> None:
    line, entities = plants()
    with transaction(line.engine("owner")) as session:
        session.execute(
            text("INSERT INTO hours_progress (organization_id, until) VALUES (:o, :b)"),
            {"o": line.organization_id, "b": BEGIN},
        )
    for step in [*steps, Summarize(1_000), *last]:
        match step:
            case Write(device, points):
                line.normalize(
                    line.send(
                        *(
                            {
                                "device_id": entities[device],
                                "timestamp": BEGIN + timedelta(minutes=minute),
                                "metrics": {"m": value},
                            }
                            for minute, value in points
                        )
                    )
                )
            case Summarize(rounds):
                with line.pipeline() as session:
                    complete_until = hours_complete_until(session)
                for _ in range(rounds):
                    with line.pipeline() as session:
                        if hours_aggregate(
                            session, organization_id=line.organization_id, complete_until=complete_until
                        ).is_done:
                            break
            case Read(entity):
                by_hours = shown(line, entities[entity], step)
                with monkeypatch.context() as patch:
                    patch.setattr(bucketed, "hours_suffice", lambda _: False)
                    by_points = shown(line, entities[entity], step)
                assert by_hours == by_points


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(writes, min_size=1, max_size=4), requested=st.lists(reads, min_size=3, max_size=8))
def test_buckets_read_after_points_were_dropped_are_those_from_before_or_are_reported_incomplete(
    servers: TestServers, written: list[Write], requested: list[Read]
) -> None:
    """In a database of its own: a month is dropped for all."""
    database = servers.database_create()
    engines = {role: engine_create(database.url(role), pool_size=2) for role in ("owner", "api", "pipeline", "ingest")}
    try:
        line = Line(world_create(owner=engines["owner"], api=engines["api"], slug="dropped"), engines.__getitem__)
        entities = swapped(line)
        for write in written:
            line.normalize(
                line.send(
                    *(
                        {
                            "device_id": entities[write.device],
                            "timestamp": BEGIN + timedelta(minutes=minute),
                            "metrics": {"m": value},
                        }
                        for minute, value in write.points
                    )
                )
            )
        line.summarize()
        before = [shown(line, entities[read.entity], read) for read in requested]
        retention = RetentionPolicy(None, NOW - datetime(2026, 4, 1, tzinfo=UTC))
        with transaction(engines["pipeline"]) as session:
            for month in partitions_outdated(session, retention=retention, now=NOW):
                assert not month.is_unfinished
                partition_drop(session, month)
        for read, was in zip(requested, before, strict=True):
            now = shown(line, entities[read.entity], read)
            assert [item for item in now if not item[-1]] == [
                old for old, item in zip(was, now, strict=True) if not item[-1]
            ]
            assert not any(item[-1] for item in was)
    finally:
        for engine in engines.values():
            engine.dispose()
        servers.database_drop(database)
