"""Rules: conditions on entities, with severity and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import strawberry

from domain.base.packed import instant_of
from domain.nodes.names import NameKind
from domain.rules.backtest import Backtest, rule_backtest
from domain.rules.conditions import condition_read, metrics_of
from domain.rules.counts import event_counts, rule_entity_counts
from domain.rules.model import RecordedRuleVersion
from domain.rules.model import Rule as RuleRow
from domain.rules.model import RuleVersion as VersionRow
from domain.rules.operations import rule_create, rule_delete, rule_update
from domain.rules.queries import rule_versions_get, rules_page, versions_in_force
from gql.access.principal import ADMINS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime, duration_print
from gql.errors import UserError, user_error
from gql.rules.rule_input import RuleFilter, RuleInput, SeverityEnum, draft_of, to_where
from graph.errors import ArgusError
from graph.paging import PageRequest

_MICROSECOND = timedelta(microseconds=1)


@strawberry.type
class RuleVersion:
    """A version of a rule, in force from `effectiveFrom` until that of the next one.

    Attributes:
        condition: What the rule watches for, in the form of the input Condition.
        scope: Which entities the rule is about, in the form of the input RuleScope.
        severity: Severity of its events when they open.
        action: The actions on its events, in the form of the input RuleAction.
        escalation: Steps of escalation, a list in the form of the input EscalationStep.
        damping: How flapping is damped, in the form of the input FlapDamping.
        is_active: False: the rule evaluates nothing.
    """

    effective_from: DateTime
    condition: JSON
    scope: JSON
    severity: SeverityEnum  # type: ignore[valid-type]
    action: JSON
    escalation: JSON
    damping: JSON
    is_active: bool
    recorded_at: DateTime
    actor: str


@strawberry.type
class Rule(Node):
    """A rule, as its newest version by event time has it.

    Attributes:
        name: Name of the rule.
        condition: What the rule watches for, in the form of the input Condition.
        scope: Which entities the rule is about, in the form of the input RuleScope.
        severity: Severity of its events when they open.
        action: The actions on its events, in the form of the input RuleAction.
        escalation: Steps of escalation, a list in the form of the input EscalationStep.
        damping: How flapping is damped, in the form of the input FlapDamping.
        is_active: False: the rule evaluates nothing.
        effective_from: Event time from which this version is in force.
        profile_id: Id of the asset profile that defines the rule, and alone changes it; null: none.
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
    profile_id: strawberry.ID | None
    created_at: DateTime
    updated_at: DateTime
    deleted_at: DateTime | None

    @strawberry.field
    async def versions(self, info: Info) -> list[RuleVersion] | None:
        """All versions of the rule, by event time, of the future too; a rule has at most 1,000."""
        rule_version = await load(info.context, rule_versions_get, uuid_named(self.id, "id"))
        return [_to_version(row) for row in rule_version or ()]

    @strawberry.field
    async def in_force(
        self, info: Info, as_of: DateTime | None = None, known_at: DateTime | None = None
    ) -> RuleVersion | None:
        """The version that is in force at an instant; null: none is yet.

        Args:
            as_of: Instant of event time. Default: now.
            known_at: Only of the versions that had been recorded by then (system time). Default: now.
        """
        at = info.context.services.clock() if as_of is None else as_of
        rule_id = uuid_named(self.id, "id")
        row = await load(info.context, versions_in_force, rule_id, at=at, known_at=known_at)
        return None if row is None else _to_version(row)

    @strawberry.field
    async def event_count(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        to: DateTime | None = None,
    ) -> int | None:
        """Number of its events that opened in a range of event time; withdrawn ones are left out.

        Args:
            from_: Start of the range of event time, inclusive.
            to: End of the range of event time, exclusive. Default: no end.
        """
        rule_id = uuid_named(self.id, "id")
        return await load(info.context, event_counts, rule_id, begins=from_, ends=to)

    @strawberry.field
    async def entity_count(self, info: Info) -> int | None:
        """Number of devices, assets and spaces in its scope now."""
        return await load(info.context, rule_entity_counts, uuid_named(self.id, "id"))


RuleConnection = Connection[Rule]


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
    """The result of testing a rule.

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


@queries
class RuleQuery:
    """Rules."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def rules(self, info: Info, *, page: PageRequest, filter: RuleFilter | None = None) -> RuleConnection:
        """Rules, the newest first. Deleted ones are left out, unless the filter includes them.

        Args:
            filter: Conditions that a rule must meet. Default: none.
        """
        rows = await page_read(info, rules_page, page, where=to_where(filter))
        return RuleConnection(rows=rows, show=to_rule)


