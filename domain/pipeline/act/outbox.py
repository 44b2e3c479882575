"""The outbox of event changes: rows of `event_changes` whose actions are to be applied, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Uuid, bindparam, text
from sqlalchemy.orm import Session

from domain.base.failed_items.model import FailedQueue
from domain.rules.actions import template_of, webhook_of
from graph.locks import ACT_LOCK

_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock, :organization_id)").bindparams(bindparam("lock", ACT_LOCK))
# What waits behind a change of the same rule and target that failed, and before what is found out of its suppression.
_ISOLATED = f"""
    EXISTS (
        SELECT FROM failed_items f
        WHERE f.organization_id = c.organization_id AND f.resolved_at IS NULL AND CASE f.queue
            WHEN '{FailedQueue.EVENT_CHANGES.value}' THEN f.holds = e.rule_id || '/' || e.entity_id
                AND CAST(f.item AS bigint) <= c.id AND (f.due_at IS NULL OR f.due_at > clock_timestamp())
            WHEN '{FailedQueue.SUPPRESSION.value}' THEN f.holds = e.id::text
            ELSE false END)
"""
_WAITING = text(
    f"""
    SELECT organization_id, bool_or(is_dirty) AS is_dirty FROM (
        SELECT organization_id, false AS is_dirty FROM event_changes
        WHERE processed_at IS NULL AND (due_at IS NULL OR due_at <= :now)
        UNION ALL
        SELECT organization_id, true FROM suppression_invalidations
        UNION ALL
        SELECT organization_id, true FROM failed_items
        WHERE queue = '{FailedQueue.SUPPRESSION.value}' AND resolved_at IS NULL AND due_at <= clock_timestamp()
    ) w GROUP BY organization_id
    """  # noqa: S608  (constants)
)
# A change is deferred only while its event is open.
_IS_NEXT = f"""
    c.organization_id = :organization_id AND c.processed_at IS NULL
    AND (c.due_at IS NULL OR c.due_at <= :now OR num_nonnulls(e.cleared_at, e.withdrawn_at) > 0) AND NOT {_ISOLATED}
"""
_KEYS = text(
    f"""
    SELECT c.id, e.rule_id || '/' || e.entity_id AS holds FROM event_changes c
    JOIN events e ON e.organization_id = c.organization_id AND e.id = c.event_id
    WHERE {_IS_NEXT} ORDER BY c.id LIMIT :most
    """  # noqa: S608  (constants)
)
_NEXT = text(
    f"""
    SELECT c.id, c.event_id, c.kind, c.at, c.side_effects_disabled, c.due_at, e.rule_id, r.name AS rule_name, v.action,
        e.entity_id, e.severity, e.began_at, e.opened_at, e.cleared_at, e.withdrawn_at, e.suppressed_until,
        e.opening_processed_at,
        EXISTS (
            SELECT FROM events o
            WHERE o.organization_id = e.organization_id AND o.rule_id = e.rule_id AND o.entity_id = e.entity_id
                AND o.id <> e.id AND o.cleared_at IS NULL AND o.withdrawn_at IS NULL) AS others_open
    FROM event_changes c
    JOIN events e ON e.organization_id = c.organization_id AND e.id = c.event_id
    JOIN rules r ON r.organization_id = e.organization_id AND r.id = e.rule_id
    LEFT JOIN LATERAL (
        -- What the last version wants in which it was open; where that has been edited since and it is still to be
        -- evaluated by its successor, the version that opened it.
        SELECT v.action FROM rule_versions v
        WHERE v.organization_id = e.organization_id AND v.rule_id = e.rule_id
            AND (v.id = e.version_id OR v.effective_from <= e.opened_at)
        ORDER BY v.id = e.version_id DESC, v.effective_from DESC LIMIT 1
    ) v ON true
    WHERE {_IS_NEXT} AND (CAST(:only AS bigint) IS NULL OR c.id = :only)
    ORDER BY c.id LIMIT :most FOR UPDATE OF c
    """  # noqa: S608  (constants)
)
_ACTED = text(
    "UPDATE event_changes SET processed_at = :now WHERE organization_id = :organization_id AND id = ANY (:ids)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_HOLD = text(
    "UPDATE event_changes c SET due_at = u.at FROM unnest(:ids, :due) AS u (id, at)"
    " WHERE c.organization_id = :organization_id AND c.id = u.id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("due", type_=ARRAY(DateTime(timezone=True))))
_OPENINGS_PROCESSED = text(
    """
    UPDATE events e SET opening_processed_at = :now FROM (
        -- In the order of their ids, in which their evaluation locks them.
        SELECT id FROM events
        WHERE organization_id = :organization_id AND id = ANY (:ids) AND opening_processed_at IS NULL
        ORDER BY id FOR NO KEY UPDATE
    ) f
    WHERE e.organization_id = :organization_id AND e.id = f.id
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))


