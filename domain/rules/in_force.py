"""The rules that evaluate an entity at an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.rules.assignments import assignments_of
from domain.rules.model import Rule, RuleVersion
from domain.rules.queries import rulebook_read, rules_get
from graph.errors import LimitExceededError

# So many rules are returned of one entity.
RULES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule, and the version of it that is in force."""

    rule: Rule
    version: RuleVersion


def rules_in_force(
    session: Session, *, organization_id: int, entity_id: UUID, at: datetime, known_at: datetime | None = None
) -> list[RuleInForce]:
    """Return the rules that evaluate an entity at an instant of event time, by name; also those deleted since.

    known_at: by the versions that had been recorded by then. Where the entity was is taken as it is known now.
    Raises LimitExceededError above RULES_MAX. Three statements, and one for each level above the entity.
    """
    rulebook = rulebook_read(session, organization_id=organization_id, known_at=known_at)
    assigned = assignments_of(session, organization_id=organization_id, entity_ids=[entity_id], rulebook=rulebook)
    at_us = micros_of(at)
    versions = {
        assignment.rule_id: segment.version
        for assignment in assigned.get(entity_id, ())
        for segment in assignment.segments
        if segment.begins_us <= at_us < segment.ends_us
    }
    if len(versions) > RULES_MAX:
        message = f"{len(versions)} rules evaluate this entity; at most {RULES_MAX} are returned."
        raise LimitExceededError(message, path=("entityId",))
    rules = rules_get(session, organization_id=organization_id, ids=list(versions))
    in_force = [RuleInForce(rule, versions[rule_id]) for rule_id, rule in rules.items()]
    return sorted(in_force, key=lambda item: (item.rule.name, item.rule.id))
