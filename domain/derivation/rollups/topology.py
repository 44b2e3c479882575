"""The cached topology of an organization's rollups: who is above and below whom, at one revision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.derivation.rollups.buckets import Grid
from domain.derivation.rollups.model import Rollup
from domain.derivation.rollups.queries import rollups_list
from domain.derivation.rollups.weights import UNWEIGHTED, Weights, weights_recorded
from graph.entities.versions import attribute_values
from graph.sql import any_of
from graph.tables import entities
from graph.walk.spans import Hops, Spans, spans_above, spans_below

REMEMBERED_MAX: Final = 500_000


@dataclass(frozen=True, slots=True)
class Above:
    """An upper entity of a rollup, and the spans in which an entity is among its descendants."""

    grid: Grid
    rollup_id: UUID
    upper: bytes
    spans: Spans


@dataclass(frozen=True, slots=True)
class Member:
    """A descendant, and the spans in which it is one."""

    id: UUID
    kind: str
    spans: Spans
    weights: Weights


@dataclass(slots=True)
class RollupTopology:
    """One organization's topology, at one revision of its hierarchies, links, types, weights and rollups.

    above: by entity, filled on demand. below: by rollup and upper entity, likewise; its own members alone.
    """

    revision: int
    rollups: Mapping[UUID, Rollup]
    grids: Mapping[UUID, Grid]
    above: dict[bytes, list[Above]] = field(default_factory=dict)
    below: dict[tuple[UUID, bytes], list[Member]] = field(default_factory=dict)
    count: int = 0


class RollupCache:
    """A process's cache of topologies, by organization. Not thread-safe."""

    def __init__(self) -> None:
        self._known: dict[int, RollupTopology] = {}

    def get(self, session: Session, *, organization_id: int, revision: int) -> RollupTopology:
        """Return the topology at a revision; the caller holds the graph. One statement or none."""
        known = self._known.get(organization_id)
        if known is None or known.revision != revision or known.count > REMEMBERED_MAX:
            rollup_rows = rollups_list(session, organization_id=organization_id, with_deleted=True)
            rollups = {rollup.id: rollup for rollup in rollup_rows}
            grids = {rollup_id: Grid(rollup.draft) for rollup_id, rollup in rollups.items()}
            known = self._known[organization_id] = RollupTopology(revision, rollups, grids)
        return known

    def drop(self, organization_id: int) -> None:
        """Forget an organization."""
        self._known.pop(organization_id, None)


def above_fill(session: Session, *, organization_id: int, known: RollupTopology, ids: Collection[bytes]) -> None:
    """Load what is above these entities (16 bytes). Two statements, and for each hierarchy one per level.

    If it raises, none of them has been loaded.
    """
    missing = {UUID(bytes=item) for item in ids if item not in known.above}
    if not missing:
        return
    above: dict[bytes, list[Above]] = {entity_id.bytes: [] for entity_id in missing}
    rows = _rows(session, organization_id, missing)
    rollups_by_hops: dict[Hops, list[Rollup]] = {}
    for rollup in known.rollups.values():
        if not rollup.is_deleted:
            rollups_by_hops.setdefault(rollup.draft.hops, []).append(rollup)
    for hops, of_hops in rollups_by_hops.items():
        wanted = [i for i, row in rows.items() if any(r.draft.members.has(row.kind, row.type) for r in of_hops)]
        if not wanted:
            continue
        spans_by_entity = spans_above(session, organization_id=organization_id, ids=wanted, hops=hops)
        uppers = {upper for of_entity in spans_by_entity.values() for upper in of_entity}
        kinds = _rows(session, organization_id, uppers)
        for rollup in of_hops:
            fitting = {i for i in uppers if rollup.draft.at.has(kinds[i].kind, kinds[i].type)}
            for entity_id, of_entity in spans_by_entity.items():
                if not rollup.draft.members.has(rows[entity_id].kind, rows[entity_id].type):
                    continue
                places = [
                    Above(known.grids[rollup.id], rollup.id, upper.bytes, spans)
                    for upper, spans in of_entity.items()
                    if upper in fitting and upper != entity_id
                ]
                above[entity_id.bytes] += places
    # Last, and at once: the index never holds entities that were read only in part.
    known.above.update(above)
    known.count += sum(map(len, above.values()))