class ChangeKind(StrEnum):
    """Kind of an event change."""

    OPENED = "OPENED"
    CLEARED = "CLEARED"
    REOPENED = "REOPENED"
    CORRECTED = "CORRECTED"
    WITHDRAWN = "WITHDRAWN"
    ESCALATED = "ESCALATED"
    DEESCALATED = "DEESCALATED"


@dataclass(frozen=True, slots=True)
class EventChange:
    """One row, with the current event and the actions of its rule. Times UTC, event times.

    side_effects_disabled: no side effects, it is of a replay. was_deferred: it waited for a suppression to end.
    suppressed_until: the event opened in a suppression that ends then. is_opening_processed: the
    actions of its opening were applied. others_open: another event of the rule and entity is open.
    """

    change_id: int
    event_id: UUID
    kind: ChangeKind
    at: datetime
    side_effects_disabled: bool
    was_deferred: bool
    rule_id: UUID
    rule_name: str
    entity_id: UUID
    severity: str
    began_at: datetime
    opened_at: datetime
    cleared_at: datetime | None
    is_withdrawn: bool
    suppressed_until: datetime | None
    is_opening_processed: bool
    others_open: bool
    template_id: UUID | None
    webhook_url: str | None

    @property
    def is_open(self) -> bool:
        """It has neither cleared nor been withdrawn."""
        return self.cleared_at is None and not self.is_withdrawn

    @property
    def is_suppressed(self) -> bool:
        """It cleared before the suppression ended in which it opened."""
        if self.suppressed_until is None or self.is_open:
            return False
        return self.cleared_at is None or self.cleared_at <= self.suppressed_until


def organizations_waiting(session: Session, *, now: datetime) -> dict[int, bool]:
    """Return the organizations with something to follow, and whether events are to be looked at again there first.

    As argus_pipeline: of all.
    """
    return {row.organization_id: row.is_dirty for row in session.execute(_WAITING, {"now": now})}


def outbox_lock(session: Session, *, organization_id: int) -> bool:
    """Lock an organization's outbox until the transaction ends; False where another has it."""
    is_locked: bool = session.execute(_LOCK, {"organization_id": organization_id}).scalar_one()
    return is_locked


def event_changes_next(
    session: Session, *, organization_id: int, now: datetime, limit: int, only: int | None = None
) -> list[EventChange]:
    """Return the event changes to apply next, in order. only: that change alone, if it is among them. One statement.

    What failed, and what waits behind it, is left out: later changes of its rule and target.
    """
    values = {"organization_id": organization_id, "now": now, "most": limit, "only": only}
    return [_event_change(row) for row in session.execute(_NEXT, values)]


def event_changes_keys(session: Session, *, organization_id: int, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Return the changes to follow next, in order, each with the key of its rule and target. One statement.

    Nothing of a change is read that could be at fault.
    """
    rows = session.execute(_KEYS, {"organization_id": organization_id, "now": now, "most": limit})
    return [(row.id, row.holds) for row in rows]


def event_changes_done(session: Session, *, organization_id: int, change_ids: Sequence[int], now: datetime) -> None:
    """Mark event changes as applied."""
    session.execute(_ACTED, {"organization_id": organization_id, "ids": list(change_ids), "now": now})


def event_changes_defer(session: Session, *, organization_id: int, due: Mapping[int, datetime]) -> None:
    """Defer changes until these instants, as long as their events are open."""
    if due:
        values = {"organization_id": organization_id, "ids": list(due), "due": list(due.values())}
        session.execute(_HOLD, values)


def openings_processed(session: Session, *, organization_id: int, event_ids: Sequence[UUID], now: datetime) -> None:
    """Mark the actions of these events' openings as applied."""
    if event_ids:
        session.execute(_OPENINGS_PROCESSED, {"organization_id": organization_id, "ids": list(event_ids), "now": now})


def _event_change(row: Any) -> EventChange:
    action: Mapping[str, Any] = row.action or {}
    return EventChange(
        row.id,
        row.event_id,
        ChangeKind(row.kind),
        row.at.astimezone(UTC),
        row.side_effects_disabled,
        row.due_at is not None,
        row.rule_id,
        row.rule_name,
        row.entity_id,
        row.severity,
        row.began_at.astimezone(UTC),
        row.opened_at.astimezone(UTC),
        None if row.cleared_at is None else row.cleared_at.astimezone(UTC),
        row.withdrawn_at is not None,
        None if row.suppressed_until is None else row.suppressed_until.astimezone(UTC),
        row.opening_processed_at is not None,
        row.others_open,
        template_of(action),
        webhook_of(action),
    )
