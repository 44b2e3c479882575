"""Promote a processor version. A trigger invalidates what it affects in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from domain.definitions.processors.model import PROMOTIONS_MAX, STAGES, Processor
from domain.definitions.processors.queries import processor_get
from domain.definitions.processors.tables import processor_versions
from graph.change import GraphChange, change_record
from graph.errors import LimitExceededError, NotFoundError
from graph.instants import instant_utc


def processor_promote(
    session: Session, *, change: GraphChange, stage: str, version: int, effective_from: datetime | None = None
) -> Processor:
    """Put a version in force from `effective_from` of event time (default: the change), until the next promotion.

    One given for an instant that has one takes its place. Version 1 again takes a promotion back.
    Raises NotFoundError for a stage or a version there is not, BadInputError for a naive time, LimitExceededError
    where the stage has PROMOTIONS_MAX promotions.
    """
    organization_id = change.organization_id
    before = processor_get(session, organization_id=organization_id, stage=stage)
    if version not in STAGES[stage]:
        numbers = ", ".join(map(str, STAGES[stage]))
        raise NotFoundError(f"There is no version {version} of {stage}, only {numbers}.", path=("version",))
    begins = change.recorded if effective_from is None else instant_utc(effective_from, path="effectiveFrom")
    is_new = begins not in {promotion.effective_from for promotion in before.promotions}
    if is_new and len(before.promotions) >= PROMOTIONS_MAX:
        message = f"The version of a stage may change {PROMOTIONS_MAX} times; replace one of the promotions there are."
        raise LimitExceededError(message, path=("effectiveFrom",))
    now = {"version": version, "recorded_at": change.recorded, "actor": change.actor}
    promotion_id = session.execute(
        upsert(processor_versions)
        .values(organization_id=organization_id, stage=stage, effective_from=begins, id=change.new_id(), **now)
        .on_conflict_do_update(constraint="pk_processor_versions", set_=now)
        .returning(processor_versions.c.id)
    ).scalar_one()
    details = {"stage": stage, "effectiveFrom": begins.isoformat()}
    change_record(
        session,
        change=change,
        action="promoted",
        subject_type="processor",
        subject_id=promotion_id,
        before={**details, "version": before.in_force(begins)},
        after={**details, "version": version},
    )
    return processor_get(session, organization_id=organization_id, stage=stage)
