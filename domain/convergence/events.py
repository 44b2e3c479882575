"""Self-check of events: recompute them from an older state than the last, or from the beginning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import uuid_array
from domain.base.packed import instant_of, micros_of
from domain.convergence.model import CheckedSpan, CheckKind, Difference
from domain.rules.evaluate import Points
from domain.rules.model import Assignment
from domain.rules.preceding import Entry, preceding_read
from domain.rules.timeline import Episode, advance, episode_carried, segments_entered
from domain.telemetry.model.attribution import END_US, Segment, Source
from domain.telemetry.store.links import sources_list
from domain.telemetry.store.scan import points_scan

POINTS_MAX: Final = 200_000

_STATES = text(
    """
    SELECT entity_id, rule_id, key, at, state FROM rule_states
    WHERE organization_id = :organization_id AND entity_id = ANY(:entities) AND at >= :retained_from AND at <= :until
    ORDER BY at
    """
)
_EVENTS = text(
    """
    SELECT entity_id, rule_id, key, began_at, opened_at, cleared_at, value, flaps FROM events
    WHERE organization_id = :organization_id AND entity_id = ANY(:entities) AND withdrawn_at IS NULL
        AND opened_at < :until AND coalesce(cleared_at, 'infinity') >= :since
    """
)
Key = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One rule at one entity (and port) from base_us on. later: stored states, (instant, text).

    initial_points: by the begin of versions, the readings before it, by metric.
    """

    key: Key
    assignment: Assignment
    sources: Sequence[Source]
    base_us: int
    state: Any
    later: Sequence[tuple[int, str]]
    initial_points: dict[int, Mapping[str, Points]] = field(default_factory=dict)


def events_check(
    session: Session,
    *,
    organization_id: int,
    assignments: Mapping[UUID, Sequence[Assignment]],
    span: CheckedSpan,
    retained_from_us: int,
) -> tuple[list[Difference], set[UUID]]:
    """Return the differences of events and stored rule states; and entities that cannot be recomputed.

    Those are evaluated from a time on of which the points are no longer kept.
    Raises LimitExceededError where more than POINTS_MAX points would have to be read.
    """
    ids = list(assignments)
    metrics = frozenset(metric for assigned in assignments.values() for item in assigned for metric in item.metrics)
    sources = sources_list(session, organization_id=organization_id, entity_ids=ids, metrics=metrics)
    wanted = {
        "organization_id": organization_id,
        "entities": uuid_array(b"".join(entity_id.bytes for entity_id in ids)),
        "retained_from": instant_of(max(retained_from_us, 0)),
        "until": instant_of(span.ends_us),
    }
    states: dict[Key, list[tuple[int, str]]] = {}
    for row in session.execute(_STATES, wanted):
        states.setdefault((row.entity_id, row.rule_id, row.key), []).append((micros_of(row.at), row.state))
    pairs, far = _pairs(assignments, sources, states, span, retained_from_us)
    stored: dict[Key, list[Any]] = {}
    wanted["since"] = instant_of(min([span.begins_us, *(pair.base_us for pair in pairs)]))
    for row in session.execute(_EVENTS, wanted):
        stored.setdefault((row.entity_id, row.rule_id, row.key), []).append(row)
    points = _points(session, organization_id, pairs, span)
    _initial_points_read(session, organization_id, pairs, span)
    differences: list[Difference] = []
    for pair, of_pair in zip(pairs, points, strict=True):
        if pair.key[0] not in far:
            differences += _compare(pair, of_pair, stored.pop(pair.key, ()), span)
    evaluated = {pair.key for pair in pairs}
    for key, rows in stored.items():
        if key not in evaluated and key[0] not in far:
            differences += _without_rule(key, rows, span)
    return differences, far


def _pairs(
    assignments: Mapping[UUID, Sequence[Assignment]],
    sources: Mapping[UUID, Sequence[Source]],
    states: Mapping[Key, Sequence[tuple[int, str]]],
    span: CheckedSpan,
    retained_from_us: int,
) -> tuple[list[_Pair], set[UUID]]:
    pairs: list[_Pair] = []
    far: set[UUID] = set()
    for entity_id, of_entity in assignments.items():
        for assignment in of_entity:
            by_port: dict[str, list[Source]] = {}
            for source in sources.get(entity_id, ()):
                if source.metric in assignment.metrics:
                    by_port.setdefault("" if source.port is None else str(source.port), []).append(source)
            for port, of_port in sorted(by_port.items()):
                key = (entity_id, assignment.rule_id, port)
                before = [item for item in states.get(key, ()) if item[0] <= span.begins_us]
                first_us = max(assignment.segments[0].begins_us, 0)
                if len(before) > 1:
                    base_us, state = before[-2][0], orjson.loads(before[-2][1])
                elif first_us >= retained_from_us:
                    base_us, state = first_us, None
                elif before:
                    base_us, state = before[-1][0], orjson.loads(before[-1][1])
                else:
                    far.add(entity_id)
                    continue
                later = [item for item in states.get(key, ()) if base_us < item[0] <= span.ends_us]
                pairs.append(_Pair(key, assignment, of_port, base_us, state, later))
    return pairs, far


