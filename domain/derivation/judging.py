"""Rules within the derive stage: judged on from the points at hand where that is known to be enough, else anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from domain.derivation.book import Book
from domain.derivation.derive import Column
from domain.derivation.follow import Span
from domain.derivation.route import AssetEntry, entries_gather
from domain.derivation.windows import Window
from domain.rules.calm import PairKey, PairState
from domain.rules.model import Assignment
from domain.rules.reconcile import EventsDone
from domain.rules.stage import entities_judge_anew, entities_judge_on, states_known
from domain.telemetry.packed import micros_of
from graph.ids import NewId


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an entity stands with its rules: good while these are its rules, and nothing else judges it."""

    assignments: Sequence[Assignment]
    states: Mapping[PairKey, PairState]


@dataclass(slots=True)
class Judgements:
    """What a transaction judged; void unless it commits. standings: to be kept; None: forget."""

    done: list[EventsDone] = field(default_factory=list)
    standings: dict[tuple[int, bytes], Standing | None] = field(default_factory=dict)


@dataclass(slots=True)
class AtHand:
    """What formulas made of the points at hand: entities, and their columns, measured and derived, by metric."""

    entities: list[Sequence[bytes]] = field(default_factory=list)
    columns: list[Mapping[str, Column]] = field(default_factory=list)

    def add(self, entities: Sequence[bytes], columns: Mapping[str, Column]) -> None:
        """Note what was at hand of entities of one type."""
        self.entities.append(entities)
        self.columns.append(columns)


@dataclass(frozen=True, slots=True)
class Bench:
    """What judging works with. fenced: entities of which nothing must follow. standings: as remembered."""

    organization_id: int
    book: Book
    standings: Mapping[tuple[int, bytes], Standing]
    now: datetime
    new_id: NewId
    fenced: frozenset[bytes]


def entities_judge(
    session: Session,
    *,
    bench: Bench,
    spans: Mapping[bytes, Sequence[Span]],
    at_hand: AtHand,
    windows: Mapping[bytes, Sequence[Window]],
    entries: Sequence[AssetEntry],
) -> Judgements:
    """Judge entities over the spans in which anything about them changed. The points are written.

    windows: all of theirs. entries: what the bus brought, at the book's revision.
    """
    found = Judgements()
    judged = dict(spans)
    _without_formulas(bench, judged, windows, entries, at_hand)
    for entities, columns in zip(at_hand.entities, at_hand.columns, strict=True):
        for is_fenced in (False, True):
            ready = [
                entity
                for entity in entities
                if (entity in bench.fenced) is is_fenced and _is_known(bench, entity, judged.get(entity, ()))
            ]
            if ready:
                heads = [judged.pop(entity)[-1][1] for entity in ready]
                chosen = _chosen(entities, columns, ready)
                _judge_on(session, bench, found, entities=ready, columns=chosen, heads_us=heads, fenced=is_fenced)
    for is_fenced in (False, True):
        some = {entity: of for entity, of in judged.items() if (entity in bench.fenced) is is_fenced}
        if some:
            _judge_anew(session, bench, some, found, fenced=is_fenced)
    return found


def _is_known(bench: Bench, entity: bytes, spans: Sequence[Span]) -> bool:
    assignments = bench.book.assignments.get(entity)
    standing = bench.standings.get((bench.organization_id, entity))
    return (
        bool(spans)
        and assignments is not None
        and standing is not None
        # A device is read by its ports, which are not at hand.
        and entity not in bench.book.devices
        and standing.assignments == assignments
        and states_known(entity, assignments, standing.states, spans[0][0], max(spans[-1][1], micros_of(bench.now) + 1))
    )


def _without_formulas(
    bench: Bench,
    judged: Mapping[bytes, Sequence[Span]],
    windows: Mapping[bytes, Sequence[Window]],
    entries: Sequence[AssetEntry],
    at_hand: AtHand,
) -> None:
    """Add what is at hand of entities that have no formulas, where that is all there is of their windows."""
    groups = {entry.group for entry in entries}
    plain = [
        entity
        for entity in judged
        if bench.book.entities[entity] is None
        and _is_known(bench, entity, judged[entity])
        and all(window.batch_id in groups for window in windows.get(entity, ()))
    ]
    if not plain:
        return
    places = {entity: n for n, entity in enumerate(plain)}
    begins = np.array([judged[entity][0][0] for entity in plain], dtype=np.int64)
    gathered = entries_gather(entries, places=places)
    # What comes again is not of these windows.
    columns = {metric: column.take(column.at >= begins[column.of]) for metric, column in gathered.items()}
    doubtful = {of for column in columns.values() for of in column.doubled()}
    if not doubtful:
        at_hand.add(plain, columns)


def _chosen(entities: Sequence[bytes], columns: Mapping[str, Column], ready: Sequence[bytes]) -> Mapping[str, Column]:
    """Return the columns of some entities, whose places are then those among `ready`."""
    if len(ready) == len(entities):
        return columns
    moved = np.full(len(entities), -1, dtype=np.int64)
    places = {entity: n for n, entity in enumerate(ready)}
    for n, entity in enumerate(entities):
        moved[n] = places.get(entity, -1)
    found = {}
    for metric, column in columns.items():
        of = moved[column.of]
        has = of >= 0
        found[metric] = Column(of[has], column.at[has], column.values[has])
    return found


def _judge_on(
    session: Session,
    bench: Bench,
    found: Judgements,
    *,
    entities: Sequence[bytes],
    columns: Mapping[str, Column],
    heads_us: Sequence[int],
    fenced: bool,
) -> None:
    organization_id, book = bench.organization_id, bench.book
    known = {
        key: state for entity in entities for key, state in bench.standings[organization_id, entity].states.items()
    }
    done, states = entities_judge_on(
        session,
        organization_id=organization_id,
        entities=entities,
        columns=columns,
        heads_us=heads_us,
        assignments=book.assignments,
        states=known,
        now=bench.now,
        fenced=fenced,
        new_id=bench.new_id,
    )
    found.done.append(done)
    _keep(bench, entities, states, found)


def _judge_anew(
    session: Session,
    bench: Bench,
    spans: Mapping[bytes, Sequence[Span]],
    found: Judgements,
    *,
    fenced: bool,
) -> None:
    done, states = entities_judge_anew(
        session,
        organization_id=bench.organization_id,
        spans=spans,
        assignments={entity: bench.book.assignments.get(entity, ()) for entity in spans},
        now=bench.now,
        fenced=fenced,
        new_id=bench.new_id,
    )
    found.done.append(done)
    _keep(bench, list(spans), states, found)


def _keep(bench: Bench, entities: Sequence[bytes], states: Mapping[PairKey, PairState], found: Judgements) -> None:
    by_entity: dict[bytes, dict[PairKey, PairState]] = {entity: {} for entity in entities}
    for key, state in states.items():
        by_entity[key[0]][key] = state
    for entity, of_entity in by_entity.items():
        standing = Standing(bench.book.assignments.get(entity, ()), of_entity) if of_entity else None
        found.standings[bench.organization_id, entity] = standing
