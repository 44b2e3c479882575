"""Telemetry schemas: once everything has been processed again, the stored points are what the schemas say, whenever they came."""

from __future__ import annotations

import math
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

from domain.telemetry.model.readings import RawBatch
from domain.telemetry.model.stage_cache import StageCache
from runtime.database import transaction
from testing.line import NOW, Line
from testing.world import world_create
from tests.properties.test_convergence import (
    FUTURE_S,
    STEP,
    Sent,
    Step,
    reference,
    retry,
    step_run,
    stored_state,
    type_of,
    wire,
)

_SLUGS = count()
_TYPES = ["A", "B", None]

SENT = st.builds(
    Sent,
    device=st.integers(0, 1),
    port=st.sampled_from([None, None, 1]),
    at_s=st.sampled_from([-20, -10, -10, 0, FUTURE_S]),
    message_id=st.sampled_from([None, None, None, "a"]),
    metrics=st.dictionaries(
        st.sampled_from(["x", "y", "z"]), st.sampled_from([0, 1, 2.5, 9, True, "s", [1]]), max_size=3
    ),
)
METRIC: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("NUMBER"),
        "unit": st.sampled_from(["m", "cm"]),
        "min": st.sampled_from([1, 150]),
        "max": st.sampled_from([200, 800.5]),
        "required": st.booleans(),
    },
) | st.sampled_from(
    [
        {"type": "BOOLEAN"},
        {"type": "TEXT", "required": True},
        {"unit": "cm", "sentUnit": "m"},
        {"unit": "cm", "sentUnit": "m", "max": 150},
    ]
)


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    metrics = draw(st.dictionaries(st.sampled_from(["x", "y"]), METRIC, max_size=2))
    renamed: dict[str, str] = draw(st.sampled_from([{}, {}, {"x": "y", "y": "x"}, {"x": "z"}, {"x": "v", "y": "w"}]))
    of = {name: {**metric, "rename": renamed[name]} if name in renamed else metric for name, metric in metrics.items()}
    stored = [metric.get("rename", name) for name, metric in of.items()]
    schema = {"metrics": of if len(set(stored)) == len(stored) else metrics}
    unknown = draw(st.sampled_from([None, "keep", "refuse", "drop"]))
    return schema if unknown is None else {**schema, "unknown": unknown}


@dataclass(frozen=True)
class Edit:
    """A schema for a type from a time on; or, where schema is None, another type for a device."""

    type_name: str
    begins_s: int
    schema: dict[str, Any] | None
    device: int
    to: str | None


EDIT = st.builds(
    Edit,
    type_name=st.sampled_from(["A", "A", "B"]),
    begins_s=st.sampled_from([-100, -20, -15, -10, -5, 0, 5]),
    schema=st.one_of(schemas(), schemas(), schemas(), st.none()),
    device=st.integers(0, 1),
    to=st.sampled_from(_TYPES),
)


def means(schema: dict[str, Any], good: dict[str, Any], sent: dict[str, Any]) -> Any:
    """A plain reference of applying a schema to metrics."""
    values: dict[str, Any] = {}
    refused: set[tuple[str | None, str]] = set()
    known = schema.get("metrics", {})
    unknown = schema.get("unknown", "keep")
    for name, value in good.items():
        metric = known.get(name)
        if metric is None:
            claimed = any(
                other in sent and rule.get("rename") == name for other, rule in known.items() if other != name
            )
            if unknown == "refuse":
                refused.add((name, "UNKNOWN_METRIC"))
            elif unknown == "keep" and claimed:
                refused.add((name, "NAME_TAKEN"))
            elif unknown == "keep":
                values[name] = value
            continue
        is_number = bool({"min", "max", "sentUnit"} & set(metric))
        wanted = metric.get("type", "NUMBER" if is_number else str(type_of(value)).upper()).lower()
        if type_of(value) != wanted:
            refused.add((name, "WRONG_TYPE"))
            continue
        stored = value * 100 if "sentUnit" in metric else value
        if wanted == "number" and not metric.get("min", -math.inf) <= stored <= metric.get("max", math.inf):
            refused.add((name, "OUT_OF_RANGE"))
            continue
        values[metric.get("rename", name)] = stored
    refused |= {(n, "METRIC_MISSING") for n, metric in known.items() if metric.get("required") and n not in sent}
    if not values and not refused and good == sent:
        refused.add((None, "NOTHING_KEPT"))
    return values, refused


