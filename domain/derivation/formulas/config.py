"""What is derived for a type of things, and for assets of a type that use a profile: read once, merged as asked for."""

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
from domain.derivation.formulas.formulas import MEMBER, Circle, FormulaSet, circle_told, derived_circle, formulas_of
from domain.telemetry.model.attribution import BEGIN_US, END_US
from domain.telemetry.store.links import LINKED_KINDS
from graph.kinds import EntityKind
from graph.tables import entity_types

_log = structlog.get_logger(__name__)

T = TypeVar("T")
# What is said from when to when, ascending: [begins_us, ends_us) of event time.
Said = Sequence[tuple[int, int, Mapping[str, Any]]]

_NOTHING: Final[Said] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """What is derived for a type: the formulas by event time, the names they read, how long a value counts.

    sets: each with the version in force. shadow: the same by the version in shadow, where another is in force.
    is_chained: derived metrics are read by others. has_attributes: any formula reads some. areas: the spaces it asks.
    """

    sets: tuple[FormulaSet, ...]
    inputs: frozenset[str]
    reach_us: int
    shadow: tuple[FormulaSet, ...] = ()
    is_chained: bool = False
    has_attributes: bool = False
    areas: frozenset[str] = frozenset()


@dataclass(slots=True)
class Configured:
    """An organization's formulas. versions: of the stage, from when on; shadow: that in shadow, if any.

    types: by kind and name, those that derive. profiles: by id, all that there are, with formulas or without; in_force:
    all that these say. of: what
    is derived, by kind, type and profile, filled as it is asked for; all that are alike share one object.
    """

    versions: Sequence[tuple[int, int]] = ()
    shadow: int | None = None
    types: Mapping[tuple[str, str], Said] = field(default_factory=dict)
    profiles: Mapping[UUID, Said] = field(default_factory=dict)
    in_force: InForce = field(default_factory=dict)
    of: dict[tuple[str, str | None, UUID | None], Derivation | None] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is derived for anything."""
        return not self.types and not self.profiles

    def get(self, kind: str, type_name: str | None, profile_id: UUID | None) -> Derivation | None:
        """Return what is derived for things of a kind and type that use a profile; None: nothing ever."""
        profiled = profile_id if kind == EntityKind.ASSET and profile_id in self.profiles else None
        key = (kind, type_name, profiled)
        if key not in self.of:
            of_type = self.types.get((kind, type_name or ""), _NOTHING)
            of_profile = _NOTHING if profiled is None else self.profiles[profiled]
            is_any = any(said for _, _, said in (*of_type, *of_profile))
            merged = [
                (begins, ends, formulas_of({MEMBER: said})) for begins, ends, said in _merged(of_type, of_profile)
            ]
            self.of[key] = _derivation(merged, self.versions, self.shadow) if is_any else None
        return self.of[key]

    def circle(self, type_name: str | None, profile_id: UUID) -> Circle | None:
        """Return metrics that assets of this type and profile would derive from each other; None: there are none."""
        of_type = self.types.get((EntityKind.ASSET, type_name or ""), _NOTHING)
        of_profile = self.profiles.get(profile_id, _NOTHING)
        found = (derived_circle(both) for _, _, _, both in _together(of_type, of_profile))
        return next((circle for circle in found if circle is not None), None)

    def areas(self) -> frozenset[str]:
        """Return the external ids of all spaces that any formula asks for."""
        said = {
            id(formulas): formulas
            for of in (*self.types.values(), *self.profiles.values())
            for _, _, formulas in of
            if derived_circle(formulas) is None
        }
        compiled = [formula for formulas in said.values() for formula in formulas_of({MEMBER: formulas})]
        return frozenset(area for formula in compiled if formula.expression for area in formula.expression.areas)


def configured_read(
    session: Session,
    *,
    organization_id: int,
    versions: Sequence[tuple[int, int]] = ((BEGIN_US, FIRST),),
    shadow: int | None = None,
) -> Configured:
    """Read what is configured. versions: of the stage, each with the time from which on, ascending. Two statements."""
    in_force = profiles_in_force(session, organization_id=organization_id)
    profiles = {
        profile_id: [(begins, ends, content.formulas) for begins, ends, content in spans]
        for profile_id, spans in in_force.items()
    }
    return Configured(versions, shadow, _types(session, organization_id), profiles, in_force)


def _types(session: Session, organization_id: int) -> dict[tuple[str, str], Said]:
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
        key: [(begins, ends, schema.get(MEMBER, {})) for begins, ends, schema in spans_of(found)]
        for key, found in schemas.items()
        if any(MEMBER in schema for _, schema in found)
    }


def _together(of_type: Said, of_profile: Said) -> Iterator[tuple[int, int, Mapping[str, Any], Mapping[str, Any]]]:
    """Cut what a type and a profile say at each other's bounds: what the type says, and both together.

    Of one name the profile's goes before.
    """
    edges = sorted({edge for begins, ends, _ in (*of_type, *of_profile) for edge in (begins, ends)})
    for begins, ends in pairwise(edges):
        typed = _at(of_type, begins)
        yield begins, ends, typed, {**typed, **_at(of_profile, begins)}


def _merged(of_type: Said, of_profile: Said) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Return what is derived when. Where both together go in a circle, the profile's formulas are left out."""
    for begins, ends, typed, both in _together(of_type, of_profile):
        if (circle := derived_circle(both)) is not None:
            # A type and a profile that were saved apart, and an asset that got both since.
            _log.warning("profile_formulas_left_out", circle=circle_told(circle))
            yield begins, ends, typed
        elif both:
            yield begins, ends, both


def _at(said: Said, at_us: int) -> Mapping[str, Any]:
    return next((formulas for begins, ends, formulas in said if begins <= at_us < ends), {})


def _derivation(
    said: Sequence[tuple[int, int, tuple[Any, ...]]], versions: Sequence[tuple[int, int]], shadow: int | None
) -> Derivation:
    """versions: each with the time from which it is in force, ascending."""
    sets = tuple(
        FormulaSet(max(begins, since), min(ends, until), formulas, version)
        for begins, ends, formulas in said
        for since, until, version in spans_of(versions)
        if max(begins, since) < min(ends, until)
    )
    of_shadow = tuple(replace(each, version=shadow) for each in sets if shadow is not None and each.version != shadow)
    expressions = [e for each in sets for formula in each.formulas if (e := formula.expression) is not None]
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
    """Return each with its begin and its end, which is where the next begins."""
    ends = [begins for begins, _ in begun[1:]] + [END_US]
    return [(begins, end, what) for (begins, what), end in zip(begun, ends, strict=True)]