def _points(
    session: Session, organization_id: int, pairs: Sequence[_Pair], span: CheckedSpan
) -> list[dict[str, Points]]:
    """Return the readings of each pair from its base to the end of the span, by metric. One statement."""
    requests: list[tuple[int, Source]] = []
    for n, pair in enumerate(pairs):
        for source in pair.sources:
            segments = [
                Segment(s.series, max(s.begins_us, pair.base_us), min(s.ends_us, span.ends_us))
                for s in source.segments
                if s.begins_us < span.ends_us and s.ends_us > pair.base_us
            ]
            requests.append((n, Source(source.entity_id, source.metric, source.port, segments)))
    points_by_pair: list[dict[str, Points]] = [{} for _ in pairs]
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[source for _, source in requests],
        begins_us=min((pair.base_us for pair in pairs), default=0),
        ends_us=span.ends_us,
        limit=POINTS_MAX,
    )
    for k, points in scanned:
        n, source = requests[k]
        points_by_pair[n][source.metric] = (points.at, points.values)
    return points_by_pair


def _initial_points_read(session: Session, organization_id: int, pairs: Sequence[_Pair], span: CheckedSpan) -> None:
    """Read the points before the beginning of each version of a pair."""
    entered = [
        (pair, segment)
        for pair in pairs
        for segment in segments_entered(pair.assignment.segments, begins_us=pair.base_us, until_us=span.ends_us)
    ]
    initial = preceding_read(
        session,
        organization_id=organization_id,
        entries=[Entry(segment, pair.sources) for pair, segment in entered],
        limit=POINTS_MAX,
    )
    for (pair, segment), points in zip(entered, initial, strict=True):
        pair.initial_points[segment.begins_us] = points


def _compare(pair: _Pair, points: Mapping[str, Points], rows: Sequence[Any], span: CheckedSpan) -> Iterator[Difference]:
    segments, state, at_us = pair.assignment.segments, pair.state, pair.base_us
    carried = episode_carried(segments, state)
    episodes = {} if carried is None else {carried.opened: carried}
    for stop_us, text_stored in (*pair.later, (span.ends_us, None)):
        new_episodes, state = advance(
            segments,
            points=points,
            state=state,
            begins_us=at_us,
            until_us=max(stop_us, at_us),
            initial_points=pair.initial_points,
        )
        episodes |= new_episodes
        at_us = max(stop_us, at_us)
        computed = orjson.dumps(state).decode()
        if text_stored is not None and text_stored != computed:
            yield _difference(CheckKind.STATES, pair.key, stop_us, text_stored, computed, pair.base_us)
    stored = {micros_of(row.opened_at): row for row in rows}
    for opened_us, episode in episodes.items():
        # What was carried is over, and not among those that were read.
        is_over = episode.cleared is not None and episode.cleared < pair.base_us
        if opened_us < span.ends_us and not (is_over and opened_us not in stored):
            yield from _episode_compare(pair, episode, stored.get(opened_us), span)
    for opened_us, row in stored.items():
        is_over = row.cleared_at is not None and micros_of(row.cleared_at) <= pair.base_us
        if opened_us not in episodes and (opened_us >= pair.base_us or not is_over):
            yield _difference(CheckKind.EVENTS, pair.key, opened_us, _stored_text(row, span), None, pair.base_us)


def _episode_compare(pair: _Pair, episode: Episode, row: Any, span: CheckedSpan) -> Iterator[Difference]:
    cleared_us = episode.cleared if episode.cleared is not None and episode.cleared < span.ends_us else None
    computed = _episode_text(episode.began, cleared_us, episode.value)
    if row is None:
        yield _difference(CheckKind.EVENTS, pair.key, episode.opened, None, computed, pair.base_us)
        return
    # An event that another was merged into since is open again, or was cleared later.
    is_merged = row.flaps > episode.flaps
    stored_cleared_us = _cleared_us(row, span)
    is_same = micros_of(row.began_at) == episode.began and row.value == episode.value
    if not is_same or not (is_merged or stored_cleared_us == cleared_us):
        yield _difference(CheckKind.EVENTS, pair.key, episode.opened, _stored_text(row, span), computed, pair.base_us)


def _without_rule(key: Key, rows: Sequence[Any], span: CheckedSpan) -> Iterator[Difference]:
    """Yield the events of a span that no rule makes any more."""
    for row in rows:
        if row.cleared_at is None or micros_of(row.cleared_at) > span.begins_us:
            opened_us = micros_of(row.opened_at)
            yield _difference(CheckKind.EVENTS, key, opened_us, _stored_text(row, span), None, opened_us)


def _cleared_us(row: Any, span: CheckedSpan) -> int | None:
    cleared_us = END_US if row.cleared_at is None else micros_of(row.cleared_at)
    return cleared_us if cleared_us < span.ends_us else None


def _stored_text(row: Any, span: CheckedSpan) -> str:
    return _episode_text(micros_of(row.began_at), _cleared_us(row, span), row.value)


def _episode_text(began_us: int, cleared_us: int | None, value: float | None) -> str:
    ends = "open" if cleared_us is None else f"cleared {_instant(cleared_us)}"
    return f"began {_instant(began_us)}, {ends}, value {value!r}"


def _instant(at_us: int) -> str:
    instant: datetime = instant_of(at_us)
    return instant.isoformat()


def _difference(  # noqa: PLR0917  (private)
    kind: CheckKind, key: Key, at_us: int, stored: str | None, computed: str | None, since_us: int
) -> Difference:
    entity_id, rule_id, port = key
    return Difference(kind, entity_id, f"{rule_id}:{port}" if port else str(rule_id), at_us, stored, computed, since_us)
