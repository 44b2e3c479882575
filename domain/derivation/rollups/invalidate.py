"""Dirty buckets: what has to be computed anew, pushed up the graph from where something changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, instant_array, text_array, uuid_array
from domain.derivation.invalidation.buckets import TURN
from domain.derivation.rollups.buckets import FIRST_US, LAST_US, Grid
from domain.derivation.rollups.model import WHAT
from domain.derivation.rollups.partial_aggregates import partials_invalidate
from domain.derivation.rollups.tables import rollup_entities
from domain.derivation.rollups.topology import RollupCache, RollupTopology, above_fill, uppers_of
from graph.sql import any_of
from graph.walk.spans import spans_within

# (entity, what, begin) to (end, from when on it changed).
Marks = dict[tuple[bytes, str, int], tuple[int, int]]
Span = tuple[int, int]

_REVISION: Final = text("SELECT derivation_revision FROM graph_clocks WHERE organization_id = :organization_id")
# Of the turn that has begun: a row that is just being taken away bears an earlier one, so that neither is this one lost
# nor does it wait. In the order of the keys, so that no two wait for each other. Nothing is written where the bucket is
# as dirty already.
_MARK = text(
    f"""
    INSERT INTO dirty_buckets AS d (organization_id, entity_id, what, begins, ends, changed_from, turn)
    SELECT :organization_id, u.e, u.w, u.b, u.t, u.c, {TURN}
    FROM unnest(:entities, :whats, :begins, :ends, :changed) AS u (e, w, b, t, c) ORDER BY u.e, u.w, u.b
    ON CONFLICT (organization_id, entity_id, what, begins, turn) DO UPDATE
        SET ends = greatest(d.ends, excluded.ends), changed_from = least(d.changed_from, excluded.changed_from)
        WHERE d.ends < excluded.ends OR d.changed_from > excluded.changed_from
    """  # noqa: S608  (constants)
)


def rollups_touch(
    session: Session,
    *,
    organization_id: int,
    touched: Mapping[bytes, Sequence[Span]],
    cache: RollupCache,
    metrics: Mapping[bytes, Collection[str]] | None = None,
) -> int:
    """Mark the buckets that are made of these entities' metrics over these times; return how many.

    touched: by entity (16 bytes), [begin, end) in microseconds of event time. metrics: by entity, which may have
    changed; where an entity is left out, or without the argument: any. The caller holds the organization's graph,
    shared, and has written what changed. Three statements where all is known.
    """
    if not touched:
        return 0
    known = topology_get(session, organization_id=organization_id, cache=cache)
    if not known.rollups:
        return 0
    above_fill(session, organization_id=organization_id, known=known, ids=touched)
    marks: Marks = {}
    counted: dict[bytes, Sequence[Span]] = {}
    for entity, spans in touched.items():
        names = None if metrics is None else metrics.get(entity)
        for above in known.above[entity]:
            if names is not None and above.grid.draft.of_metric not in names:
                continue
            for begins, ends in spans:
                for member_begins, member_ends in above.spans:
                    since, until = max(begins, member_begins), min(ends, member_ends)
                    if since < until:
                        marks_note(marks, above.upper, above.what, above.grid.touched(since, until))
                        counted[entity] = spans
    # Before the mark, so that it bears no later turn: who takes the mark takes the note of what was touched, too.
    partials_invalidate(session, organization_id=organization_id, touched=counted)
    buckets_mark(session, organization_id=organization_id, marks=marks)
    return len(marks)


def rollups_touch_at(
    session: Session, *, organization_id: int, touched: Mapping[bytes, Sequence[Span]], cache: RollupCache
) -> int:
    """Mark the buckets of all rollups at these entities, and above them, over these times; return how many.

    For what is below them, or what they are, has changed: an edge of a hierarchy, a place, a type.
    """
    if not touched:
        return 0
    known = topology_get(session, organization_id=organization_id, cache=cache)
    if not known.rollups:
        return 0
    marks: Marks = {}
    found = uppers_of(session, organization_id=organization_id, known=known, ids=touched)
    for entity, uppers in found.items():
        for what, upper, member_spans in uppers:
            for begins, ends in touched[entity]:
                for since, until in spans_within(member_spans, begins, ends):
                    marks_note(marks, upper, what, known.grids[what].touched(since, until))
    # What they had as what they were is to be taken away.
    rows = session.execute(
        select(rollup_entities.c.rollup_id, rollup_entities.c.entity_id).where(
            rollup_entities.c.organization_id == organization_id,
            any_of(rollup_entities.c.entity_id, [UUID(bytes=entity) for entity in touched]),
        )
    )
    for row in rows:
        what = f"{WHAT}{row.rollup_id}"
        for begins, ends in touched[row.entity_id.bytes]:
            marks_note(marks, row.entity_id.bytes, what, known.grids[what].touched(begins, ends))
    buckets_mark(session, organization_id=organization_id, marks=marks)
    return len(marks)


def rollup_mark(session: Session, *, organization_id: int, rollup_id: UUID) -> None:
    """Have all of a rollup computed anew: a bucket of its own, which the job replaces by those of its entities."""
    marks: Marks = {(rollup_id.bytes, f"{WHAT}{rollup_id}", FIRST_US): (LAST_US, FIRST_US)}
    buckets_mark(session, organization_id=organization_id, marks=marks)


def all_time_mark(session: Session, *, organization_id: int, what: str, grid: Grid, uppers: Iterable[bytes]) -> None:
    """Mark all time of a rollup at these entities."""
    marks: Marks = {}
    for upper in uppers:
        marks_note(marks, upper, what, grid.touched(FIRST_US, LAST_US))
    buckets_mark(session, organization_id=organization_id, marks=marks)


def buckets_mark(session: Session, *, organization_id: int, marks: Marks) -> None:
    """Note dirty buckets. One statement at most."""
    if not marks:
        return
    arrays_enable(session)
    session.execute(
        _MARK,
        {
            "organization_id": organization_id,
            "entities": uuid_array(b"".join(entity for entity, _, _ in marks)),
            "whats": text_array(what.encode() for _, what, _ in marks),
            "begins": instant_array([begins for _, _, begins in marks]),
            "ends": instant_array([ends for ends, _ in marks.values()]),
            "changed": instant_array([changed for _, changed in marks.values()]),
        },
    )


def topology_get(session: Session, *, organization_id: int, cache: RollupCache) -> RollupTopology:
    """Return what is known of an organization's rollups; the caller holds the graph. Two statements at most."""
    revision = session.execute(_REVISION, {"organization_id": organization_id}).scalar_one()
    return cache.get(session, organization_id=organization_id, revision=int(revision))


def marks_note(marks: Marks, entity: bytes, what: str, buckets: Iterable[tuple[int, int, int]]) -> None:
    """Add dirty buckets to marks."""
    for begins, ends, changed in buckets:
        key = (entity, what, begins)
        stands = marks.get(key, (ends, changed))
        marks[key] = (max(ends, stands[0]), min(changed, stands[1]))
