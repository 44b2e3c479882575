"""Rules: what is watched for, on what, and how bad it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.base.packed import instant_of
from domain.rules.backtest import Trial, rule_try
from domain.rules.conditions import Operator
from domain.rules.model import Damping, Scope, Severity, Step
from domain.rules.model import Rule as RuleRow
from domain.rules.operations import RuleDraft, rule_create, rule_delete, rule_update
from domain.rules.queries import rules_page
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import EntityKindEnum, Node
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.scalars import JSON, DateTime, Duration, duration_print
from gql.base.shown import shows
from gql.errors import UserError, user_error
from graph.change import GraphChange
from graph.errors import ArgusError

SeverityEnum = strawberry.enum(Severity, description="How bad an event is, ascending.")
OperatorEnum = strawberry.enum(Operator, description="How a reading is compared with a value.")

_MICROSECOND = timedelta(microseconds=1)
_NOTHING = Duration("PT0S", 0, timedelta(0))
_HOUR = Duration("PT1H", 0, timedelta(hours=1))


@strawberry.input
class RuleScope:
    """Exactly one of entityId, type (with kind), underId (everything below it), profileId (the assets that use it).

    Or nothing: the whole organization.
    """

    entity_id: strawberry.ID | None = None
    kind: EntityKindEnum | None = None  # type: ignore[valid-type]
    type: str | None = None
    under_id: strawberry.ID | None = None
    profile_id: strawberry.ID | None = None


@strawberry.input
class ThresholdCondition:
    """Opens when the metric has satisfied the operator for `for`.

    Clears when it has passed `clearValue` (default: value) the other way for `clearFor`.
    """

    metric: str
    operator: OperatorEnum  # type: ignore[valid-type]
    value: float
    for_: Duration = strawberry.field(name="for", default=_NOTHING)
    clear_value: float | None = None
    clear_for: Duration = _NOTHING


@strawberry.input
class NoDataCondition:
    """Opens when nothing has come of the metric for `after` since a reading; clears with the next."""

    metric: str
    after: Duration


@strawberry.input(one_of=True)
class Condition:
    """What a rule waits for: exactly one of these. An expression is CEL over metrics, and gives true or false."""

    threshold: ThresholdCondition | None = UNSET
    no_data: NoDataCondition | None = UNSET
    expression: str | None = UNSET
    all_of: list[Condition] | None = UNSET
    any_of: list[Condition] | None = UNSET


@strawberry.input
class RuleAction:
    """What follows from an event."""

    create_activity_from_template_id: strawberry.ID | None = None
    webhook_url: str | None = None


@strawberry.input
class EscalationStep:
    """An event that has been open for `after` has this severity, if it is the greater one."""

    after: Duration
    severity: SeverityEnum  # type: ignore[valid-type]


@strawberry.input
class FlapDamping:
    """An event that would be more than maxEvents within `per` is merged into the one before it."""

    max_events: int = 12
    per: Duration = _HOUR


@strawberry.input
class RuleInput:
    """A rule. It judges readings from effectiveFrom (default: now) on, until its next version."""

    name: str
    condition: Condition
    scope: RuleScope | None = None
    severity: SeverityEnum = Severity.MEDIUM  # type: ignore[valid-type]
    action: RuleAction | None = None
    is_active: bool = True
    effective_from: DateTime | None = None
    escalation: list[EscalationStep] | None = None
    damping: FlapDamping | None = None


@strawberry.type
class Rule(Node):
    """A rule as it was last written: its newest version by event time."""

    name: str
    condition: JSON = strawberry.field(description="As the input Condition has it.")
    scope: JSON = strawberry.field(description="As the input RuleScope has it.")
    severity: SeverityEnum  # type: ignore[valid-type]
    action: JSON = strawberry.field(description="As the input RuleAction has it.")
    escalation: JSON = strawberry.field(description="Steps, as the input EscalationStep has them.")
    damping: JSON = strawberry.field(description="As the input FlapDamping has it.")
    is_active: bool
    effective_from: DateTime
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime | None


@strawberry.type
class RuleEdge:
    """A rule in a list."""

    cursor: str
    node: Rule


@strawberry.type
class RuleConnection:
    """A page of rules."""

    rows: strawberry.Private[Rows[RuleRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[Rule]:
        """The rules."""
        return [rule_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[RuleEdge]:
        """The rules, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [RuleEdge(cursor=cursor, node=rule_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.type
class RulePayload:
    """The rule as it now stands; null if refused."""

    rule: Rule | None
    errors: list[UserError]


@strawberry.type
class TriedEvent:
    """An event that a rule would have found. clearedAt null: still open at the end of the time."""

    entity_id: strawberry.ID
    began_at: DateTime
    opened_at: DateTime
    cleared_at: DateTime | None
    value: float | None
    flaps: int


@strawberry.type
class RuleTest:
    """What a rule would have found, the earliest first."""

    events: list[TriedEvent]
    entities: int = strawberry.field(description="How many it was tried on.")
    points: int = strawberry.field(description="How many points were read.")
    truncated: bool = strawberry.field(description="There is more than the 1,000 events told.")


@strawberry.type
class RuleTestPayload:
    """What the test found; null if refused."""

    test: RuleTest | None
    errors: list[UserError]


@strawberry.type
class RuleQuery:
    """Rules."""

    @strawberry.field
    async def rules(self, info: Info, first: int = 50, after: str | None = None) -> RuleConnection:
        """All rules, the newest first."""
        request, count = page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[RuleRow]:
            return rows_of(rules_page(session, organization_id=organization_id, page=request), count=count)

        rows = await info.context.read(read)
        return RuleConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class RuleMutation:
    """Mutations of rules."""

    @strawberry.mutation
    async def create_rule(self, info: Info, input: RuleInput) -> RulePayload:
        """Write a rule. One that can never fire or never clear is refused with the reason."""

        def work(session: Session, change: GraphChange) -> RuleRow:
            return rule_create(session, change=change, draft=_draft(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def update_rule(self, info: Info, id: strawberry.ID, input: RuleInput) -> RulePayload:
        """Write a rule anew, from effectiveFrom (default: now) on; an event open then is cleared there."""

        def work(session: Session, change: GraphChange) -> RuleRow:
            return rule_update(session, change=change, rule_id=uuid_named(id, "id"), draft=_draft(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def delete_rule(self, info: Info, id: strawberry.ID) -> RulePayload:
        """Have a rule judge nothing from now on; its events stay."""

        def work(session: Session, change: GraphChange) -> RuleRow:
            return rule_delete(session, change=change, rule_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, work, under=())

    @strawberry.mutation
    async def test_rule(
        self,
        info: Info,
        input: RuleInput,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime,
    ) -> RuleTestPayload:
        """Try a rule on what was measured in [from, to), as if it had been in force then. Nothing is kept of it.

        At most 500 entities.
        """
        try:
            trial = await info.context.read(
                rule_try, draft=_draft(input), begins=from_, ends=to, now=info.context.services.clock()
            )
        except ArgusError as error:
            own = bool(error.path) and error.path[0] in {"from", "to"}
            return RuleTestPayload(test=None, errors=[user_error(error, under=() if own else ("input",))])
        return RuleTestPayload(test=_test_shown(trial), errors=[])


def _test_shown(trial: Trial) -> RuleTest:
    events = [
        TriedEvent(
            entity_id=strawberry.ID(str(entity_id)),
            began_at=DateTime(instant_of(each.began)),
            opened_at=DateTime(instant_of(each.opened)),
            cleared_at=None if each.cleared is None else DateTime(instant_of(each.cleared)),
            value=each.value,
            flaps=each.flaps,
        )
        for entity_id, each in trial.found
    ]
    return RuleTest(events=events, entities=trial.entities, points=trial.points, truncated=trial.truncated)


@shows(RuleRow)
def rule_shown(row: RuleRow) -> Rule:
    """Return a rule as it is shown."""
    version, scope = row.version, row.version.scope
    return Rule(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        condition=JSON(_condition_shown(version.condition)),
        scope=JSON(
            {
                "entityId": None if scope.entity_id is None else str(scope.entity_id),
                "kind": scope.kind,
                "type": scope.type,
                "underId": None if scope.under_id is None else str(scope.under_id),
                "profileId": None if scope.profile_id is None else str(scope.profile_id),
            }
        ),
        severity=version.severity,
        action=JSON(dict(version.action)),
        escalation=JSON([{"after": _text(s.after_us), "severity": s.severity.value} for s in version.escalation]),
        damping=JSON({"maxEvents": version.damping.max_events, "per": _text(version.damping.per_us)}),
        is_active=version.is_active,
        effective_from=DateTime(version.effective_from),
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        deleted_at=None if row.deleted_at is None else DateTime(row.deleted_at),
    )


def _payload(row: RuleRow | None, errors: list[UserError]) -> RulePayload:
    return RulePayload(rule=None if row is None else rule_shown(row), errors=errors)


def _draft(given: RuleInput) -> RuleDraft:
    scope, action, damping = given.scope, given.action, given.damping
    return RuleDraft(
        name=given.name,
        condition=_condition(given.condition),
        scope=Scope()
        if scope is None
        else Scope(
            None if scope.entity_id is None else uuid_named(scope.entity_id, "scope", "entityId"),
            None if scope.kind is None else scope.kind.value,
            scope.type,
            None if scope.under_id is None else uuid_named(scope.under_id, "scope", "underId"),
            None if scope.profile_id is None else uuid_named(scope.profile_id, "scope", "profileId"),
        ),
        severity=given.severity,
        action={} if action is None else _action(action),
        escalation=[Step(_us(step.after), step.severity) for step in given.escalation or ()],
        damping=Damping() if damping is None else Damping(damping.max_events, _us(damping.per)),
        is_active=given.is_active,
        effective_from=given.effective_from,
    )


def _action(given: RuleAction) -> dict[str, Any]:
    template = given.create_activity_from_template_id
    found: dict[str, Any] = {}
    if template is not None:
        found["createActivityFromTemplateId"] = str(uuid_named(template, "action", "createActivityFromTemplateId"))
    if given.webhook_url is not None:
        found["webhookUrl"] = given.webhook_url
    return found


def _condition(given: Condition) -> dict[str, Any]:
    """Return a condition as the core takes it."""
    if given.threshold:
        each = given.threshold
        body = {
            "metric": each.metric,
            "operator": Operator(each.operator).value,
            "value": each.value,
            "forUs": _us(each.for_),
        }
        return {"threshold": {**body, "clearValue": each.clear_value, "clearForUs": _us(each.clear_for)}}
    if given.no_data:
        return {"noData": {"metric": given.no_data.metric, "afterUs": _us(given.no_data.after)}}
    if isinstance(given.expression, str):
        return {"expression": given.expression}
    if isinstance(given.all_of, list):
        return {"allOf": [_condition(part) for part in given.all_of]}
    return {"anyOf": [_condition(part) for part in given.any_of or []]}


def _condition_shown(given: Mapping[str, Any]) -> dict[str, Any]:
    [(what, body)] = given.items()
    if what in {"allOf", "anyOf"}:
        return {what: [_condition_shown(part) for part in body]}
    if isinstance(body, str):
        return {what: body}
    return {
        what: {
            name.removesuffix("Us") if name.endswith("Us") else name: _text(value) if name.endswith("Us") else value
            for name, value in body.items()
        }
    }


def _us(duration: Duration) -> int:
    return duration.exact() // _MICROSECOND


def _text(us: int) -> str:
    return duration_print(us * _MICROSECOND)
