"""What a change at an entity means besides its formulas, in the same transaction: rollups above are marked dirty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from domain.derivation.book import Book
from domain.derivation.windows import HIERARCHY, READINGS, ROLLUP, Window
from domain.rollups.dirt import rollups_touch, rollups_touch_at
from domain.rollups.known import RollupCache
from domain.telemetry.attribution import spans_union

Span = tuple[int, int]
# Windows that never change what the formulas of an entity make: what changed is who lies below whom.
_ONLY_FOLLOWED: Final = frozenset({HIERARCHY})
# And those that change nothing either where the entity has no formulas, and never had.
_FOLLOWED_WITHOUT: Final = frozenset({READINGS, ROLLUP})


@dataclass(slots=True)
class Touched:
    """What a transaction changed at entities (16 bytes): times over which their points did, or what is below them."""

    points: dict[bytes, list[Span]] = field(default_factory=dict)
    places: dict[bytes, list[Span]] = field(default_factory=dict)

    def add(self, entity: bytes, begins_us: int, ends_us: int) -> None:
        """Note that points of an entity changed over a time."""
        self.points.setdefault(entity, []).append((begins_us, ends_us))


def windows_split(
    windows: Mapping[bytes, Sequence[Window]], book: Book
) -> tuple[dict[bytes, list[Window]], list[Window]]:
    """Return the windows that formulas are concerned with, by entity, and those that are only followed up."""
    derived: dict[bytes, list[Window]] = {}
    followed: list[Window] = []
    for entity, of_entity in windows.items():
        derives = book.entities[entity] is not None
        for window in of_entity:
            if window.reason in _ONLY_FOLLOWED or (not derives and window.reason in _FOLLOWED_WITHOUT):
                followed.append(window)
            else:
                derived.setdefault(entity, []).append(window)
    return derived, followed


def windows_follow(touched: Touched, followed: Sequence[Window]) -> list[int]:
    """Note what windows say that formulas are not concerned with; return their ids."""
    for window in followed:
        spans = touched.places if window.reason == HIERARCHY else touched.points
        spans.setdefault(window.entity, []).append((window.begins_us, window.ends_us))
    return [window.id for window in followed]


def changes_follow(
    session: Session, *, organization_id: int, book: Book, touched: Touched, rollups: RollupCache
) -> None:
    """Mark what follows from what changed. The points are written; the caller holds the organization's graph."""
    if book.watchers.counted:
        points = {entity: spans_union(spans) for entity, spans in touched.points.items() if entity in book.watched}
        rollups_touch(session, organization_id=organization_id, touched=points, cache=rollups)
        places = {entity: spans_union(spans) for entity, spans in touched.places.items()}
        rollups_touch_at(session, organization_id=organization_id, touched=places, cache=rollups)
