"""Follow entities and edges: what was done to each, from a place in the audit trail on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from graph.edges.model import EdgeVersion
from graph.edges.queries import edges_newest
from graph.entities.model import Entity
from graph.entities.queries import entities_get
from graph.instants import Moment, moment_resolve
from graph.kinds import EntityKind
from graph.sql import any_of
from graph.trail import TrailEntry, TrailPlace, trail_after
from graph.walk.below import below_select

T = TypeVar("T")

_BEFORE: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Update(Generic[T]):
    """What was done to a subject, and the subject as it is now. action: a past-tense word such as `created`."""

    subject: T
    action: str
    place: TrailPlace


@dataclass(frozen=True, slots=True)
class Updates(Generic[T]):
    """Updates after a place, in the order of the trail. place: where to read on. is_end: nothing is left for now."""

    updates: Sequence[Update[T]]
    place: TrailPlace
    is_end: bool


def entity_updates(
    session: Session,
    *,
    organization_id: int,
    after: TrailPlace,
    ids: Collection[UUID] | None = None,
    kinds: Collection[EntityKind] | None = None,
    under_id: UUID | None = None,
) -> Updates[Entity]:
    """Return the updates of entities after a place, deletions too; a change of an edge is none of its ends'.

    ids, kinds: only those; None: all. under_id: only what is now below that entity, itself included, or was when it was
    deleted. Four statements at most, and one for each instant at which some of them were deleted.
    """
    page = trail_after(session, organization_id=organization_id, after=after)
    wanted = None if ids is None else frozenset(ids)
    entries = [
        entry
        for entry in page.entries
        if entry.subject_type == "entity" and (wanted is None or entry.subject_id in wanted)
    ]
    by_id = _by_id(session, organization_id, entries) if entries else {}
    shown: set[UUID] = {entity.id for entity in by_id.values() if kinds is None or entity.kind in kinds}
    if under_id is not None and shown:
        shown = _entities_under(session, organization_id, under_id, [by_id[item] for item in shown])
    return Updates(
        [Update(by_id[entry.subject_id], entry.action, entry.place) for entry in entries if entry.subject_id in shown],
        page.place,
        page.is_end,
    )


def edge_updates(
    session: Session,
    *,
    organization_id: int,
    after: TrailPlace,
    entity_ids: Collection[UUID] | None = None,
    under_id: UUID | None = None,
    relationships: Collection[str] | None = None,
) -> Updates[EdgeVersion]:
    """Return the updates of edges after a place, each with the edge's newest version; a retracted edge's is its last.

    entity_ids: only edges with one of them at an end. under_id: only edges with an end that is now that entity, or
    below it. relationships: only those, by name. None: all. Four statements at most.
    """
    page = trail_after(session, organization_id=organization_id, after=after)
    wanted = None if entity_ids is None else frozenset(entity_ids)
    entries = [
        entry
        for entry in page.entries
        if entry.subject_type == "edge" and (wanted is None or not wanted.isdisjoint(_ends(entry)))
    ]
    if relationships is not None:
        entries = [entry for entry in entries if entry.edge and entry.edge["relationship"] in relationships]
    if under_id is not None and entries:
        ends = {end for entry in entries for end in _ends(entry)}
        moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
        below = _below(session, organization_id, under_id, ends, moment)
        entries = [entry for entry in entries if not below.isdisjoint(_ends(entry))]
    ids = {entry.subject_id for entry in entries}
    by_id = edges_newest(session, organization_id=organization_id, ids=ids) if ids else {}
    return Updates(
        [Update(by_id[entry.subject_id], entry.action, entry.place) for entry in entries if entry.subject_id in by_id],
        page.place,
        page.is_end,
    )


def _by_id(session: Session, organization_id: int, entries: Iterable[TrailEntry]) -> dict[UUID, Entity]:
    ids = list(dict.fromkeys(entry.subject_id for entry in entries))
    return {entity.id: entity for entity in entities_get(session, organization_id=organization_id, ids=ids).values()}


def _ends(entry: TrailEntry) -> tuple[UUID, ...]:
    return () if entry.edge is None else (UUID(entry.edge["sourceId"]), UUID(entry.edge["targetId"]))


def _entities_under(session: Session, organization_id: int, under_id: UUID, entities: Iterable[Entity]) -> set[UUID]:
    """Return those of the entities that are below another now; of the deleted ones, those that were just before."""
    now = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    by_moment: dict[Moment, list[UUID]] = {}
    for entity in entities:
        moment = now if entity.deleted_at is None else Moment(entity.deleted_at - _BEFORE)
        by_moment.setdefault(moment, []).append(entity.id)
    return set().union(*(_below(session, organization_id, under_id, ids, moment) for moment, ids in by_moment.items()))


def _below(session: Session, organization_id: int, under_id: UUID, ids: Collection[UUID], moment: Moment) -> set[UUID]:
    below = below_select(organization_id=organization_id, entity_ids=[under_id], moment=moment).subquery()
    return set(session.scalars(select(below.c.id).where(any_of(below.c.id, ids))))
