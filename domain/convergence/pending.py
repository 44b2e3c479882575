"""Pending invalidations in the snapshot of a check: where stored results may rightly differ.

Whoever changes a point, a link or a configuration leaves a dirty window or bucket in the same transaction, and who
brings up to date what follows from it takes it away in the same transaction. So in one snapshot of the database what
is stored is right wherever nothing is dirty, and no lock is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.packed import instant_of, micros_of
from domain.convergence.model import CheckedSpan
from domain.derivation.invalidation import windows
from domain.derivation.invalidation.buckets import Computation

# Beyond so much that waits, nothing is checked.
_WAITING_MAX: Final = 20_000
# Windows that concern their own entity alone. The others are first to be spread over entities that have none yet.
_OWN: Final = frozenset(
    {
        windows.READINGS,
        windows.REPLAY,
        windows.ROLLUP,
        windows.HEALTH,
        windows.TIMER,
        windows.MEMBERSHIP,
        "link",
        "attributes",
        "repair",
    }
)
_WINDOWS = text(
    """
    SELECT entity_id, reason FROM dirty_windows
    WHERE organization_id = :organization_id AND begins < :until LIMIT :limit
    """
)
_BUCKETS = text(
    """
    SELECT entity_id, computation, computation_id, begins, ends FROM dirty_buckets
    WHERE organization_id = :organization_id AND begins < :until LIMIT :limit
    """
)
_RULE_TIMERS = text("SELECT entity_id FROM rule_timers WHERE organization_id = :organization_id AND due_at <= :now")
_HEALTH_TIMERS = text("SELECT entity_id FROM health_timers WHERE organization_id = :organization_id AND due_at <= :now")


@dataclass(frozen=True, slots=True)
class PendingInvalidations:
    """Invalidations pending before the end of a span. is_everywhere: they may reach any entity.

    entities: with windows; rules: with due timers of rules; health_pending: with due timers or dirty
    buckets of health. buckets: by rollup, (entity, begins_us, ends_us).
    """

    is_everywhere: bool
    entities: frozenset[UUID]
    rules: frozenset[UUID]
    health_pending: frozenset[UUID]
    buckets: Mapping[UUID, Iterable[tuple[UUID, int, int]]]


def pending_read(session: Session, *, organization_id: int, span: CheckedSpan, now: datetime) -> PendingInvalidations:
    """Return an organization's pending invalidations. Four statements."""
    values = {"organization_id": organization_id, "until": instant_of(span.ends_us), "limit": _WAITING_MAX}
    waiting = session.execute(_WINDOWS, values).all()
    dirty = session.execute(_BUCKETS, values).all()
    timed = {"organization_id": organization_id, "now": now}
    health_pending = set(session.scalars(_HEALTH_TIMERS, timed))
    buckets: dict[UUID, list[tuple[UUID, int, int]]] = {}
    for row in dirty:
        if row.computation != Computation.ROLLUP:
            health_pending.add(row.entity_id)
        else:
            buckets.setdefault(row.computation_id, []).append(
                (row.entity_id, micros_of(row.begins), micros_of(row.ends))
            )
    is_too_much = len(waiting) == _WAITING_MAX or len(dirty) == _WAITING_MAX
    return PendingInvalidations(
        is_too_much or any(row.reason not in _OWN for row in waiting),
        frozenset(row.entity_id for row in waiting),
        frozenset(session.scalars(_RULE_TIMERS, timed)),
        frozenset(health_pending),
        buckets,
    )
