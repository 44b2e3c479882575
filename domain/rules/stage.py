"""Evaluate rules within the derive transaction: dirty spans become events. Many entities in a few statements.

What was found up to some instant is stored now and then (`rule_states`). A span is evaluated from the last such state
before it, and on behind it until a stored state says the same as was found: from there on nothing can differ. So the
events are a function of the readings, the links, the rules and the scopes, however they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, text_array, uuid_array
from domain.base.packed import Column, micros_of
from domain.rules.conditions import Threshold, counts_unheard
from domain.rules.evaluate import Points
from domain.rules.fast_path import PairKey, PairState, unaffected_pairs
from domain.rules.model import Assignment, Segment
from domain.rules.preceding import Entry, preceding_read
from domain.rules.reconcile import EvaluatedPair, EventsDone, events_reconcile
from domain.rules.statements import FORGET, LEFT, REMEMBER, STATES
from domain.rules.timeline import Episode, advance, episode_carried, segments_entered, timer_us
from domain.rules.timers import pairs_columns, timers_set
from domain.telemetry.model.attribution import END_US, Source
from domain.telemetry.model.readings import NO_PORT
from domain.telemetry.store.links import sources_list
from domain.telemetry.store.scan import POINTS_SCANNED_MAX, points_scan
from graph.ids import NewId

# A state is stored once in so much event time, at most.
STATE_EVERY_US: Final = 86_400_000_000
# Behind a dirty span, readings are read so far at a time.
CHUNK_US: Final = 31 * 86_400_000_000

# The first and last instant of event time that is written as such.
_FIRST_US: Final = 0
_LAST_US: Final = 253_370_764_800_000_000


# The watermarks of pairs, by entity.
States = Mapping[bytes, Mapping[PairKey, PairState]]


@dataclass(slots=True)
class _Pair:
    key: PairKey
    segments: Sequence[Segment]
    metrics: frozenset[str]
    begins_us: int
    ends_us: int
    state: Any = None
    from_us: int = 0
    carried: Episode | None = None
    later: list[tuple[int, str]] = field(default_factory=list)
    episodes: dict[int, Episode] = field(default_factory=dict)
    new_states: list[tuple[int, str]] = field(default_factory=list)
    at_us: int = 0
    agreed_us: int | None = None
    # By the begin of segments: the readings before it, by metric.
    initial_points: dict[int, Mapping[str, Points]] = field(default_factory=dict)
    # As of now, though nothing came: for timers only.
    waiting: Any = None


def rules_recompute(
    session: Session,
    *,
    organization_id: int,
    spans: Mapping[bytes, Sequence[tuple[int, int]]],
    assignments: Mapping[bytes, Sequence[Assignment]],
    now: datetime,
    side_effects_disabled: bool,
    new_id: NewId,
    limit: int = POINTS_SCANNED_MAX,
) -> tuple[EventsDone, States]:
    """Recompute rules over dirty spans [begins, ends) of entities (16 bytes each) from stored points.

    assignments: of each entity, none where nothing evaluates it any more. side_effects_disabled: nothing may follow
    from changed events. The states are those to go on from, once committed, by entity: of all pairs that there are, or,
    where one of them is not known, the entity is left out. Raises LimitExceededError where more than `limit` points
    would have to be read at once.
    """
    arrays_enable(session)
    now_us = micros_of(now)
    ids = [UUID(bytes=entity) for entity in spans]
    metrics = frozenset(m for item in assignments.values() for assignment in item for m in assignment.metrics)
    sources = sources_list(session, organization_id=organization_id, entity_ids=ids, metrics=metrics)
    pairs = _pairs_list(session, organization_id, spans, assignments, sources)
    _states_read(session, organization_id, pairs)
    open_pairs = [pair for pair in pairs if pair.segments]
    reach = {pair.key: max(pair.ends_us, pair.begins_us + 1) for pair in open_pairs}
    watermarks = _watermarks_read(session, organization_id, sources)
    while open_pairs:
        until = [(pair, min(reach[pair.key], watermarks.get((pair.key[0], pair.key[2]), 0) + 1)) for pair in open_pairs]
        _initial_points_read(session, organization_id, until, sources, limit)
        points = _points(
            session, organization_id=organization_id, pairs=open_pairs, sources=sources, reach=reach, limit=limit
        )
        for pair in open_pairs:
            watermark = watermarks.get((pair.key[0], pair.key[2]), 0)
            _pair_evaluate(
                pair, points.get((pair.key[0], pair.key[2]), {}), min(reach[pair.key], watermark + 1), watermark
            )
            reach[pair.key] += CHUNK_US
        open_pairs = [
            pair
            for pair in open_pairs
            if pair.agreed_us is None and pair.at_us <= watermarks.get((pair.key[0], pair.key[2]), 0)
        ]
    waiting = [(pair, now_us + 1) for pair in pairs if pair.agreed_us is None]
    _initial_points_read(session, organization_id, waiting, sources, limit)
    evaluated = [_evaluated(pair, now_us) for pair in pairs]
    done = events_reconcile(
        session,
        organization_id=organization_id,
        evaluated=evaluated,
        now=now,
        side_effects_disabled=side_effects_disabled,
        new_id=new_id,
    )
    _states_write(session, organization_id, pairs)
    _timers_write(session, organization_id, pairs, now_us)
    states: dict[bytes, dict[PairKey, PairState]] = {entity: {} for entity in spans}
    for pair in pairs:
        if pair.segments and pair.agreed_us is None:
            stored = pair.new_states[-1][0] if pair.new_states else pair.from_us
            states[pair.key[0]][pair.key] = PairState(pair.state, pair.at_us, stored)
    for pair in pairs:
        if pair.agreed_us is not None:
            # Behind there it was not evaluated: its current state is not known.
            states.pop(pair.key[0], None)
    return done, states


def rules_evaluate_incrementally(
    session: Session,
    *,
    organization_id: int,
    places: Sequence[tuple[bytes, str]],
    columns: Mapping[str, Column],
    watermarks_us: Sequence[int],
    assignments: Mapping[bytes, Sequence[Assignment]],
    states: Mapping[PairKey, PairState],
    now: datetime,
    side_effects_disabled: bool,
    new_id: NewId,
) -> tuple[EventsDone, States]:
    """Evaluate rules on readings at hand, all after each pair's watermark.

    Hot path: unaffected pairs cost no statement.
    places: entities and keys: a port, or ''. columns: by metric, whose places are these. heads_us: by place, after all
    of its readings at hand. states: of all pairs of which a reading is at hand. Returned: by entity, of these places.
    """
    now_us = micros_of(now)
    bounds = {
        metric: np.searchsorted(column.owner, np.arange(len(places) + 1)).tolist() for metric, column in columns.items()
    }
    moved: list[_Pair] = []
    new_states: dict[bytes, dict[PairKey, PairState]] = {entity: {} for entity, _ in places}
    unaffected = unaffected_pairs(places, columns, assignments, states)
    for n, (entity, place) in enumerate(places):
        for assignment in assignments[entity]:
            key = (entity, assignment.rule_id, place)
            if key not in states:
                # There is no such pair: no reading of this place was ever one that the rule reads, nor is one here.
                continue
            known = states[key]
            if key in unaffected:
                new_states[entity][key] = PairState(known.state, watermarks_us[n], known.stored_us)
                continue
            points = {
                metric: (columns[metric].at[first:last], columns[metric].values[first:last])
                for metric in assignment.metrics
                if metric in columns
                for first, last in [(bounds[metric][n], bounds[metric][n + 1])]
                if first < last
            }
            pair = _Pair(key, assignment.segments, assignment.metrics, known.watermark_us, watermarks_us[n])
            pair.state, pair.from_us, pair.at_us = known.state, known.watermark_us, known.watermark_us
            pair.carried = episode_carried(pair.segments, known.state)
            stored = known.stored_us
            if known.watermark_us - stored >= STATE_EVERY_US:
                pair.new_states.append((known.watermark_us, _text(known.state)))
                stored = known.watermark_us
            pair.episodes, pair.state = advance(
                pair.segments,
                points=points,
                state=pair.state,
                begins_us=pair.at_us,
                until_us=watermarks_us[n],
                initial_points=pair.initial_points,
            )
            pair.at_us = watermarks_us[n]
            moved.append(pair)
            new_states[entity][key] = PairState(pair.state, pair.at_us, stored)
    # What was found for the time being, as of an earlier now, may have to be taken back.
    evaluated = [_evaluated(pair, now_us) for pair in moved if pair.episodes or _may_wait(pair)]
    done = events_reconcile(
        session,
        organization_id=organization_id,
        evaluated=evaluated,
        now=now,
        side_effects_disabled=side_effects_disabled,
        new_id=new_id,
    )
    if moved:
        arrays_enable(session)
        _states_write(session, organization_id, [pair for pair in moved if pair.new_states])
        _timers_write(session, organization_id, [pair for pair in moved if _may_wait(pair)], now_us)
    return done, new_states


def key_of(port: int | None) -> str:
    """Return the pair key of a port's readings; '' for readings without a port, and for linked ones."""
    return "" if port is None or port == NO_PORT else str(port)


