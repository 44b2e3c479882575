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
from gql.base.descriptions import enum_described
from gql.base.entities import EntityKindEnum, Node
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.scalars import JSON, DateTime, Duration, duration_print
from gql.base.shown import shows
from gql.errors import UserError, user_error
from graph.change import GraphChange
from graph.errors import ArgusError

SeverityEnum = enum_described(
    Severity,
    "How serious an event is, ascending.",
    LOW="The least of the four severities.",
    MEDIUM="More serious than LOW; the default of a rule.",
    HIGH="More serious than MEDIUM.",
    CRITICAL="The greatest of the four severities.",
)
OperatorEnum = enum_described(
    Operator,
    "How a reading is compared with a value.",
    GT="The reading is greater than the value.",
    GTE="The reading is greater than or equal to the value.",
    LT="The reading is less than the value.",
    LTE="The reading is less than or equal to the value.",
    EQ="The reading is equal to the value.",
    NEQ="The reading is not equal to the value.",
)

_MICROSECOND = timedelta(microseconds=1)
_NOTHING = Duration("PT0S", 0, timedelta(0))
_HOUR = Duration("PT1H", 0, timedelta(hours=1))


@strawberry.input
class RuleScope:
    """Which entities a rule is about: exactly one of `entityId`, `type` with `kind`, `underId` and `profileId`.

    Without any of them it is about the whole organization.

    Attributes:
        entity_id: Only this entity: a device, an asset or a space.
        kind: Kind of the entities, together with `type`: DEVICE, ASSET or SPACE.
        type: Only entities of this type, by its name, together with `kind`.
        under_id: Only this entity and everything below it, as of the time of each reading.
        profile_id: Only assets that use this profile.
    """

    entity_id: strawberry.ID | None = None
    kind: EntityKindEnum | None = None  # type: ignore[valid-type]
    type: str | None = None
    under_id: strawberry.ID | None = None
    profile_id: strawberry.ID | None = None


@strawberry.input
class ThresholdCondition:
    """A metric compared with a value. It is a condition on each reading, and texts are ignored.

    It opens at the first reading by which all readings for `for` have satisfied it, and clears at the first reading by
    which all for `clearFor` have passed `clearValue` the other way.

    Attributes:
        metric: Name of the metric, 1 to 200 characters.
        operator: How the reading is compared with `value`.
        value: Value with which readings are compared.
        for_: How long it has to hold before it opens; at most 366 days. Default: one reading is enough.
        clear_value: Value that readings have to pass the other way before it clears. Default: `value`.
        clear_for: How long that has to last before it clears; at most 366 days. Default: one reading is enough.
    """

    metric: str
    operator: OperatorEnum  # type: ignore[valid-type]
    value: float
    for_: Duration = strawberry.field(name="for", default=_NOTHING)
    clear_value: float | None = None
    clear_for: Duration = _NOTHING


@strawberry.input
class NoDataCondition:
    """Silence of a metric: it opens `after` past a reading if no further one came, and clears at the next reading.

    Attributes:
        metric: Name of the metric, 1 to 200 characters.
        after: How long nothing has come; more than nothing, and at most 366 days.
    """

    metric: str
    after: Duration


@strawberry.input(one_of=True)
class Condition:
    """What a rule watches for: exactly one of these. At most 20 parts, nested at most 4 deep.

    Attributes:
        threshold: A metric compared with a value.
        no_data: Silence of a metric.
        expression: CEL expression over metrics that gives true or false; a metric counts for 15 minutes.
        all_of: Conditions that must all hold: opens with the last, clears with the first.
        any_of: Conditions of which one must hold: opens with the first, clears when none holds.
    """

    threshold: ThresholdCondition | None = UNSET
    no_data: NoDataCondition | None = UNSET
    expression: str | None = UNSET
    all_of: list[Condition] | None = UNSET
    any_of: list[Condition] | None = UNSET


@strawberry.input
class RuleAction:
    """What follows from an event of a rule. Both may be given, or neither.

    Attributes:
        create_activity_from_template_id: Id of the template from which an activity is created.
        webhook_url: Address, http or https, that is called about each change of the event.
    """

    create_activity_from_template_id: strawberry.ID | None = None
    webhook_url: str | None = None


@strawberry.input
class EscalationStep:
    """A step of escalation: an event that has been open for `after` has this severity from then on.

    Attributes:
        after: Time since the event opened; longer than that of the step before, at most 366 days.
        severity: Severity from then on; higher than that of the step before.
    """

    after: Duration
    severity: SeverityEnum  # type: ignore[valid-type]


