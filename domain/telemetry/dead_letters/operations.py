"""Retry or discard dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ARRAY, BigInteger, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from domain.telemetry.dead_letters.model import DeadLetterFilter, DeadLetterState
from domain.telemetry.dead_letters.queries import dead_letter_conditions
from domain.telemetry.store.tables import dead_letters
from graph.errors import BadInputError
from graph.tables import INSTANT
from graph.tenancy import unscoped

# So many at a call; the answer says how many are left.
DEAD_LETTERS_MAX: Final = 10_000

_REOPEN = text("SELECT batches_reopen(:organization_id, :raw_ids, :received)").bindparams(
    bindparam("raw_ids", type_=ARRAY(BigInteger)), bindparam("received", type_=ARRAY(INSTANT))
)


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a bulk retry or discard.

    count: dead letters that were treated. remaining: those of the filter that were not, for they were too many.
    """

    count: int
    remaining: int


def dead_letters_retry(session: Session, *, organization_id: int, where: DeadLetterFilter) -> Done:
    """Have the pipeline process the readings of open dead letters again, with their batches.

    What was stored stays as it is, for stages may do a batch any number of times; a letter that fails again counts
    another attempt, one that does not is resolved. At most DEAD_LETTERS_MAX, the oldest first.
    Raises BadInputError for a filter without any condition.
    """
    _filter_check(where)
    conditions = dead_letter_conditions(organization_id, where)
    rows = session.execute(
        select(dead_letters.c.raw_id, dead_letters.c.received_at)
        .where(*conditions)
        .order_by(dead_letters.c.received_at, dead_letters.c.id)
        .limit(DEAD_LETTERS_MAX)
    ).all()
    reopened = {
        "organization_id": organization_id,
        "raw_ids": [row.raw_id for row in rows],
        "received": [row.received_at for row in rows],
    }
    # Batches hold readings of many devices, and are done again as a whole: what was stored stays.
    with unscoped(session):
        session.execute(_REOPEN, reopened)
    every = session.execute(select(func.count()).select_from(dead_letters).where(*conditions)).scalar_one()
    return Done(len(rows), every - len(rows))


def dead_letters_discard(
    session: Session, *, organization_id: int, where: DeadLetterFilter, actor: str, now: datetime
) -> Done:
    """Discard open dead letters; they stay, with who did it and when. At most DEAD_LETTERS_MAX, the oldest first.

    The account does not change: a dead reading stays dead. Raises BadInputError for a filter without any condition.
    """
    _filter_check(where)
    conditions = dead_letter_conditions(organization_id, where)
    chosen = (
        select(dead_letters.c.id)
        .where(*conditions)
        .order_by(dead_letters.c.received_at, dead_letters.c.id)
        .limit(DEAD_LETTERS_MAX)
    )
    done = session.execute(
        update(dead_letters)
        .where(dead_letters.c.organization_id == organization_id, dead_letters.c.id.in_(chosen))
        .values(discarded_at=now, discarded_by=actor)
        .execution_options(synchronize_session=False)
    )
    remaining = session.execute(select(func.count()).select_from(dead_letters).where(*conditions)).scalar_one()
    return Done(int(done.rowcount), remaining)  # type: ignore[attr-defined]


def _filter_check(where: DeadLetterFilter) -> None:
    given = (where.ids, where.stages, where.codes, where.device_id, where.begins, where.ends)
    if all(item is None for item in given):
        raise BadInputError("Give a condition of the filter: without any it means all dead letters.", path=("filter",))
    if where.states is not None and tuple(where.states) != (DeadLetterState.OPEN,):
        raise BadInputError("Only open dead letters can be retried or discarded.", path=("filter", "states"))
