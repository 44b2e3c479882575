"""What a draft of a rule would have found."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from domain.rules.trial import Found, Trial, rule_try
from gql.context import Info
from gql.entities import Entity, clock, entity_of
from gql.errors import UserError, user_error
from gql.loaders import load
from gql.rules import RuleInput, SeverityEnum, rule_draft
from gql.scalars import DateTime
from graph.entities.queries import entities_get
from graph.errors import ArgusError, NotFoundError

# The trial's own arguments; any other path is of the input.
_OWN = {"from", "to", "first"}


@strawberry.type
class RuleTestEvent:
    """An event that the draft would have found."""

    row: strawberry.Private[Found]
    severity: SeverityEnum  # type: ignore[valid-type]
    began_at: DateTime
    opened_at: DateTime
    cleared_at: DateTime | None = strawberry.field(description="Null: open at the end of the time looked at.")
    cleared_reason: str | None = strawberry.field(description="CONDITION or SCOPE_LEFT.")
    value: float | None = strawberry.field(description="Of the reading at which it opened.")
    flaps: int = strawberry.field(description="How many later events were merged into it, to damp flapping.")
    port: str | None = strawberry.field(description="Of which port of a device the readings were.")

    @strawberry.field
    async def entity(self, info: Info) -> Entity:
        """What it would have been found on."""
        found = await load(info.context, entities_get, self.row.entity_id)
        if found is None:
            raise NotFoundError(f"There is no entity {self.row.entity_id}.")
        return entity_of(found)


@strawberry.type
class RuleTest:
    """What a draft of a rule would have found."""

    events: list[RuleTestEvent] = strawberry.field(description="The earliest, as many as `first` says.")
    total_count: int = strawberry.field(description="How many it would have found.")
    entity_count: int = strawberry.field(description="How many entities had readings to judge.")
    reading_count: int = strawberry.field(description="How many readings were judged.")


@strawberry.type
class RuleTestPayload:
    """What was found; null if the draft is refused."""

    test: RuleTest | None
    errors: list[UserError]


@strawberry.type
class RuleTrialQuery:
    """Drafts of rules, tried."""

    @strawberry.field
    async def test_rule(
        self,
        info: Info,
        input: RuleInput,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime | None = None,
        first: int = 50,
    ) -> RuleTestPayload:
        """Run a draft of a rule over readings of [from, to) and list what it would have found. Nothing is written.

        As if it had been the rule from `from` on; its own effectiveFrom is not looked at. to: now, and at most now. At
        most 10,000 entities and 2,000,000 readings.
        """
        now = clock(info)
        try:
            ends = now if to is None else min(to, now)
            work = partial(rule_try, draft=rule_draft(input), begins=from_, ends=ends, first=first)
            found = await info.context.read(work)
        except ArgusError as error:
            under = () if error.path[:1] and error.path[0] in _OWN else ("input",)
            return RuleTestPayload(test=None, errors=[user_error(error, under=under)])
        return RuleTestPayload(test=_test_shown(found), errors=[])


def _test_shown(trial: Trial) -> RuleTest:
    return RuleTest(
        events=[
            RuleTestEvent(
                row=row,
                severity=row.severity,
                began_at=DateTime(row.began_at),
                opened_at=DateTime(row.opened_at),
                cleared_at=None if row.cleared_at is None else DateTime(row.cleared_at),
                cleared_reason=None if row.cleared_reason is None else row.cleared_reason.value,
                value=row.value,
                flaps=row.flaps,
                port=row.key or None,
            )
            for row in trial.found
        ],
        total_count=trial.total,
        entity_count=trial.entities,
        reading_count=trial.readings,
    )
