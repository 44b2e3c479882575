"""Find the ranges that a change of links invalidates for a subscription. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.base.packed import instant_of, micros_of
from domain.telemetry.feed.feed import InvalidatedRange, Watch
from domain.telemetry.model.attribution import Link, spans_union

# Readings may lie so far in the future (`future_tolerance`); beyond it no point can have changed.
_AHEAD: Final = timedelta(minutes=5)

Span = tuple[int, int]
# What passes through a link, whenever: source, device, port, mapping.
_Passage = tuple[UUID, UUID, int | None, frozenset[tuple[str, str]] | None]


def links_invalidated(before: Watch, after: Watch, *, now: datetime) -> list[InvalidatedRange]:
    """Return the ranges in which the points of what both watches see may differ, by entity, then ascending.

    A range is as exact as the links are: whether anything was measured in it is not checked. What only one of the
    watches sees is left out: it came or went as a whole.
    """
    old, new = _spans(before), _spans(after)
    changed: dict[UUID, list[Span]] = {}
    for dependency in old.keys() | new.keys():
        source_id = dependency[0]
        if source_id in before.entity_ids and source_id in after.entity_ids:
            changed.setdefault(source_id, []).extend(spans_differing(old.get(dependency, ()), new.get(dependency, ())))
    until_us = micros_of(now + _AHEAD)
    return [
        InvalidatedRange(source_id, None, instant_of(begins_us), instant_of(min(ends_us, until_us)))
        for source_id in sorted(changed)
        for begins_us, ends_us in spans_union(changed[source_id])
        if begins_us < micros_of(now)
    ]


def spans_differing(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return the symmetric difference of two sets of spans. Each ascending, without overlaps."""
    edges: dict[int, int] = {}
    for begins, ends in (*one, *other):
        # Each edge turns "in one" into "in both" or "in none"; two at one place undo each other.
        edges[begins] = edges.get(begins, 0) ^ 1
        edges[ends] = edges.get(ends, 0) ^ 1
    boundaries = sorted(at for at, is_boundary in edges.items() if is_boundary)
    return list(zip(boundaries[::2], boundaries[1::2], strict=True))


def _spans(watch: Watch) -> dict[_Passage, list[Span]]:
    spans: dict[_Passage, list[Span]] = {}
    for link in _links(watch):
        mapping = None if link.mapping is None else frozenset(link.mapping.items())
        dependency = link.source_id, link.device_id, link.port, mapping
        spans.setdefault(dependency, []).append((link.begins_us, link.ends_us))
    return {dependency: spans_union(of_passage) for dependency, of_passage in spans.items()}


def _links(watch: Watch) -> Iterable[Link]:
    """Yield the links through which the watch may be shown anything."""
    for links in watch.links.values():
        for link in links:
            if watch.metrics is None or link.mapping is None or watch.metrics & set(link.mapping.values()):
                yield link
