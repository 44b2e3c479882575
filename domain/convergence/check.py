"""Compare stored results of a complete span with a recomputation. Reads one snapshot, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable
from domain.base.packed import micros_of
from domain.convergence.derived import derived_check
from domain.convergence.events import events_check
from domain.convergence.health import health_check
from domain.convergence.model import CHECK_DELAY_US, SPAN_US, CheckedSpan, CheckKind, Report
from domain.convergence.pending import PendingInvalidations, pending_read
from domain.convergence.rollups import rollups_check
from domain.derivation.dependencies.index import DependencyCache, DependencyIndex, dependency_entities
from domain.derivation.formulas.inputs import retained_from
from graph.errors import LimitExceededError

# So many are looked through, at most, for those of which anything is made.
LOOKED_AT_MAX: Final = 500
_NEXT = text(
    """
    SELECT id, kind, type FROM entities
    WHERE organization_id = :organization_id AND kind IN ('ASSET', 'DEVICE', 'SPACE') AND deleted_at IS NULL
        AND id > :after ORDER BY id LIMIT :limit
    """
)
_ROLLED_UP = text("SELECT EXISTS (SELECT FROM rollups WHERE organization_id = :organization_id AND deleted_at IS NULL)")
_BEFORE_ALL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Checked:
    """A part of an organization. last: the entity up to which it was looked at; None: to the end."""

    report: Report
    last: UUID | None


def checked_span(now: datetime) -> CheckedSpan:
    """Return the recent span that is checked: from two hours to five minutes before `now`."""
    now_us = micros_of(now)
    return CheckedSpan(max(now_us - SPAN_US, 0), max(now_us - CHECK_DELAY_US, 1))


def entities_check(
    session: Session,
    *,
    organization_id: int,
    after: UUID | None,
    most: int,
    span: CheckedSpan,
    now: datetime,
) -> Checked:
    """Check up to `most` entities behind `after`, in the order of their ids.

    The transaction must read one snapshot (REPEATABLE READ). Nothing that a worker remembers is used. What is still to
    be worked on, or is too much to read, is counted as skipped.
    """
    arrays_enable(session)
    looked_at = session.execute(
        _NEXT, {"organization_id": organization_id, "after": after or _BEFORE_ALL, "limit": LOOKED_AT_MAX}
    ).all()
    dependencies = DependencyCache().get(session, organization_id=organization_id)
    dependency_entities(session, organization_id=organization_id, index=dependencies, ids=[row.id for row in looked_at])
    is_rolled_up = bool(session.scalar(_ROLLED_UP, {"organization_id": organization_id}))
    selected: list[Any] = []
    last: UUID | None = None
    for row in looked_at:
        if len(selected) == most:
            break
        last = row.id
        if _is_made(dependencies, row.id) or (is_rolled_up and row.kind != "DEVICE"):
            selected.append(row)
    else:
        last = last if len(looked_at) == LOOKED_AT_MAX else None
    pending = pending_read(session, organization_id=organization_id, span=span, now=now)
    run = _Run(session, organization_id, dependencies, span, now, pending)
    if pending.is_everywhere:
        _all_skip(run, selected)
    else:
        _check(run, selected)
    return Checked(run.report, last)


@dataclass(frozen=True, slots=True)
class _Run:
    session: Session
    organization_id: int
    dependencies: DependencyIndex
    span: CheckedSpan
    now: datetime
    pending: PendingInvalidations
    report: Report = field(default_factory=Report)


def _is_made(dependencies: DependencyIndex, entity_id: UUID) -> bool:
    known = dependencies.entity_of(entity_id.bytes)
    return known.is_read or known.plan is not None


def _all_skip(run: _Run, selected: Sequence[Any]) -> None:
    for row in selected:
        known = run.dependencies.entity_of(row.id.bytes)
        run.report.skipped[CheckKind.DERIVED] += known.derivation is not None
        run.report.skipped[CheckKind.EVENTS] += bool(known.assignments)
        run.report.skipped[CheckKind.HEALTH] += known.plan is not None


def _check(run: _Run, selected: Sequence[Any]) -> None:
    dependencies = run.dependencies
    for row in selected:
        known = dependencies.entity_of(row.id.bytes)
        if known.derivation is not None:
            _derived(run, row.id)
        if known.assignments:
            _events(run, row.id)
    rollups_check(
        run.session,
        organization_id=run.organization_id,
        uppers={row.id: (row.kind, row.type) for row in selected},
        span=run.span,
        pending=run.pending,
        report=run.report,
    )
    health_check(
        run.session,
        organization_id=run.organization_id,
        ids=[row.id for row in selected if dependencies.entity_of(row.id.bytes).plan is not None],
        config=dependencies.config,
        span=run.span,
        now=run.now,
        pending=run.pending,
        report=run.report,
    )


def _derived(run: _Run, entity_id: UUID) -> None:
    if entity_id in run.pending.entities:
        run.report.skipped[CheckKind.DERIVED] += 1
        return
    try:
        differences = derived_check(
            run.session,
            organization_id=run.organization_id,
            dependencies=run.dependencies,
            entities=[entity_id.bytes],
            span=run.span,
        )
    except LimitExceededError:
        run.report.skipped[CheckKind.DERIVED] += 1
        return
    run.report.checks[CheckKind.DERIVED] += 1
    run.report.differences += differences


def _events(run: _Run, entity_id: UUID) -> None:
    if entity_id in run.pending.entities or entity_id in run.pending.rules:
        run.report.skipped[CheckKind.EVENTS] += 1
        return
    try:
        differences, far = events_check(
            run.session,
            organization_id=run.organization_id,
            assignments={entity_id: run.dependencies.entity_of(entity_id.bytes).assignments},
            span=run.span,
            retained_from_us=retained_from(run.session, organization_id=run.organization_id),
        )
    except LimitExceededError:
        run.report.skipped[CheckKind.EVENTS] += 1
        return
    run.report.skipped[CheckKind.EVENTS] += bool(far)
    run.report.checks[CheckKind.EVENTS] += not far
    run.report.differences += differences