@strawberry.input
class FlapDamping:
    """Damping of flapping: an event beyond `maxEvents` within `per` is merged into the one before it.

    Attributes:
        max_events: Most events of an entity within `per`, 1 to 1,000.
        per: Length of time in which events are counted, at most 366 days.
    """

    max_events: int = 12
    per: Duration = _HOUR


@strawberry.input
class RuleInput:
    """A rule. It evaluates readings from `effectiveFrom` of event time on, until its next version.

    Attributes:
        name: Name of the rule, 1 to 200 characters.
        condition: What the rule watches for. One that can never fire or never clear is BAD_USER_INPUT.
        scope: Which entities the rule is about. Default: all of the organization.
        severity: Severity of its events when they open.
        action: What follows from its events. Default: nothing.
        is_active: False: from `effectiveFrom` on the rule evaluates nothing.
        escalation: Steps by which the severity rises while an event stays open, at most 10. Default: none.
        damping: How flapping is damped. Default: at most 12 events within PT1H.
    """

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
    """A rule, as its newest version by event time has it.

    Attributes:
        name: Name of the rule.
        condition: What the rule watches for, in the form of the input Condition.
        scope: Which entities the rule is about, in the form of the input RuleScope.
        severity: Severity of its events when they open.
        action: What follows from its events, in the form of the input RuleAction.
        escalation: Steps of escalation, a list in the form of the input EscalationStep.
        damping: How flapping is damped, in the form of the input FlapDamping.
        is_active: False: the rule evaluates nothing.
        effective_from: Event time from which this version is in force.
    """

    name: str
    condition: JSON
    scope: JSON
    severity: SeverityEnum  # type: ignore[valid-type]
    action: JSON
    escalation: JSON
    damping: JSON
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
        """The rules on this page."""
        return [rule_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[RuleEdge]:
        """The rules on this page, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [RuleEdge(cursor=cursor, node=rule_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """Number of items on all pages. It is counted only where it is selected."""
        return self.rows.total or 0


@strawberry.type
class RulePayload:
    """Result of a mutation of a rule.

    Attributes:
        rule: The rule after the change; null if it was refused.
    """

    rule: Rule | None
    errors: list[UserError]


@strawberry.type
class TriedEvent:
    """An event that a tested rule would have found.

    Attributes:
        entity_id: Id of the entity at which it would have been found.
        began_at: First reading at which the condition held.
        opened_at: First reading by which the condition had held for `for`.
        cleared_at: First reading at which it had stopped; null: still open at the end of the range.
        value: Value of the reading at which it opened; null: there is none.
        flaps: Number of later events merged into it, to damp flapping.
    """

    entity_id: strawberry.ID
    began_at: DateTime
    opened_at: DateTime
    cleared_at: DateTime | None
    value: float | None
    flaps: int


@strawberry.type
class RuleTest:
    """What a rule would have found.

    Attributes:
        events: Events that it would have found, the earliest first; at most 1,000.
        entities: Number of entities on which it was tested.
        points: Number of points that were read.
        truncated: True where it would have found more than 1,000 events.
    """

    events: list[TriedEvent]
    entities: int
    points: int
    truncated: bool


@strawberry.type
class RuleTestPayload:
    """Result of testing a rule.

    Attributes:
        test: What the rule would have found; null if the test was refused.
    """

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
        """Create a rule. One that can never fire or never clear is refused with the reason."""

        def work(session: Session, change: GraphChange) -> RuleRow:
            return rule_create(session, change=change, draft=_draft(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def update_rule(self, info: Info, id: strawberry.ID, input: RuleInput) -> RulePayload:
        """Create a new version of a rule, effective from `effectiveFrom`.

        With another condition, open events are closed at that instant and what is current is evaluated anew; with the
        same condition they stay open. CONFLICT for a rule of an asset profile.

        Args:
            id: Id of the rule.
        """

        def work(session: Session, change: GraphChange) -> RuleRow:
            return rule_update(session, change=change, rule_id=uuid_named(id, "id"), draft=_draft(input))

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def delete_rule(self, info: Info, id: strawberry.ID) -> RulePayload:
        """Delete a rule: it evaluates nothing from now on, and open events are closed. Its events are kept.

        CONFLICT for a rule of an asset profile.

        Args:
            id: Id of the rule.
        """

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
        """Test a rule on what was measured in a range, as if it had been in force then. Nothing is stored.

        At most 500 entities and 2,000,000 points, else LIMIT_EXCEEDED.

        Args:
            input: The rule. Its `effectiveFrom` has no effect.
            from_: Start of the range of event time, inclusive.
            to: End of the range of event time, exclusive.
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
