"""Validate the content of a profile's version. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.definitions.profiles.model import ProfileContent
from domain.derivation.formulas.formulas import derived_check
from domain.derivation.health.settings import health_check, thresholds_check
from domain.rules.rule_json import rule_read
from graph.absent import ABSENT, Absent
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import json_object_check
from graph.texts import json_nfc

RULES_MAX: Final = 50


def content_merge(
    before: ProfileContent,
    *,
    attributes: Mapping[str, Any] | Absent | None = ABSENT,
    thresholds: Mapping[str, Any] | Absent | None = ABSENT,
    formulas: Mapping[str, Any] | Absent | None = ABSENT,
    rules: Sequence[Any] | Absent | None = ABSENT,
    health: Mapping[str, Any] | Absent | None = ABSENT,
) -> ProfileContent:
    """Return a content with other members; ABSENT stays, None empties.

    Raises BadInputError, LimitExceededError with the place at fault, in the contract's names.
    """
    return ProfileContent(
        attributes=before.attributes
        if isinstance(attributes, Absent)
        else json_object_check(attributes or {}, path=("defaultAttributes",)),
        thresholds=before.thresholds
        if isinstance(thresholds, Absent)
        else thresholds_check(thresholds or {}, path=("defaultHealthThresholds",)),
        formulas=before.formulas if isinstance(formulas, Absent) else _formulas(formulas or {}),
        rules=before.rules if isinstance(rules, Absent) else _rules(rules or []),
        health=before.health if isinstance(health, Absent) else health_check(health or {}, path=("health",)),
    )


def _formulas(value: Any) -> dict[str, Any]:
    checked: dict[str, Any] = json_nfc(json_object_check(value, path=("formulas",)))
    derived_check(checked, path=("formulas",))
    return checked


def _rules(value: Any) -> list[dict[str, Any]]:
    """Each is a rule with a unique name and without a scope; what depends on the plant is checked when written."""
    if not isinstance(value, list):
        raise BadInputError("rules must be a list of rules.", path=("rules",))
    if len(value) > RULES_MAX:
        raise LimitExceededError(f"A profile may have {RULES_MAX} rules; it has {len(value)}.", path=("rules",))
    names: set[str] = set()
    checked = []
    for n, rule in enumerate(map(json_nfc, value)):
        path = ("rules", str(n))
        checked.append(json_object_check(rule, path=path))
        name = rule.get("name")
        if not isinstance(name, str) or not name.strip():
            raise BadInputError("A rule has a name.", path=(*path, "name"))
        if name in names:
            raise BadInputError(f"There is a rule {name!r} in this profile already.", path=(*path, "name"))
        if "scope" in rule:
            message = "The scope of a profile's rule is the assets that use the profile; leave it out."
            raise BadInputError(message, path=(*path, "scope"))
        names.add(name)
    for n, rule in enumerate(checked):
        rule_read(rule, path=("rules", str(n)))
    return checked
