"""Store and list the differences that checks found, each once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from domain.base.packed import instant_of
from domain.convergence.model import CheckKind, Difference, FoundDifference, Report
from domain.convergence.tables import convergence_checks, convergence_differences, convergence_progress
from graph.sql import any_of
from graph.tables import organizations

# So many of an organization are kept; others are counted and logged.
DIFFERENCES_MAX: Final = 10_000

_ORGANIZATIONS = text("SELECT id FROM organizations ORDER BY id")


def organizations_all(session: Session) -> list[int]:
    """Return the ids of all organizations."""
    return list(session.scalars(_ORGANIZATIONS))


def progress_get(session: Session, *, organization_id: int) -> UUID | None:
    """Return up to which entity an organization has been checked; None: from the first on."""
    last_id: UUID | None = session.scalar(
        select(convergence_progress.c.last_entity_id).where(convergence_progress.c.organization_id == organization_id)
    )
    return last_id


def progress_set(session: Session, *, organization_id: int, last: UUID | None) -> None:
    """Remember up to which entity an organization has been checked."""
    values = {"organization_id": organization_id, "last_entity_id": last}
    statement = insert(convergence_progress).values(values)
    session.execute(
        statement.on_conflict_do_update(constraint="pk_convergence_progress", set_={"last_entity_id": last})
    )


def report_write(session: Session, *, organization_id: int, report: Report, now: datetime) -> list[Difference]:
    """Store a check's counts and differences; return the differences that are new, or came back."""
    fresh = _differences_write(session, organization_id, report.differences, now)
    rows = [
        {
            "organization_id": organization_id,
            "of": kind.value,
            "checks": report.checks[kind],
            "skipped": report.skipped[kind],
            "differences": sum(item.kind is kind for item in fresh),
        }
        for kind in CheckKind
    ]
    statement = insert(convergence_checks).values(rows)
    table, new = convergence_checks.c, statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            constraint="pk_convergence_checks",
            set_={
                "checks": table.checks + new.checks,
                "skipped": table.skipped + new.skipped,
                "differences": table.differences + new.differences,
            },
        )
    )
    return fresh


def differences_list(session: Session, *, organization_id: int, repaired: bool = False) -> list[FoundDifference]:
    """Return the unrepaired differences, or with `repaired` the repaired ones, the oldest first."""
    table = convergence_differences.c
    rows = session.execute(
        select(convergence_differences, organizations.c.slug)
        .join(organizations, organizations.c.id == table.organization_id)
        .where(table.organization_id == organization_id, table.repaired_at.is_not(None) if repaired else _is_open())
        .order_by(table.found_at, table.entity_id, table.at)
    )
    return [
        FoundDifference(
            row.slug,
            CheckKind(row.of),
            row.entity_id,
            row.subject,
            row.at,
            row.stored,
            row.computed,
            row.since,
            row.found_at,
            row.seen_at,
            row.repaired_at,
        )
        for row in rows
    ]


def _differences_write(
    session: Session, organization_id: int, differences: Sequence[Difference], now: datetime
) -> list[Difference]:
    if not differences:
        return []
    table = convergence_differences.c
    ids = {difference.entity_id for difference in differences}
    known = {
        (row.of, row.entity_id, row.subject, row.at)
        for row in session.execute(
            select(convergence_differences).where(
                table.organization_id == organization_id, any_of(table.entity_id, ids), _is_open()
            )
        )
    }
    fresh = [difference for difference in differences if _key(difference) not in known]
    stored = session.scalar(
        select(func.count()).select_from(convergence_differences).where(table.organization_id == organization_id)
    )
    room = max(DIFFERENCES_MAX - int(stored or 0), 0)
    wanted = [difference for difference in differences if _key(difference) in known] + fresh[:room]
    for item in wanted:
        values = {
            "stored": item.stored,
            "computed": item.computed,
            "since": instant_of(item.since_us),
            "seen_at": now,
            "repaired_at": None,
        }
        kind, entity_id, subject, at = _key(item)
        statement = insert(convergence_differences).values(
            organization_id=organization_id,
            of=kind,
            entity_id=entity_id,
            subject=subject,
            at=at,
            found_at=now,
            **values,
        )
        session.execute(statement.on_conflict_do_update(constraint="pk_convergence_differences", set_=values))
    return fresh


def _is_open() -> ColumnElement[bool]:
    return convergence_differences.c.repaired_at.is_(None)


def _key(difference: Difference) -> tuple[str, UUID, str, datetime]:
    return difference.kind.value, difference.entity_id, difference.subject, instant_of(difference.at_us)
