"""Backtest a rule draft on stored readings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.definitions.groups.queries import members_ever
from domain.plant.assets.tables import assets
from domain.rules.assignments import assignments_of, metrics_read
from domain.rules.conditions import condition_read, counts_unheard
from domain.rules.evaluate import Points
from domain.rules.model import RuleVersion
from domain.rules.operations import RuleDraft, draft_check
from domain.rules.preceding import Entry, preceding_read
from domain.rules.timeline import Episode, advance, segments_entered
from domain.telemetry.model.attribution import Source
from domain.telemetry.store.links import sources_list
from domain.telemetry.store.scan import points_scan
from graph.errors import BadInputError, LimitExceededError
from graph.instants import instant_utc
from graph.tables import entities
from graph.walk.spans import BELOW, spans_below

ENTITIES_MAX: Final = 500
POINTS_MAX: Final = 2_000_000
EPISODES_MAX: Final = 1_000
_KINDS: Final = ("DEVICE", "ASSET", "SPACE")
_NO_RULE: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result of a backtest: (entity, episode) by opening. truncated: there are more than EPISODES_MAX."""

    findings: Sequence[tuple[UUID, Episode]]
    entities: int
    points: int
    truncated: bool


def rule_backtest(
    session: Session, *, organization_id: int, draft: RuleDraft, begins: datetime, ends: datetime, now: datetime
) -> Backtest:
    """Evaluate a draft on the readings of [begins, ends), as if it had been in force then. Writes nothing.

    Raises as `rule_create` does for the draft, BadInputError where the time is none, LimitExceededError where the scope
    has more than ENTITIES_MAX entities or the time holds more than POINTS_MAX points.
    """
    draft_check(session, organization_id=organization_id, draft=draft)
    first, last = instant_utc(begins, path="from"), instant_utc(ends, path="to")
    if first >= last:
        raise BadInputError("It must end after it begins.", path=("to",))
    ids = _entities(session, organization_id, draft)
    version = RuleVersion(
        _NO_RULE,
        _NO_RULE,
        first,
        draft.condition,
        draft.severity,
        draft.scope,
        draft.action,
        draft.escalation,
        draft.damping,
        is_active=True,
    )
    assignments = assignments_of(
        session, organization_id=organization_id, entity_ids=ids, rulebook={_NO_RULE: [version]}
    )
    begins_us, until_us = micros_of(first), min(micros_of(last), micros_of(now) + 1)
    metrics = metrics_read([item for of_entity in assignments.values() for item in of_entity])
    sources = _sources(session, organization_id, assignments, metrics)
    if counts_unheard(condition_read(draft.condition)):
        heard = {entity_id for entity_id, _ in sources}
        sources |= {(entity_id, None): [] for entity_id in assignments if entity_id not in heard}
    points, count = _points(session, organization_id, sources, (begins_us, until_us))
    entered = [
        (where, segment)
        for where in sources
        for assignment in assignments[where[0]]
        for segment in segments_entered(assignment.segments, begins_us=begins_us, until_us=until_us)
    ]
    preceding = preceding_read(
        session,
        organization_id=organization_id,
        entries=[Entry(segment, sources[where]) for where, segment in entered],
        limit=POINTS_MAX,
    )
    initial_points: dict[tuple[UUID, int | None], dict[int, Mapping[str, Points]]] = {where: {} for where in sources}
    for (where, segment), points_by_metric in zip(entered, preceding, strict=True):
        initial_points[where][segment.begins_us] = points_by_metric
    trials = [
        (where[0], episode)
        for where in sources
        for assignment in assignments[where[0]]
        for episode in advance(
            assignment.segments,
            points=points.get(where, {}),
            state=None,
            begins_us=begins_us,
            until_us=until_us,
            initial_points=initial_points[where],
        )[0].values()
    ]
    trials.sort(key=lambda pair: (pair[1].opened, pair[0]))
    return Backtest(trials[:EPISODES_MAX], len(ids), count, len(trials) > EPISODES_MAX)


def _entities(session: Session, organization_id: int, draft: RuleDraft) -> list[UUID]:
    scope = draft.scope
    statement = select(entities.c.id).where(entities.c.organization_id == organization_id, entities.c.kind.in_(_KINDS))
    if scope.entity_id is not None:
        statement = statement.where(entities.c.id == scope.entity_id)
    elif scope.type is not None:
        statement = statement.where(entities.c.kind == scope.kind, entities.c.type == scope.type)
    elif scope.profile_id is not None:
        users = select(assets.c.id).where(
            assets.c.organization_id == organization_id, assets.c.profile_id == scope.profile_id
        )
        statement = statement.where(entities.c.id.in_(users))
    elif scope.group_id is not None:
        members = members_ever(organization_id=organization_id, group_id=scope.group_id)
        statement = statement.where(entities.c.id.in_(members))
    elif scope.under_id is not None:
        below = spans_below(session, organization_id=organization_id, ids=[scope.under_id], hops=BELOW)
        statement = statement.where(entities.c.id.in_({item for of_one in below.values() for item in of_one}))
    ids = list(session.scalars(statement.order_by(entities.c.id).limit(ENTITIES_MAX + 1)))
    if len(ids) > ENTITIES_MAX:
        raise LimitExceededError(f"A rule is tried on {ENTITIES_MAX} entities; narrow its scope.", path=("scope",))
    return ids


def _sources(
    session: Session, organization_id: int, entity_ids: Collection[UUID], metrics: frozenset[str]
) -> dict[tuple[UUID, int | None], list[Source]]:
    """Return the sources of entities, by entity and port."""
    sources: dict[tuple[UUID, int | None], list[Source]] = {}
    if entity_ids:
        read = sources_list(session, organization_id=organization_id, entity_ids=entity_ids, metrics=metrics)
        for source in (item for of_entity in read.values() for item in of_entity):
            sources.setdefault((source.entity_id, source.port), []).append(source)
    return sources


def _points(
    session: Session,
    organization_id: int,
    sources: Mapping[tuple[UUID, int | None], Sequence[Source]],
    span: tuple[int, int],
) -> tuple[Mapping[tuple[UUID, int | None], Mapping[str, Points]], int]:
    """Return the points of entities and ports by metric, and how many they are."""
    points_by_port: dict[tuple[UUID, int | None], dict[str, Points]] = {}
    count = 0
    if span[0] >= span[1]:
        return points_by_port, count
    requested = [source for of_port in sources.values() for source in of_port]
    scanned = points_scan(
        session,
        organization_id=organization_id,
        sources=requested,
        begins_us=max(span[0], 0),
        ends_us=span[1],
        limit=POINTS_MAX,
    )
    for n, points in scanned:
        points_by_port.setdefault((requested[n].entity_id, requested[n].port), {})[requested[n].metric] = (
            points.at,
            points.values,
        )
        count += len(points.at)
    return points_by_port, count