def states_known(
    assignments: Sequence[Assignment], states: Mapping[PairKey, PairState], begins_us: int, until_us: int
) -> bool:
    """Return whether an entity's pairs can be evaluated incrementally over [begins_us, until_us).

    states: of all of its pairs. Not where another version begins by then: the readings before it are not at hand.
    """
    segments = {assignment.rule_id: assignment.segments for assignment in assignments}
    return all(
        state.watermark_us <= begins_us
        and not any(state.watermark_us <= segment.begins_us < until_us for segment in segments[rule_id])
        for (_, rule_id, _), state in states.items()
    )


def _pairs_list(
    session: Session,
    organization_id: int,
    spans: Mapping[bytes, Sequence[tuple[int, int]]],
    assignments: Mapping[bytes, Sequence[Assignment]],
    sources: Mapping[UUID, Sequence[Source]],
) -> list[_Pair]:
    """Return all pairs of these entities; a pair whose rule no longer applies has no segments."""
    reach = {entity: (min(b for b, _ in span), max(e for _, e in span)) for entity, span in spans.items()}
    pairs: dict[PairKey, _Pair] = {}
    for entity, (begins, ends) in reach.items():
        for assignment in assignments.get(entity, ()):
            ports = {
                key_of(source.port)
                for source in sources.get(UUID(bytes=entity), ())
                if source.metric in assignment.metrics
            }
            if any(counts_unheard(segment.condition) for segment in assignment.segments):
                unheard = (entity, assignment.rule_id, key_of(None))
                if not ports:
                    ports = {key_of(None)}
                elif unheard[2] not in ports:
                    # It has been heard on a port: all that was found while it had not been is taken back.
                    pairs[unheard] = _Pair(unheard, (), frozenset(), _FIRST_US, END_US)
            for port in sorted(ports):
                key = (entity, assignment.rule_id, port)
                pairs[key] = _Pair(key, assignment.segments, assignment.metrics, max(begins, _FIRST_US), ends)
    rows = session.execute(
        LEFT,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(reach)),
            "begins": instant_array([max(begins, _FIRST_US) for begins, _ in reach.values()]),
        },
    )
    for row in rows:
        key = (row.entity_id.bytes, row.rule_id, row.key)
        begins, ends = reach[key[0]]
        pairs.setdefault(key, _Pair(key, (), frozenset(), max(begins, _FIRST_US), ends))
    return list(pairs.values())


