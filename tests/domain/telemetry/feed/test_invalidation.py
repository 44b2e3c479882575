"""Which ranges a change of links invalidates, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.base.packed import micros_of
from domain.telemetry.feed.feed import Watch, watch_build
from domain.telemetry.feed.invalidation import links_invalidated, spans_differing
from domain.telemetry.model.attribution import Link, spans_union

T0 = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 20
ASSET, OTHER, DEVICE = UUID(int=1), UUID(int=2), UUID(int=3)

spans = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 5)).map(lambda s: (s[0], s[0] + s[1])), max_size=4)


def at(minute: int) -> int:
    return micros_of(T0 + timedelta(minutes=minute))


def minutes(of: list[tuple[int, int]]) -> set[int]:
    return {minute for begins, ends in of for minute in range(begins, ends)}


@given(one=spans, other=spans)
def test_spans_differing_are_the_symmetric_difference(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    differing = spans_differing(spans_union(one), spans_union(other))
    assert minutes(differing) == minutes(one) ^ minutes(other)
    assert differing == spans_union(differing)


links = st.lists(
    st.tuples(st.sampled_from([ASSET, OTHER]), st.integers(0, 15), st.integers(1, 5), st.sampled_from([None, 1])),
    max_size=5,
)


def watch(of: list[tuple[Any, ...]], entity_ids: set[UUID], metrics: set[str] | None = None, **rest: Any) -> Watch:
    return watch_build(
        revision=1,
        entity_ids=entity_ids,
        own_ids=(),
        links=[
            Link(source, DEVICE, port, at(begins), at(begins + duration), rest.get("mapping"))
            for source, begins, duration, port in of
        ],
        metrics=metrics,
        units={},
    )


def passing(of: list[tuple[Any, ...]], source: UUID, minute: int) -> set[Any]:
    return {
        port for source_id, begins, duration, port in of if source_id == source and begins <= minute < begins + duration
    }


@given(before=links, after=links)
def test_a_minute_is_reported_if_anything_passes_differently(before: list[Any], after: list[Any]) -> None:
    both = {ASSET, OTHER}
    reported = links_invalidated(watch(before, both), watch(after, both), now=T0 + timedelta(minutes=100))
    for source in both:
        minutes = {
            minute
            for invalidated in reported
            if invalidated.entity_id == source
            for minute in range(MINUTES)
            if invalidated.from_ <= T0 + timedelta(minutes=minute) < invalidated.to
        }
        assert minutes == {m for m in range(MINUTES) if passing(before, source, m) != passing(after, source, m)}


def test_the_future_and_complete_replacements_are_not_reported() -> None:
    now = T0 + timedelta(minutes=10)
    link = [(ASSET, 12, 5, None)]
    assert links_invalidated(watch([], {ASSET}), watch(link, {ASSET}), now=now) == []
    link = [(ASSET, 5, 100, None)]
    [invalidated] = links_invalidated(watch([], {ASSET}), watch(link, {ASSET}), now=now)
    assert (invalidated.from_, invalidated.to) == (T0 + timedelta(minutes=5), T0 + timedelta(minutes=15))
    assert links_invalidated(watch([], {OTHER}), watch(link, {ASSET, OTHER}), now=now) == []


def test_a_metric_that_does_not_pass_is_not_reported() -> None:
    now = T0 + timedelta(minutes=100)
    link = [(ASSET, 5, 10, None)]
    for metrics, count in (({"temperature"}, 1), ({"pressure"}, 0)):
        after = watch(link, {ASSET}, metrics, mapping={"t": "temperature"})
        assert len(links_invalidated(watch([], {ASSET}, metrics), after, now=now)) == count
