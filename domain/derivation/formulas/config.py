"""The derivation config: the formulas of types and of profiles, read once and merged on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.definitions.entity_types.tables import telemetry_schemas
from domain.definitions.processors.versions import FIRST
from domain.definitions.profiles.queries import InForce, profiles_in_force
from domain.derivation.formulas.derive import chained_of, inputs_of, reach_us
from domain.derivation.formulas.formulas import MEMBER, FormulaCycle, FormulaSet, cycle_text, derived_cycle, formulas_of
from domain.telemetry.model.attribution import BEGIN_US, END_US
from domain.telemetry.store.links import LINKED_KINDS
from graph.kinds import EntityKind
from graph.tables import entity_types

_log = structlog.get_logger(__name__)

T = TypeVar("T")
# Formulas by event time: [begins_us, ends_us), ascending.
FormulaSpans = Sequence[tuple[int, int, Mapping[str, Any]]]

_NOTHING: Final[FormulaSpans] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """The formulas of a type by event time, the metrics they read, and for how long a value counts.

    sets: each with the version in force. shadow: the same by the version in shadow, where another is in force.
    is_chained: derived metrics are read by others. has_attributes: any formula reads some. areas: the spaces it refers
    to.
    """

    sets: tuple[FormulaSet, ...]
    inputs: frozenset[str]
    reach_us: int
    shadow: tuple[FormulaSet, ...] = ()
    is_chained: bool = False
    has_attributes: bool = False
    areas: frozenset[str] = frozenset()


@dataclass(slots=True)
class DerivationConfig:
    """An organization's formulas. versions: of the stage, from when on; shadow: that in shadow, if any.

    types: by kind and name, those that derive. profiles: by id, all that there are, with formulas or without; in_force:
    all that these say. of: what
    is derived, by kind, type and profile, filled on demand; all that are alike share one object.
    """

    versions: Sequence[tuple[int, int]] = ()
    shadow: int | None = None
    types: Mapping[tuple[str, str], FormulaSpans] = field(default_factory=dict)
    profiles: Mapping[UUID, FormulaSpans] = field(default_factory=dict)
    in_force: InForce = field(default_factory=dict)
    cache: dict[tuple[str, str | None, UUID | None], Derivation | None] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is derived for anything."""
        return not self.types and not self.profiles

    def get(self, kind: str, type_name: str | None, profile_id: UUID | None) -> Derivation | None:
        """Return the derivation of entities of a kind and type that use a profile; None: nothing is derived."""
        profiled = profile_id if kind == EntityKind.ASSET and profile_id in self.profiles else None
        key = (kind, type_name, profiled)
        if key not in self.cache:
            of_type = self.types.get((kind, type_name or ""), _NOTHING)
            of_profile = _NOTHING if profiled is None else self.profiles[profiled]
            is_any = any(spans for _, _, spans in (*of_type, *of_profile))
            merged = [
                (begins, ends, formulas_of({MEMBER: spans})) for begins, ends, spans in _merged(of_type, of_profile)
            ]
            self.cache[key] = _derivation(merged, self.versions, self.shadow) if is_any else None
        return self.cache[key]

    def cycle(self, type_name: str | None, profile_id: UUID) -> FormulaCycle | None:
        """Return a cycle among the formulas of this type and profile together; None: there is none."""
        of_type = self.types.get((EntityKind.ASSET, type_name or ""), _NOTHING)
        of_profile = self.profiles.get(profile_id, _NOTHING)
        cycles = (derived_cycle(both) for _, _, _, both in _overlaid(of_type, of_profile))
        return next((cycle for cycle in cycles if cycle is not None), None)

    def areas(self) -> frozenset[str]:
        """Return the external ids of all spaces that any formula refers to."""
        distinct = {
            id(formulas): formulas
            for spans in (*self.types.values(), *self.profiles.values())
            for _, _, formulas in spans
            if derived_cycle(formulas) is None
        }
        compiled = [formula for formulas in distinct.values() for formula in formulas_of({MEMBER: formulas})]
        return frozenset(area for formula in compiled if formula.expression for area in formula.expression.areas)


