"""Ends of users' sessions: who signs in elsewhere has no session here, only tokens, which are refused from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.change import GraphChange, change_record
from graph.errors import BadInputError
from graph.json_bounds import text_check
from graph.tenancy import unscoped
from graph.texts import text_nfc

SUBJECT_CHARS_MAX: Final = 512
# Of an organization. Beyond them the oldest go: tokens from before have expired long since.
ENDS_MAX: Final = 10_000
# The database's clock, which tokens' times are compared with; not that of the organization, which may run ahead.
_END = text(
    """
    INSERT INTO session_ends (organization_id, subject, ended_at)
    VALUES (:organization_id, :subject, clock_timestamp())
    ON CONFLICT ON CONSTRAINT pk_session_ends
    DO UPDATE SET ended_at = excluded.ended_at, number = nextval('session_ends_number')
    RETURNING ended_at
    """
)
_OLDEST_GO = text(
    """
    DELETE FROM session_ends WHERE organization_id = :organization_id AND number <= (
        SELECT number FROM session_ends WHERE organization_id = :organization_id ORDER BY number DESC
        OFFSET :most LIMIT 1)
    """
)
_AFTER = text("SELECT organization_id, subject, ended_at, number FROM sessions_ended_after(:after)")
# Users are known by the subject of their tokens alone; in the audit trail they have an id like everything else.
_USERS: Final = UUID("5b0f7d6e-3f0c-4c63-9d0e-7a1c3f1b2d40")


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The end of a user's sessions: tokens that were issued before `ended_at` (UTC) are refused.

    number: rises with each end.
    """

    organization_id: int
    subject: str
    ended_at: datetime
    number: int = 0


def user_id(organization_id: int, subject: str) -> UUID:
    """Return the id of a user in the audit trail: the same for the same subject of the same organization."""
    return uuid5(_USERS, f"{organization_id} {subject}")


def sessions_end(session: Session, *, change: GraphChange, subject: str) -> SessionEnd:
    """End all sessions of a user, now. Raises BadInputError for a subject of none or too many characters."""
    subject = text_nfc(text_check(subject, path=("subject",), min_chars=1, max_chars=SUBJECT_CHARS_MAX))
    if subject.strip().startswith("key:"):
        raise BadInputError(f"{subject} is an API key, which has no sessions: revokeApiKey.", path=("subject",))
    organization_id = change.organization_id
    with unscoped(session):
        ended_at = session.execute(_END, {"organization_id": organization_id, "subject": subject}).scalar_one()
        session.execute(_OLDEST_GO, {"organization_id": organization_id, "most": ENDS_MAX})
    ended_at = ended_at.astimezone(UTC)
    change_record(
        session,
        change=change,
        action="sessions_ended",
        subject_type="user",
        subject_id=user_id(organization_id, subject),
        before=None,
        after={"subject": subject, "endedAt": ended_at.isoformat()},
    )
    return SessionEnd(organization_id, subject, ended_at)


def sessions_ended_after(session: Session, *, after: int) -> list[SessionEnd]:
    """Return the ends of sessions after a number, of all organizations. One statement.

    Asked in a transaction that is bound to no organization.
    """
    rows = session.execute(_AFTER, {"after": after})
    return [SessionEnd(row.organization_id, row.subject, row.ended_at.astimezone(UTC), row.number) for row in rows]
