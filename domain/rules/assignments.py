"""Assign rules to entities: versions by event time, cut by when an entity is in their scope."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.definitions.groups.queries import memberships_read
from domain.plant.assets.tables import assets
from domain.rules.conditions import Condition, condition_read, condition_since, counts_unheard, metrics_of
from domain.rules.model import Assignment, ClearedReason, RuleVersion, Segment
from domain.rules.queries import Rulebook
from domain.telemetry.model.attribution import BEGIN_US, END_US
from graph.ids import EntityId
from graph.sql import any_of
from graph.tables import entities
from graph.walk.spans import BELOW, Spans, spans_above

_COMPILED_MAX: Final = 20_000
_ALWAYS: Spans = [(BEGIN_US, END_US)]


def assignments_of(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], rulebook: Rulebook
) -> dict[UUID, list[Assignment]]:
    """Return the rules assigned to each entity, by rule id; entities without any are left out.

    A deleted entity is evaluated up to its deletion: its history remains. Statements: one, one for each level above the
    entities where any rule is about what is below something, and one where any rule is about a group.
    """
    rows = session.execute(
        select(
            entities.c.id,
            entities.c.kind,
            entities.c.type,
            entities.c.created_at,
            entities.c.deleted_at,
            assets.c.profile_id,
        )
        .outerjoin(assets, (assets.c.organization_id == entities.c.organization_id) & (assets.c.id == entities.c.id))
        .where(entities.c.organization_id == organization_id, any_of(entities.c.id, entity_ids))
    ).all()
    above: Mapping[EntityId, Mapping[EntityId, Spans]] = {}
    if any(version.scope.under_id is not None for versions in rulebook.values() for version in versions):
        above = spans_above(session, organization_id=organization_id, ids=[row.id for row in rows], hops=BELOW)
    scopes = (version.scope for versions in rulebook.values() for version in versions)
    groups = {scope.group_id for scope in scopes if scope.group_id is not None}
    memberships: Mapping[UUID, Mapping[UUID, Spans]] = {}
    if groups:
        memberships = memberships_read(
            session, organization_id=organization_id, group_ids=groups, entity_ids=[row.id for row in rows]
        )
    by_place = _by_place(rulebook)
    assignments: dict[UUID, list[Assignment]] = {}
    for row in rows:
        member_of = memberships.get(row.id, {})
        places = (row.id, (row.kind, row.type), row.profile_id, *member_of, None)
        concerned = {rule_id: None for place in places for rule_id in by_place.get(place, ())}
        for rule_id in sorted(concerned):
            segments = _segments(rulebook[rule_id], row, above, member_of)
            if segments:
                metrics = frozenset().union(*(metrics_of(segment.condition) for segment in segments))
                assignments.setdefault(row.id, []).append(Assignment(rule_id, segments, metrics))
    return assignments


def _segments(
    versions: Sequence[RuleVersion],
    entity: Any,
    above: Mapping[EntityId, Mapping[EntityId, Spans]],
    member_of: Mapping[UUID, Spans],
) -> list[Segment]:
    """Return the segments of a rule at an entity: which version applies when. versions: ascending. entity: its row.

    member_of: when it is a member of which group.
    """
    deleted = END_US if entity.deleted_at is None else micros_of(entity.deleted_at)
    segments: list[Segment] = []
    for n, version in enumerate(versions):
        if not version.is_active:
            continue
        begins = micros_of(version.effective_from)
        ends = micros_of(versions[n + 1].effective_from) if n + 1 < len(versions) else END_US
        for span in _spans(version, entity, above, member_of):
            first, last = max(begins, span[0]), min(ends, span[1], deleted)
            if first >= last:
                continue
            reason = ClearedReason.RULE_CHANGED if last == ends else ClearedReason.SCOPE_LEFT
            if last == deleted:
                reason = ClearedReason.ENTITY_DELETED
            condition = _condition(version)
            if counts_unheard(condition):
                condition = condition_since(condition, micros_of(entity.created_at))
            before = segments[-1] if segments else None
            goes_on = before is not None and before.ends_us == first and before.condition == condition
            since = before.since_us if before is not None and goes_on else first
            segments.append(Segment(version, condition, first, last, since, reason))
    return segments


def _by_place(rulebook: Rulebook) -> dict[UUID | tuple[str | None, str | None] | None, list[UUID]]:
    """Index rules by their scope: an entity, a kind and type, a profile, a group; under None all others."""
    by_place: dict[UUID | tuple[str | None, str | None] | None, list[UUID]] = {}
    for rule_id, versions in rulebook.items():
        for version in versions:
            scope = version.scope
            place: UUID | tuple[str | None, str | None] | None = None
            if scope.entity_id is not None:
                place = scope.entity_id
            elif scope.type is not None:
                place = (scope.kind, scope.type)
            elif scope.profile_id is not None:
                place = scope.profile_id
            elif scope.group_id is not None:
                place = scope.group_id
            of_place = by_place.setdefault(place, [])
            if rule_id not in of_place[-1:]:
                of_place.append(rule_id)
    return by_place


def _condition(version: RuleVersion) -> Condition:
    return _compiled(orjson.dumps(version.condition))


@lru_cache(maxsize=_COMPILED_MAX)
def _compiled(condition: bytes) -> Condition:
    # Rules are read again whenever a link or a rule changes; their conditions are the same ones.
    return condition_read(orjson.loads(condition))


def metrics_read(assignments: Sequence[Assignment]) -> frozenset[str]:
    """Return the metrics that the rules of an entity read."""
    return frozenset().union(*(assignment.metrics for assignment in assignments))


def _spans(
    version: RuleVersion,
    entity: Any,
    above: Mapping[EntityId, Mapping[EntityId, Spans]],
    member_of: Mapping[UUID, Spans],
) -> Spans:
    """Return when an entity is in a version's scope. entity: its row: id, kind, type, profile_id."""
    scope = version.scope
    if scope.entity_id is not None:
        return _ALWAYS if scope.entity_id == entity.id else []
    if scope.type is not None:
        return _ALWAYS if (scope.kind, scope.type) == (entity.kind, entity.type) else []
    if scope.profile_id is not None:
        return _ALWAYS if scope.profile_id == entity.profile_id else []
    if scope.group_id is not None:
        return member_of.get(scope.group_id, [])
    if scope.under_id is not None:
        return above.get(EntityId(entity.id), {}).get(EntityId(scope.under_id), [])
    return _ALWAYS
