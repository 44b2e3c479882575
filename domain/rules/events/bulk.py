"""Acknowledge or dismiss all events that fit a filter, at a number of statements that does not grow with theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.base.bulk import ERRORS_MAX, BulkResult
from domain.rules.events.operations import ANNOTATIONS_MAX, NOTE_MAX_CHARS
from domain.rules.events.queries import EventFilter, annotated, filter_check, filter_conditions
from domain.rules.model import AnnotationKind
from domain.rules.tables import event_annotations, events
from graph.errors import BadInputError, LimitExceededError
from graph.ids import NewId
from graph.json_bounds import text_check
from graph.sql import rows_insert

EVENTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class AnnotatedEvents:
    """The result, and the events that were annotated; none in a dry run."""

    result: BulkResult
    ids: Sequence[UUID]


def events_annotate(
    session: Session,
    *,
    organization_id: int,
    where: EventFilter,
    kind: AnnotationKind,
    note: str | None,
    actor: str,
    now: datetime,
    new_id: NewId,
    is_dry_run: bool = False,
) -> AnnotatedEvents:
    """Acknowledge or dismiss the events that fit, each as `event_annotate` does. Five statements at most.

    What is so annotated already is matched and not changed; an event with ANNOTATIONS_MAX is refused.
    Raises BadInputError for a filter without a condition, NotFoundError, LimitExceededError for more than EVENTS_MAX.
    """
    if where == EventFilter():
        raise BadInputError("Give a condition of the filter: without any it means all events.", path=("filter",))
    if note is not None:
        text_check(note, path=("note",), max_chars=NOTE_MAX_CHARS)
    filter_check(session, organization_id=organization_id, where=where)
    conditions = [events.c.organization_id == organization_id, *filter_conditions(session, organization_id, where)]
    annotations = (
        select(func.count())
        .where(
            event_annotations.c.organization_id == events.c.organization_id,
            event_annotations.c.event_id == events.c.id,
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(events.c.id, annotated(kind).label("is_annotated"), annotations.label("annotations"))
        .where(*conditions)
        .order_by(events.c.opened_at, events.c.id)
        .limit(EVENTS_MAX + 1)
    ).all()
    if len(rows) > EVENTS_MAX:
        matched = session.execute(select(func.count()).select_from(events).where(*conditions)).scalar_one()
        message = f"The filter selects {matched} events; at most {EVENTS_MAX} are annotated at once."
        raise LimitExceededError(message, path=("filter",))
    candidates = [row for row in rows if not row.is_annotated]
    ids = [row.id for row in candidates if row.annotations < ANNOTATIONS_MAX]
    refused = [
        LimitExceededError(f"An event has at most {ANNOTATIONS_MAX} annotations.", path=("filter", str(row.id)))
        for row in candidates
        if row.annotations >= ANNOTATIONS_MAX
    ]
    result = BulkResult(len(rows), len(ids), refused[:ERRORS_MAX])
    if is_dry_run:
        return AnnotatedEvents(result, ())
    common = {"organization_id": organization_id, "kind": kind.value, "at": now, "actor": actor, "note": note}
    rows_insert(session, event_annotations, [{**common, "id": new_id(), "event_id": event_id} for event_id in ids])
    return AnnotatedEvents(result, ids)
