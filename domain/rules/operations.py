"""Write rules. Each version counts from an instant of event time on; a trigger invalidates what it affects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.definitions.groups.model import GroupKind
from domain.definitions.groups.queries import group_get
from domain.definitions.profiles.tables import asset_profiles
from domain.rules.actions import action_check
from domain.rules.conditions import LENGTH_MAX_US, condition_read
from domain.rules.model import SEVERITIES, Damping, Rule, RuleVersion, Scope, Severity, Step
from domain.rules.queries import rule_get, rules_get, versions_list
from domain.rules.tables import rule_versions, rules
from graph.change import GraphChange, change_record
from graph.entities.queries import entities_get
from graph.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from graph.instants import instant_utc
from graph.json_bounds import text_check
from graph.kinds import EntityKind

RULES_MAX: Final = 10_000
VERSIONS_MAX: Final = 1_000
STEPS_MAX: Final = 10
EVENTS_MAX: Final = 1_000
NAME_MAX_CHARS: Final = 200
_SCOPES: Final = ("entity_id", "type", "under_id", "profile_id", "group_id")
# What readings are of.
_MEASURED: Final = (EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """A draft of a rule. condition: as JSON; see `conditions.py`. effective_from: None: from now on."""

    name: str
    condition: Mapping[str, Any]
    scope: Scope = field(default_factory=Scope)
    severity: Severity = Severity.MEDIUM
    action: Mapping[str, Any] = field(default_factory=dict)
    escalation: Sequence[Step] = ()
    damping: Damping = field(default_factory=Damping)
    is_active: bool = True
    effective_from: datetime | None = None


def rule_create(session: Session, *, change: GraphChange, draft: RuleDraft, owner_id: UUID | None = None) -> Rule:
    """Create a rule. owner_id: the profile that defines it.

    Raises BadInputError, LimitExceededError, NotFoundError for what it names.
    """
    draft_check(session, organization_id=change.organization_id, draft=draft)
    count = session.execute(
        select(func.count()).where(rules.c.organization_id == change.organization_id, rules.c.deleted_at.is_(None))
    ).scalar_one()
    if count >= RULES_MAX:
        raise LimitExceededError(f"An organization has at most {RULES_MAX} rules.")
    rule_id = change.new_id()
    session.execute(
        insert(rules),
        {
            "organization_id": change.organization_id,
            "id": rule_id,
            "name": draft.name,
            "created_at": change.recorded,
            "updated_at": change.recorded,
            "profile_id": owner_id,
        },
    )
    _version_write(session, change, rule_id, draft)
    rule = rule_get(session, organization_id=change.organization_id, rule_id=rule_id)
    _record(session, change, "created", None, rule)
    return rule


def rule_update(
    session: Session, *, change: GraphChange, rule_id: UUID, draft: RuleDraft, owner_id: UUID | None = None
) -> Rule:
    """Create a new version of a rule, effective from effective_from; a new name alone makes no new version.

    A version given for an instant that has one takes its place. Raises as `rule_create`, NotFoundError, and
    ConflictError for a rule of a profile, which only the profile changes.
    """
    organization_id = change.organization_id
    before = rule_get(session, organization_id=organization_id, rule_id=rule_id)
    _owner_check(before, owner_id)
    draft_check(session, organization_id=organization_id, draft=draft)
    session.execute(
        update(rules)
        .where(rules.c.organization_id == organization_id, rules.c.id == rule_id)
        .values(name=draft.name, updated_at=change.recorded)
    )
    if draft.effective_from is not None or not draft_is_same(before.version, draft):
        if len(versions_list(session, organization_id=organization_id, rule_id=rule_id)) >= VERSIONS_MAX:
            raise LimitExceededError(f"A rule has at most {VERSIONS_MAX} versions.", path=("effectiveFrom",))
        _version_write(session, change, rule_id, draft)
    after = rule_get(session, organization_id=organization_id, rule_id=rule_id)
    _record(session, change, "updated", before, after)
    return after


def rule_delete(session: Session, *, change: GraphChange, rule_id: UUID, owner_id: UUID | None = None) -> Rule:
    """Delete a rule from now on. Its existing events are kept.

    Raises NotFoundError, and ConflictError for a rule of a profile, which only the profile changes.
    """
    organization_id = change.organization_id
    before = rule_get(session, organization_id=organization_id, rule_id=rule_id)
    _owner_check(before, owner_id)
    _version_write(session, change, rule_id, draft_of(before.name, before.version, is_active=False))
    session.execute(
        update(rule_versions)
        .where(
            rule_versions.c.organization_id == organization_id,
            rule_versions.c.rule_id == rule_id,
            rule_versions.c.effective_from > change.recorded,
            rule_versions.c.is_active,
        )
        .values(is_active=False)
    )
    session.execute(
        update(rules)
        .where(rules.c.organization_id == organization_id, rules.c.id == rule_id)
        .values(deleted_at=change.recorded, updated_at=change.recorded)
    )
    after = rules_get(session, organization_id=organization_id, ids=[rule_id])[rule_id]
    _record(session, change, "deleted", before, None)
    return after


def draft_check(session: Session, *, organization_id: int, draft: RuleDraft) -> None:
    """Refuse a draft that is malformed, or could never fire, never clear or do nothing. Raises as `rule_create`."""
    text_check(draft.name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS)
    condition_read(draft.condition)
    _scope_check(session, organization_id, draft.scope)
    if len(draft.escalation) > STEPS_MAX:
        raise LimitExceededError(f"A rule has at most {STEPS_MAX} steps of escalation.", path=("escalation",))
    reached, severity = 0, draft.severity
    for n, step in enumerate(draft.escalation):
        path = ("escalation", str(n))
        if not reached < step.after_us <= LENGTH_MAX_US:
            raise BadInputError("Each step comes later than the one before, within 366 days.", path=(*path, "after"))
        if SEVERITIES.index(step.severity) <= SEVERITIES.index(severity):
            raise BadInputError("Each step is more severe than the one before.", path=(*path, "severity"))
        reached, severity = step.after_us, step.severity
    if not 1 <= draft.damping.max_events <= EVENTS_MAX:
        raise BadInputError(f"maxEvents lies between 1 and {EVENTS_MAX}.", path=("damping", "maxEvents"))
    if not 1 <= draft.damping.per_us <= LENGTH_MAX_US:
        raise BadInputError("per is longer than nothing, and at most 366 days.", path=("damping", "per"))
    action_check(session, organization_id=organization_id, action=draft.action)


def _scope_check(session: Session, organization_id: int, scope: Scope) -> None:
    given = [name for name in _SCOPES if getattr(scope, name) is not None]
    if len(given) > 1 or (scope.kind is None) != (scope.type is None):
        msg = "A scope is one of entityId, type with kind, underId, profileId, groupId, or nothing: all there is."
        raise BadInputError(msg, path=("scope",))
    if scope.kind is not None and scope.kind not in _MEASURED:
        raise BadInputError(f"It could never fire: {scope.kind} has no readings.", path=("scope", "kind"))
    if scope.profile_id is not None:
        known = select(asset_profiles.c.id).where(
            asset_profiles.c.organization_id == organization_id,
            asset_profiles.c.id == scope.profile_id,
            asset_profiles.c.deleted_at.is_(None),
        )
        if session.execute(known).one_or_none() is None:
            raise NotFoundError(f"There is no asset profile {scope.profile_id}.", path=("scope", "profileId"))
    if scope.group_id is not None:
        _group_check(session, organization_id, scope.group_id)
    for name, entity_id in (("entityId", scope.entity_id), ("underId", scope.under_id)):
        if entity_id is None:
            continue
        entities = entities_get(session, organization_id=organization_id, ids=[entity_id])
        if not entities:
            raise NotFoundError(f"There is no entity {entity_id}.", path=("scope", name))
        [entity] = entities.values()
        if name == "entityId" and entity.kind not in _MEASURED:
            raise BadInputError(f"It could never fire: {entity.kind} has no readings.", path=("scope", name))


def _group_check(session: Session, organization_id: int, group_id: UUID) -> None:
    path = ("scope", "groupId")
    group = group_get(session, organization_id=organization_id, group_id=group_id, path=path)
    if group.kind is GroupKind.DYNAMIC:
        message = (
            f"The group {group.name!r} is DYNAMIC, and a rule is about the members of a STATIC one: what fitted a "
            "filter at the time of a reading is not known. Make a STATIC group, or give a type, a profile or underId."
        )
        raise BadInputError(message, path=path)


def _version_write(session: Session, change: GraphChange, rule_id: UUID, draft: RuleDraft) -> None:
    begins = change.recorded
    if draft.effective_from is not None:
        begins = instant_utc(draft.effective_from, path="effectiveFrom")
    values = {
        "id": change.new_id(),
        "condition": dict(draft.condition),
        "severity": draft.severity,
        "entity_id": draft.scope.entity_id,
        "kind": draft.scope.kind,
        "type": draft.scope.type,
        "under_id": draft.scope.under_id,
        "profile_id": draft.scope.profile_id,
        "group_id": draft.scope.group_id,
        "action": dict(draft.action),
        "escalation": [{"afterUs": step.after_us, "severity": step.severity} for step in draft.escalation],
        "max_events": draft.damping.max_events,
        "per_us": draft.damping.per_us,
        "is_active": draft.is_active,
        "recorded_at": change.recorded,
        "actor": change.actor,
    }
    session.execute(
        upsert(rule_versions)
        .values(organization_id=change.organization_id, rule_id=rule_id, effective_from=begins, **values)
        .on_conflict_do_update(constraint="pk_rule_versions", set_=values)
    )


def draft_of(name: str, version: RuleVersion, *, is_active: bool, effective_from: datetime | None = None) -> RuleDraft:
    """Return the draft that a version of a rule was written from. Pure."""
    return RuleDraft(
        name=name,
        condition=version.condition,
        scope=version.scope,
        severity=version.severity,
        action=version.action,
        escalation=version.escalation,
        damping=version.damping,
        is_active=is_active,
        effective_from=effective_from,
    )


def _owner_check(rule: Rule, owner_id: UUID | None) -> None:
    if rule.owner_id != owner_id:
        raise ConflictError(f"The rule {rule.name!r} is the profile's {rule.owner_id}: change it there.", path=("id",))


def draft_is_same(version: RuleVersion, draft: RuleDraft) -> bool:
    """Return whether a draft equals a version. Pure."""
    return (
        version.condition == draft.condition
        and version.scope == draft.scope
        and version.severity == draft.severity
        and version.action == draft.action
        and list(version.escalation) == list(draft.escalation)
        and version.damping == draft.damping
        and version.is_active == draft.is_active
    )


def _record(session: Session, change: GraphChange, action: str, before: Rule | None, after: Rule | None) -> None:
    subject = after or before
    if subject is not None:
        change_record(
            session,
            change=change,
            action=action,
            subject_type="rule",
            subject_id=subject.id,
            before=None if before is None else _state(before),
            after=None if after is None else _state(after),
        )


def _state(rule: Rule) -> dict[str, Any]:
    version, scope = rule.version, rule.version.scope
    return {
        "name": rule.name,
        "effectiveFrom": version.effective_from.isoformat(),
        "condition": dict(version.condition),
        "severity": version.severity,
        "scope": {
            "entityId": None if scope.entity_id is None else str(scope.entity_id),
            "kind": scope.kind,
            "type": scope.type,
            "underId": None if scope.under_id is None else str(scope.under_id),
            "profileId": None if scope.profile_id is None else str(scope.profile_id),
            "groupId": None if scope.group_id is None else str(scope.group_id),
        },
        "action": dict(version.action),
        "escalation": [{"afterUs": step.after_us, "severity": step.severity} for step in version.escalation],
        "damping": {"maxEvents": version.damping.max_events, "perUs": version.damping.per_us},
        "isActive": version.is_active,
    }
