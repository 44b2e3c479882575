"""The derive stage: dirty windows become derived points. One transaction takes some entities of one organization.

Live data is a dirty window whose points are at hand and lie after all that was derived before: what the process
remembers of an entity's inputs is enough to derive on, and nothing is read back. Whatever else made a window dirty,
late data, a corrected link, an edited formula, its time is derived anew from what stands, and only what differs is
written. Either way what stands in the end is a function of the series, the links and the configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.derivation.book import Book, Books, Derivation, book_entities
from domain.derivation.derive import NOTHING, Column, State, derive
from domain.derivation.inputs import (
    ReadBack,
    Stretch,
    heads_read,
    sources_of,
    stretches_narrow,
    stretches_read,
)
from domain.derivation.outputs import Changes, DerivedCommit, SeriesChange, changes_write, series_ensure
from domain.derivation.route import AssetEntry, columns_join
from domain.derivation.windows import Window, windows_done, windows_missing, windows_of
from domain.telemetry.arrays import arrays_enable, bigint_array, instant_array, int_array
from domain.telemetry.leases import FencedError, Lease
from domain.telemetry.stages.memory import StageMemory, StageNotes
from graph.change import graph_hold

ENTITIES_MAX: Final = 1_000
# Of entities whose points are read back; and how many points a transaction reads.
READ_BACK_ENTITIES_MAX: Final = 200
READ_BACK_POINTS_MAX: Final = 500_000
CHUNK: Final = timedelta(days=31)
_MICROSECOND = timedelta(microseconds=1)
_CHECKPOINTS_MAX: Final = 200_000
_LOCK: Final = 0x44455249
_LOCKS: Final = 64

_BEGIN = text(
    """
    UPDATE stage_leases SET expires_at = clock_timestamp() + :ttl
    WHERE stage = :stage AND partition = :partition AND fence = :fence RETURNING position
    """
)
_ADVANCE = text(
    "UPDATE stage_leases SET position = position + 1 WHERE stage = :stage AND partition = :partition RETURNING position"
)
# Of entities of one partition only one transaction derives, by its lease; where the number of partitions was changed,
# a lease of the old number and one of the new may hold the same entity for a while.
_ENTITIES_LOCK = text(
    "SELECT count(pg_advisory_xact_lock(:lock, s.n)) FROM (SELECT n FROM unnest(:slots) AS u (n) ORDER BY n) s"
)
_COMMIT = text(
    """
    INSERT INTO derived_commits
        (organization_id, partition, position, committed_at, series_ids, begins, ends, corrects)
    VALUES (:organization_id, :partition, :position, :now, :series, :begins, :ends, :corrects)
    """
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an entity has been derived: by which revision, up to when, and the state there."""

    revision: int
    head_us: int
    state: State


@dataclass(slots=True)
class Checkpoints:
    """Those of one partition, by organization and entity; good while one holder follows itself on the lease."""

    of: dict[tuple[int, bytes], Checkpoint] = field(default_factory=dict)

    def keep(self, found: Mapping[tuple[int, bytes], Checkpoint | None]) -> None:
        """Remember what a committed transaction found out; None: forget."""
        if len(self.of) > _CHECKPOINTS_MAX:
            self.of.clear()
        for key, checkpoint in found.items():
            if checkpoint is None:
                self.of.pop(key, None)
            else:
                self.of[key] = checkpoint


@dataclass(frozen=True, slots=True)
class DeriveRun:
    """What a run of the stage works with. lease_ttl: for how long each transaction keeps the lease."""

    lease: Lease
    lease_ttl: timedelta
    books: Books
    checkpoints: Checkpoints
    memory: StageMemory


@dataclass(frozen=True, slots=True)
class DerivedEntities:
    """What a transaction did; void unless it commits. commit: None where nothing changed.

    read_back: entities whose points were read back. checkpoints, notes: to be kept, once committed.
    """

    commit: DerivedCommit | None
    checkpoints: Mapping[tuple[int, bytes], Checkpoint | None]
    notes: StageNotes
    revision: int
    windows: int = 0
    read_back: int = 0


@dataclass(slots=True)
class _Work:
    organization_id: int
    run: DeriveRun
    book: Book
    changes: Changes = field(default_factory=Changes)
    notes: StageNotes = field(default_factory=StageNotes)
    checkpoints: dict[tuple[int, bytes], Checkpoint | None] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)


