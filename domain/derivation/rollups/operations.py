"""Create, change and delete rollups. Whatever changes, all time is recomputed, by dirty buckets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from domain.derivation.rollups.invalidate import rollup_invalidate
from domain.derivation.rollups.model import Rollup, RollupDraft, definition_of
from domain.derivation.rollups.queries import rollup_get, rollups_list
from domain.derivation.rollups.rules import RollupWish, draft_checked, writers_check
from domain.derivation.rollups.tables import rollups
from graph.change import GraphChange, change_record
from graph.errors import BadInputError


def rollup_create(session: Session, *, change: GraphChange, wish: RollupWish) -> Rollup:
    """Create a rollup; its points are computed later. Raises what `draft_checked` and `writers_check` raise."""
    organization_id = change.organization_id
    draft = draft_checked(session, organization_id=organization_id, wish=wish)
    others = rollups_list(session, organization_id=organization_id)
    writers_check(session, organization_id=organization_id, draft=draft, others=others)
    rollup = Rollup(change.new_id(), draft, change.recorded, change.recorded)
    session.execute(
        insert(rollups),
        {"organization_id": organization_id, "id": rollup.id, "created_at": change.recorded, **_values(change, draft)},
    )
    _finish(session, change, "created", rollup.id, before=None, after=draft)
    return rollup_get(session, organization_id=organization_id, rollup_id=rollup.id)


def rollup_update(session: Session, *, change: GraphChange, rollup_id: UUID, wish: RollupWish) -> Rollup:
    """Replace a rollup's definition, except its metric. All of its buckets are recomputed.

    Raises NotFoundError, BadInputError for another metric, and what `draft_checked` and `writers_check` raise.
    """
    organization_id = change.organization_id
    before = rollup_get(session, organization_id=organization_id, rollup_id=rollup_id)
    draft = draft_checked(session, organization_id=organization_id, wish=wish)
    if draft.metric != before.draft.metric:
        raise BadInputError("The metric of a rollup stays; create another rollup.", path=("metric",))
    if draft == before.draft:
        return before
    others = [rollup for rollup in rollups_list(session, organization_id=organization_id) if rollup.id != rollup_id]
    writers_check(session, organization_id=organization_id, draft=draft, others=others)
    _write(session, change, rollup_id, _values(change, draft))
    _finish(session, change, "updated", rollup_id, before=before.draft, after=draft)
    return rollup_get(session, organization_id=organization_id, rollup_id=rollup_id)


def rollup_delete(session: Session, *, change: GraphChange, rollup_id: UUID) -> Rollup:
    """Delete a rollup and return it. Its points are removed. Raises NotFoundError."""
    before = rollup_get(session, organization_id=change.organization_id, rollup_id=rollup_id)
    _write(session, change, rollup_id, {"deleted_at": change.recorded})
    _finish(session, change, "deleted", rollup_id, before=before.draft, after=None)
    return before


def _values(change: GraphChange, draft: RollupDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "metric": draft.metric,
        "definition": definition_of(draft),
        "updated_at": change.recorded,
    }


def _write(session: Session, change: GraphChange, rollup_id: UUID, values: dict[str, Any]) -> None:
    session.execute(
        update(rollups)
        .where(rollups.c.organization_id == change.organization_id, rollups.c.id == rollup_id)
        .values(**values)
    )


def _finish(
    session: Session,
    change: GraphChange,
    action: str,
    rollup_id: UUID,
    *,
    before: RollupDraft | None,
    after: RollupDraft | None,
) -> None:
    rollup_invalidate(session, organization_id=change.organization_id, rollup_id=rollup_id)
    change_record(
        session,
        change=change,
        action=action,
        subject_type="rollup",
        subject_id=rollup_id,
        before=None if before is None else _state(before),
        after=None if after is None else _state(after),
    )


def _state(draft: RollupDraft) -> dict[str, Any]:
    return {"name": draft.name, "metric": draft.metric, **definition_of(draft)}
