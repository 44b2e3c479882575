"""End a shadow, or compare it over a span before it began."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from domain.definitions.feature_flags.operations import feature_flag_set
from domain.definitions.processors.queries import stage_check
from domain.derivation.shadow.model import Shadow
from domain.derivation.shadow.queries import shadow_get
from graph.change import GraphChange
from graph.errors import BadInputError, ConflictError, NotFoundError
from graph.instants import instant_utc
from graph.tables import INSTANT

FLAG: Final = "{stage}.shadow"
_COMPARE = text("SELECT shadow_compare(:begins, :ends)").bindparams(
    bindparam("begins", type_=INSTANT), bindparam("ends", type_=INSTANT)
)
_WAITING = text("SELECT EXISTS (SELECT FROM dirty_windows WHERE organization_id = :o AND reason = 'shadow')")


def shadow_drop(session: Session, *, change: GraphChange, stage: str) -> Shadow:
    """End a stage's shadow and delete its differences; return it.

    Raises NotFoundError for a stage that has no versions, or has none in shadow.
    """
    before = _running(session, organization_id=change.organization_id, stage=stage)
    feature_flag_set(session, change=change, name=FLAG.format(stage=stage_check(stage)), value=None)
    return before


def shadow_compare(
    session: Session, *, organization_id: int, stage: str, begins: datetime, ends: datetime
) -> tuple[Shadow, int]:
    """Compare the shadow over [begins, ends) of event time; return it, and how many entities are to be compared.

    The stage derives all of it again, beside live readings; new differences there replace the earlier ones.
    Raises NotFoundError for a stage that has no versions or none in shadow, BadInputError where it ends before it
    begins, ConflictError while an earlier request still waits.
    """
    running = _running(session, organization_id=organization_id, stage=stage)
    since, until = instant_utc(begins, path="from"), instant_utc(ends, path="to")
    if since >= until:
        raise BadInputError("It must end after it begins.", path=("to",))
    if session.execute(_WAITING, {"o": organization_id}).scalar_one():
        raise ConflictError("An earlier comparison still waits to be made.", path=("stage",))
    entities = session.execute(_COMPARE, {"begins": since, "ends": until}).scalar_one()
    return running, int(entities)


def _running(session: Session, *, organization_id: int, stage: str) -> Shadow:
    running = shadow_get(session, organization_id=organization_id, stage=stage)
    if running is None:
        raise NotFoundError(f"No version of {stage} runs in shadow.", path=("stage",))
    return running
