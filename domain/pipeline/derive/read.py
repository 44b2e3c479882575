"""Read what a transaction of the derive stage decides on. Nothing is written here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.packed import MICROSECOND, micros_of
from domain.derivation.dependencies.index import dependency_entities
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.inputs import ranges_narrow, ranges_read, sources_of, watermarks_read
from domain.derivation.invalidation.windows import Window, windows_of
from domain.pipeline.attribute.stage import AssetEntry
from domain.pipeline.derive.changed import ChangedSpans
from domain.pipeline.derive.ranges import RecomputeRange, range_cut, range_retain, ranges_of
from domain.pipeline.derive.work import DeriveInput, DeriveRun, StoredRanges
from domain.telemetry.store.retention_bound import retained_from_lock
from graph.walk.spans import BELOW, spans_below

_NO_DERIVATION: Final = Derivation((), frozenset(), 0)
# Nothing younger is ever dropped.
_RETENTION_MIN: Final = timedelta(hours=12)


def input_read(
    session: Session,
    *,
    organization_id: int,
    entities: Collection[bytes],
    at_hand: Sequence[AssetEntry],
    run: DeriveRun,
    now: datetime,
) -> DeriveInput:
    """Read the dirty windows of entities, and what depends on these. The caller holds the organization's graph."""
    index = run.dependency_cache.get(session, organization_id=organization_id)
    windows = windows_of(session, organization_id=organization_id, entities=entities)
    ids = [UUID(bytes=entity) for entity in windows]
    dependency_entities(session, organization_id=organization_id, index=index, ids=ids)
    checkpoints, rule_states = run.checkpoints.by_entity, run.checkpoints.rule_states
    return DeriveInput(
        organization_id=organization_id,
        now=now,
        index=index,
        windows=windows,
        # Once each, of those that were attributed by what the index says.
        entries=list({entry.group: entry for entry in at_hand if entry.revision == index.revision}.values()),
        checkpoints={
            entity: checkpoint
            for entity in windows
            if (checkpoint := checkpoints.get((organization_id, entity))) is not None
        },
        rule_states={
            entity: rule_state
            for entity in windows
            if (rule_state := rule_states.get((organization_id, entity))) is not None
        },
    )


def stored_read(
    session: Session,
    given: DeriveInput,
    *,
    windows: Mapping[bytes, Sequence[Window]],
    chunk_us: int,
    points_max: int,
) -> Iterator[StoredRanges]:
    """Yield the stored points of windows of entities, one derivation at a time, so that no more are in memory.

    Five statements at most, and one for each derivation. Raises LimitExceededError where one has more than `points_max`
    points.
    """
    organization_id = given.organization_id
    derivations = {entity: given.index.entity_of(entity).derivation or _NO_DERIVATION for entity in windows}
    sources = sources_of(session, organization_id=organization_id, derivations=derivations)
    retained_from_us = retained_from_lock(session)
    requested = [item for entity, of_entity in windows.items() for item in ranges_of(of_entity, derivations[entity])]
    retained = [range_retain(item, retained_from_us) for item in requested]
    narrowed = ranges_narrow(session, organization_id=organization_id, ranges=retained, sources=sources)
    watermarks = watermarks_read(session, organization_id=organization_id, sources=sources)
    by_derivation: dict[int, list[RecomputeRange]] = {}
    for n, item in enumerate(narrowed):
        part = range_cut(item, chunk_us)
        to_compute = RecomputeRange(
            requested=requested[n],
            retained=retained[n],
            narrowed=item,
            part=part,
            watermark_us=watermarks[item.entity],
        )
        by_derivation.setdefault(id(item.derivation), []).append(to_compute)
    for ranges in by_derivation.values():
        parts = [item.part for item in ranges]
        points = ranges_read(session, organization_id=organization_id, ranges=parts, sources=sources, limit=points_max)
        yield StoredRanges(parts[0].derivation, ranges, points)


def retained_from_read(session: Session, given: DeriveInput, changed: ChangedSpans) -> int | None:
    """Lock and return the retention bound where changes may lie behind it; None where they surely do not."""
    if changed.earliest_us() >= micros_of(given.now) - _RETENTION_MIN // MICROSECOND:
        return None
    return retained_from_lock(session)


def below_read(session: Session, given: DeriveInput, changed: ChangedSpans) -> Mapping[bytes, Collection[bytes]]:
    """Return what lies, or ever lay, below the entities whose hierarchy changed, where any rule is about such things.

    A statement per level.
    """
    if not changed.hierarchy or not given.index.consumers.is_scoped:
        return {}
    ids = [UUID(bytes=entity) for entity in changed.hierarchy]
    below = spans_below(session, organization_id=given.organization_id, ids=ids, hops=BELOW)
    return {entity: [node.bytes for node in below[UUID(bytes=entity)]] for entity in changed.hierarchy}  # type: ignore[index]  # an id is an id