def entities_derive(
    session: Session,
    *,
    organization_id: int,
    entities: Collection[bytes],
    at_hand: Sequence[AssetEntry],
    run: DeriveRun,
    now: datetime,
    chunk: timedelta = CHUNK,
    points_max: int = READ_BACK_POINTS_MAX,
) -> DerivedEntities:
    """Derive the dirty windows of entities (16 bytes each) of one organization and the lease's partition.

    at_hand: entries of this organization. Windows longer than `chunk`, or twice the longest maxAge, are begun; what is
    left of them stays.
    Raises FencedError where another has taken the lease, LimitExceededError where more than `points_max` points
    would have to be read back: then take fewer entities or a shorter chunk.
    """
    arrays_enable(session)
    graph_revision = graph_hold(session, organization_id=organization_id)
    lease = {"stage": run.lease.stage, "partition": run.lease.partition}
    if session.execute(_BEGIN, {**lease, "fence": run.lease.fence, "ttl": run.lease_ttl}).one_or_none() is None:
        raise FencedError
    slots = sorted({entity[15] % _LOCKS for entity in entities})
    session.execute(_ENTITIES_LOCK, {"lock": _LOCK, "slots": int_array(slots)})
    book = run.books.get(session, organization_id=organization_id)
    windows = windows_of(session, organization_id=organization_id, entities=entities)
    book_entities(session, organization_id=organization_id, book=book, ids=[UUID(bytes=entity) for entity in windows])
    work = _Work(organization_id, run, book)
    behind = _derive_on(session, work, windows, at_hand)
    if behind:
        _derive_anew(session, work, behind, chunk_us=chunk // _MICROSECOND, points_max=points_max)
    changes_write(session, organization_id=organization_id, changes=work.changes, memory=run.memory, notes=work.notes)
    windows_done(session, organization_id=organization_id, ids=work.done, begun=work.begun)
    commit = None
    if work.changes.changed:
        position = int(session.execute(_ADVANCE, lease).scalar_one())
        commit = DerivedCommit(organization_id, run.lease.partition, position, now, work.changes.changed)
        _commit_note(session, commit)
    return DerivedEntities(
        commit,
        work.checkpoints,
        work.notes,
        graph_revision,
        sum(map(len, windows.values())),
        len(behind),
    )


def _derive_on(
    session: Session, work: _Work, windows: Mapping[bytes, list[Window]], at_hand: Sequence[AssetEntry]
) -> dict[bytes, list[Window]]:
    """Derive the entities whose points are at hand; return the windows of the others."""
    groups = {entry.group for entry in at_hand if entry.revision == work.book.revision}
    parts: dict[bytes, list[Mapping[str, Column]]] = {}
    for entry in {entry.group: entry for entry in at_hand if entry.group in groups}.values():
        for entity, columns in entry.columns.items():
            parts.setdefault(entity, []).append(columns)
    behind: dict[bytes, list[Window]] = {}
    ready: dict[bytes, tuple[Derivation, dict[str, Column], Checkpoint, int]] = {}
    for entity, of_entity in windows.items():
        derivation = work.book.entities[entity]
        checkpoint = work.run.checkpoints.of.get((work.organization_id, entity))
        inputs = None if windows_missing(of_entity, groups) else columns_join(parts.get(entity, ()))
        if (
            derivation is None
            or checkpoint is None
            or inputs is None
            or checkpoint.revision != work.book.revision
            or min(window.begins_us for window in of_entity) <= checkpoint.head_us
        ):
            behind[entity] = of_entity
            continue
        ends_us = max(window.ends_us for window in of_entity)
        ready[entity] = derivation, inputs, checkpoint, ends_us
        work.done += [window.id for window in of_entity]
    outputs = {}
    for entity, (derivation, inputs, checkpoint, ends_us) in ready.items():
        outputs[entity], state = derive(
            sets=derivation.sets,
            inputs=inputs,
            begins_us=checkpoint.head_us + 1,
            ends_us=ends_us,
            state=checkpoint.state,
        )
        found = Checkpoint(work.book.revision, ends_us - 1, state)
        work.checkpoints[work.organization_id, entity] = found
    _change(session, work, [(entity, found, {}) for entity, found in outputs.items()])
    return behind


def _derive_anew(
    session: Session, work: _Work, windows: Mapping[bytes, list[Window]], *, chunk_us: int, points_max: int
) -> None:
    """Derive the windows of entities from what stands."""
    organization_id = work.organization_id
    derivations = {entity: work.book.entities[entity] or _NO_DERIVATION for entity in windows}
    sources = sources_of(session, organization_id=organization_id, derivations=derivations)
    stretches = [
        stretch for entity, of_entity in windows.items() for stretch in stretches_of(of_entity, derivations[entity])
    ]
    narrowed = stretches_narrow(session, organization_id=organization_id, stretches=stretches, sources=sources)
    cut = [_cut(stretch, chunk_us) for stretch in narrowed]
    read = stretches_read(session, organization_id=organization_id, stretches=cut, sources=sources, limit=points_max)
    heads = heads_read(session, organization_id=organization_id, sources=sources)
    found: list[tuple[bytes, dict[str, Column], dict[str, Column]]] = []
    for whole, stretch, back in zip(narrowed, cut, read, strict=True):
        outputs, state = derive(
            sets=stretch.derivation.sets,
            inputs=back.inputs,
            begins_us=stretch.begins_us,
            ends_us=stretch.ends_us,
            state=State(),
        )
        names = {row.id: row.metric for row in sources.own[stretch.entity]}
        found.append((stretch.entity, outputs, {names[series]: column for series, column in back.stored.items()}))
        _windows_settle(work, whole, stretch)
        is_ahead = stretch.ends_us > heads[stretch.entity] and stretch.ends_us == whole.ends_us
        checkpoint = Checkpoint(work.book.revision, max(heads[stretch.entity], _last(back)), state)
        work.checkpoints[organization_id, stretch.entity] = checkpoint if is_ahead else None
    _change(session, work, found)


def stretches_of(windows: Sequence[Window], derivation: Derivation) -> list[Stretch]:
    """Return over which times an entity is derived anew, ascending: its windows, each with what its points reach."""
    joined: list[tuple[int, int, list[Window]]] = []
    for window in sorted(windows, key=lambda w: w.begins_us):
        # A point counts up to maxAge after its time, that instant included.
        ends = window.ends_us + derivation.reach_us
        if joined and window.begins_us <= joined[-1][1]:
            begins, before, of = joined[-1]
            joined[-1] = begins, max(before, ends), [*of, window]
        else:
            joined.append((window.begins_us, ends, [window]))
    return [Stretch(windows[0].entity, derivation, begins, ends, of) for begins, ends, of in joined]


def _cut(stretch: Stretch, chunk_us: int) -> Stretch:
    # Longer than what any point reaches: what is left of a window that was begun is then less than a chunk at last.
    chunk_us = max(chunk_us, 2 * stretch.derivation.reach_us + 1)
    ends = min(stretch.ends_us, stretch.begins_us + chunk_us)
    return Stretch(stretch.entity, stretch.derivation, stretch.begins_us, ends, stretch.windows)


def _windows_settle(work: _Work, whole: Stretch, stretch: Stretch) -> None:
    """Note which windows are done with a stretch, and up to when the others are."""
    if stretch.ends_us == whole.ends_us:
        work.done += [window.id for window in stretch.windows]
        return
    for window in stretch.windows:
        if window.ends_us + stretch.derivation.reach_us <= stretch.ends_us:
            work.done.append(window.id)
        elif window.begins_us < stretch.ends_us:
            # Its last microsecond stays, so that what it reaches is derived too.
            work.begun[window.id] = min(stretch.ends_us, window.ends_us - 1)


def _change(
    session: Session, work: _Work, found: Sequence[tuple[bytes, Mapping[str, Column], Mapping[str, Column]]]
) -> None:
    """Note what is written: (entity, what should stand, what stands)."""
    wanted: dict[tuple[bytes, str], str | None] = {}
    for entity, outputs, stored in found:
        units = _units(work.book.entities[entity])
        wanted |= {(entity, metric): units.get(metric) for metric in (*outputs, *stored)}
    series = series_ensure(
        session, organization_id=work.organization_id, wanted=wanted, memory=work.run.memory, notes=work.notes
    )
    for entity, outputs, stored in found:
        for metric in {**outputs, **stored}:
            work.changes.add(
                entity=entity,
                metric=metric,
                series_id=series[entity, metric],
                wanted=outputs.get(metric, NOTHING),
                stored=stored.get(metric, NOTHING),
            )


def _units(derivation: Derivation | None) -> dict[str, str | None]:
    """Return the unit of each derived metric, of the last version that names it."""
    if derivation is None:
        return {}
    return {formula.metric: formula.unit for formulas in derivation.sets for formula in formulas.formulas}


def _last(back: ReadBack) -> int:
    return max((int(column.at[-1]) for column in back.inputs.values() if len(column)), default=-1)


def _commit_note(session: Session, commit: DerivedCommit) -> None:
    changed: Sequence[SeriesChange] = commit.changes
    session.execute(
        _COMMIT,
        {
            "organization_id": commit.organization_id,
            "partition": commit.partition,
            "position": commit.position,
            "now": commit.committed_at,
            "series": bigint_array([change.series_id for change in changed]),
            "begins": instant_array([change.begins_us for change in changed]),
            "ends": instant_array([change.ends_us for change in changed]),
            "corrects": any(change.corrects for change in changed),
        },
    )


_NO_DERIVATION: Final = Derivation((), frozenset(), 0)
