"""Read rules and their versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from domain.rules.model import Damping, RecordedRuleVersion, Rule, RuleFilter, RuleVersion, Scope, Severity, Step
from domain.rules.tables import rule_versions, rules
from graph.errors import NotFoundError
from graph.json_bounds import text_check
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

_KEYSET: Final = Keyset("rules", {"created_at": rules.c.created_at, "rule_id": rules.c.id}, is_descending=True)

SEARCH_MAX_CHARS: Final = 500

# All versions of each rule of an organization, ascending by event time.
Rulebook = Mapping[UUID, Sequence[RuleVersion]]


def rulebook_read(session: Session, *, organization_id: int, known_at: datetime | None = None) -> Rulebook:
    """Return all versions of all rules, also of deleted ones, whose events are kept. One statement.

    known_at: without those that were recorded later.
    """
    conditions = [rule_versions.c.organization_id == organization_id]
    if known_at is not None:
        conditions.append(rule_versions.c.recorded_at <= known_at)
    rows = session.execute(
        select(rule_versions).where(*conditions).order_by(rule_versions.c.rule_id, rule_versions.c.effective_from)
    )
    rulebook: dict[UUID, list[RuleVersion]] = {}
    for row in rows:
        rulebook.setdefault(row.rule_id, []).append(version_of(row))
    return rulebook


def versions_list(session: Session, *, organization_id: int, rule_id: UUID) -> list[RuleVersion]:
    """Return the versions of a rule, ascending by event time. One statement."""
    rows = session.execute(
        select(rule_versions)
        .where(rule_versions.c.organization_id == organization_id, rule_versions.c.rule_id == rule_id)
        .order_by(rule_versions.c.effective_from)
    )
    return [version_of(row) for row in rows]


def rule_versions_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> Mapping[UUID, list[RecordedRuleVersion]]:
    """Return the versions of these rules, ascending by event time. One statement."""
    rows = session.execute(
        select(rule_versions)
        .where(rule_versions.c.organization_id == organization_id, any_of(rule_versions.c.rule_id, ids))
        .order_by(rule_versions.c.rule_id, rule_versions.c.effective_from)
    )
    versions: dict[UUID, list[RecordedRuleVersion]] = {}
    for row in rows:
        versions.setdefault(row.rule_id, []).append(_recorded(row))
    return versions


def versions_in_force(
    session: Session, *, organization_id: int, ids: Collection[UUID], at: datetime, known_at: datetime | None = None
) -> Mapping[UUID, RecordedRuleVersion]:
    """Return the version of each of these rules that is in force at an instant of event time. One statement.

    A rule that is not in force yet is left out. known_at: by the versions that had been recorded by then.
    """
    conditions = [
        rule_versions.c.organization_id == organization_id,
        any_of(rule_versions.c.rule_id, ids),
        rule_versions.c.effective_from <= at,
    ]
    if known_at is not None:
        conditions.append(rule_versions.c.recorded_at <= known_at)
    rows = session.execute(
        select(rule_versions)
        .ext(distinct_on(rule_versions.c.rule_id))
        .where(*conditions)
        .order_by(rule_versions.c.rule_id, rule_versions.c.effective_from.desc())
    )
    return {row.rule_id: _recorded(row) for row in rows}


def rules_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, Rule]:
    """Return the rules of these ids, deleted ones too; one that does not exist is left out. One statement."""
    rows = session.execute(_newest(organization_id).where(any_of(rules.c.id, ids)))
    return {row.rule_id: _rule(row) for row in rows}


def rule_get(session: Session, *, organization_id: int, rule_id: UUID) -> Rule:
    """Return a rule that is not deleted. Raises NotFoundError."""
    rule = rules_get(session, organization_id=organization_id, ids=[rule_id]).get(rule_id)
    if rule is None or rule.deleted_at is not None:
        raise NotFoundError(f"There is no rule {rule_id}.", path=("id",))
    return rule


def rules_owned(session: Session, *, organization_id: int, profile_id: UUID) -> dict[str, Rule]:
    """Return the rules that any version of a profile defines and that are not deleted, by name. One statement."""
    statement = _newest(organization_id).where(rules.c.profile_id == profile_id, rules.c.deleted_at.is_(None))
    return {row.name: _rule(row) for row in session.execute(statement)}


def rules_page(
    session: Session, *, organization_id: int, page: PageRequest, where: RuleFilter | None = None
) -> Page[Rule]:
    """Return one page of rules, the newest first; deleted ones only where the filter includes them.

    Raises BadInputError for a search of more than SEARCH_MAX_CHARS.
    """
    newest = _newest_version()
    conditions = [rules.c.organization_id == organization_id, *_conditions(newest, where or RuleFilter())]
    count = select(func.count()).select_from(rules.join(newest, true())).where(*conditions)
    rows = _KEYSET.page(session, _with_version(newest).where(*conditions), page, count=count)
    return rows.of([_rule(row) for row in rows.items])


def _conditions(newest: LateralFromClause, where: RuleFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not where.include_deleted:
        conditions.append(rules.c.deleted_at.is_(None))
    if where.search:
        text_check(where.search, path=("filter", "search"), max_chars=SEARCH_MAX_CHARS)
        # Case, accents and form make no difference, as in the names of entities.
        conditions.append(func.text_folded(rules.c.name).like(func.search_pattern(where.search)))
    if where.severities is not None:
        conditions.append(newest.c.severity.in_(list(where.severities)))
    if where.is_active is not None:
        conditions.append(newest.c.is_active == where.is_active)
    return conditions


def version_of(row: Row[Any]) -> RuleVersion:
    """Return a row of `rule_versions`."""
    return RuleVersion(
        row.id,
        row.rule_id,
        row.effective_from.astimezone(UTC),
        row.condition,
        Severity(row.severity),
        Scope(row.entity_id, row.kind, row.type, row.under_id, row.profile_id, row.group_id),
        row.action,
        [Step(int(step["afterUs"]), Severity(step["severity"])) for step in row.escalation],
        Damping(row.max_events, row.per_us),
        row.is_active,
    )


def _recorded(row: Row[Any]) -> RecordedRuleVersion:
    return RecordedRuleVersion(version_of(row), row.recorded_at.astimezone(UTC), row.actor)


def _newest(organization_id: int) -> Select[Any]:
    """Return rules, each with its newest version by event time."""
    return _with_version(_newest_version()).where(rules.c.organization_id == organization_id)


def _newest_version() -> LateralFromClause:
    return (
        select(rule_versions)
        .where(rule_versions.c.organization_id == rules.c.organization_id, rule_versions.c.rule_id == rules.c.id)
        .order_by(rule_versions.c.effective_from.desc())
        .limit(1)
        .lateral("newest")
    )


def _with_version(newest: LateralFromClause) -> Select[Any]:
    return select(
        newest,
        rules.c.name,
        rules.c.created_at,
        rules.c.updated_at,
        rules.c.deleted_at,
        rules.c.profile_id.label("owner_id"),
    ).select_from(rules.join(newest, true()))


def _rule(row: Row[Any]) -> Rule:
    deleted = None if row.deleted_at is None else row.deleted_at.astimezone(UTC)
    created, updated = row.created_at.astimezone(UTC), row.updated_at.astimezone(UTC)
    return Rule(row.rule_id, row.name, version_of(row), created, updated, deleted, row.owner_id)
