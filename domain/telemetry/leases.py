"""Leases: who runs a stage on a partition. The database's clock is the only one that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    UPDATE stage_leases SET expires_at = clock_timestamp() + :ttl
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
    """Another holder has taken the lease; whatever this one had not committed is void."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as its holder knows it. fence: rises with every holder; checked by every commit."""

    stage: str
    partition: int
    fence: int


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


def lease_renew(session: Session, *, lease: Lease, ttl: timedelta) -> None:
    """Keep the lease for `ttl` from now on. Raises FencedError where another has taken it."""
    done = session.execute(
        _RENEW, {"stage": lease.stage, "partition": lease.partition, "fence": lease.fence, "ttl": ttl}
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise FencedError


def lease_release(session: Session, *, lease: Lease) -> None:
    """Make the lease free, unless another has it already. Also frees that of a holder known to be dead."""
    session.execute(_RELEASE, {"stage": lease.stage, "partition": lease.partition, "fence": lease.fence})


def lease_list(session: Session) -> Sequence[LeaseState]:
    """Return every lease there ever was."""
    return [
        LeaseState(Lease(row.stage, row.partition, row.fence), row.holder, row.is_free)
        for row in session.execute(_LIST)
    ]
