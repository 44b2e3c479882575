"""Leases with fencing tokens: who runs a stage on a partition. Only the database's clock counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

_ACQUIRE = text(
    """
    INSERT INTO stage_leases AS l (stage, partition, holder, fence, position, expires_at)
    VALUES (:stage, :partition, :holder, 1, 0, clock_timestamp() + :ttl)
    ON CONFLICT (stage, partition) DO UPDATE
        SET holder = excluded.holder, fence = l.fence + 1, expires_at = clock_timestamp() + :ttl
        WHERE l.expires_at < clock_timestamp()
    RETURNING fence
    """
)
_RENEW = text(
    """
    UPDATE stage_leases SET expires_at = clock_timestamp() + :ttl, items = items + :items, errors = errors + :errors,
        busy_s = busy_s + :busy_s, delay_s = delay_s + :delay_s, delays = delays + :delays
    WHERE stage = :stage AND partition = :partition AND fence = :fence
    """
)
_RELEASE = text(
    """
    UPDATE stage_leases SET expires_at = '-infinity'
    WHERE stage = :stage AND partition = :partition AND fence = :fence
    """
)
_LIST = text("SELECT stage, partition, holder, fence, expires_at < clock_timestamp() AS is_free FROM stage_leases")


class FencedError(Exception):
    """Another holder has taken the lease; uncommitted work of this one is lost."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as its holder knows it. fence: rises with every holder; checked by every commit."""

    stage: str
    partition: int
    fence: int


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Counts of a stage since they were last taken. items: readings, or windows. busy_s: time worked.

    delay_s: seconds from receipt to commit, summed over as many commits as `delays` says.
    """

    items: int = 0
    errors: int = 0
    busy_s: float = 0.0
    delay_s: float = 0.0
    delays: int = 0


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A lease as anyone sees it."""

    lease: Lease
    holder: str
    is_free: bool


def lease_acquire(session: Session, *, stage: str, partition: int, holder: str, ttl: timedelta) -> Lease | None:
    """Take the lease where it is free; None where another holds it."""
    fence = session.execute(
        _ACQUIRE, {"stage": stage, "partition": partition, "holder": holder, "ttl": ttl}
    ).scalar_one_or_none()
    return None if fence is None else Lease(stage, partition, int(fence))


def lease_renew(session: Session, *, lease: Lease, ttl: timedelta, counts: StageCounts) -> None:
    """Renew the lease for `ttl` from now on, and add the counts of what was done under it.

    Raises FencedError where another has taken it.
    """
    values = {"stage": lease.stage, "partition": lease.partition, "fence": lease.fence, "ttl": ttl}
    done = session.execute(_RENEW, {**values, **asdict(counts)})
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise FencedError


def lease_release(session: Session, *, lease: Lease) -> None:
    """Release the lease, unless another has it already. Also releases that of a holder known to be dead."""
    session.execute(_RELEASE, {"stage": lease.stage, "partition": lease.partition, "fence": lease.fence})


def lease_list(session: Session) -> Sequence[LeaseState]:
    """Return every lease there ever was."""
    return [
        LeaseState(Lease(row.stage, row.partition, row.fence), row.holder, row.is_free)
        for row in session.execute(_LIST)
    ]
