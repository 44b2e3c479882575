"""The input of rules: conditions, scopes, actions, and what the core makes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import strawberry
from strawberry import UNSET

from domain.rules.conditions import Operator
from domain.rules.model import Damping, Scope, Severity, Step
from domain.rules.model import RuleFilter as Where
from domain.rules.operations import RuleDraft
from gql.base.descriptions import enum_described
from gql.base.entities import EntityKindEnum
from gql.base.ids import uuid_named
from gql.base.scalars import DateTime, Duration
from graph.texts import json_nfc, text_nfc

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
    """Which entities a rule is about: one of `entityId`, `type` with `kind`, `underId`, `profileId` and `groupId`.

    More than one is BAD_USER_INPUT; without any it is about the whole organization.

    Attributes:
        entity_id: Only this entity: a device, an asset or a space.
        kind: Kind of the entities, together with `type`: DEVICE, ASSET or SPACE.
        type: Only entities of this type, by its name, together with `kind`.
        under_id: Only this entity and everything below it, as of the time of each reading.
        profile_id: Only assets that use this profile.
        group_id: Only members of this group, as of the time of each reading. BAD_USER_INPUT for a DYNAMIC one.
    """

    entity_id: strawberry.ID | None = None
    kind: EntityKindEnum | None = None  # type: ignore[valid-type]
    type: str | None = None
    under_id: strawberry.ID | None = None
    profile_id: strawberry.ID | None = None
    group_id: strawberry.ID | None = None


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
        ever_heard: False: an entity of which nothing has ever come counts from its creation. True: it has no event.
    """

    metric: str
    after: Duration
    ever_heard: bool = True


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
    """The actions on an event of a rule. Both may be given, or neither.

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
        action: The actions on its events. Default: none.
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


@strawberry.input
class RuleFilter:
    """Conditions on rules, all of which must hold. A condition left out does not matter.

    Attributes:
        search: Part of the name, without regard to case, accents and Unicode form. At most 500 characters.
        severities: Only rules whose events open with one of these severities.
        is_active: True: only rules that are active. False: only the others.
        include_deleted: True: deleted rules, too.
    """

    search: str | None = None
    severities: list[SeverityEnum] | None = None  # type: ignore[valid-type]
    is_active: bool | None = None
    include_deleted: bool = False


def to_where(filter_: RuleFilter | None) -> Where:
    """Convert a filter to the domain's; None: all rules."""
    if filter_ is None:
        return Where()
    severities = None if filter_.severities is None else tuple(filter_.severities)
    return Where(
        search=filter_.search,
        severities=severities,
        is_active=filter_.is_active,
        include_deleted=filter_.include_deleted,
    )


def draft_of(input_: RuleInput) -> RuleDraft:
    """Return a rule as the core takes it."""
    scope, action, damping = input_.scope, input_.action, input_.damping
    return RuleDraft(
        name=text_nfc(input_.name),
        condition=json_nfc(_condition(input_.condition)),
        scope=Scope()
        if scope is None
        else Scope(
            None if scope.entity_id is None else uuid_named(scope.entity_id, "scope", "entityId"),
            None if scope.kind is None else scope.kind.value,
            None if scope.type is None else text_nfc(scope.type),
            None if scope.under_id is None else uuid_named(scope.under_id, "scope", "underId"),
            None if scope.profile_id is None else uuid_named(scope.profile_id, "scope", "profileId"),
            None if scope.group_id is None else uuid_named(scope.group_id, "scope", "groupId"),
        ),
        severity=input_.severity,
        action={} if action is None else _action(action),
        escalation=[Step(_us(step.after), step.severity) for step in input_.escalation or ()],
        damping=Damping() if damping is None else Damping(damping.max_events, _us(damping.per)),
        is_active=input_.is_active,
        effective_from=input_.effective_from,
    )


def _action(input_: RuleAction) -> dict[str, Any]:
    template = input_.create_activity_from_template_id
    action: dict[str, Any] = {}
    if template is not None:
        action["createActivityFromTemplateId"] = str(uuid_named(template, "action", "createActivityFromTemplateId"))
    if input_.webhook_url is not None:
        action["webhookUrl"] = input_.webhook_url
    return action


def _condition(condition: Condition) -> dict[str, Any]:
    """Return a condition as the core takes it."""
    if condition.threshold:
        threshold = condition.threshold
        body = {
            "metric": threshold.metric,
            "operator": Operator(threshold.operator).value,
            "value": threshold.value,
            "forUs": _us(threshold.for_),
        }
        return {"threshold": {**body, "clearValue": threshold.clear_value, "clearForUs": _us(threshold.clear_for)}}
    if condition.no_data:
        silence: dict[str, Any] = {"metric": condition.no_data.metric, "afterUs": _us(condition.no_data.after)}
        # Left out where it is as it always was, so that a version with the same condition continues.
        return {"noData": silence if condition.no_data.ever_heard else {**silence, "everHeard": False}}
    if isinstance(condition.expression, str):
        return {"expression": condition.expression}
    if isinstance(condition.all_of, list):
        return {"allOf": [_condition(part) for part in condition.all_of]}
    return {"anyOf": [_condition(part) for part in condition.any_of or []]}


def _us(duration: Duration) -> int:
    return duration.exact() // _MICROSECOND
