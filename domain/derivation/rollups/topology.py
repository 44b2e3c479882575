"""What a process knows of an organization's rollups: who is above and below whom, while nothing is edited."""

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
    """An upper entity of a rollup, and when one entity is among its descendants."""

    grid: Grid
    what: str
    upper: bytes
    spans: Spans


@dataclass(frozen=True, slots=True)
class Member:
    """A descendant, and when it is one."""

    id: UUID
    kind: str
    spans: Spans
    weights: Weights


@dataclass(slots=True)
class RollupTopology:
    """One organization's, at one revision of what is derived: of hierarchies, links, types, weights and rollups.

    above: by entity, filled as it is asked for. below: by rollup and upper entity, likewise; its own members alone.
    """

    revision: int
    rollups: Mapping[str, Rollup]
    grids: Mapping[str, Grid]
    above: dict[bytes, list[Above]] = field(default_factory=dict)
    below: dict[tuple[str, bytes], list[Member]] = field(default_factory=dict)
    count: int = 0


class RollupCache:
    """What a process knows of all organizations. Not for several threads at once."""

    def __init__(self) -> None:
        self._known: dict[int, RollupTopology] = {}

    def get(self, session: Session, *, organization_id: int, revision: int) -> RollupTopology:
        """Return what is known at a revision of what is derived; the caller holds the graph. One statement or none."""
        known = self._known.get(organization_id)
        if known is None or known.revision != revision or known.count > REMEMBERED_MAX:
            found = rollups_list(session, organization_id=organization_id, with_deleted=True)
            rollups = {rollup.what: rollup for rollup in found}
            grids = {what: Grid(rollup.draft) for what, rollup in rollups.items()}
            known = self._known[organization_id] = RollupTopology(revision, rollups, grids)
        return known

    def drop(self, organization_id: int) -> None:
        """Forget an organization."""
        self._known.pop(organization_id, None)


def above_fill(session: Session, *, organization_id: int, known: RollupTopology, ids: Collection[bytes]) -> None:
    """See to it that what is above these entities (16 bytes) is known. Two statements, and one a level for each way.

    Nothing is known of any where it raises.
    """
    missing = {UUID(bytes=each) for each in ids if each not in known.above}
    if not missing:
        return
    above: dict[bytes, list[Above]] = {entity_id.bytes: [] for entity_id in missing}
    rows = _rows(session, organization_id, missing)
    ways: dict[Hops, list[Rollup]] = {}
    for rollup in known.rollups.values():
        if not rollup.is_deleted:
            ways.setdefault(rollup.draft.hops, []).append(rollup)
    for hops, of_way in ways.items():
        wanted = [i for i, row in rows.items() if any(r.draft.of.has(row.kind, row.type) for r in of_way)]
        if not wanted:
            continue
        found = spans_above(session, organization_id=organization_id, ids=wanted, hops=hops)
        uppers = {upper for of_entity in found.values() for upper in of_entity}
        kinds = _rows(session, organization_id, uppers)
        for rollup in of_way:
            fitting = {i for i in uppers if rollup.draft.at.has(kinds[i].kind, kinds[i].type)}
            for entity_id, of_entity in found.items():
                if not rollup.draft.of.has(rows[entity_id].kind, rows[entity_id].type):
                    continue
                places = [
                    Above(known.grids[rollup.what], rollup.what, upper.bytes, spans)
                    for upper, spans in of_entity.items()
                    if upper in fitting and upper != entity_id
                ]
                above[entity_id.bytes] += places
    # Last, and at once: what is half read must not stand here as if it were all.
    known.above.update(above)
    known.count += sum(map(len, above.values()))


def uppers_of(
    session: Session, *, organization_id: int, known: RollupTopology, ids: Collection[bytes]
) -> dict[bytes, list[tuple[str, bytes, Spans]]]:
    """Return, by entity, (what, upper, spans) of every rollup that it or anything above it can have.

    Whatever the entity's own kind and type: for changes of what is below it.
    """
    wanted = [UUID(bytes=each) for each in ids]
    result: dict[bytes, list[tuple[str, bytes, Spans]]] = {each: [] for each in ids}
    for hops in {rollup.draft.hops for rollup in known.rollups.values() if not rollup.is_deleted}:
        found = spans_above(session, organization_id=organization_id, ids=wanted, hops=hops)
        kinds = _rows(session, organization_id, {upper for of_entity in found.values() for upper in of_entity})
        for rollup in known.rollups.values():
            if rollup.is_deleted or rollup.draft.hops != hops:
                continue
            for entity_id, of_entity in found.items():
                result[entity_id.bytes] += [
                    (rollup.what, upper.bytes, spans)
                    for upper, spans in of_entity.items()
                    if upper in kinds and rollup.draft.at.has(kinds[upper].kind, kinds[upper].type)
                ]
    return result


def below_get(
    session: Session, *, organization_id: int, known: RollupTopology, rollup: Rollup, uppers: Collection[bytes]
) -> dict[bytes, list[Member]]:
    """Return the descendants that a rollup counts, by upper entity; none where the rollup is not made.

    Raises LimitExceededError where there are too many. Nothing is known of any where it raises.
    """
    missing = {UUID(bytes=each) for each in uppers if (rollup.what, each) not in known.below}
    if missing:
        found = _below_read(session, organization_id, rollup, missing)
        below = {(rollup.what, upper.bytes): found.get(upper, []) for upper in missing}
        known.below.update(below)
        known.count += sum(map(len, below.values()))
    return {upper: known.below[rollup.what, upper] for upper in uppers}


def successors_of(
    session: Session, *, organization_id: int, known: RollupTopology, rollup: Rollup, uppers: Collection[bytes]
) -> dict[bytes, Rollup]:
    """Return, of upper entities at which a rollup is not made, or not any more, who writes its metric there instead.

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
    found = spans_below(session, organization_id=organization_id, ids=fitting, hops=draft.hops)
    below = {node for of_upper in found.values() for node in of_upper}
    members = _rows(session, organization_id, below)
    weights: Mapping[UUID, Weights] = {}
    if draft.attribute is not None:
        counted = [i for i in below if draft.of.has(members[i].kind, members[i].type)]
        weights = _weights(session, organization_id, counted, attribute=draft.attribute)
    return {
        upper: [
            Member(node, members[node].kind, spans, weights.get(node, UNWEIGHTED))
            for node, spans in sorted(of_upper.items())
            if node != upper and draft.of.has(members[node].kind, members[node].type)
        ]
        for upper, of_upper in found.items()
    }


def _weights(session: Session, organization_id: int, ids: Collection[UUID], *, attribute: str) -> dict[UUID, Weights]:
    """Return what was recorded of an attribute, as weights; what has no record is left out. One statement."""
    found = attribute_values(session, organization_id=organization_id, entity_ids=ids, name=attribute)
    return {
        entity_id: weights_recorded((micros_of(at), value) for at, value in versions)
        for entity_id, versions in found.items()
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
