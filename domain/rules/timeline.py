"""Compute a rule's events from one entity's readings, version by version in event time. Pure.

Within a version, flaps are damped by a fold over the spans, from left to right: a function of the data alone. Like the
evaluate's, its state can be carried, and stored as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from domain.rules.evaluate import Points, Span, State, due_us, evaluate
from domain.rules.model import SEVERITIES, ClearedReason, Damping, RuleVersion, Segment, Severity
from domain.telemetry.model.attribution import END_US
from graph.stopping import stop_check

# What a state has of its last event: five values, and a sixth where it is over and was another version's.
_LAST_EVENT_FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class Episode:
    """An event as computed from the data. flaps: how many later spans were merged into it.

    Instants are microseconds.
    """

    version: RuleVersion
    began: int
    opened: int
    cleared: int | None
    reason: ClearedReason | None
    value: float | None
    flaps: int


def advance(
    segments: Sequence[Segment],
    *,
    points: Mapping[str, Points],
    state: State,
    begins_us: int,
    until_us: int,
    initial_points: Mapping[int, Mapping[str, Points]],
) -> tuple[dict[int, Episode], State]:
    """Evaluate readings of [begins_us, until_us); return changed episodes, by when they opened, and the new state.

    state: that at begins_us. Of an episode that opened before, it has all that is needed. initial_points: by the begin
    of each of `segments_entered` within the time, the readings before it, by metric; see `evaluate`. An instant at
    which one segment ends and another begins is the earlier one's until it is evaluated beyond it: what comes then may
    be edited without what was found up to there.
    """
    result: dict[int, Episode] = {}
    before: Segment | None = None
    for n, segment in enumerate(segments):
        stop_check()
        begins, until = max(begins_us, segment.begins_us), min(until_us, segment.ends_us)
        is_own = state is not None and state[0] == segment.key
        if begins >= until and not is_own:
            before = segment
            continue
        initial: Mapping[str, Points] | None = None
        if is_own:
            condition_state, folded = state[1], state[2]
        elif segment.continues and before is not None and state is not None and state[0] == before.key:
            condition_state, folded = state[1], _handed_over(state[2], before)
        else:
            condition_state, folded = None, None
            initial = initial_points[segment.begins_us] if begins == segment.begins_us else None
        within = {metric: _within(column, begins, until) for metric, column in points.items()}
        spans, condition_state = evaluate(
            segment.condition,
            points=within,
            state=condition_state,
            until_us=until,
            since_us=segment.since_us,
            initial=initial,
        )
        episodes, folded = _fold(segment, spans, folded, segments)
        goes_on = n + 1 < len(segments) and segments[n + 1].continues
        if segment.ends_us <= until_us and not goes_on:
            episodes = {opened: _ended(episode, segment) for opened, episode in episodes.items()}
        state = None if segment.ends_us < until_us and not goes_on else [segment.key, condition_state, folded]
        result |= episodes
        before = segment
    return result, state


def segments_entered(segments: Sequence[Segment], *, begins_us: int, until_us: int) -> list[Segment]:
    """Return the segments that begin in [begins_us, until_us) and do not go on from the one before."""
    return [s for s in segments if not s.continues and begins_us <= s.begins_us < until_us]


def severity_of(version: RuleVersion, *, opened: int, cleared: int | None, now_us: int) -> Severity:
    """Return the severity of an event after the time it has been open."""
    length = (now_us if cleared is None else cleared) - opened
    reached = [version.severity, *(step.severity for step in version.escalation if step.after_us <= length)]
    return max(reached, key=SEVERITIES.index)


def timer_us(segments: Sequence[Segment], *, state: State, open_episode: Episode | None, now_us: int) -> int | None:
    """Return the next instant after now_us at which time alone may change the outcome; None: never."""
    # Where a version begins, the readings before it are evaluated though none comes.
    dues = [segment.begins_us for segment in segments]
    current = next((s for s in segments if state is not None and s.key == state[0]), None)
    if current is not None:
        due = due_us(current.condition, state=state[1], after_us=now_us)
        dues += [] if due is None else [due]
    if open_episode is not None:
        dues += [open_episode.opened + step.after_us for step in open_episode.version.escalation]
        dues += [] if current is None or current.ends_us == END_US else [current.ends_us]
    return min((due for due in dues if due > now_us), default=None)


def episode_carried(segments: Sequence[Segment], state: State) -> Episode | None:
    """Return the last event of a state, as of that state: provisional changes since are not part of it."""
    segment = next((item for item in segments if state is not None and item.key == state[0]), None)
    return None if segment is None or state[2] is None else _episode(segment, state[2][1], segments)


def _within(points: Points, begins_us: int, until_us: int) -> Points:
    first, last = np.searchsorted(points[0], [begins_us, until_us])
    return points[0][first:last], points[1][first:last]


def _fold(
    segment: Segment, spans: Sequence[Span], state: Any, segments: Sequence[Segment]
) -> tuple[dict[int, Episode], Any]:
    """Merge spans that come too often (flaps). state: when the latest events opened, the last event, and its last span.

    An event is of the last version in which it was open.
    """
    recent, last, last_span = ([], None, None) if state is None else state
    recent = list(recent)
    current = None if last is None else _episode(segment, last, segments)
    episodes: dict[int, Episode] = {}
    version, damping = segment.version, segment.version.damping
    for span in spans:
        if current is not None and span.opened == last_span:
            current = _cleared(current, span, version)
        elif current is not None and _is_too_often(recent, span, damping):
            current = replace(_cleared(current, span, version), flaps=current.flaps + 1)
        else:
            recent = [*recent, span.opened][-damping.max_events :]
            current = _cleared(Episode(version, span.began, span.opened, None, None, span.value, 0), span, version)
        last_span = span.opened
        episodes[current.opened] = current
    if current is None:
        return episodes, None
    last_fields: list[Any] = [current.began, current.opened, current.cleared, current.value, current.flaps]
    if current.version is not version:
        last_fields.append(current.version.id.hex)
    return episodes, [recent, last_fields, last_span]


def _handed_over(folded: Any, before: Segment) -> Any:
    """Return the fold state that one segment hands to the next; a cleared event carries its version."""
    if folded is None or folded[1][2] is None or len(folded[1]) > _LAST_EVENT_FIELDS:
        return folded
    return [folded[0], [*folded[1], before.version.id.hex], folded[2]]


def _is_too_often(recent: Sequence[int], span: Span, damping: Damping) -> bool:
    return sum(opened > span.opened - damping.per_us for opened in recent) >= damping.max_events


def _episode(segment: Segment, last: Sequence[Any], segments: Sequence[Segment]) -> Episode:
    began, opened, cleared, value, flaps = last[:_LAST_EVENT_FIELDS]
    version = segment.version
    if len(last) > _LAST_EVENT_FIELDS:
        version = next((item.version for item in segments if item.version.id.hex == last[_LAST_EVENT_FIELDS]), version)
    reason = None if cleared is None else ClearedReason.CONDITION
    return Episode(version, began, opened, cleared, reason, value, flaps)


def _cleared(episode: Episode, span: Span, version: RuleVersion) -> Episode:
    reason = None if span.cleared is None else ClearedReason.CONDITION
    return replace(episode, version=version, cleared=span.cleared, reason=reason)


def _ended(episode: Episode, segment: Segment) -> Episode:
    if episode.cleared is not None:
        return episode
    return replace(episode, cleared=segment.ends_us, reason=segment.reason)
