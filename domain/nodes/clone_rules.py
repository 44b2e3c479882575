"""Copy the rules that are about assets, for clones of these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from domain.rules.model import RuleVersion, Scope
from domain.rules.operations import draft_of, rule_create, rule_update
from domain.rules.queries import rules_get, versions_list
from domain.rules.tables import rule_versions, rules
from graph.change import GraphChange
from graph.entities.model import Entity
from graph.errors import LimitExceededError
from graph.sql import any_of

RULES_MAX: Final = 500


def rules_about(session: Session, *, change: GraphChange, ids: Collection[UUID]) -> list[UUID]:
    """Return the rules of no profile that any version in force, or yet to come, has about one of these assets.

    Raises LimitExceededError for more than RULES_MAX.
    """
    statement = (
        select(rules.c.id)
        .join(
            rule_versions,
            (rule_versions.c.organization_id == rules.c.organization_id) & (rule_versions.c.rule_id == rules.c.id),
        )
        .where(
            rules.c.organization_id == change.organization_id,
            rules.c.deleted_at.is_(None),
            rules.c.profile_id.is_(None),
            or_(any_of(rule_versions.c.entity_id, ids), any_of(rule_versions.c.under_id, ids)),
        )
        .distinct()
        .order_by(rules.c.id)
    )
    about = [
        rule_id
        for rule_id in session.scalars(statement)
        if any(
            _about(version.scope) in ids
            for version in _in_force(
                versions_list(session, organization_id=change.organization_id, rule_id=rule_id), change
            )
        )
    ]
    if len(about) > RULES_MAX:
        raise LimitExceededError(
            f"{len(about)} rules are about it; at most {RULES_MAX} are cloned at once.", path=("id",)
        )
    return about


def _in_force(versions: Sequence[RuleVersion], change: GraphChange) -> list[RuleVersion]:
    """Return the version in force at the change, and those that are yet to come. Pure."""
    ascending = sorted(versions, key=lambda version: version.effective_from)
    past = [version for version in ascending if version.effective_from <= change.recorded]
    return past[-1:] + ascending[len(past) :]


def _about(scope: Scope) -> UUID | None:
    return scope.entity_id or scope.under_id


def rule_clone(session: Session, *, change: GraphChange, rule_id: UUID, clones: Mapping[UUID, Entity]) -> None:
    """Create a rule about a clone, from the version in force at the change and those that are yet to come.

    clones: by their originals. Raises what `rule_create` raises.
    """
    organization_id = change.organization_id
    rule = rules_get(session, organization_id=organization_id, ids=[rule_id])[rule_id]
    made: UUID | None = None
    for version in _in_force(versions_list(session, organization_id=organization_id, rule_id=rule_id), change):
        scope, about = version.scope, _about(version.scope)
        if about is None or about not in clones:
            # A version of another scope: the copy is about the clone alone.
            continue
        clone_id = clones[about].id
        scope = replace(scope, entity_id=clone_id) if scope.entity_id else replace(scope, under_id=clone_id)
        is_later = version.effective_from > change.recorded
        copied = replace(
            draft_of(
                rule.name,
                version,
                is_active=version.is_active,
                effective_from=version.effective_from if is_later else None,
            ),
            scope=scope,
        )
        if made is None:
            made = rule_create(session, change=change, draft=copied).id
        else:
            rule_update(session, change=change, rule_id=made, draft=copied)
