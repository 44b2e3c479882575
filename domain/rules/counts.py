"""Count what rules are about: the entities in a scope, and the events that were found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, union_all
from sqlalchemy.orm import Session

from domain.definitions.groups.queries import members_select
from domain.plant.assets.tables import assets
from domain.rules.model import Scope
from domain.rules.queries import rules_get
from domain.rules.tables import events
from graph.instants import Moment, moment_resolve
from graph.sql import any_of
from graph.tables import entities
from graph.walk.below import below_select

# What readings are of.
_KINDS: Final = ("DEVICE", "ASSET", "SPACE")


def event_counts(
    session: Session, *, organization_id: int, ids: Collection[UUID], begins: datetime, ends: datetime | None
) -> Mapping[UUID, int]:
    """Return how many events of each rule opened in [begins, ends), withdrawn ones left out. One statement."""
    conditions = [
        events.c.organization_id == organization_id,
        any_of(events.c.rule_id, ids),
        events.c.withdrawn_at.is_(None),
        events.c.opened_at >= begins,
    ]
    if ends is not None:
        conditions.append(events.c.opened_at < ends)
    rows = session.execute(
        select(events.c.rule_id, func.count().label("total")).where(*conditions).group_by(events.c.rule_id)
    )
    return {**dict.fromkeys(ids, 0), **{row.rule_id: row.total for row in rows}}


def rule_entity_counts(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return how many entities are in the scope of each rule now, deleted ones left out. Three statements.

    Rules of one scope are counted together.
    """
    scopes = {
        rule_id: rule.version.scope
        for rule_id, rule in rules_get(session, organization_id=organization_id, ids=ids).items()
    }
    distinct = list(dict.fromkeys(scopes.values()))
    if not distinct:
        return {}
    moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    parts = [
        select(literal(n).label("place"), func.count().label("total"))
        .select_from(entities)
        .where(
            entities.c.organization_id == organization_id,
            entities.c.deleted_at.is_(None),
            entities.c.kind.in_(_KINDS),
            *_in_scope(organization_id, scope, moment),
        )
        for n, scope in enumerate(distinct)
    ]
    counts: dict[Scope, int] = {distinct[row.place]: row.total for row in session.execute(union_all(*parts))}
    return {rule_id: counts[scope] for rule_id, scope in scopes.items()}


def _in_scope(organization_id: int, scope: Scope, moment: Moment) -> list[ColumnElement[bool]]:
    """Return the condition on `entities` that one is in a scope now."""
    inside: Any
    if scope.entity_id is not None:
        return [entities.c.id == scope.entity_id]
    if scope.type is not None:
        return [entities.c.kind == scope.kind, entities.c.type == scope.type]
    if scope.profile_id is not None:
        inside = select(assets.c.id).where(
            assets.c.organization_id == organization_id, assets.c.profile_id == scope.profile_id
        )
    elif scope.group_id is not None:
        inside = members_select(organization_id=organization_id, group_id=scope.group_id, as_of=moment.as_of)
    elif scope.under_id is not None:
        inside = below_select(organization_id=organization_id, entity_ids=[scope.under_id], moment=moment)
    else:
        return []
    return [entities.c.id.in_(inside)]
