"""Ends of users' sessions: who signs in elsewhere has no session here, only tokens, which are refused from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from domain.plant.organizations.tables import session_ends
from graph.change import GraphChange, change_record
from graph.json_bounds import text_check
from graph.texts import text_nfc

SUBJECT_CHARS_MAX: Final = 512
_SINCE = text(
    "SELECT organization_id, subject, ended_at"
    " FROM sessions_ended_since(coalesce(CAST(:since AS timestamptz), '-infinity'))"
)
# Users are known by the subject of their tokens alone; in the audit trail they have an id like everything else.
_USERS: Final = UUID("5b0f7d6e-3f0c-4c63-9d0e-7a1c3f1b2d40")


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The end of a user's sessions: tokens that were issued before `ended_at` (UTC) are refused."""

    organization_id: int
    subject: str
    ended_at: datetime


def user_id(organization_id: int, subject: str) -> UUID:
    """Return the id of a user in the audit trail: the same for the same subject of the same organization."""
    return uuid5(_USERS, f"{organization_id} {subject}")


def sessions_end(session: Session, *, change: GraphChange, subject: str) -> SessionEnd:
    """End all sessions of a user, now. Raises BadInputError for a subject of none or too many characters."""
    subject = text_nfc(text_check(subject, path=("subject",), min_chars=1, max_chars=SUBJECT_CHARS_MAX))
    row = {"organization_id": change.organization_id, "subject": subject, "ended_at": change.recorded}
    session.execute(
        insert(session_ends)
        .values(row)
        .on_conflict_do_update(constraint="pk_session_ends", set_={"ended_at": change.recorded})
    )
    change_record(
        session,
        change=change,
        action="sessions_ended",
        subject_type="user",
        subject_id=user_id(change.organization_id, subject),
        before=None,
        after={"subject": subject, "endedAt": change.recorded.isoformat()},
    )
    return SessionEnd(change.organization_id, subject, change.recorded)


def sessions_ended_since(session: Session, *, since: datetime | None) -> list[SessionEnd]:
    """Return the ends of sessions since an instant, of all organizations; None: all. One statement.

    Asked in a transaction that is bound to no organization.
    """
    rows = session.execute(_SINCE, {"since": since})
    return [SessionEnd(row.organization_id, row.subject, row.ended_at.astimezone(UTC)) for row in rows]
