"""The spans of event time over which entities changed, and which windows change no formula's points. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.derivation.dependencies.index import DependencyIndex
from domain.derivation.invalidation.spans import EntitySpan
from domain.derivation.invalidation.windows import (
    HEALTH,
    HIERARCHY,
    MEMBERSHIP,
    READINGS,
    ROLLUP,
    RULE,
    TIMER,
    Window,
)
from domain.telemetry.model.attribution import END_US, spans_union

Span = tuple[int, int]
# Windows that never change what the formulas of an entity make: a hierarchy changed, or rules.
_PROPAGATED_ONLY: Final = frozenset({HIERARCHY, MEMBERSHIP, RULE, TIMER})
# Windows that change nothing either where the entity has no formulas, and never had.
_PROPAGATED_WITHOUT_FORMULAS: Final = frozenset({HEALTH, READINGS, ROLLUP})


@dataclass(frozen=True, slots=True)
class WindowsSplit:
    """Dirty windows: those of formulas, by entity, and those of rules, rollups and health alone."""

    derived: Mapping[bytes, Sequence[Window]]
    propagated: Sequence[Window]


@dataclass(frozen=True, slots=True)
class ChangedSpans:
    """Changes of a transaction at entities (16 bytes), by spans of event time.

    points: where their points changed. hierarchy: where what is below them changed. to_evaluate: where rules are to be
    evaluated besides.
    """

    points: Mapping[bytes, Sequence[Span]] = field(default_factory=dict)
    hierarchy: Mapping[bytes, Sequence[Span]] = field(default_factory=dict)
    to_evaluate: Mapping[bytes, Sequence[Span]] = field(default_factory=dict)

    def earliest_us(self) -> int:
        """Return the first instant of all; END_US for none."""
        every = (self.points, self.hierarchy, self.to_evaluate)
        return min(
            (begins for spans in every for of_entity in spans.values() for begins, _ in of_entity), default=END_US
        )

    def before(self, instant_us: int) -> frozenset[bytes]:
        """Return the entities of which anything changed before an instant."""
        return frozenset(
            entity
            for spans in (self.points, self.hierarchy, self.to_evaluate)
            for entity, of_entity in spans.items()
            if any(begins < instant_us for begins, _ in of_entity)
        )

    def clamped(self, instant_us: int) -> ChangedSpans:
        """Return what changed from an instant on."""
        return ChangedSpans(
            _clamped(self.points, instant_us),
            _clamped(self.hierarchy, instant_us),
            _clamped(self.to_evaluate, instant_us),
        )

    def evaluation_spans(self) -> dict[bytes, list[Span]]:
        """Return the spans over which rules are to be evaluated, by entity: changed points, and `to_evaluate`."""
        spans = {entity: list(of_entity) for entity, of_entity in self.points.items()}
        for entity, of_entity in self.to_evaluate.items():
            spans.setdefault(entity, []).extend(of_entity)
        return {entity: spans_union(of_entity) for entity, of_entity in spans.items()}


def windows_split(windows: Mapping[bytes, Sequence[Window]], *, index: DependencyIndex) -> WindowsSplit:
    """Split windows into those that formulas are concerned with, and the others. windows: by entity."""
    derived: dict[bytes, list[Window]] = {}
    propagated: list[Window] = []
    for entity, of_entity in windows.items():
        has_formulas = index.entity_of(entity).derivation is not None
        for window in of_entity:
            if window.reason in _PROPAGATED_ONLY or (
                not has_formulas and window.reason in _PROPAGATED_WITHOUT_FORMULAS
            ):
                propagated.append(window)
            else:
                derived.setdefault(entity, []).append(window)
    return WindowsSplit(derived, propagated)


def changed_spans(*, propagated: Sequence[Window], derived: Iterable[EntitySpan]) -> ChangedSpans:
    """Return what changed: by windows that no formula is concerned with, and where entities were derived."""
    points: dict[bytes, list[Span]] = {}
    hierarchy: dict[bytes, list[Span]] = {}
    to_evaluate: dict[bytes, list[Span]] = {}
    for window in propagated:
        span = (window.begins_us, window.ends_us)
        if window.reason == HIERARCHY:
            hierarchy.setdefault(window.entity, []).append(span)
        target = points if window.reason in _PROPAGATED_WITHOUT_FORMULAS else to_evaluate
        target.setdefault(window.entity, []).append(span)
    for item in derived:
        points.setdefault(item.entity, []).append((item.begins_us, item.ends_us))
    return ChangedSpans(points, hierarchy, to_evaluate)


def _clamped(spans: Mapping[bytes, Sequence[Span]], instant_us: int) -> dict[bytes, Sequence[Span]]:
    clamped: dict[bytes, Sequence[Span]] = {}
    for entity, of_entity in spans.items():
        if all(begins >= instant_us for begins, _ in of_entity):
            clamped[entity] = of_entity
        elif later := [(max(begins, instant_us), ends) for begins, ends in of_entity if ends > instant_us]:
            clamped[entity] = later
    return clamped
