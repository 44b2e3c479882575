"""Which derived metrics say whether something is in an area: those whose formula is nothing but `inArea(...)`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.derivation.formulas.config import Configured, Derivation
from domain.derivation.formulas.formulas import MEMBER, formulas_of
from domain.derivation.stays.rules import Watch

# By metric and area: over which times, ascending.
Watches = Mapping[tuple[str, str], list[Watch]]


def watches_of(derivation: Derivation, *, areas: Collection[str] | None) -> Watches:
    """Return what a derivation says about these areas (external ids), or about any."""
    found: dict[tuple[str, str], list[Watch]] = {}
    for each in derivation.sets:
        for formula in each.formulas:
            area = None if formula.expression is None else formula.expression.area
            if area is not None and (areas is None or area in areas):
                watch = Watch(each.begins_us, each.ends_us, formula.max_age_us)
                found.setdefault((formula.metric, area), []).append(watch)
    return found


def watching(configured: Configured, *, areas: Collection[str]) -> tuple[list[tuple[str, str]], list[Any]]:
    """Return which types (kind, name) and which profiles have ever said anything about these areas."""

    def says(formulas: Mapping[str, Any]) -> bool:
        # Each by itself: a profile's may go in a circle together, and are then left out.
        compiled = (formulas_of({MEMBER: {name: formula}}) for name, formula in formulas.items())
        return any(each.expression is not None and each.expression.area in areas for [each] in compiled)

    types = [key for key, said in configured.types.items() if any(says(formulas) for _, _, formulas in said)]
    profiles = [key for key, said in configured.profiles.items() if any(says(formulas) for _, _, formulas in said)]
    return types, profiles
