"""Convergence: the final result is a function of the raw log, whatever the order, batching and crashes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.base.packed import instant_of, micros_of
from domain.pipeline.normalize.stage import batches_normalize
from domain.telemetry.dead_letters.model import DeadLetterFilter
from domain.telemetry.dead_letters.operations import dead_letters_retry
from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import StageCache
from runtime.database import transaction
from testing.line import NOW, Line
from testing.world import world_create

_SLUGS = count()
VALUES = st.sampled_from([0, 1, 1.0, 2.5, True, "s", "", None, [1], {"a": 1}])
FUTURE_S = 3600


@dataclass(frozen=True)
class Sent:
    """One reading as it is sent. at_s: seconds around the time of receipt, or before 1970."""

    device: int
    port: int | None
    at_s: int
    message_id: str | None
    metrics: dict[str, Any]


SENT = st.builds(
    Sent,
    device=st.integers(0, 1),
    port=st.sampled_from([None, 1]),
    at_s=st.sampled_from([-20, -10, -10, 0, FUTURE_S, -(10**10)]),
    message_id=st.sampled_from([None, None, "a", "b"]),
    metrics=st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2),
)


@dataclass(frozen=True)
class Step:
    """One transaction of a worker: which batches (by place, repeated at will), and whether it crashes.

    retries: before it, somebody has all dead letters tried again.
    """

    batches: list[int]
    worker: int
    crashes: bool
    isolates: bool
    retries: bool = False


STEP = st.builds(
    Step,
    batches=st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True),
    worker=st.integers(0, 1),
    crashes=st.booleans(),
    isolates=st.booleans(),
    retries=st.sampled_from([False, False, True]),
)


class _CrashError(Exception):
    pass


def type_of(value: Any) -> str | None:
    """The type of a point with this value; None where it can be none."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else None


# What a reading means: device, at_s, its metrics that could be points, all of them -> points, and who is refused why.
Means = Callable[[UUID, int, dict[str, Any], dict[str, Any]], tuple[dict[str, Any], set[tuple[str | None, str]]]]


def reference(
    log: list[tuple[int, UUID, Sent]], means: Means = lambda _device, _at_s, good, _sent: (good, set())
) -> dict[str, Any]:
    """The expected state, in a few lines, from the raw log alone."""
    first: dict[Any, int] = {}
    points: dict[Any, Any] = {}
    dead_letters: set[tuple[int, str | None, str]] = set()
    stored = dead = 0
    for raw_id, device, sent in sorted(log, key=lambda row: row[0]):
        said = frozenset(
            (n, type_of(v), repr(float(v)) if type_of(v) == "number" else repr(v))
            for n, v in sent.metrics.items()
            if v is not None
        )
        key = (device, sent.message_id) if sent.message_id else (device, sent.port, sent.at_s, said)
        if first.setdefault(key, raw_id) != raw_id:
            continue
        good = {n: v for n, v in sent.metrics.items() if type_of(v)}
        untimely = "FUTURE_TIMESTAMP" if sent.at_s > 300 else "BEFORE_EPOCH" if sent.at_s < -(10**9) else None
        if untimely or not said:
            dead_letters.add((raw_id, None, untimely or "NO_METRICS"))
            good = {}
        else:
            said_by_it = {n: v for n, v in sent.metrics.items() if v is not None}
            dead_letters |= {(raw_id, n, "UNSUPPORTED_VALUE") for n, v in said_by_it.items() if not type_of(v)}
            good, refused = means(device, sent.at_s, good, said_by_it)
            dead_letters |= {(raw_id, *refusal) for refusal in refused}
        for name, value in good.items():
            points[device, sent.port, name, sent.at_s] = (raw_id, type_of(value), value)
        stored, dead = stored + bool(good), dead + (not good)
    latest: dict[Any, Any] = {}
    for (device, port, name, at_s), point in sorted(points.items(), key=lambda item: item[0][3]):
        latest[device, port, name] = (at_s, *point)
    return {
        "points": points,
        "latest": latest,
        "letters": dead_letters,
        "counts": (len(log), stored, len(log) - stored - dead, dead, 0),
    }


