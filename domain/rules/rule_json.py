"""Parse rules that are written as JSON, in the members of the contract's RuleInput, within something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.rules.conditions import condition_read
from domain.rules.model import SEVERITIES, Damping, Severity, Step
from domain.rules.operations import STEPS_MAX, RuleDraft
from graph.errors import BadInputError, LimitExceededError
from graph.texts import json_nfc

Path = tuple[str, ...]

_US: Final = timedelta(microseconds=1)
_MEMBERS: Final = ("name", "condition", "severity", "action", "isActive", "escalation", "damping")
_LENGTHS: Final = {"threshold": ("for", "clearFor"), "noData": ("after",)}
# As deep as no condition may be: what is deeper is refused by whoever reads the condition.
_DEPTH_MAX: Final = 20


def rule_read(value: Mapping[str, Any], *, path: Path) -> RuleDraft:
    """Return a rule, its scope left open. Raises BadInputError and LimitExceededError at the place at fault."""
    _members(value, _MEMBERS, path)
    condition = json_nfc(_condition(value.get("condition"), (*path, "condition"), 0))
    condition_read(condition, path=(*path, "condition"))
    damping = value.get("damping") or {}
    _members(damping, ("maxEvents", "per"), (*path, "damping"))
    most, active = damping.get("maxEvents", Damping().max_events), value.get("isActive", True)
    if isinstance(most, bool) or not isinstance(most, int):
        raise BadInputError("maxEvents is a whole number.", path=(*path, "damping", "maxEvents"))
    if not isinstance(active, bool):
        raise BadInputError("isActive is true or false.", path=(*path, "isActive"))
    return RuleDraft(
        name=value["name"],
        condition=condition,
        severity=_severity(value.get("severity", Severity.MEDIUM), (*path, "severity")),
        action=_action(value.get("action") or {}, (*path, "action")),
        escalation=_steps(value.get("escalation") or [], (*path, "escalation")),
        damping=Damping(most, _length(damping.get("per", "PT1H"), (*path, "damping", "per"))),
        is_active=active,
    )


def _condition(value: Any, path: Path, depth: int) -> Any:
    """Return a condition with its lengths as the core has them; anything else is returned unchanged."""
    if not isinstance(value, Mapping) or depth > _DEPTH_MAX:
        return value
    condition: dict[str, Any] = {}
    for what, body in value.items():
        place = (*path, str(what))
        if what in {"allOf", "anyOf"} and isinstance(body, list):
            condition[what] = [_condition(part, (*place, str(n)), depth + 1) for n, part in enumerate(body)]
        elif isinstance(body, Mapping):
            lengths = _LENGTHS.get(what, ())
            condition[what] = {
                f"{name}Us" if name in lengths else name: _length(item, (*place, name)) if name in lengths else item
                for name, item in body.items()
            }
        else:
            condition[what] = body
    return condition


def _severity(value: Any, path: Path) -> Severity:
    if value not in SEVERITIES:
        raise BadInputError(f"A severity is one of {', '.join(SEVERITIES)}.", path=path)
    return Severity(value)


def _action(value: Any, path: Path) -> dict[str, Any]:
    _members(value, ("createActivityFromTemplateId", "webhookUrl"), path)
    action = {name: item for name, item in value.items() if item is not None}
    if "createActivityFromTemplateId" in action:
        try:
            action["createActivityFromTemplateId"] = str(UUID(action["createActivityFromTemplateId"]))
        except (AttributeError, TypeError, ValueError):
            place = (*path, "createActivityFromTemplateId")
            raise BadInputError("This is no id of a template.", path=place) from None
    return action


def _steps(value: Any, path: Path) -> list[Step]:
    if not isinstance(value, list):
        raise BadInputError("escalation is a list of steps.", path=path)
    if len(value) > STEPS_MAX:
        raise LimitExceededError(f"A rule has at most {STEPS_MAX} steps of escalation.", path=path)
    steps = []
    for n, step in enumerate(value):
        place = (*path, str(n))
        _members(step, ("after", "severity"), place)
        after = _length(step.get("after"), (*place, "after"))
        steps.append(Step(after, _severity(step.get("severity"), (*place, "severity"))))
    return steps


def _length(value: Any, path: Path) -> int:
    try:
        # A number would be taken for seconds.
        return msgspec.convert(value if isinstance(value, str) else "", timedelta) // _US
    except (msgspec.ValidationError, OverflowError):
        raise BadInputError(f"{path[-1]} is an ISO 8601 duration such as PT25M.", path=path) from None


def _members(value: Any, names: tuple[str, ...], path: Path) -> None:
    if not isinstance(value, Mapping):
        raise BadInputError(f"This is an object of {', '.join(names)}.", path=path)
    for name in value:
        if name not in names:
            raise BadInputError(f"There is no {str(name)[:40]!r} here, only {', '.join(names)}.", path=(*path, name))
