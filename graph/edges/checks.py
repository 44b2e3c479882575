"""Check edges before a write, under the organization's lock: ends, exclusivity, cycles."""

from __future__ import annotations

import graphlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.orm import Session

from graph.change import GraphChange
from graph.edges.errors import CycleError, OverlapError
from graph.edges.model import EdgeVersion
from graph.edges.rows import EDGE_COLUMNS, edge_of_row, range_of
from graph.edges.rules import Interval, Place, place_of
from graph.errors import ConflictError, NotFoundError
from graph.ids import EdgeId, EntityId
from graph.json_bounds import text_is_storable
from graph.kinds import EntityKind
from graph.relationships.model import Exclusive, Relationship
from graph.relationships.queries import relationship_list, relationship_of_row, relationship_unknown
from graph.tables import entities, relationships
from graph.tenancy import unscoped


@dataclass(frozen=True, slots=True)
class End:
    """An end of an edge."""

    id: EntityId
    kind: EntityKind
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fact:
    """The fact that an edge states, without the time: the same in all versions of the edge."""

    relationship: Relationship
    source: End
    target: End
    port: int | None

    @property
    def place(self) -> Place | None:
        """What an exclusive edge of this fact has alone."""
        return place_of(
            self.relationship,
            source_id=self.source.id,
            source_kind=self.source.kind,
            target_id=self.target.id,
            port=self.port,
        )


_BELIEVED_THEN = (
    " FROM entity_edges e WHERE e.organization_id = :organization_id AND upper_inf(e.recorded)"
    " AND e.valid && :valid AND e.edge_id <> ALL (:without)"
)
_IN_THE_WAY = (
    f"(SELECT true AS same, {EDGE_COLUMNS}{_BELIEVED_THEN}"
    " AND e.source_id = :source_id AND e.target_id = :target_id AND e.relationship = :relationship"
    " AND coalesce(e.port, -1) = :port ORDER BY e.valid LIMIT 1)"
    f" UNION ALL (SELECT false, {EDGE_COLUMNS}{_BELIEVED_THEN}"
    " AND e.place = :place{exclusive} ORDER BY e.valid LIMIT 1) ORDER BY same DESC LIMIT 1"
)
# What is in the way of an edge, by whether that is exclusive: a shared edge is refused by exclusive ones alone.
_IN_THE_WAY_OF: Final = {
    exclusive: text(_IN_THE_WAY.replace("{exclusive}", "" if exclusive else " AND e.exclusive")).bindparams(
        bindparam("valid", type_=TSTZRANGE), bindparam("without", type_=ARRAY(Uuid))
    )
    for exclusive in (False, True)
}

# Upwards from the source, for an entity has few above it and may have many below. Each row carries the time
# during which the whole way up to it holds, and the walk ends where that is never.
_CYCLE = text(
    """
    WITH RECURSIVE above (id, during) AS (
        SELECT CAST(:source_id AS uuid), CAST(:valid AS tstzrange)
        UNION
        SELECT e.source_id, above.during * e.valid
        FROM above JOIN entity_edges e
            ON e.organization_id = :organization_id AND e.target_id = above.id
            AND upper_inf(e.recorded) AND e.valid && above.during AND e.edge_id <> ALL (:without)
            AND e.relationship IN (
                SELECT name FROM relationships WHERE organization_id = :organization_id AND hierarchy)
    )
    SELECT lower(during) AS since FROM above WHERE id = :target_id ORDER BY since NULLS FIRST LIMIT 1
    """
).bindparams(bindparam("valid", type_=TSTZRANGE), bindparam("without", type_=ARRAY(Uuid)))


_ABOVE = text(
    """
    WITH RECURSIVE above (source_id, target_id) AS (
        SELECT NULL::uuid, unnest(CAST(:ids AS uuid[]))
        UNION
        SELECT e.source_id, e.target_id
        FROM (SELECT DISTINCT coalesce(source_id, target_id) AS id FROM above) a JOIN entity_edges e
            ON e.organization_id = :organization_id AND e.target_id = a.id AND upper_inf(e.recorded)
            AND e.relationship IN (
                SELECT name FROM relationships WHERE organization_id = :organization_id AND hierarchy)
    )
    SELECT source_id, target_id FROM above WHERE source_id IS NOT NULL
    """
)


def fact_load(
    session: Session,
    *,
    change: GraphChange,
    source_id: UUID,
    target_id: UUID,
    relationship: str,
    port: int | None,
) -> Fact:
    """Look up relationship and ends. Raises NotFoundError, BadInputError for an unknown relationship."""
    fact = (
        text_is_storable(relationship)
        and session.execute(
            select(relationships).where(
                relationships.c.organization_id == change.organization_id, relationships.c.name == relationship
            )
        ).one_or_none()
    )
    if not fact:
        raise relationship_unknown(relationship, relationship_list(session, organization_id=change.organization_id))
    ends = ends_load(session, change=change, ids=(source_id, target_id))
    for end_id, path in ((source_id, "sourceId"), (target_id, "targetId")):
        if end_id not in ends:
            raise NotFoundError(f"There is no entity {end_id}.", path=(path,))
    return Fact(relationship_of_row(fact), ends[source_id], ends[target_id], port)


def ends_load(session: Session, *, change: GraphChange, ids: Collection[UUID]) -> dict[UUID, End]:
    """Return those of the entities that exist, deleted ones too."""
    rows: Any = session.execute(
        select(entities.c.id, entities.c.kind, entities.c.deleted_at).where(
            entities.c.organization_id == change.organization_id, entities.c.id.in_(list(ids))
        )
    )
    return {row.id: End(EntityId(row.id), EntityKind(row.kind), row.deleted_at) for row in rows}