@dataclass
class World:
    """The schemas and types as the edits so far left them."""

    versions: dict[str, dict[int, dict[str, Any]]]
    types: list[str | None]

    def edit(self, line: Line, edit: Edit, devices: list[UUID]) -> None:
        if edit.schema is not None:
            self.versions[edit.type_name][edit.begins_s] = edit.schema
            line.schema(edit.type_name, edit.schema, begins=NOW + timedelta(seconds=edit.begins_s))
            return
        self.types[edit.device] = edit.to
        with line.world.changing() as (session, _):
            session.execute(
                text("UPDATE entities SET type = :t WHERE organization_id = :o AND id = :d"),
                {"t": edit.to, "o": line.organization_id, "d": devices[edit.device]},
            )

    def at(self, device: int, at_s: int) -> dict[str, Any] | None:
        versions = self.versions.get(self.types[device] or "", {})
        begins = [version for version in versions if version <= at_s]
        return versions[max(begins)] if begins else None

    def unit(self, device: int, at_s: int, stored: str) -> str | None:
        schema = self.at(device, at_s) or {}
        named = {metric.get("rename", name): metric for name, metric in schema.get("metrics", {}).items()}
        unit: str | None = named.get(stored, {}).get("unit")
        return unit


@pytest.mark.slow
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    sent=st.lists(SENT, min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 4), min_size=6, max_size=6),
    steps=st.lists(STEP | EDIT, max_size=10),
    last=st.permutations(range(12)),
    together=st.booleans(),
)
def test_reprocessed_readings_agree_with_the_schemas(
    engine: Callable[[str], Engine],
    sent: list[Sent],
    sizes: list[int],
    steps: list[Step | Edit],
    last: list[int],
    together: bool,
) -> None:
    line = Line(world_create(owner=engine("owner"), api=engine("api"), slug=f"s{next(_SLUGS)}"), engine)
    with transaction(engine("owner")) as session:
        # The example before this one held it.
        session.execute(text("UPDATE stage_leases SET expires_at = '-infinity'"))
    devices = [line.device(type_name="A"), line.device(type_name="B")]
    world = World({"A": {}, "B": {}}, ["A", "B"])
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
        if isinstance(step, Edit):
            world.edit(line, step, devices)
            continue
        if step.retries:
            retry(line)
        step_run(line, step, batches, memories)
    line.reopen()
    order = [n for n in last if n < len(batches)]
    for some in [order] if together else [[n] for n in order]:
        step_run(line, Step(some, some[0] % 2, crashes=False, isolates=some[0] % 3 == 0), batches, memories)

    def by_schema(device: UUID, at_s: int, good: dict[str, Any], said: dict[str, Any]) -> Any:
        schema = world.at(devices.index(device), at_s)
        return (good, set()) if schema is None else means(schema, good, said)

    expected = reference(log, by_schema)
    assert stored_state(line) == expected
    rows = line.rows(
        "SELECT s.entity_id, s.port, s.metric, s.unit FROM series s JOIN latest_values l USING (organization_id)"
        " WHERE l.series_id = s.id AND s.organization_id = :o",
        o=line.organization_id,
    )
    assert {(row.entity_id, row.port, row.metric): row.unit for row in rows} == {
        (device, port, name): world.unit(devices.index(device), at_s, name)
        for (device, port, name), (at_s, *_) in expected["latest"].items()
    }