def _states_read(session: Session, organization_id: int, pairs: Sequence[_Pair]) -> None:
    rows = session.execute(
        STATES,
        {
            "organization_id": organization_id,
            **_columns(pairs),
            "begins": instant_array([pair.begins_us for pair in pairs]),
        },
    )
    for pair in pairs:
        first = pair.segments[0].begins_us if pair.segments else pair.begins_us
        pair.from_us = pair.at_us = max(_FIRST_US, min(first, pair.begins_us))
    for row in rows:
        pair, at = pairs[row.n], micros_of(row.at)
        if at > pair.begins_us:
            pair.later.append((at, row.state))
            continue
        pair.state = orjson.loads(row.state)
        pair.from_us = pair.at_us = at
        pair.carried = episode_carried(pair.segments, pair.state)


def _watermarks_read(
    session: Session, organization_id: int, sources: Mapping[UUID, Sequence[Source]]
) -> dict[tuple[bytes, str], int]:
    """Return the watermark of each (entity, key): the time of its newest reading."""
    series = sorted({s.series.id for item in sources.values() for source in item for s in source.segments})
    rows = session.execute(
        text(
            'SELECT series_id, "timestamp" FROM latest_values'
            " WHERE organization_id = :organization_id AND series_id = ANY(:series)"
        ),
        {"organization_id": organization_id, "series": series},
    )
    newest = {row.series_id: micros_of(row.timestamp) for row in rows}
    watermarks: dict[tuple[bytes, str], int] = {}
    for entity_id, item in sources.items():
        for source in item:
            key = (entity_id.bytes, key_of(source.port))
            ends = [min(newest.get(s.series.id, 0), s.ends_us - 1) for s in source.segments]
            watermarks[key] = max([watermarks.get(key, 0), *ends])
    return watermarks


