"""Rules within the derive stage: judged on from the points at hand where that is known to be enough, else anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from domain.base.packed import Column, micros_of
from domain.derivation.dependencies.index import DependencyIndex
from domain.derivation.invalidation.windows import REJUDGE, REPLAY, Window, windows_at_hand
from domain.pipeline.attribute.stage import AssetEntry, Place, entries_gather
from domain.pipeline.derive.propagate import Span
from domain.rules.fast_path import PairKey, PairState
from domain.rules.model import Assignment
from domain.rules.reconcile import EventsDone, Fence
from domain.rules.stage import entities_judge_anew, entities_judge_on, key_of, states_known
from graph.ids import NewId


@dataclass(frozen=True, slots=True)
class EntityRuleState:
    """Where an entity stands with its rules: good while these are its rules, and nothing else judges it.

    states: of all pairs that there are. A pair that is not among them was never judged, for it had no reading.
    """

    assignments: Sequence[Assignment]
    states: Mapping[PairKey, PairState]


@dataclass(slots=True)
class Judgements:
    """What a transaction judged; void unless it commits. standings: to be kept; None: forget."""

    done: list[EventsDone] = field(default_factory=list)
    standings: dict[tuple[int, bytes], EntityRuleState | None] = field(default_factory=dict)


@dataclass(slots=True)
class AtHand:
    """The points at hand of places: their columns, measured and derived, by metric."""

    places: list[Sequence[Place]] = field(default_factory=list)
    columns: list[Mapping[str, Column]] = field(default_factory=list)

    def add(self, places: Sequence[Place], columns: Mapping[str, Column]) -> None:
        """Note all that is at hand of some entities. The columns' places are those among `places`."""
        self.places.append(places)
        self.columns.append(columns)


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What judging works with. fences: of entities of which not all may follow. standings: as remembered."""

    organization_id: int
    dependencies: DependencyIndex
    standings: Mapping[tuple[int, bytes], EntityRuleState]
    now: datetime
    new_id: NewId
    fences: Mapping[bytes, Fence]

    def fence_of(self, entity: bytes) -> Fence:
        """Return what must not follow of an entity's changes."""
        return self.fences.get(entity, Fence.NONE)


def entities_judge(
    session: Session,
    *,
    context: EvaluationContext,
    spans: Mapping[bytes, Sequence[Span]],
    at_hand: AtHand,
    windows: Mapping[bytes, Sequence[Window]],
    entries: Sequence[AssetEntry],
) -> Judgements:
    """Judge entities over the spans in which anything about them changed. The points are written.

    windows: all of theirs. entries: what the bus brought, at the dependency index's revision, one of each commit.
    """
    found = Judgements()
    judged = dict(spans)
    _without_formulas(context, judged, windows, entries, at_hand)
    for places, columns in zip(at_hand.places, at_hand.columns, strict=True):
        known = {entity for entity, _ in places if _is_known(context, entity, judged.get(entity, ()))}
        known -= _doubtful(context, places, columns, known)
        for fence in Fence:
            ready = [place for place in places if place[0] in known and context.fence_of(place[0]) is fence]
            if ready:
                heads = [judged[entity][-1][1] for entity, _ in ready]
                chosen = _chosen(places, columns, ready)
                _judge_on(session, context, found, places=ready, columns=chosen, heads_us=heads, fence=fence)
        for entity in known:
            del judged[entity]
    for fence in Fence:
        some = {entity: of for entity, of in judged.items() if context.fence_of(entity) is fence}
        if some:
            _judge_anew(session, context, some, found, fence=fence)
    return found


def fences_of(windows: Mapping[bytes, Sequence[Window]]) -> dict[bytes, Fence]:
    """Return what must not follow of entities' changes, by why they are judged. windows: all of theirs."""
    found: dict[bytes, Fence] = {}
    for entity, of in windows.items():
        reasons = {window.reason for window in of}
        if REPLAY in reasons:
            # Where one window is a replay's, nothing must follow from any.
            found[entity] = Fence.ALL
        elif REJUDGE in reasons:
            found[entity] = Fence.OVER
    return found


def _is_known(context: EvaluationContext, entity: bytes, spans: Sequence[Span]) -> bool:
    """Tell whether it is known where all pairs of an entity stand before these spans."""
    assignments = context.dependencies.entity_of(entity).assignments
    standing = context.standings.get((context.organization_id, entity))
    return (
        bool(spans)
        and bool(assignments)
        and standing is not None
        and standing.assignments == assignments
        and states_known(assignments, standing.states, spans[0][0], max(spans[-1][1], micros_of(context.now) + 1))
    )


