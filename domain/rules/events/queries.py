"""Read events with their annotations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, literal, not_, or_, select, union_all
from sqlalchemy.orm import Session

from domain.rules.model import Annotation, AnnotationKind, Event, EventState, Severity
from domain.rules.tables import event_annotations, event_changes, event_corrections, events
from graph.entities.queries import entities_get
from graph.errors import LimitExceededError, NotFoundError
from graph.instants import moment_resolve, utc_of
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of
from graph.walk.below import below_select

_KEYSET: Final = Keyset("events", {"opened_at": events.c.opened_at, "id": events.c.id}, is_descending=True)
# At most so many corrections of an event are returned: the latest.
CORRECTIONS_MAX: Final = 100
# A filter names at most so many entities, and rules.
FILTER_IDS_MAX: Final = 1_000
# Looked through for what changed since an instant: the newest.
CHANGES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """The contract's EventFilter; None: no condition. begins, ends: events whose span overlaps [begins, ends)."""

    ids: Collection[UUID] | None = None
    states: Collection[EventState] | None = None
    severities: Collection[Severity] | None = None
    entity_ids: Collection[UUID] | None = None
    under_id: UUID | None = None
    rule_ids: Collection[UUID] | None = None
    open_at: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction of an event that had been published. before, after: times, value, flaps, withdrawn or not."""

    recorded_at: datetime
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def events_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, Event]:
    """Return the events of these ids; one that does not exist is left out. Two statements."""
    rows = session.execute(select(events).where(events.c.organization_id == organization_id, any_of(events.c.id, ids)))
    return {event.id: event for event in _with_annotations(session, organization_id, rows.all())}


def event_get(session: Session, *, organization_id: int, event_id: UUID) -> Event:
    """Return an event. Raises NotFoundError."""
    event = events_get(session, organization_id=organization_id, ids=[event_id]).get(event_id)
    if event is None:
        raise NotFoundError(f"There is no event {event_id}.", path=("id",))
    return event


def events_page(session: Session, *, organization_id: int, where: EventFilter, page: PageRequest) -> Page[Event]:
    """Return one page of events, the latest opened first. under_id: it, and everything below it now.

    Raises NotFoundError for an unknown `under_id`, LimitExceededError for too many ids.
    """
    filter_check(session, organization_id=organization_id, where=where)
    conditions = [events.c.organization_id == organization_id, *filter_conditions(session, organization_id, where)]
    rows = _KEYSET.page(session, select(events).where(*conditions), page)
    return rows.of(_with_annotations(session, organization_id, rows.items))


def filter_check(session: Session, *, organization_id: int, where: EventFilter) -> None:
    """Raise NotFoundError for an unknown `under_id`, LimitExceededError above FILTER_IDS_MAX ids of one sort."""
    for name, ids in (("ids", where.ids), ("entityIds", where.entity_ids), ("ruleIds", where.rule_ids)):
        if ids is not None and len(ids) > FILTER_IDS_MAX:
            raise LimitExceededError(f"{name} may have {FILTER_IDS_MAX} entries.", path=("filter", name))
    if where.under_id is not None and not entities_get(session, organization_id=organization_id, ids=[where.under_id]):
        raise NotFoundError(f"There is no entity {where.under_id}.", path=("filter", "underId"))


def entities_with_open_events(*, organization_id: int) -> Select[UUID]:
    """Return the entities with events that are OPEN or ACKNOWLEDGED, as a query, to be used inside another."""
    return select(events.c.entity_id).where(events.c.organization_id == organization_id, open_condition())


def events_matching(
    session: Session, *, organization_id: int, ids: Collection[UUID], filters: Sequence[EventFilter]
) -> list[list[Event]]:
    """Return, for each filter, which of these events fit it, in the order of the ids. Each event is read once."""
    by_id = events_get(session, organization_id=organization_id, ids=ids)
    fitting: list[list[Event]] = []
    for where in filters:
        conditions = filter_conditions(session, organization_id, where)
        selected = set(by_id)
        if conditions:
            chosen_ids = select(events.c.id).where(
                events.c.organization_id == organization_id, any_of(events.c.id, list(by_id)), *conditions
            )
            selected = set(session.execute(chosen_ids).scalars())
        fitting.append([by_id[entity_id] for entity_id in ids if entity_id in selected])
    return fitting


def events_changed_since(session: Session, *, organization_id: int, since: datetime) -> list[UUID]:
    """Return the events that changed or were annotated since an instant of wall-clock time, the longest ago first.

    At most CHANGES_MAX changes and as many annotations are looked at, the latest.
    """
    changes = (
        select(event_changes.c.event_id, event_changes.c.recorded_at.label("at"))
        .where(event_changes.c.organization_id == organization_id)
        .order_by(event_changes.c.id.desc())
        .limit(CHANGES_MAX)
        .subquery()
    )
    annotations = (
        select(event_annotations.c.event_id, event_annotations.c.at)
        .where(event_annotations.c.organization_id == organization_id, event_annotations.c.at >= since)
        .order_by(event_annotations.c.at.desc())
        .limit(CHANGES_MAX)
        .subquery()
    )
    both = union_all(select(changes).where(changes.c.at >= since), select(annotations)).subquery()
    rows = session.execute(select(both.c.event_id).group_by(both.c.event_id).order_by(func.max(both.c.at)))
    return list(rows.scalars())


def corrections_of(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> Mapping[UUID, Sequence[Correction]]:
    """Return the latest corrections of these events, the newest first. One statement."""
    numbered = (
        select(
            event_corrections,
            func.row_number()
            .over(partition_by=event_corrections.c.event_id, order_by=event_corrections.c.id.desc())
            .label("place"),
        )
        .where(event_corrections.c.organization_id == organization_id, any_of(event_corrections.c.event_id, ids))
        .subquery()
    )
    rows = session.execute(
        select(numbered).where(numbered.c.place <= CORRECTIONS_MAX).order_by(numbered.c.event_id, numbered.c.place)
    )
    corrections: dict[UUID, list[Correction]] = {entity_id: [] for entity_id in ids}
    for row in rows:
        corrections[row.event_id].append(Correction(row.recorded_at.astimezone(UTC), row.before, row.after))
    return corrections


def filter_conditions(session: Session, organization_id: int, where: EventFilter) -> list[ColumnElement[bool]]:
    """Return a filter as conditions on `events`. under_id: as of now."""
    table = events.c
    conditions: list[ColumnElement[bool]] = []
    if where.ids is not None:
        conditions.append(any_of(table.id, where.ids))
    if where.states is not None:
        conditions.append(or_(literal(False), *(_state_is(state) for state in where.states)))
    if where.severities is not None:
        conditions.append(table.severity.in_(list(where.severities)))
    if where.entity_ids is not None:
        conditions.append(any_of(table.entity_id, where.entity_ids))
    if where.rule_ids is not None:
        conditions.append(any_of(table.rule_id, where.rule_ids))
    if where.under_id is not None:
        moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
        below = below_select(organization_id=organization_id, entity_ids=[where.under_id], moment=moment)
        conditions.append(table.entity_id.in_(below))
    if where.open_at is not None:
        conditions += [
            table.opened_at <= where.open_at,
            or_(table.cleared_at.is_(None), table.cleared_at > where.open_at),
        ]
    if where.begins is not None:
        conditions.append(or_(table.cleared_at.is_(None), table.cleared_at > where.begins))
    if where.ends is not None:
        conditions.append(table.opened_at < where.ends)
    return conditions


def open_condition() -> ColumnElement[bool]:
    """Return the condition on `events` that an event is open, acknowledged or not."""
    return or_(_state_is(EventState.OPEN), _state_is(EventState.ACKNOWLEDGED))


def _state_is(state: EventState) -> ColumnElement[bool]:
    withdrawn, cleared = events.c.withdrawn_at.is_not(None), events.c.cleared_at.is_not(None)
    dismissed, acknowledged = annotated(AnnotationKind.DISMISSED), annotated(AnnotationKind.ACKNOWLEDGED)
    if state is EventState.WITHDRAWN:
        return withdrawn
    if state is EventState.DISMISSED:
        return and_(not_(withdrawn), dismissed)
    if state is EventState.CLEARED:
        return and_(not_(withdrawn), not_(dismissed), cleared)
    is_open = and_(not_(withdrawn), not_(dismissed), not_(cleared))
    return and_(is_open, acknowledged if state is EventState.ACKNOWLEDGED else not_(acknowledged))


def annotated(kind: AnnotationKind) -> ColumnElement[bool]:
    """Return the condition on `events` that an event has an annotation of a kind."""
    return exists().where(
        event_annotations.c.organization_id == events.c.organization_id,
        event_annotations.c.event_id == events.c.id,
        event_annotations.c.kind == kind,
    )


def _with_annotations(session: Session, organization_id: int, rows: Sequence[Row[Any]]) -> list[Event]:
    annotations: dict[UUID, list[Annotation]] = {row.id: [] for row in rows}
    if annotations:
        annotation_rows = session.execute(
            select(event_annotations)
            .where(
                event_annotations.c.organization_id == organization_id,
                any_of(event_annotations.c.event_id, list(annotations)),
            )
            .order_by(event_annotations.c.at, event_annotations.c.id)
        )
        for annotation in annotation_rows:
            annotations[annotation.event_id].append(
                Annotation(
                    AnnotationKind(annotation.kind), annotation.at.astimezone(UTC), annotation.actor, annotation.note
                )
            )
    return [_event(row, annotations[row.id]) for row in rows]


def _event(row: Row[Any], annotations: Sequence[Annotation]) -> Event:
    return Event(
        row.id,
        row.rule_id,
        row.entity_id,
        row.key,
        row.began_at.astimezone(UTC),
        row.opened_at.astimezone(UTC),
        utc_of(row.cleared_at),
        row.cleared_reason,
        Severity(row.severity),
        row.value,
        row.flaps,
        row.detected_at.astimezone(UTC),
        utc_of(row.withdrawn_at),
        annotations,
        utc_of(row.suppressed_until),
    )
