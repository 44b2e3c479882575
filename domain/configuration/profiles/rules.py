"""Write the rules of a profile: each version of the profile makes versions of its rules, at the same times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from domain.rules.model import Rule, Scope
from domain.rules.operations import RuleDraft, draft_is_same, draft_of, rule_create, rule_delete, rule_update
from domain.rules.queries import rules_owned, versions_list
from domain.rules.rule_json import rule_read
from graph.change import GraphChange
from graph.errors import ArgusError


def profile_rules_write(
    session: Session,
    *,
    change: GraphChange,
    profile_id: UUID,
    rules: Sequence[Mapping[str, Any]],
    begins: datetime,
    ends: datetime | None,
) -> None:
    """Write the rules of a profile's version over [begins, ends), None: without end.

    A rule of the same name is the same rule. One that stays the same is left alone: its events stay open. Raises what
    `rule_create` raises, below rules.
    """
    owned = rules_owned(session, organization_id=change.organization_id, profile_id=profile_id)
    wanted: dict[str, tuple[int, RuleDraft]] = {}
    for n, given in enumerate(rules):
        draft = rule_read(given, path=("rules", str(n)))
        wanted[draft.name] = (n, replace(draft, scope=Scope(profile_id=profile_id), effective_from=begins))
    for name, (n, draft) in wanted.items():
        try:
            _rule_write(session, change, owned.get(name), draft, ends)
        except ArgusError as error:
            raise type(error)(str(error), path=("rules", str(n), *error.path)) from None
    for name, rule in owned.items():
        if name not in wanted:
            ended = draft_of(name, rule.version, is_active=False, effective_from=begins)
            _rule_write(session, change, rule, ended, ends)


def profile_rules_delete(session: Session, *, change: GraphChange, profile_id: UUID) -> None:
    """Delete a profile's rules. Their existing events are kept."""
    for rule in rules_owned(session, organization_id=change.organization_id, profile_id=profile_id).values():
        rule_delete(session, change=change, rule_id=rule.id, owner_id=profile_id)


def _rule_write(
    session: Session,
    change: GraphChange,
    rule: Rule | None,
    draft: RuleDraft,
    ends: datetime | None,
) -> None:
    """Put a draft in force from its own time on, up to `ends`, from where on all is as it was."""
    assert draft.effective_from is not None  # noqa: S101  (the caller says when)
    profile_id, was = draft.scope.profile_id, None
    if rule is None:
        rule = rule_create(session, change=change, draft=draft, owner_id=profile_id)
        is_version_there = False
    else:
        versions = versions_list(session, organization_id=change.organization_id, rule_id=rule.id)
        was = next((v for v in reversed(versions) if v.effective_from <= draft.effective_from), None)
        is_active = was is not None and was.is_active
        if is_active == draft.is_active and (not is_active or (was is not None and draft_is_same(was, draft))):
            return
        is_version_there = any(version.effective_from == ends for version in versions)
        rule_update(session, change=change, rule_id=rule.id, draft=draft, owner_id=profile_id)
    if ends is not None and not is_version_there:
        after = (
            replace(draft, is_active=False, effective_from=ends)
            if was is None
            else draft_of(draft.name, was, is_active=was.is_active, effective_from=ends)
        )
        rule_update(session, change=change, rule_id=rule.id, draft=after, owner_id=profile_id)
