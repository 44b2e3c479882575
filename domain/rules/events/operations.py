"""Annotate events: acknowledge, dismiss, comment. Annotations never change what was computed."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from domain.rules.events.queries import event_get
from domain.rules.model import AnnotationKind, Event
from domain.rules.tables import event_annotations
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import text_check

NOTE_MAX_CHARS: Final = 10_000
ANNOTATIONS_MAX: Final = 1_000


def event_annotate(
    session: Session,
    *,
    organization_id: int,
    event_id: UUID,
    kind: AnnotationKind,
    note: str | None,
    actor: str,
    now: datetime,
    annotation_id: UUID,
) -> Event:
    """Acknowledge, dismiss or comment an event. The first acknowledgement and dismissal count.

    Raises NotFoundError, BadInputError for an empty comment, LimitExceededError above ANNOTATIONS_MAX of one event.
    """
    before = event_get(session, organization_id=organization_id, event_id=event_id)
    if note is not None:
        text_check(note, path=("note",), max_chars=NOTE_MAX_CHARS)
    if kind is AnnotationKind.COMMENT and not note:
        raise BadInputError("A comment says something.", path=("note",))
    if kind is not AnnotationKind.COMMENT and before.annotated_at(kind) is not None:
        return before
    annotations = select(func.count()).where(
        event_annotations.c.organization_id == organization_id, event_annotations.c.event_id == event_id
    )
    if session.execute(annotations).scalar_one() >= ANNOTATIONS_MAX:
        raise LimitExceededError(f"An event has at most {ANNOTATIONS_MAX} annotations.", path=("id",))
    session.execute(
        insert(event_annotations),
        {
            "organization_id": organization_id,
            "id": annotation_id,
            "event_id": event_id,
            "kind": kind,
            "at": now,
            "actor": actor,
            "note": note,
        },
    )
    return event_get(session, organization_id=organization_id, event_id=event_id)