def _points(
    session: Session,
    *,
    organization_id: int,
    pairs: Sequence[_Pair],
    sources: Mapping[UUID, Sequence[Source]],
    reach: Mapping[PairKey, int],
    limit: int,
) -> dict[tuple[bytes, str], dict[str, Points]]:
    """Return the readings of each pair from its watermark up to `reach`, by (entity, key) and metric."""
    wanted: dict[tuple[bytes, str], tuple[int, int, set[str]]] = {}
    for pair in pairs:
        where = (pair.key[0], pair.key[2])
        begins, ends, metrics = wanted.get(where, (END_US, 0, set()))
        wanted[where] = min(begins, pair.at_us), max(ends, reach[pair.key]), metrics | pair.metrics
    requests: list[tuple[tuple[bytes, str], Source]] = []
    for where, (begins, ends, metrics) in wanted.items():
        for source in sources.get(UUID(bytes=where[0]), ()):
            if source.metric in metrics and where[1] == key_of(source.port):
                segments = [
                    type(s)(s.series, max(s.begins_us, begins), min(s.ends_us, ends))
                    for s in source.segments
                    if s.begins_us < ends and s.ends_us > begins
                ]
                requests.append((where, Source(source.entity_id, source.metric, source.port, segments)))
    points_by_key: dict[tuple[bytes, str], dict[str, Points]] = {}
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=[source for _, source in requests],
        begins_us=max(_FIRST_US, min((begins for begins, _, _ in wanted.values()), default=0)),
        ends_us=min(_LAST_US, max((ends for _, ends, _ in wanted.values()), default=0)),
        limit=limit,
    )
    for k, points in scanned:
        where, source = requests[k]
        points_by_key.setdefault(where, {})[source.metric] = (points.at, points.values)
    return points_by_key


def _initial_points_read(
    session: Session,
    organization_id: int,
    pairs_until: Sequence[tuple[_Pair, int]],
    sources: Mapping[UUID, Sequence[Source]],
    limit: int,
) -> None:
    """Read the points before each segment that is entered between a pair's watermark and an instant."""
    requests: list[tuple[_Pair, Entry]] = []
    for pair, until_us in pairs_until:
        entered = segments_entered(pair.segments, begins_us=pair.at_us, until_us=until_us)
        if entered:
            port = pair.key[2]
            own = [
                source
                for source in sources.get(UUID(bytes=pair.key[0]), ())
                if port == ("" if source.port is None else str(source.port))
            ]
            requests += [
                (pair, Entry(segment, own)) for segment in entered if segment.begins_us not in pair.initial_points
            ]
    if requests:
        initial = preceding_read(
            session, organization_id=organization_id, entries=[entry for _, entry in requests], limit=limit
        )
        for (pair, entry), points in zip(requests, initial, strict=True):
            pair.initial_points[entry.segment.begins_us] = points


