"""Runs a draft of a rule over past data: what it would have found. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.rules.conditions import condition_read, metrics_of
from domain.rules.judge import Points
from domain.rules.model import ClearedReason, RuleVersion, Scope, Segment, Severity
from domain.rules.operations import MEASURED, RuleDraft, draft_check
from domain.rules.timeline import Episode, advance, severity_of
from domain.telemetry.attribution import END_US
from domain.telemetry.links import sources_list
from domain.telemetry.packed import instant_of, micros_of
from domain.telemetry.scan import points_scan
from graph.errors import BadInputError, LimitExceededError
from graph.ids import EntityId
from graph.instants import instant_utc
from graph.paging import FIRST_MAX
from graph.tables import entities
from graph.walk.spans import BELOW, Spans, spans_below, spans_within

# What one trial looks at.
ENTITIES_MAX: Final = 10_000
READINGS_MAX: Final = 2_000_000
# Entities whose readings are held at a time.
_AT_ONCE: Final = 100
# Of a draft.
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Found:
    """An event that a draft would have found. key: the port, "" for none. cleared_at None: open at the end."""

    entity_id: UUID
    key: str
    began_at: datetime
    opened_at: datetime
    cleared_at: datetime | None
    cleared_reason: ClearedReason | None
    severity: Severity
    value: float | None
    flaps: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a draft would have found: the first of them, and how many there are.

    entities: how many had readings to judge. readings: how many these were.
    """

    found: Sequence[Found]
    total: int
    entities: int
    readings: int


def rule_try(
    session: Session, *, organization_id: int, draft: RuleDraft, begins: datetime, ends: datetime, first: int
) -> Trial:
    """Judge the readings of [begins, ends), as if the draft had been the rule from `begins` on; its own start is not.

    The earliest events come first; at `ends` nothing is known of what comes after. Raises as `rule_create`, and
    LimitExceededError above ENTITIES_MAX entities or READINGS_MAX readings.
    """
    if not 1 <= first <= FIRST_MAX:
        raise BadInputError(f"first must lie between 1 and {FIRST_MAX}.", path=("first",))
    draft_check(session, organization_id=organization_id, draft=draft)
    begins, ends = instant_utc(begins, path="from"), instant_utc(ends, path="to")
    if begins >= ends:
        raise BadInputError("to comes after from.", path=("to",))
    begins_us, ends_us = micros_of(begins), micros_of(ends)
    condition = condition_read(draft.condition)
    version = RuleVersion(
        _NOBODY, _NOBODY, begins, draft.condition, draft.severity, draft.scope, draft.action, draft.escalation,
        draft.damping, is_active=True,
    )  # fmt: skip
    scoped = _in_scope(session, organization_id, draft.scope, begins_us, ends_us)
    if len(scoped) > ENTITIES_MAX:
        raise LimitExceededError(f"A trial judges at most {ENTITIES_MAX} entities; give a narrower scope.")
    found: list[tuple[UUID, str, Episode]] = []
    judged: set[UUID] = set()
    readings = 0
    metrics = metrics_of(condition)
    for (entity_id, key), points in _readings(session, organization_id, list(scoped), metrics, (begins_us, ends_us)):
        judged.add(entity_id)
        readings += sum(len(at) for at, _ in points.values())
        if readings > READINGS_MAX:
            raise LimitExceededError(f"A trial judges at most {READINGS_MAX} readings; give a shorter time.")
        segments = [
            Segment(version, condition, begins, end, ClearedReason.SCOPE_LEFT) for begins, end in scoped[entity_id]
        ]
        episodes, _ = advance(segments, points=points, state=None, begins_us=begins_us, until_us=ends_us)
        found += [(entity_id, key, episode) for episode in episodes.values()]
    found.sort(key=lambda each: (each[2].opened, each[0], each[1]))
    return Trial([_found(*each, ends_us) for each in found[:first]], len(found), len(judged), readings)


def _in_scope(
    session: Session, organization_id: int, scope: Scope, begins_us: int, ends_us: int
) -> Mapping[UUID, Spans]:
    """Return what is in scope, and when within the trial's time; where that is to its end, for ever."""
    if scope.under_id is not None:
        nodes = spans_below(session, organization_id=organization_id, ids=[scope.under_id], hops=BELOW)
        inside = {
            entity_id: [
                (b, e if e < ends_us else END_US) for b, e in spans_within(spans, begins_us, END_US) if b < ends_us
            ]
            for entity_id, spans in nodes[EntityId(scope.under_id)].items()
        }
        chosen = [entity_id for entity_id, spans in inside.items() if spans]
    else:
        inside, chosen = {}, [] if scope.entity_id is None else [EntityId(scope.entity_id)]
    statement = select(entities.c.id).where(
        entities.c.organization_id == organization_id, entities.c.kind.in_(MEASURED)
    )
    if scope.type is not None:
        statement = statement.where(entities.c.kind == scope.kind, entities.c.type == scope.type)
    elif scope.under_id is not None or scope.entity_id is not None:
        statement = statement.where(entities.c.id.in_(chosen))
    rows = session.scalars(statement.order_by(entities.c.id).limit(ENTITIES_MAX + 1))
    return {entity_id: inside.get(entity_id, [(begins_us, END_US)]) for entity_id in rows}


def _readings(
    session: Session,
    organization_id: int,
    entity_ids: Sequence[UUID],
    metrics: frozenset[str],
    span: tuple[int, int],
) -> Iterator[tuple[tuple[UUID, str], Mapping[str, Points]]]:
    """Yield the readings of each entity and port, by metric; what has none is left out."""
    begins_us, ends_us = span
    for n in range(0, len(entity_ids), _AT_ONCE):
        sources = sources_list(
            session,
            organization_id=organization_id,
            entity_ids=entity_ids[n : n + _AT_ONCE],
            metrics=metrics,
            begins_us=begins_us,
            ends_us=ends_us,
        )
        asked = [source for each in sources.values() for source in each]
        found: dict[tuple[UUID, str], dict[str, Points]] = {}
        scanned = points_scan(
            session,
            organization_id=organization_id,
            sources=asked,
            begins_us=begins_us,
            ends_us=ends_us,
            limit=READINGS_MAX,
        )
        for k, points in scanned:
            source = asked[k]
            key = (source.entity_id, "" if source.port is None else str(source.port))
            found.setdefault(key, {})[source.metric] = (points.at, points.values)
        yield from found.items()


def _found(entity_id: UUID, key: str, episode: Episode, ends_us: int) -> Found:
    return Found(
        entity_id,
        key,
        instant_of(episode.began),
        instant_of(episode.opened),
        None if episode.cleared is None else instant_of(episode.cleared),
        episode.reason,
        severity_of(episode.version, opened=episode.opened, cleared=episode.cleared, now_us=ends_us),
        episode.value,
        episode.flaps,
    )
