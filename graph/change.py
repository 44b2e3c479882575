"""One change of an organization's graph or configuration: its lock, its instant, its author, its audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.errors import NotFoundError
from graph.ids import NewId
from graph.json_bounds import text_check
from graph.locks import CHANGE_LOCK, ORGANIZATION_LOCK
from graph.sql import rows_insert
from graph.tables import changes
from graph.tenancy import organization_set

_LOCK_EXCLUSIVE = text("SELECT pg_advisory_xact_lock(:lock, :organization_id)")
_LOCK_SHARED = text("SELECT pg_advisory_xact_lock_shared(:lock, :organization_id)")
# One clock per organization: later than the wall says if it must be, never equal to an earlier change.
_TICK = text(
    "UPDATE graph_clocks SET revision = revision + 1, input_revision = input_revision + :step,"
    " last_recorded = greatest(clock_timestamp(), last_recorded + interval '1 microsecond')"
    " WHERE organization_id = :organization_id RETURNING last_recorded, revision"
)
_CHANGING = "graph_change"
_REVISION = text("SELECT revision FROM graph_clocks WHERE organization_id = :organization_id")
_INPUT_REVISION = text("SELECT input_revision FROM graph_clocks WHERE organization_id = :organization_id")

REASON_MAX_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class GraphChange:
    """The change a transaction is making. All it writes bears `recorded`, the organization's own clock (UTC).

    revision: the revision of graph and configuration this change brings about.
    actor: who, as the audit trail names them. new_id: draws identifiers at the edge. record_id: the same, for what no
    access scope asks for: entries of the audit trail, and edges.
    """

    organization_id: int
    recorded: datetime
    revision: int
    actor: str
    reason: str | None
    new_id: NewId
    record_id: NewId


def graph_change_begin(
    session: Session,
    *,
    organization_id: int,
    actor: str,
    new_id: NewId,
    record_id: NewId | None = None,
    reason: str | None = None,
    bears_on_derived: bool = True,
) -> GraphChange:
    """Take the organization's lock until the transaction ends, and its clock's next instant.

    Call it once per transaction, before reading what the change depends on: what is read after it stays true.
    record_id None: as new_id.
    bears_on_derived: False where nothing that is derived depends on what changes, for which the caller answers. Such a
    change neither waits for those who derive nor keeps them waiting.
    Raises NotFoundError where the organization does not exist or is not the transaction's own, BadInputError for a
    reason that cannot be stored.
    """
    if reason is not None:
        text_check(reason, path=("reason",), max_chars=REASON_MAX_CHARS)
    organization_set(session, organization_id=organization_id)
    for lock in (ORGANIZATION_LOCK, CHANGE_LOCK) if bears_on_derived else (CHANGE_LOCK,):
        session.execute(_LOCK_EXCLUSIVE, {"lock": lock, "organization_id": organization_id})
    values = {"organization_id": organization_id, "step": int(bears_on_derived)}
    row = session.execute(_TICK, values).one_or_none()
    if row is None:
        raise NotFoundError("There is no such organization.")
    session.info[_CHANGING] = True
    return GraphChange(organization_id, row.last_recorded, row.revision, actor, reason, new_id, record_id or new_id)


def graph_is_changing(session: Session) -> bool:
    """Return whether a change was begun in this session: it may then see uncommitted rows."""
    return bool(session.info.get(_CHANGING))


def graph_hold(session: Session, *, organization_id: int) -> int:
    """Lock the graph, shared, against changes until the transaction ends; return the revision.

    Shared: any number of derivations hold it together, a change that bears on what they derive waits for them.
    Raises NotFoundError where the organization does not exist or is not the transaction's own.
    """
    session.execute(_LOCK_SHARED, {"lock": ORGANIZATION_LOCK, "organization_id": organization_id})
    revision = session.execute(_REVISION, {"organization_id": organization_id}).scalar_one_or_none()
    if revision is None:
        raise NotFoundError("There is no such organization.")
    return int(revision)


def input_revision(session: Session, *, organization_id: int) -> int:
    """Return a number that rises with every change but those that bear on nothing derived.

    Raises NotFoundError where the organization does not exist or is not the transaction's own.
    """
    revision = session.execute(_INPUT_REVISION, {"organization_id": organization_id}).scalar_one_or_none()
    if revision is None:
        raise NotFoundError("There is no such organization.")
    return int(revision)


def changes_hold(session: Session, *, organization_id: int) -> None:
    """Wait for the change that is under way, and let none begin until the transaction ends. Shared."""
    session.execute(_LOCK_SHARED, {"lock": CHANGE_LOCK, "organization_id": organization_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """An audit entry of one subject. action: a past-tense word such as `created`; before, after: JSON-able states."""

    action: str
    subject_type: str
    subject_id: UUID
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def change_record(
    session: Session,
    *,
    change: GraphChange,
    action: str,
    subject_type: str,
    subject_id: UUID,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Write one audit row; see `Audit`."""
    audit = Audit(action=action, subject_type=subject_type, subject_id=subject_id, before=before, after=after)
    changes_record(session, change=change, audits=[audit])


def changes_record(session: Session, *, change: GraphChange, audits: Sequence[Audit]) -> None:
    """Write the audit rows of a change."""
    common = {
        "organization_id": change.organization_id,
        "recorded_at": change.recorded,
        "actor": change.actor,
        "reason": change.reason,
    }
    rows = [
        {
            **common,
            "id": change.record_id(),
            "action": audit.action,
            "subject_type": audit.subject_type,
            "subject_id": audit.subject_id,
            "before": audit.before,
            "after": audit.after,
        }
        for audit in audits
    ]
    rows_insert(session, changes, rows)