def fact_check(
    session: Session,
    *,
    change: GraphChange,
    fact: Fact,
    valid: Interval,
    exclusive: bool,
    without: Collection[EdgeId] = (),
) -> None:
    """Check that the fact can hold during `valid`, exclusive or shared, ignoring the edges `without`.

    Raises ConflictError beyond an end's deletion or where an exclusive place is taken, OverlapError where the
    same fact is believed already, CycleError where an entity would be below itself.
    """
    deletion_check(fact, valid)
    other = _in_the_way(session, change, fact, valid, exclusive=exclusive, without=without)
    if other is not None:
        raise refusal(fact, same=other[0], other=other[1])
    if fact.relationship.hierarchy:
        cycle_check(session, change, fact, valid, without)


def deletion_check(fact: Fact, valid: Interval) -> None:
    """Raise ConflictError where the interval goes on after the deletion of one of the ends."""
    for end, path in ((fact.source, "sourceId"), (fact.target, "targetId")):
        if end.deleted_at is not None and (valid.end is None or end.deleted_at < valid.end):
            message = f"{end.id} was deleted at {end.deleted_at.isoformat()}; an edge cannot outlast it."
            raise ConflictError(message, path=(path,))


def _in_the_way(
    session: Session,
    change: GraphChange,
    fact: Fact,
    valid: Interval,
    *,
    exclusive: bool,
    without: Collection[EdgeId],
) -> tuple[bool, EdgeVersion] | None:
    place = fact.place
    row = session.execute(
        _IN_THE_WAY_OF[exclusive],
        {
            "organization_id": change.organization_id,
            "valid": range_of(valid),
            "without": list(without),
            "source_id": fact.source.id,
            "target_id": fact.target.id,
            "relationship": fact.relationship.name,
            "port": -1 if fact.port is None else fact.port,
            "place": None if place is None else place.key,
        },
    ).one_or_none()
    return None if row is None else (row.same, edge_of_row(row))


def refusal(fact: Fact, *, same: bool, other: EdgeVersion) -> OverlapError | ConflictError:
    """Return the error for a fact that conflicts with another edge.

    same: it states the same; else it has the place, and one of the two is exclusive.
    """
    since = other.valid_from.isoformat()
    until = "on" if other.valid_until is None else f"until {other.valid_until.isoformat()}"
    edge = f"{other.source_id} {other.relationship} {other.target_id}"
    conflicting = f"edge {other.edge_id} ({edge}, from {since} {until})"
    if same:
        return OverlapError(
            f"The same is already recorded for a part of that time: {conflicting}.", path=("validFrom",)
        )
    place, name = fact.place, fact.relationship.name
    at_port, path = f"Device {fact.target.id}", "targetId"
    if fact.port is not None:
        at_port, path = f"Port {fact.port} of device {fact.target.id}", "port"
    if place is not None and not place.always:
        # By choice, of this edge or of the other.
        if not other.exclusive:
            message = f"{at_port} is shared for a part of that time, so that no edge can have it alone: {conflicting}."
            return ConflictError(message, path=("exclusive",))
        message = (
            f"{at_port} is taken for a part of that time by an exclusive edge: {conflicting}. To share it, correct that"
            " edge: exclusive false."
        )
        return ConflictError(message, path=(path,))
    if fact.relationship.exclusive is Exclusive.TARGET_PORT:
        among = fact.relationship.exclusive_among
        limit = "" if among is None else f" among {' and '.join(sorted(f'{kind.lower()}s' for kind in among))}"
        message = f"{at_port} can have one {name}{limit} at a time: {conflicting}."
        return ConflictError(message, path=(path,))
    at_source = fact.relationship.exclusive is Exclusive.SOURCE
    end, path = (fact.source, "sourceId") if at_source else (fact.target, "targetId")
    return ConflictError(f"{end.id} can have one {name} at a time: {conflicting}.", path=(path,))


def circle_is_possible(session: Session, *, change: GraphChange, facts: Collection[Fact]) -> bool:
    """Return whether edges of hierarchies could form a cycle with those believed, ignoring times.

    One statement: what is above all their sources. False is certain; where it is True each wants its own
    `cycle_check`.
    """
    waiting = [fact for fact in facts if fact.relationship.hierarchy]
    if not waiting:
        return False
    sources = list({fact.source.id for fact in waiting})
    above: dict[UUID, set[UUID]] = {}
    with unscoped(session):
        rows = session.execute(_ABOVE, {"organization_id": change.organization_id, "ids": sources}).all()
    for row in rows:
        above.setdefault(row.target_id, set()).add(row.source_id)
    for fact in waiting:
        above.setdefault(fact.target.id, set()).add(fact.source.id)
    try:
        graphlib.TopologicalSorter(above).prepare()
    except graphlib.CycleError:
        return True
    return False


def cycle_check(
    session: Session, change: GraphChange, fact: Fact, valid: Interval, without: Collection[EdgeId]
) -> None:
    """Raise CycleError where an entity would be above itself at an instant of the interval."""
    # A circle may lead through what a confined caller does not see.
    with unscoped(session):
        row = session.execute(
            _CYCLE,
            {
                "organization_id": change.organization_id,
                "valid": range_of(valid),
                "without": list(without),
                "source_id": fact.source.id,
                "target_id": fact.target.id,
            },
        ).one_or_none()
    if row is not None:
        message = f"{fact.target.id} is above {fact.source.id} already, at {row.since.isoformat()}."
        raise CycleError(message, path=("targetId",))
