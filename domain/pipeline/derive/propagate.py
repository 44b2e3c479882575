"""Propagate a change at an entity to rules and rollups, in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, uuid_array
from domain.derivation.dependencies.index import DependencyIndex
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
from domain.derivation.rollups.invalidate import rollups_invalidate, rollups_invalidate_at
from domain.derivation.rollups.topology import RollupCache
from domain.telemetry.model.attribution import END_US, spans_union
from graph.walk.spans import BELOW, spans_below

Span = tuple[int, int]
# Windows that never change what the formulas of an entity make: who lies below whom changed, or what evaluates.
_ONLY_FOLLOWED: Final = frozenset({HIERARCHY, MEMBERSHIP, RULE, TIMER})
# And those that change nothing either where the entity has no formulas, and never had.
_FOLLOWED_WITHOUT: Final = frozenset({HEALTH, READINGS, ROLLUP})

_NOTE = text(
    """
    INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT :organization_id, u.e, u.b, u.t, :reason FROM unnest(:entities, :begins, :ends) AS u (e, b, t)
    """
)


@dataclass(slots=True)
class ChangedSpans:
    """Changes of a transaction at entities (16 bytes), by spans of event time.

    points: where their points changed. hierarchy: where what is below them changed. to_evaluate: where rules are to be
    evaluated besides.
    """

    points: dict[bytes, list[Span]] = field(default_factory=dict)
    hierarchy: dict[bytes, list[Span]] = field(default_factory=dict)
    to_evaluate: dict[bytes, list[Span]] = field(default_factory=dict)

    def add(self, entity: bytes, begins_us: int, ends_us: int) -> None:
        """Note that points of an entity changed over a time."""
        self.points.setdefault(entity, []).append((begins_us, ends_us))

    def earliest_us(self) -> int:
        """Return the first instant of all; END_US for none."""
        every = (self.points, self.hierarchy, self.to_evaluate)
        return min(
            (begins for spans in every for of_entity in spans.values() for begins, _ in of_entity), default=END_US
        )

    def clamp(self, retained_from_us: int) -> set[bytes]:
        """Leave out what lies before an instant; return the entities of which anything did."""
        behind: set[bytes] = set()
        for spans in (self.points, self.hierarchy, self.to_evaluate):
            for entity, of_entity in list(spans.items()):
                if min(begins for begins, _ in of_entity) >= retained_from_us:
                    continue
                behind.add(entity)
                spans[entity] = [
                    (max(begins, retained_from_us), ends) for begins, ends in of_entity if ends > retained_from_us
                ]
                if not spans[entity]:
                    del spans[entity]
        return behind

    def evaluation_spans(self) -> dict[bytes, list[Span]]:
        """Return the spans over which rules are to be evaluated, by entity: changed points, and `to_evaluate`."""
        spans = {entity: list(of_entity) for entity, of_entity in self.points.items()}
        for entity, of_entity in self.to_evaluate.items():
            spans.setdefault(entity, []).extend(of_entity)
        return {entity: spans_union(of_entity) for entity, of_entity in spans.items()}


def windows_split(
    windows: Mapping[bytes, Sequence[Window]], index: DependencyIndex
) -> tuple[dict[bytes, list[Window]], list[Window]]:
    """Split windows into those of formulas, by entity, and those of rules, rollups and health alone."""
    derived: dict[bytes, list[Window]] = {}
    followed: list[Window] = []
    for entity, of_entity in windows.items():
        derives = index.entity_of(entity).derivation is not None
        for window in of_entity:
            if window.reason in _ONLY_FOLLOWED or (not derives and window.reason in _FOLLOWED_WITHOUT):
                followed.append(window)
            else:
                derived.setdefault(entity, []).append(window)
    return derived, followed


def windows_only_followed(changed: ChangedSpans, followed: Sequence[Window]) -> list[int]:
    """Note the spans of windows that no formula is concerned with; return their ids."""
    for window in followed:
        span = (window.begins_us, window.ends_us)
        if window.reason == HIERARCHY:
            changed.hierarchy.setdefault(window.entity, []).append(span)
        if window.reason in _FOLLOWED_WITHOUT:
            changed.points.setdefault(window.entity, []).append(span)
        else:
            changed.to_evaluate.setdefault(window.entity, []).append(span)
    return [window.id for window in followed]


def memberships_invalidate(
    session: Session, *, organization_id: int, index: DependencyIndex, changed: ChangedSpans
) -> None:
    """Invalidate rules of all that is below an entity over the spans in which its place changed. A statement per level.

    For rules about what is below something; the windows are the next transactions'.
    """
    if not changed.hierarchy or not index.consumers.is_scoped:
        return
    ids = [UUID(bytes=entity) for entity in changed.hierarchy]
    below = spans_below(session, organization_id=organization_id, ids=ids, hops=BELOW)
    windows: dict[tuple[bytes, int, int], None] = {}
    for entity, spans in changed.hierarchy.items():
        for node in below[UUID(bytes=entity)]:  # type: ignore[index]  # an id is an id
            if node.bytes != entity:
                windows.update(((node.bytes, begins, ends), None) for begins, ends in spans)
    if windows:
        arrays_enable(session)
        session.execute(
            _NOTE,
            {
                "organization_id": organization_id,
                "reason": MEMBERSHIP,
                "entities": uuid_array(b"".join(entity for entity, _, _ in windows)),
                "begins": instant_array([begins for _, begins, _ in windows]),
                "ends": instant_array([ends for _, _, ends in windows]),
            },
        )


def rollups_invalidate_changed(
    session: Session, *, organization_id: int, index: DependencyIndex, changed: ChangedSpans, cache: RollupCache
) -> None:
    """Invalidate the rollups that count what changed, and those of entities below which something changed."""
    if not index.consumers.counted:
        return
    points = {e: spans_union(spans) for e, spans in changed.points.items() if index.entity_of(e).is_counted}
    rollups_invalidate(session, organization_id=organization_id, changed=points, cache=cache)
    places = {entity: spans_union(spans) for entity, spans in changed.hierarchy.items()}
    rollups_invalidate_at(session, organization_id=organization_id, changed=places, cache=cache)
