"""Read processor versions and their promotions."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.definitions.processors.model import STAGES, Processor, Promotion
from domain.definitions.processors.tables import processor_versions
from graph.errors import NotFoundError


def processors_list(session: Session, *, organization_id: int) -> list[Processor]:
    """Return all stages that have versions. One statement."""
    rows = session.execute(
        select(processor_versions)
        .where(processor_versions.c.organization_id == organization_id)
        .order_by(processor_versions.c.stage, processor_versions.c.effective_from)
    )
    promotions: dict[str, list[Promotion]] = {stage: [] for stage in STAGES}
    for row in rows:
        promotion = Promotion(
            row.version, row.effective_from.astimezone(UTC), row.recorded_at.astimezone(UTC), row.actor
        )
        promotions.setdefault(row.stage, []).append(promotion)
    return [Processor(stage, list(STAGES[stage].values()), promotions[stage]) for stage in STAGES]


def processor_get(session: Session, *, organization_id: int, stage: str) -> Processor:
    """Return a stage. One statement. Raises NotFoundError for one that has no versions."""
    stage_check(stage)
    [processor] = [p for p in processors_list(session, organization_id=organization_id) if p.stage == stage]
    return processor


def stage_check(stage: str) -> str:
    """Return the name of a stage that has versions. Raises NotFoundError."""
    if stage not in STAGES:
        stages = ", ".join(STAGES)
        raise NotFoundError(f"There is no stage {stage[:80]!r} that has versions, only {stages}.", path=("stage",))
    return stage
