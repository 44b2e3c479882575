"""Read replays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from domain.exchange.replays.model import Replay, ReplayState
from domain.exchange.replays.tables import replays
from graph.errors import NotFoundError
from graph.instants import utc_of
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of

_KEYSET: Final = Keyset("replays", {"created_at": replays.c.created_at, "id": replays.c.id}, is_descending=True)
_OPEN = text(
    """
    SELECT organization_id, id FROM (
        SELECT *, row_number() OVER (PARTITION BY organization_id ORDER BY created_at, id) AS place FROM replays
        WHERE state IN ('QUEUED', 'RUNNING') AND coalesce(touched_at, '-infinity') < clock_timestamp() - :idle
    ) r
    ORDER BY place, created_at, id
    LIMIT greatest(0, :at_once - (
        SELECT count(*) FROM replays WHERE state = 'RUNNING' AND touched_at >= clock_timestamp() - :idle
    ))
    """
)


def replays_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, Replay]:
    """Return the replays of these ids; one that does not exist is left out. One statement."""
    rows = session.execute(
        select(replays).where(replays.c.organization_id == organization_id, any_of(replays.c.id, ids))
    )
    return {row.id: replay_of(row) for row in rows}


def replay_get(session: Session, *, organization_id: int, replay_id: UUID) -> Replay:
    """Return a replay. Raises NotFoundError."""
    replay = replays_get(session, organization_id=organization_id, ids=[replay_id]).get(replay_id)
    if replay is None:
        raise NotFoundError(f"There is no replay {replay_id}.", path=("id",))
    return replay


def replays_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[Replay]:
    """Return one page, the newest first. One statement, and one more for the total if requested."""
    rows = _KEYSET.page(session, select(replays).where(replays.c.organization_id == organization_id), page)
    return rows.of([replay_of(row) for row in rows.items])


def replays_idle(session: Session, *, idle: timedelta, at_once: int) -> list[tuple[int, UUID]]:
    """Return replays to resume: not over, and not worked on for `idle`. With those worked on, at most `at_once`.

    Organizations take turns; of each, the oldest first.
    """
    return [(row.organization_id, row.id) for row in session.execute(_OPEN, {"idle": idle, "at_once": at_once})]


def replay_of(row: Row[Any]) -> Replay:
    """Return a row of `replays`."""
    return Replay(
        row.id,
        row.begins.astimezone(UTC),
        row.ends.astimezone(UTC),
        row.device_ids,
        row.dry_run,
        row.side_effects,
        row.actor,
        ReplayState(row.state),
        row.total,
        row.done,
        row.changes,
        row.message,
        row.created_at.astimezone(UTC),
        utc_of(row.started_at),
        utc_of(row.finished_at),
    )
