"""Apply an import: idempotent, one change per chunk; a faulty record does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeVar

import psycopg
from sqlalchemy.orm import Session

from domain.configuration.entity_types.operations import entity_type_create, entity_type_update
from domain.definitions.entity_types.queries import entity_type_by_name
from domain.exchange.imports.edges import Postponed, edges_apply
from domain.exchange.imports.entities import entities_apply, entities_delete
from domain.exchange.imports.files import remark_of
from domain.exchange.imports.outcome import Outcome
from domain.exchange.imports.records import EdgeRecord, EntityRecord, Record, RelationshipRecord, Remark, TypeRecord
from graph.change import GraphChange
from graph.errors import ArgusError
from graph.relationships.operations import relationship_create
from graph.relationships.queries import relationship_list

T = TypeVar("T")

CHUNK_RECORDS: Final = 1_000
# Edges whose ends had not been met, or that others refused, are tried again at the end; so many are remembered.
WAITING_MAX: Final = 200_000


class ChangeRunner(Protocol):
    """Runs one change in a separate transaction."""

    def __call__(self, work: Callable[[Session, GraphChange], T], /) -> T:
        """Return what `work` returns, committed."""
        ...


class _NothingNewError(Exception):
    """Rolls back a change that would write nothing, so that it leaves no revision."""

    def __init__(self, postponed: list[Postponed]) -> None:
        super().__init__()
        self.postponed = postponed


@dataclass(slots=True)
class _Import:
    """valid_from: from when on edges that do not say so themselves are true; None: from the change on."""

    run: ChangeRunner
    valid_from: datetime | None
    outcome: Outcome
    waiting: list[EdgeRecord] = field(default_factory=list)
    deleted: list[EntityRecord] = field(default_factory=list)


def records_apply(
    records: Iterable[Record | Remark],
    *,
    run: ChangeRunner,
    valid_from: datetime | None = None,
    progress: Callable[[int], None] = lambda _: None,
    outcome: Outcome | None = None,
) -> Outcome:
    """Apply records in order; return the outcome, with remarks on what was left out.

    An entity is found by its external id or id, and changed where the file says something else; what others wrote
    into its attributes stays. An edge is there if the same is believed from the same time on; where the file does not
    say since when, if it is believed at `valid_from` (default: now). An edge may come before its ends.
    valid_from: since when edges are true that do not say so themselves. progress: called with the records done after
    each chunk. outcome: the one to fill and return, so that whoever is interrupted has what was committed until then.
    """
    work = _Import(run, valid_from, Outcome() if outcome is None else outcome)
    done = 0
    for chunk in chunks(records, CHUNK_RECORDS):
        _chunk_apply(work, chunk, last=False)
        done += len(chunk)
        progress(done)
    for late in chunks(work.waiting, CHUNK_RECORDS):
        _chunk_apply(work, late, last=True)
    # An edge cannot be made at an entity that is deleted.
    for gone in chunks(work.deleted, CHUNK_RECORDS):
        _write(work, partial(_delete, records=gone, outcome=work.outcome))
    return work.outcome


def chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the rows in lists of `size`."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _chunk_apply(work: _Import, chunk: Sequence[Record | Remark], *, last: bool) -> None:
    outcome = work.outcome
    outcome.remarks.extend(item for item in chunk if isinstance(item, Remark))
    words = [item for item in chunk if isinstance(item, RelationshipRecord | TypeRecord)]
    entities = [item for item in chunk if isinstance(item, EntityRecord)]
    edges = [item for item in chunk if isinstance(item, EdgeRecord)]
    if not (words or entities or edges):
        return

    def apply(session: Session, change: GraphChange) -> list[Postponed]:
        with _planned_for_values(session):
            for word in words:
                _word_apply(session, change, word, outcome)
            entities_apply(session, change=change, records=entities, outcome=outcome)
            return edges_apply(session, change=change, records=edges, valid_from=work.valid_from, outcome=outcome)

    postponed = _write(work, apply)
    work.deleted.extend(record for record in entities if record.deleted_at is not None)
    if not last and len(work.waiting) + len(postponed) <= WAITING_MAX:
        work.waiting.extend(item.record for item in postponed)
        return
    outcome.remarks.extend(item.remark for item in postponed)


@contextmanager
def _planned_for_values(session: Session) -> Iterator[None]:
    """Have each statement within the block planned for its values.

    A plan that is to fit any list of a thousand names compares each name with each row. It is a matter of the driver's,
    not a setting of the transaction's, under which the database would plan each check of a foreign key and each query
    of a trigger again for every row.
    """
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101  (the only driver there is)
    before = driver.prepare_threshold
    driver.prepare_threshold = None
    try:
        yield
    finally:
        driver.prepare_threshold = before


def _delete(
    session: Session, change: GraphChange, records: Sequence[EntityRecord], outcome: Outcome
) -> list[Postponed]:
    entities_delete(session, change=change, records=records, outcome=outcome)
    return []


def _write(work: _Import, apply: Callable[[Session, GraphChange], list[Postponed]]) -> list[Postponed]:
    """Run a chunk as one change, which leaves no trace where it writes nothing; return the edges to try again."""
    outcome, before = work.outcome, work.outcome.copy()

    def run(session: Session, change: GraphChange) -> list[Postponed]:
        # Run again where the transaction is: nothing is counted twice.
        outcome.restore(before)
        postponed = apply(session, change)
        if outcome.written == before.written:
            raise _NothingNewError(postponed)
        return postponed

    try:
        return work.run(run)
    except _NothingNewError as nothing:
        return nothing.postponed
    except BaseException:
        # Nothing of the chunk stays, so nothing of it is counted.
        outcome.restore(before)
        raise


def _word_apply(
    session: Session, change: GraphChange, record: RelationshipRecord | TypeRecord, outcome: Outcome
) -> None:
    try:
        with session.begin_nested():
            if isinstance(record, RelationshipRecord):
                _relationship_apply(session, change, record, outcome)
            else:
                _type_apply(session, change, record, outcome)
    except ArgusError as error:
        outcome.remarks.append(remark_of(error, subject=record.label, line=record.line))


def _relationship_apply(session: Session, change: GraphChange, record: RelationshipRecord, outcome: Outcome) -> None:
    known = {item.name for item in relationship_list(session, organization_id=change.organization_id)}
    if record.name in known:
        outcome.definitions_unchanged += 1
        return
    relationship_create(
        session,
        change=change,
        name=record.name,
        inverse=record.inverse,
        source_kinds=record.source_kinds,
        target_kinds=record.target_kinds,
        hierarchy=record.hierarchy,
        exclusive=record.exclusive,
    )
    outcome.definitions_created += 1


def _type_apply(session: Session, change: GraphChange, record: TypeRecord, outcome: Outcome) -> None:
    entity_type = entity_type_by_name(
        session, organization_id=change.organization_id, kind=record.kind, name=record.name
    )
    if entity_type is None:
        entity_type_create(
            session,
            change=change,
            kind=record.kind,
            name=record.name,
            description=record.description,
            attributes=record.attributes,
            telemetry_schema=record.telemetry_schema,
        )
        outcome.definitions_created += 1
        return
    schema = entity_type.telemetry_schema if record.telemetry_schema is None else record.telemetry_schema
    wanted = (record.description, dict(record.attributes), dict(schema))
    if wanted == (entity_type.description, dict(entity_type.attributes), dict(entity_type.telemetry_schema)):
        outcome.definitions_unchanged += 1
        return
    entity_type_update(
        session,
        change=change,
        entity_type_id=entity_type.id,
        description=record.description,
        attributes=record.attributes,
        telemetry_schema=schema,
    )
    outcome.definitions_updated += 1