@mutations
class RuleMutation:
    """Mutations of rules."""

    @mutation(ADMINS)
    async def create_rule(self, info: Info, input: RuleInput, reason: str | None = None) -> RulePayload:
        """Create a rule. One that can never fire or never clear is refused with the reason."""

        def prepare() -> Callable[..., RuleRow]:
            return partial(rule_create, draft=draft_of(input))

        return _with_hints(
            info, input, await payload_of(info, _payload, prepare, reason=reason, beside=("id", "reason"))
        )

    @mutation(ADMINS)
    async def update_rule(
        self, info: Info, id: strawberry.ID, input: RuleInput, reason: str | None = None
    ) -> RulePayload:
        """Create a new version of a rule, effective from `effectiveFrom`.

        With another condition, open events are closed at that instant and the current readings are evaluated again;
        with the same condition they stay open. CONFLICT for a rule of an asset profile.

        Args:
            id: Id of the rule.
        """

        def prepare() -> Callable[..., RuleRow]:
            return partial(rule_update, rule_id=uuid_named(id, "id"), draft=draft_of(input))

        return _with_hints(
            info, input, await payload_of(info, _payload, prepare, reason=reason, beside=("id", "reason"))
        )

    @mutation(ADMINS)
    async def delete_rule(self, info: Info, id: strawberry.ID, reason: str | None = None) -> RulePayload:
        """Delete a rule: it evaluates nothing from now on, and open events are closed. Its events are kept.

        CONFLICT for a rule of an asset profile.

        Args:
            id: Id of the rule.
        """

        def prepare() -> Callable[..., RuleRow]:
            return partial(rule_delete, rule_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, prepare, under=(), reason=reason)

    @mutation(ADMINS)
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
            backtest = await info.context.read(
                rule_backtest, draft=draft_of(input), begins=from_, ends=to, now=info.context.services.clock()
            )
        except ArgusError as error:
            own = bool(error.path) and error.path[0] in {"from", "to"}
            return RuleTestPayload(test=None, errors=[user_error(error, under=() if own else ("input",))])
        return RuleTestPayload(test=_to_test(backtest), errors=[])


def _to_test(backtest: Backtest) -> RuleTest:
    events = [
        TriedEvent(
            entity_id=strawberry.ID(str(entity_id)),
            began_at=DateTime(instant_of(item.began)),
            opened_at=DateTime(instant_of(item.opened)),
            cleared_at=None if item.cleared is None else DateTime(instant_of(item.cleared)),
            value=item.value,
            flaps=item.flaps,
        )
        for entity_id, item in backtest.findings
    ]
    return RuleTest(events=events, entities=backtest.entities, points=backtest.points, truncated=backtest.truncated)


@converts(RuleRow)
def to_rule(row: RuleRow) -> Rule:
    """Convert a rule to its GraphQL object."""
    return Rule(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        deleted_at=None if row.deleted_at is None else DateTime(row.deleted_at),
        profile_id=None if row.owner_id is None else strawberry.ID(str(row.owner_id)),
        **_content(row.version),
    )


def _to_version(row: RecordedRuleVersion) -> RuleVersion:
    return RuleVersion(recorded_at=DateTime(row.recorded_at), actor=row.actor, **_content(row.version))


def _content(version: VersionRow) -> dict[str, Any]:
    """Return the fields that a rule and each of its versions have."""
    scope, damping = version.scope, version.damping
    return {
        "condition": JSON(condition_json(version.condition)),
        "scope": JSON(
            {
                "entityId": None if scope.entity_id is None else str(scope.entity_id),
                "kind": scope.kind,
                "type": scope.type,
                "underId": None if scope.under_id is None else str(scope.under_id),
                "profileId": None if scope.profile_id is None else str(scope.profile_id),
                "groupId": None if scope.group_id is None else str(scope.group_id),
            }
        ),
        "severity": version.severity,
        "action": JSON(dict(version.action)),
        "escalation": JSON([{"after": _text(s.after_us), "severity": s.severity.value} for s in version.escalation]),
        "damping": JSON({"maxEvents": damping.max_events, "per": _text(damping.per_us)}),
        "is_active": version.is_active,
        "effective_from": DateTime(version.effective_from),
    }


def _with_hints(info: Info, input_: RuleInput, payload: RulePayload) -> RulePayload:
    """Have the names that a rule reads looked up: what does not exist yet is no error."""
    if not payload.errors:
        draft = draft_of(input_)
        for name in sorted(metrics_of(condition_read(draft.condition))):
            info.context.unmatched_add(NameKind.METRIC, name, "input", "condition")
        if draft.scope.type is not None:
            info.context.unmatched_add(NameKind.TYPE, draft.scope.type, "input", "scope", "type")
    return payload


def _payload(row: RuleRow | None, errors: list[UserError]) -> RulePayload:
    return RulePayload(rule=None if row is None else to_rule(row), errors=errors)


def condition_json(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition in the form of the input Condition."""
    [(what, body)] = condition.items()
    if what in {"allOf", "anyOf"}:
        return {what: [condition_json(part) for part in body]}
    if isinstance(body, str):
        return {what: body}
    return {
        what: {
            name.removesuffix("Us") if name.endswith("Us") else name: _text(value) if name.endswith("Us") else value
            for name, value in body.items()
        }
    }


def _text(us: int) -> str:
    return duration_print(us * _MICROSECOND)