def derivation_config_read(
    session: Session,
    *,
    organization_id: int,
    versions: Sequence[tuple[int, int]] = ((BEGIN_US, FIRST),),
    shadow: int | None = None,
) -> DerivationConfig:
    """Read the derivation config. versions: of the stage, each with the time it is in force from. Two statements."""
    in_force = profiles_in_force(session, organization_id=organization_id)
    profiles = {
        profile_id: [(begins, ends, content.formulas) for begins, ends, content in spans]
        for profile_id, spans in in_force.items()
    }
    return DerivationConfig(versions, shadow, _types(session, organization_id), profiles, in_force)


def _types(session: Session, organization_id: int) -> dict[tuple[str, str], FormulaSpans]:
    rows = session.execute(
        select(
            entity_types.c.kind,
            entity_types.c.name,
            telemetry_schemas.c.effective_from,
            telemetry_schemas.c.schema,
        )
        .join_from(
            telemetry_schemas,
            entity_types,
            (entity_types.c.organization_id == telemetry_schemas.c.organization_id)
            & (entity_types.c.id == telemetry_schemas.c.entity_type_id),
        )
        .where(telemetry_schemas.c.organization_id == organization_id, entity_types.c.kind.in_(LINKED_KINDS))
        .order_by(entity_types.c.kind, entity_types.c.name, telemetry_schemas.c.effective_from)
    )
    schemas: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for row in rows:
        begins = max(micros_of(row.effective_from), BEGIN_US)
        schemas.setdefault((row.kind, row.name), []).append((begins, row.schema))
    return {
        key: [(begins, ends, schema.get(MEMBER, {})) for begins, ends, schema in spans_of(versions)]
        for key, versions in schemas.items()
        if any(MEMBER in schema for _, schema in versions)
    }


def _overlaid(
    of_type: FormulaSpans, of_profile: FormulaSpans
) -> Iterator[tuple[int, int, Mapping[str, Any], Mapping[str, Any]]]:
    """Cut what a type and a profile say at each other's bounds: what the type says, and both together.

    Of one name the profile's goes before.
    """
    edges = sorted({edge for begins, ends, _ in (*of_type, *of_profile) for edge in (begins, ends)})
    for begins, ends in pairwise(edges):
        typed = _at(of_type, begins)
        yield begins, ends, typed, {**typed, **_at(of_profile, begins)}


def _merged(of_type: FormulaSpans, of_profile: FormulaSpans) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Return what is derived when. Where both together are cyclic, the profile's formulas are left out."""
    for begins, ends, typed, both in _overlaid(of_type, of_profile):
        if (cycle := derived_cycle(both)) is not None:
            # A type and a profile that were saved independently, and an asset that got both since.
            _log.warning("profile_formulas_left_out", cycle=cycle_text(cycle))
            yield begins, ends, typed
        elif both:
            yield begins, ends, both


def _at(spans: FormulaSpans, at_us: int) -> Mapping[str, Any]:
    return next((formulas for begins, ends, formulas in spans if begins <= at_us < ends), {})


def _derivation(
    spans: Sequence[tuple[int, int, tuple[Any, ...]]], versions: Sequence[tuple[int, int]], shadow: int | None
) -> Derivation:
    """versions: each with the time from which it is in force, ascending."""
    sets = tuple(
        FormulaSet(max(begins, since), min(ends, until), formulas, version)
        for begins, ends, formulas in spans
        for since, until, version in spans_of(versions)
        if max(begins, since) < min(ends, until)
    )
    of_shadow = tuple(
        replace(formula_set, version=shadow)
        for formula_set in sets
        if shadow is not None and formula_set.version != shadow
    )
    expressions = [
        e for formula_set in sets for formula in formula_set.formulas if (e := formula.expression) is not None
    ]
    return Derivation(
        sets,
        inputs_of(sets),
        reach_us(sets),
        of_shadow,
        is_chained=bool(chained_of(sets)),
        has_attributes=any(e.attributes for e in expressions),
        areas=frozenset(area for e in expressions for area in e.areas),
    )


def spans_of(begun: Sequence[tuple[int, T]]) -> list[tuple[int, int, T]]:
    """Return half-open spans: each value from its begin to the next one's."""
    ends = [begins for begins, _ in begun[1:]] + [END_US]
    return [(begins, end, what) for (begins, what), end in zip(begun, ends, strict=True)]