def uppers_of(
    session: Session, *, organization_id: int, known: RollupTopology, ids: Collection[bytes]
) -> dict[bytes, list[tuple[UUID, bytes, Spans]]]:
    """Return, by entity, (rollup id, upper, spans) of every rollup that it or anything above it can have.

    Whatever the entity's own kind and type: for changes of what is below it.
    """
    wanted = [UUID(bytes=item) for item in ids]
    result: dict[bytes, list[tuple[UUID, bytes, Spans]]] = {item: [] for item in ids}
    for hops in {rollup.draft.hops for rollup in known.rollups.values() if not rollup.is_deleted}:
        spans_by_entity = spans_above(session, organization_id=organization_id, ids=wanted, hops=hops)
        kinds = _rows(
            session, organization_id, {upper for of_entity in spans_by_entity.values() for upper in of_entity}
        )
        for rollup in known.rollups.values():
            if rollup.is_deleted or rollup.draft.hops != hops:
                continue
            for entity_id, of_entity in spans_by_entity.items():
                result[entity_id.bytes] += [
                    (rollup.id, upper.bytes, spans)
                    for upper, spans in of_entity.items()
                    if upper in kinds and rollup.draft.at.has(kinds[upper].kind, kinds[upper].type)
                ]
    return result


def below_get(
    session: Session, *, organization_id: int, known: RollupTopology, rollup: Rollup, uppers: Collection[bytes]
) -> dict[bytes, list[Member]]:
    """Return the descendants that a rollup counts, by upper entity; none where the rollup does not apply.

    Raises LimitExceededError where there are too many. If it raises, none of them has been loaded.
    """
    missing = {UUID(bytes=item) for item in uppers if (rollup.id, item) not in known.below}
    if missing:
        members = _below_read(session, organization_id, rollup, missing)
        below = {(rollup.id, upper.bytes): members.get(upper, []) for upper in missing}
        known.below.update(below)
        known.count += sum(map(len, below.values()))
    return {upper: known.below[rollup.id, upper] for upper in uppers}


def successors_of(
    session: Session, *, organization_id: int, known: RollupTopology, rollup: Rollup, uppers: Collection[bytes]
) -> dict[bytes, Rollup]:
    """Return the rollups that write this rollup's metric at upper entities where it does not apply any more.

    One statement, where there is another of that metric.
    """
    others = [
        other
        for other in known.rollups.values()
        if other.draft.metric == rollup.draft.metric and not other.is_deleted and other.id != rollup.id
    ]
    if not others:
        return {}
    rows = _rows(session, organization_id, [UUID(bytes=upper) for upper in uppers])
    successors: dict[bytes, Rollup] = {}
    for upper, row in rows.items():
        if rollup.is_deleted or not rollup.draft.at.has(row.kind, row.type):
            successors.update((upper.bytes, other) for other in others if other.draft.at.has(row.kind, row.type))
    return successors


def _below_read(session: Session, organization_id: int, rollup: Rollup, missing: set[UUID]) -> dict[UUID, list[Member]]:
    draft = rollup.draft
    if rollup.is_deleted:
        return {}
    rows = _rows(session, organization_id, missing)
    fitting = [i for i, row in rows.items() if draft.at.has(row.kind, row.type)]
    if not fitting:
        return {}
    spans_by_upper = spans_below(session, organization_id=organization_id, ids=fitting, hops=draft.hops)
    below = {node for of_upper in spans_by_upper.values() for node in of_upper}
    members = _rows(session, organization_id, below)
    weights: Mapping[UUID, Weights] = {}
    if draft.attribute is not None:
        counted = [i for i in below if draft.members.has(members[i].kind, members[i].type)]
        weights = _weights(session, organization_id, counted, attribute=draft.attribute)
    return {
        upper: [
            Member(node, members[node].kind, spans, weights.get(node, UNWEIGHTED))
            for node, spans in sorted(of_upper.items())
            if node != upper and draft.members.has(members[node].kind, members[node].type)
        ]
        for upper, of_upper in spans_by_upper.items()
    }


def _weights(session: Session, organization_id: int, ids: Collection[UUID], *, attribute: str) -> dict[UUID, Weights]:
    """Return what was recorded of an attribute, as weights; what has no record is left out. One statement."""
    values = attribute_values(session, organization_id=organization_id, entity_ids=ids, name=attribute)
    return {
        entity_id: weights_recorded((micros_of(at), value) for at, value in versions)
        for entity_id, versions in values.items()
    }


def _rows(session: Session, organization_id: int, ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Return id, kind and type."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = session.execute(
        select(entities.c.id, entities.c.kind, entities.c.type).where(
            entities.c.organization_id == organization_id, any_of(entities.c.id, wanted)
        )
    )
    return {row.id: row for row in rows}