def _pair_evaluate(pair: _Pair, points: Mapping[str, Points], until_us: int, watermark_us: int) -> None:
    """Evaluate a pair up to until_us, in steps: at stored states behind the span, and where a state is to be stored."""
    stored = pair.new_states[-1][0] if pair.new_states else pair.from_us
    while pair.at_us < until_us and pair.agreed_us is None:
        stop = min(until_us, _day_after(pair.at_us, points, until_us))
        later = [(at, state) for at, state in pair.later if pair.at_us < at <= stop and at >= pair.ends_us]
        if later:
            stop = later[0][0]
        episodes, pair.state = advance(
            pair.segments,
            points=points,
            state=pair.state,
            begins_us=pair.at_us,
            until_us=stop,
            initial_points=pair.initial_points,
        )
        pair.episodes |= episodes
        pair.at_us = stop
        if later and later[0][1] == _text(pair.state):
            pair.agreed_us = stop
        elif stop <= watermark_us and stop - stored >= STATE_EVERY_US:
            pair.new_states.append((stop, _text(pair.state)))
            stored = stop


def _day_after(at_us: int, points: Mapping[str, Points], until_us: int) -> int:
    """Return the end of the day of the next reading; there is none in between."""
    ahead = [
        int(column[0][n])
        for column in points.values()
        for n in [np.searchsorted(column[0], at_us)]
        if n < len(column[0])
    ]
    return (min(ahead) // STATE_EVERY_US + 1) * STATE_EVERY_US if ahead else until_us


def _evaluated(pair: _Pair, now_us: int) -> EvaluatedPair:
    """Return a pair's episodes, those included that only the passing of time made since the last reading."""
    carried = {} if pair.carried is None else {pair.carried.opened: pair.carried}
    episodes = carried | pair.episodes
    if pair.agreed_us is None and pair.segments:
        provisional, pair.waiting = advance(
            pair.segments,
            points={},
            state=pair.state,
            begins_us=pair.at_us,
            until_us=max(pair.at_us, now_us + 1),
            initial_points=pair.initial_points,
        )
        episodes |= provisional
    pair.episodes = episodes
    until = END_US if pair.agreed_us is None else pair.agreed_us
    if not pair.segments:
        until = pair.ends_us
    last = None if pair.agreed_us is None else episode_carried(pair.segments, pair.state)
    tail = None if last is None else last.opened
    return EvaluatedPair(
        pair.key, pair.from_us, until, None if pair.carried is None else pair.carried.opened, tail, episodes
    )


def _states_write(session: Session, organization_id: int, pairs: Sequence[_Pair]) -> None:
    if not pairs:
        return
    ends = [_LAST_US if pair.agreed_us is None else pair.agreed_us for pair in pairs]
    values = {**_columns(pairs), "begins": instant_array([pair.from_us for pair in pairs]), "ends": instant_array(ends)}
    session.execute(FORGET, {"organization_id": organization_id, **values})
    new_states = [(pair, at, state) for pair in pairs for at, state in pair.new_states]
    if new_states:
        values = {
            **_columns([pair for pair, _, _ in new_states]),
            "at": instant_array([at for _, at, _ in new_states]),
            "states": text_array(state.encode() for _, _, state in new_states),
        }
        session.execute(REMEMBER, {"organization_id": organization_id, **values})


def _may_wait(pair: _Pair) -> bool:
    last = pair.segments[-1]
    plain = isinstance(last.condition, Threshold) and not last.version.escalation
    return not plain or last.ends_us != END_US or last.begins_us >= pair.from_us


def _timers_write(session: Session, organization_id: int, pairs: Sequence[_Pair], now_us: int) -> None:
    due: dict[PairKey, int | None] = {}
    for pair in pairs:
        if pair.agreed_us is None:
            last = pair.episodes[max(pair.episodes)] if pair.episodes else None
            still = last if last is not None and last.cleared is None else None
            due[pair.key] = timer_us(pair.segments, state=pair.waiting, open_episode=still, now_us=now_us)
    timers_set(session, organization_id=organization_id, due=due)


def _columns(pairs: Sequence[_Pair]) -> dict[str, object]:
    return pairs_columns([pair.key for pair in pairs])


def _text(state: Any) -> str:
    return orjson.dumps(state).decode()