def _doubtful(
    context: EvaluationContext, places: Sequence[Place], columns: Mapping[str, Column], known: Collection[bytes]
) -> set[bytes]:
    """Return the entities that cannot be judged on from these points.

    Those with two points of one time, of which one counts; and those with a point of a pair that was never judged: the
    first of a port, or of all that a rule reads.
    """
    doubtful = {places[n][0] for column in columns.values() for n in column.doubled()}
    for n, (entity, port) in enumerate(places):
        if entity not in known:
            continue
        standing, key = context.standings[context.organization_id, entity], key_of(port)
        for assignment in standing.assignments:
            if (entity, assignment.rule_id, key) not in standing.states:
                read = (columns[metric] for metric in assignment.metrics if metric in columns)
                if any(bool((column.of == n).any()) for column in read):
                    doubtful.add(entity)
    return doubtful


def _without_formulas(
    context: EvaluationContext,
    judged: Mapping[bytes, Sequence[Span]],
    windows: Mapping[bytes, Sequence[Window]],
    entries: Sequence[AssetEntry],
    at_hand: AtHand,
) -> None:
    """Add what is at hand of entities that have no formulas, where that is known to be all of their windows."""
    whole = {entry.group: entry.whole for entry in entries}
    plain = {
        entity
        for entity in judged
        if context.dependencies.entity_of(entity).derivation is None
        and _is_known(context, entity, judged[entity])
        and windows_at_hand(windows.get(entity, ()), whole)
    }
    numbers: dict[Place, int] = {}
    for entry in entries:
        for place in entry.places:
            if place[0] in plain:
                numbers.setdefault(place, len(numbers))
    if not numbers:
        return
    begins = np.array([judged[entity][0][0] for entity, _ in numbers], dtype=np.int64)
    gathered = entries_gather(entries, places=numbers)
    # What comes again is not of these windows.
    columns = {metric: column.take(column.at >= begins[column.of]) for metric, column in gathered.items()}
    at_hand.add(list(numbers), columns)


def _chosen(places: Sequence[Place], columns: Mapping[str, Column], ready: Sequence[Place]) -> Mapping[str, Column]:
    """Return the columns of some places, which are then numbered as in `ready`."""
    if len(ready) == len(places):
        return columns
    numbers = {place: n for n, place in enumerate(ready)}
    moved = np.array([numbers.get(place, -1) for place in places], dtype=np.int64)
    found = {}
    for metric, column in columns.items():
        of = moved[column.of]
        has = of >= 0
        found[metric] = Column(of[has], column.at[has], column.values[has])
    return found


def _judge_on(
    session: Session,
    context: EvaluationContext,
    found: Judgements,
    *,
    places: Sequence[Place],
    columns: Mapping[str, Column],
    heads_us: Sequence[int],
    fence: Fence,
) -> None:
    organization_id = context.organization_id
    standings = {entity: context.standings[organization_id, entity] for entity, _ in places}
    done, states = entities_judge_on(
        session,
        organization_id=organization_id,
        places=[(entity, key_of(port)) for entity, port in places],
        columns=columns,
        heads_us=heads_us,
        assignments={entity: standing.assignments for entity, standing in standings.items()},
        states={key: state for standing in standings.values() for key, state in standing.states.items()},
        now=context.now,
        fence=fence,
        new_id=context.new_id,
    )
    found.done.append(done)
    for entity, standing in standings.items():
        # Of ports of which nothing came, what was known is.
        whole = len(states[entity]) == len(standing.states)
        stand = states[entity] if whole else {**standing.states, **states[entity]}
        found.standings[organization_id, entity] = EntityRuleState(standing.assignments, stand)


def _judge_anew(
    session: Session,
    context: EvaluationContext,
    spans: Mapping[bytes, Sequence[Span]],
    found: Judgements,
    *,
    fence: Fence,
) -> None:
    assignments = {entity: context.dependencies.entity_of(entity).assignments for entity in spans}
    done, states = entities_judge_anew(
        session,
        organization_id=context.organization_id,
        spans=spans,
        assignments=assignments,
        now=context.now,
        fence=fence,
        new_id=context.new_id,
    )
    found.done.append(done)
    for entity in spans:
        known = states.get(entity)
        standing = None if known is None else EntityRuleState(assignments[entity], known)
        found.standings[context.organization_id, entity] = standing
