"""The feed offset of computed buckets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.streams import BUCKETS, BUCKETS_PARTITION
from domain.derivation.formulas.changes import SeriesChange
from domain.derivation.formulas.outputs import DerivedCommit, commit_write

# The row is locked until the transaction ends, so offsets are in the order of commits.
_ADVANCE = text(
    """
    INSERT INTO stage_leases AS l (stage, partition, holder, fence, position, expires_at)
    VALUES (:stage, :partition, '', 0, 1, '-infinity')
    ON CONFLICT (stage, partition) DO UPDATE SET position = l.position + 1
    RETURNING position
    """
)


def commit_note(
    session: Session, *, organization_id: int, changes: Sequence[SeriesChange], now: datetime
) -> DerivedCommit:
    """Take the next feed offset and store what changed at it. Call it last: others wait. Two statements."""
    lease = {"stage": BUCKETS, "partition": BUCKETS_PARTITION}
    position = int(session.execute(_ADVANCE, lease).scalar_one())
    commit = DerivedCommit(organization_id, BUCKETS_PARTITION, position, now, changes)
    commit_write(session, commit=commit)
    return commit
