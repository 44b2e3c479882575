"""The place of computed buckets in the live feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.derivation.outputs import DerivedCommit, SeriesChange
from domain.telemetry.arrays import arrays_enable, bigint_array, instant_array
from domain.telemetry.streams import BUCKETS, BUCKETS_PARTITION

# The row is held until the transaction ends, so places are taken in the order of commits.
_ADVANCE = text(
    """
    INSERT INTO stage_leases AS l (stage, partition, holder, fence, position, expires_at)
    VALUES (:stage, :partition, '', 0, 1, '-infinity')
    ON CONFLICT (stage, partition) DO UPDATE SET position = l.position + 1
    RETURNING position
    """
)
_COMMIT = text(
    """
    INSERT INTO derived_commits
        (organization_id, partition, position, committed_at, series_ids, begins, ends, corrects)
    VALUES (:organization_id, :partition, :position, :now, :series, :begins, :ends, :corrects)
    """
)


def commit_note(
    session: Session, *, organization_id: int, changes: Sequence[SeriesChange], now: datetime
) -> DerivedCommit:
    """Take the next place in the feed, and note there what was changed. Call it last: others wait. Two statements."""
    arrays_enable(session)
    lease = {"stage": BUCKETS, "partition": BUCKETS_PARTITION}
    position = int(session.execute(_ADVANCE, lease).scalar_one())
    session.execute(
        _COMMIT,
        {
            "organization_id": organization_id,
            "partition": BUCKETS_PARTITION,
            "position": position,
            "now": now,
            "series": bigint_array([change.series_id for change in changes]),
            "begins": instant_array([change.begins_us for change in changes]),
            "ends": instant_array([change.ends_us for change in changes]),
            "corrects": any(change.corrects for change in changes),
        },
    )
    return DerivedCommit(organization_id, BUCKETS_PARTITION, position, now, changes)
