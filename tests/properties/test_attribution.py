"""An asset's series depends on the links as believed now, not on the history of corrections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from uuid import UUID, uuid4

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.base.packed import Aggregate, points_merge
from domain.base.packed import Points as Columns
from domain.telemetry.model.attribution import Link, SeriesRow, linked_sources, spans_union
from domain.telemetry.store.history import telemetry_read
from testing.rows import Plant, at

Engines = Callable[[str], Engine]
Shown = dict[str, list[tuple[float, float]]]

ASSET = UUID(int=99)
END = 60

links_strategy = st.lists(
    st.builds(
        lambda device, port, span, mapping: Link(ASSET, UUID(int=device), port, min(span), max(span) + 1, mapping),
        st.integers(1, 3),
        st.sampled_from([None, 0, 1]),
        st.tuples(st.integers(0, END), st.integers(0, END)),
        st.sampled_from([None, {"t": "x"}, {"h": "x"}, {"t": "x", "h": "x"}, {}]),
    ),
    max_size=6,
)
points_strategy = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from([None, 0, 1]), st.sampled_from(["t", "h"])),
    st.sets(st.integers(0, END), max_size=8),
    max_size=8,
)


def reference(links: list[Link], stored: dict[tuple[int, int | None, str], set[int]]) -> dict[tuple[str, int], float]:
    """Ask for each point and each link whether the one lies within the other; the best bid stays."""
    bids: dict[tuple[str, int], list[tuple[int, int, str]]] = {}
    for (device, port, metric), instants in stored.items():
        for instant in instants:
            for link in links:
                name = metric if link.mapping is None else link.mapping.get(metric)
                if (
                    link.device_id == UUID(int=device)
                    and link.port == port
                    and link.begins_us <= instant < link.ends_us
                    and name is not None
                ):
                    bids.setdefault((name, instant), []).append((device, -1 if port is None else port, metric))
    return {key: number(*min(bidders)) for key, bidders in bids.items()}


def number(device: int, port: int, metric: str) -> float:
    return device * 100 + port * 10 + len(metric) + (metric == "t")


@settings(max_examples=300, deadline=None)
@given(links_strategy, points_strategy)
def test_segments_against_asking_point_by_point(
    links: list[Link], stored: dict[tuple[int, int | None, str], set[int]]
) -> None:
    rows: dict[UUID, list[SeriesRow]] = {}
    columns: dict[int, tuple[np.ndarray, float]] = {}
    for n, ((device, port, metric), instants) in enumerate(stored.items()):
        rows.setdefault(UUID(int=device), []).append(SeriesRow(n, UUID(int=device), port, metric, None, 0))
        columns[n] = (np.array(sorted(instants), dtype=np.int64), number(device, -1 if port is None else port, metric))
    got: dict[tuple[str, int], float] = {}
    for source in linked_sources(ASSET, links=links, rows_by_device=rows, metrics=None):
        parts = []
        for segment in source.segments:
            stamps, value = columns[segment.series.id]
            inside = stamps[(stamps >= segment.begins_us) & (stamps < segment.ends_us)]
            count = len(inside)
            parts.append(Columns(inside, np.full(count, value), np.zeros(count, np.int8), None))
        merged = points_merge(parts)
        got |= {(source.metric, int(a)): float(v) for a, v in zip(merged.at, merged.values, strict=True)}
    assert got == reference(links, stored)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda s: (min(s), max(s) + 1)), max_size=8))
def test_joined_spans_hold_the_same_instants_and_do_not_meet(spans: list[tuple[int, int]]) -> None:
    joined = spans_union(spans)
    assert {n for a, b in joined for n in range(a, b)} == {n for a, b in spans for n in range(a, b)}
    assert all(before[1] < after[0] for before, after in pairwise(joined))


def shown(plant: Plant, engine: Engine, assets: list[UUID]) -> list[Shown]:
    with plant.session(engine) as session:
        answers = telemetry_read(
            session,
            organization_id=plant.organization_id,
            entity_ids=assets,
            metrics=None,
            from_=at(0),
            to=at(END),
            bucket=None,
            aggregate=Aggregate.MEAN,
            timezone="UTC",
            max_points=10_000,
            now=at(END),
        )
        return [
            {s.metric: list(zip(s.timestamps.tolist(), s.values.tolist(), strict=True)) for s in answers[asset]}
            for asset in assets
        ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(swap=st.integers(0, END), ports=st.tuples(st.sampled_from([None, 0]), st.sampled_from([None, 1])))
def test_devices_swapped_in_the_past_equal_a_run_that_knew(
    engine: Engines, swap: int, ports: tuple[int | None, int | None]
) -> None:
    slug = uuid4().hex[:12]
    corrected = _plant(engine, f"{slug}a", ports)
    knew = _plant(engine, f"{slug}b", ports)
    for asset, device, port in zip(corrected.assets, corrected.devices, ports, strict=True):
        corrected.links.append(corrected.plant.link(asset, device, begins=at(0), port=port))
    before = shown(corrected.plant, engine("api"), corrected.assets)
    # Only now it becomes known that the two were exchanged at `swap`.
    for link in corrected.links:
        corrected.plant.disbelieve(link)
    for run in (corrected, knew):
        _link_swapped(run, at(swap), ports)
    after = shown(corrected.plant, engine("api"), corrected.assets)
    assert after == shown(knew.plant, engine("api"), knew.assets)
    assert sum(len(points) for asset in after for points in asset.values()) == 2 * END
    if swap < END:
        assert after != before


class _Run:
    def __init__(self, plant: Plant, devices: list[UUID], assets: list[UUID]) -> None:
        self.plant, self.devices, self.assets = plant, devices, assets
        self.links: list[UUID] = []


def _plant(engine: Engines, slug: str, ports: tuple[int | None, int | None]) -> _Run:
    plant = Plant(engine("owner"), slug)
    run = _Run(plant, [plant.entity("DEVICE"), plant.entity("DEVICE")], [plant.entity("ASSET"), plant.entity("ASSET")])
    for device, port, sign in zip(run.devices, ports, (1.0, -1.0), strict=True):
        plant.points(device, "t", [(at(n), sign * (n + 1)) for n in range(END)], port=port)
    return run


def _link_swapped(run: _Run, swap: datetime, ports: tuple[int | None, int | None]) -> None:
    first, second = run.assets
    for asset, own, other in ((first, 0, 1), (second, 1, 0)):
        if swap > at(0):
            run.plant.link(asset, run.devices[own], begins=at(0), ends=swap, port=ports[own])
        run.plant.link(asset, run.devices[other], begins=swap, port=ports[other])
