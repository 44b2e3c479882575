"""Find the derived metrics of stays: those whose formula is nothing but `inArea(...)`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.derivation.formulas.config import Derivation, DerivationConfig
from domain.derivation.formulas.formulas import MEMBER, formulas_of
from domain.derivation.stays.rules import Watch

# By metric and area: over which times, ascending.
Watches = Mapping[tuple[str, str], list[Watch]]


def watches_of(derivation: Derivation, *, areas: Collection[str] | None) -> Watches:
    """Return the stay metrics of a derivation for these areas (external ids), or for any."""
    watches: dict[tuple[str, str], list[Watch]] = {}
    for formula_set in derivation.sets:
        for formula in formula_set.formulas:
            area = None if formula.expression is None else formula.expression.area
            if area is not None and (areas is None or area in areas):
                watch = Watch(formula_set.begins_us, formula_set.ends_us, formula.max_age_us)
                watches.setdefault((formula.metric, area), []).append(watch)
    return watches


def watching(config: DerivationConfig, *, areas: Collection[str]) -> tuple[list[tuple[str, str]], list[Any]]:
    """Return the types (kind, name) and the profiles that ever had a stay metric for these areas."""

    def has_area(formulas: Mapping[str, Any]) -> bool:
        # One at a time: the formulas of a profile may be cyclic together, and are then left out.
        compiled = (formulas_of({MEMBER: {name: formula}}) for name, formula in formulas.items())
        return any(item.expression is not None and item.expression.area in areas for [item] in compiled)

    types = [key for key, spans in config.types.items() if any(has_area(formulas) for _, _, formulas in spans)]
    profiles = [key for key, spans in config.profiles.items() if any(has_area(formulas) for _, _, formulas in spans)]
    return types, profiles