def stored_state(line: Line) -> dict[str, Any]:
    """The stored state."""

    def value(row: Any) -> tuple[Any, ...]:
        return (row.raw_id, ("number", "boolean", "text")[row.type], row.text if row.type == 2 else row.value)

    rows = line.rows(
        'SELECT s.entity_id, s.port, s.metric, h."timestamp", h.type, h.value, h.text, h.raw_id FROM telemetry_history h'
        " JOIN series s USING (organization_id) WHERE s.id = h.series_id AND h.organization_id = :o",
        o=line.organization_id,
    )
    points = {(r.entity_id, r.port, r.metric, at_s(r.timestamp)): value(r) for r in rows}
    rows = line.rows(
        'SELECT s.entity_id, s.port, s.metric, l."timestamp", l.type, l.value, l.text, l.raw_id FROM latest_values l'
        " JOIN series s USING (organization_id) WHERE s.id = l.series_id AND l.organization_id = :o",
        o=line.organization_id,
    )
    latest = {(r.entity_id, r.port, r.metric): (at_s(r.timestamp), *value(r)) for r in rows}
    dead_letters = line.rows(
        "SELECT raw_id, metric, code FROM dead_letters WHERE organization_id = :o AND resolved_at IS NULL",
        o=line.organization_id,
    )
    counts = line.ingest_counts()
    return {
        "points": points,
        "latest": latest,
        "letters": {tuple(row) for row in dead_letters},
        "counts": (counts.received, counts.stored, counts.duplicate, counts.dead, counts.pending),
    }


def at_s(instant: Any) -> int:
    return int((instant - NOW).total_seconds())


def step_run(line: Line, step: Step, batches: list[RawBatch], memories: list[StageCache]) -> None:
    """One transaction, committed or rolled back at its very end."""
    chosen = [batches[n] for n in step.batches if n < len(batches)]
    if not chosen:
        return
    line.stage_cache = memories[step.worker]
    try:
        with line.pipeline() as session:
            result = batches_normalize(
                session,
                organization_id=line.organization_id,
                batches=chosen,
                run=line.run(),
                now=NOW,
                is_isolating=step.isolates,
            )
            if step.crashes:
                raise _CrashError
    except _CrashError:
        return
    line.stage_cache.keep(result.notes)


@pytest.mark.slow
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    sent=st.lists(SENT, min_size=1, max_size=16),
    sizes=st.lists(st.integers(1, 4), min_size=8, max_size=8),
    steps=st.lists(STEP, max_size=8),
)
def test_any_schedule_ends_in_the_same_state(
    engine: Callable[[str], Engine], sent: list[Sent], sizes: list[int], steps: list[Step]
) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"c{next(_SLUGS)}"), engine)
    with transaction(engine("owner")) as session:
        # The example before this one held it.
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
    devices = [line.device(), line.device()]
    batches: list[RawBatch] = []
    log: list[tuple[int, UUID, Sent]] = []
    remaining = list(sent)
    while remaining:
        size = sizes[len(batches)] if len(batches) < len(sizes) - 1 else len(remaining)
        taken, remaining = remaining[:size], remaining[size:]
        [batch] = line.send(*(wire(reading, devices) for reading in taken))
        batches.append(batch)
        log += [(int(raw_id), devices[r.device], r) for raw_id, r in zip(batch.raw_ids, taken, strict=True)]
    memories = [StageCache(), StageCache()]
    for step in steps:
        if step.retries:
            retry(line)
        step_run(line, step, batches, memories)
    for n in reversed(range(len(batches))):
        step_run(line, Step([n], n % 2, crashes=False, isolates=False), batches, memories)
    assert stored_state(line) == reference(log)
    [lease] = line.rows("SELECT position FROM stage_leases")
    rows = line.rows(
        "SELECT feed_position FROM raw_batches WHERE organization_id = :o ORDER BY 1", o=line.organization_id
    )
    positions = [row.feed_position for row in rows]
    # Each commit has the next position; a batch that was tried again bears its last.
    assert len(set(positions)) == len(batches)
    assert positions[-1] == lease.position
    if not any(step.retries for step in steps):
        assert positions == list(range(lease.position - len(batches) + 1, lease.position + 1))
    last_seen = line.rows("SELECT last_seen_at FROM device_presence WHERE organization_id = :o", o=line.organization_id)
    assert [row.last_seen_at for row in last_seen] == [NOW] * len({reading.device for reading in sent})


def retry(line: Line) -> None:
    """Have every dead letter tried again."""
    with transaction(line.engine("api"), line.organization_id) as session:
        where = DeadLetterFilter(begins=NOW - timedelta(days=1))
        dead_letters_retry(session, organization_id=line.organization_id, where=where)


def wire(sent: Sent, devices: list[UUID]) -> dict[str, Any]:
    at = instant_of(micros_of(NOW + timedelta(seconds=sent.at_s))) if sent.at_s > -(10**9) else "1950-01-01T00:00:00Z"
    return {
        "device_id": devices[sent.device],
        "port": sent.port,
        "timestamp": at,
        "message_id": sent.message_id,
        "metrics": sent.metrics,
    }
