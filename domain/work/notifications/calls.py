"""What is told of an event to a destination: a sequence of calls without holes, the last of which is how it stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from domain.work.notifications.tables import event_tellings
from graph.sql import any_of


class ToldState(StrEnum):
    """How an event stands, as a destination is told."""

    OPEN = "OPEN"
    CLEARED = "CLEARED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Telling:
    """What a destination was told last of an event. sequence: the number of that call, from 1."""

    sequence: int
    state: ToldState
    severity: str


# What is told to come from one state to another; None: nothing was told so far.
_CALLS: Final[Mapping[tuple[ToldState | None, ToldState], Sequence[str]]] = {
    (None, ToldState.OPEN): ("OPENED",),
    (None, ToldState.CLEARED): ("OPENED", "CLEARED"),
    (None, ToldState.WITHDRAWN): (),
    (ToldState.OPEN, ToldState.CLEARED): ("CLEARED",),
    (ToldState.OPEN, ToldState.WITHDRAWN): ("WITHDRAWN",),
    (ToldState.CLEARED, ToldState.OPEN): ("REOPENED",),
    (ToldState.CLEARED, ToldState.WITHDRAWN): ("WITHDRAWN",),
    (ToldState.WITHDRAWN, ToldState.OPEN): ("REOPENED",),
    (ToldState.WITHDRAWN, ToldState.CLEARED): ("REOPENED", "CLEARED"),
}


def calls_of(told: Telling | None, *, state: ToldState, worsening: int, is_quiet: bool) -> Sequence[str]:
    """Return what a destination is to be told of an event, in order. Pure.

    worsening: above 0 where it is more severe than was told, below where it is less. is_quiet: of what is open nothing
    is told just now; of its end it is.
    """
    if is_quiet and state is ToldState.OPEN:
        return ()
    if told is not None and told.state is state:
        if not worsening or state is not ToldState.OPEN:
            return ()
        return ("ESCALATED",) if worsening > 0 else ("DEESCALATED",)
    return _CALLS[None if told is None else told.state, state]


def tellings_get(
    session: Session, *, organization_id: int, event_ids: Collection[UUID]
) -> Mapping[UUID, Mapping[str, Telling]]:
    """Return what was told last of events, by event and destination. One statement."""
    table = event_tellings.c
    rows = session.execute(
        select(event_tellings).where(table.organization_id == organization_id, any_of(table.event_id, event_ids))
    )
    found: dict[UUID, dict[str, Telling]] = {}
    for row in rows:
        found.setdefault(row.event_id, {})[row.url] = Telling(row.sequence, ToldState(row.state), row.severity)
    return found


def telling_keep(session: Session, *, organization_id: int, event_id: UUID, url: str, telling: Telling) -> None:
    """Remember what was told last."""
    values = {"sequence": telling.sequence, "state": telling.state.value, "severity": telling.severity}
    session.execute(
        insert(event_tellings)
        .values(organization_id=organization_id, event_id=event_id, url=url, **values)
        .on_conflict_do_update(constraint="pk_event_tellings", set_=values)
    )
