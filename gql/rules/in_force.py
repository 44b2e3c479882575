"""The rules that evaluate an entity at an instant."""

from __future__ import annotations

import strawberry

from domain.rules.in_force import rules_in_force
from gql.access.principal import VIEWERS
from gql.base.context import Info
from gql.base.named import entity_named
from gql.base.roots import queries, query
from gql.base.scalars import JSON, DateTime
from gql.rules.rule_input import SeverityEnum
from gql.rules.rules import Rule, condition_json, to_rule


@strawberry.type
class RuleInForce:
    """A rule that evaluates an entity at an instant, by the version that is in force then.

    Attributes:
        rule: The rule as it is now; it may have been deleted since.
        condition: What it watches for at that instant, in the form of the input Condition.
        severity: Severity of its events when they open.
        effective_from: Event time from which this version is in force.
    """

    rule: Rule
    condition: JSON
    severity: SeverityEnum  # type: ignore[valid-type]
    effective_from: DateTime


@queries
class RuleInForceQuery:
    """Rules in force."""

    @query(VIEWERS, scoped=True)
    async def rules_in_force(
        self,
        info: Info,
        entity_id: strawberry.ID,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> list[RuleInForce] | None:
        """The rules that evaluate an entity, by name: whichever way their scope names it. Inactive ones are left out.

        At most 500, else LIMIT_EXCEEDED. Where the entity was is taken as it is known now, also with `knownAt`.

        Args:
            entity_id: Id of the entity. NOT_FOUND if there is none.
            as_of: Instant of event time. Default: now.
            known_at: Only by versions that had been recorded by then (system time). Default: now.
        """
        context = info.context
        named = await entity_named(context, entity_id, "entityId")
        at = context.services.clock() if as_of is None else as_of
        rows = await context.read(rules_in_force, entity_id=named, at=at, known_at=known_at)
        return [
            RuleInForce(
                rule=to_rule(row.rule),
                condition=JSON(condition_json(row.version.condition)),
                severity=row.version.severity,
                effective_from=DateTime(row.version.effective_from),
            )
            for row in rows
        ]
