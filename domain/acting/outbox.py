"""What became of events, and is to be followed: rows of `event_changes`, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, bindparam, text
from sqlalchemy.orm import Session

from domain.acting.actions import template_of, webhook_of

# The first key of the advisory lock of who acts for an organization; the second is the organization's id.
ACT_LOCK: Final = 0x41435453

_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock, :organization_id)").bindparams(bindparam("lock", ACT_LOCK))
_WAITING = text("SELECT DISTINCT organization_id FROM event_changes WHERE acted_at IS NULL ORDER BY organization_id")
_NEXT = text(
    """
    SELECT c.id, c.event_id, c.kind, c.at, c.fenced, e.suppressed, e.rule_id, r.name AS rule_name, v.action,
        e.entity_id, e.severity, e.began_at, e.opened_at, e.cleared_at,
        EXISTS (
            SELECT FROM events o
            WHERE o.organization_id = e.organization_id AND o.rule_id = e.rule_id AND o.entity_id = e.entity_id
                AND o.id <> e.id AND o.cleared_at IS NULL AND o.withdrawn_at IS NULL) AS others_open
    FROM event_changes c
    JOIN events e ON e.organization_id = c.organization_id AND e.id = c.event_id
    JOIN rules r ON r.organization_id = e.organization_id AND r.id = e.rule_id
    LEFT JOIN LATERAL (
        -- What the version wants that judged the reading at which it opened.
        SELECT v.action FROM rule_versions v
        WHERE v.organization_id = e.organization_id AND v.rule_id = e.rule_id AND v.effective_from <= e.opened_at
        ORDER BY v.effective_from DESC LIMIT 1
    ) v ON true
    WHERE c.organization_id = :organization_id AND c.acted_at IS NULL
    ORDER BY c.id LIMIT :most FOR UPDATE OF c
    """
)
_ACTED = text(
    "UPDATE event_changes SET acted_at = :now WHERE organization_id = :organization_id AND id = ANY (:ids)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


class ChangeKind(StrEnum):
    """What became of an event."""

    OPENED = "OPENED"
    CLEARED = "CLEARED"
    REOPENED = "REOPENED"
    CORRECTED = "CORRECTED"
    WITHDRAWN = "WITHDRAWN"
    ESCALATED = "ESCALATED"


@dataclass(frozen=True, slots=True)
class Happening:
    """One row, with the event as it stands now and what its rule wants done. Times UTC, event times.

    quiet: nothing may follow: a replay without side effects, or the event is shelved or in a maintenance window.
    others_open: another event of the rule and entity is open.
    """

    change_id: int
    event_id: UUID
    kind: ChangeKind
    at: datetime
    quiet: bool
    rule_id: UUID
    rule_name: str
    entity_id: UUID
    severity: str
    began_at: datetime
    opened_at: datetime
    cleared_at: datetime | None
    others_open: bool
    template_id: UUID | None
    webhook_url: str | None


def organizations_waiting(session: Session) -> list[int]:
    """Return the organizations with something to follow. As argus_pipeline: of all."""
    return list(session.scalars(_WAITING))


def acting_hold(session: Session, *, organization_id: int) -> bool:
    """Be the one who acts for an organization until the transaction ends; False where another is."""
    held: bool = session.execute(_LOCK, {"organization_id": organization_id}).scalar_one()
    return held


def happenings_next(session: Session, *, organization_id: int, limit: int) -> list[Happening]:
    """Return what to follow next, in order. One statement."""
    rows = session.execute(_NEXT, {"organization_id": organization_id, "most": limit})
    return [_happening(row) for row in rows]


def happenings_done(session: Session, *, organization_id: int, change_ids: Sequence[int], now: datetime) -> None:
    """Mark them followed."""
    session.execute(_ACTED, {"organization_id": organization_id, "ids": list(change_ids), "now": now})


def _happening(row: Any) -> Happening:
    action: Mapping[str, Any] = row.action or {}
    return Happening(
        row.id,
        row.event_id,
        ChangeKind(row.kind),
        row.at.astimezone(UTC),
        row.fenced or row.suppressed,
        row.rule_id,
        row.rule_name,
        row.entity_id,
        row.severity,
        row.began_at.astimezone(UTC),
        row.opened_at.astimezone(UTC),
        None if row.cleared_at is None else row.cleared_at.astimezone(UTC),
        row.others_open,
        template_of(action),
        webhook_of(action),
    )
