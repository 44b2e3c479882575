"""Quotas: how many readings an organization, and each of its devices, may send a second. Pure: the time comes in.

A bucket is one number: the instant at which it is full again (the generic cell rate algorithm, ITU-T I.371). A full
bucket is therefore the same as none, and what was not used for as long as an empty one takes to fill is forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.base.errors import RateLimitedError

K = TypeVar("K")

# So many devices' buckets are held; where more send at once, those not lately used are forgotten, and so full again.
BUCKETS_MAX = 200_000
# What doubles lose of an instant.
_LOST_S = 1e-6


def whole_seconds(wait_s: float) -> int:
    """Return a wait in whole seconds, rounded up, at least one; rounding errors are not counted."""
    return max(math.ceil(round(wait_s, 3)), 1)


@dataclass(frozen=True, slots=True)
class Quota:
    """The rate and burst of a token bucket.

    readings_per_s: what may be sent without end, above 0. burst: what may be sent at once, after silence.
    """

    readings_per_s: float
    burst: int

    @property
    def full_after_s(self) -> float:
        """The time in which an empty bucket fills up."""
        return self.burst / self.readings_per_s


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of each device and of each organization; None: no limit."""

    device: Quota | None = None
    organization: Quota | None = None


class Buckets(Generic[K]):
    """The buckets of one kind of sender, in two generations of at most half of `buckets_max` each."""

    def __init__(self, quota: Quota, *, buckets_max: int = BUCKETS_MAX) -> None:
        self.quota = quota
        self._half = max(buckets_max // 2, 1)
        self._young: dict[K, float] = {}
        self._old: dict[K, float] = {}
        self._turned_s = float("-inf")

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def full_at_s(self, key: K, *, now_s: float) -> float:
        """Return when a sender's bucket is full again: `now_s`, where it is."""
        full_at_s = self._young.get(key)
        if full_at_s is None:
            full_at_s = self._old.get(key, now_s)
        return max(full_at_s, now_s)

    def wait_s(self, key: K, readings: int, *, now_s: float) -> float:
        """Return the wait until so many readings fit; 0: none. More than the burst count as the burst."""
        cost_s = min(readings, self.quota.burst) / self.quota.readings_per_s
        wait_s = self.full_at_s(key, now_s=now_s) + cost_s - now_s - self.quota.full_after_s
        return wait_s if wait_s > _LOST_S else 0.0

    def take(self, key: K, readings: int, *, now_s: float) -> None:
        """Take tokens for readings out of a sender's bucket."""
        self.put({key: self.full_at_s(key, now_s=now_s) + readings / self.quota.readings_per_s}, now_s=now_s)

    def put(self, full_at_s: Mapping[K, float], *, now_s: float) -> None:
        """Say when senders' buckets are full again, after something was taken out of them."""
        is_crowded = len(self._young) + len(full_at_s) > self._half
        # Before now_s - full_after_s, nobody has taken from what is old: all of it is full.
        if is_crowded or now_s - self._turned_s >= self.quota.full_after_s:
            self._old, self._young, self._turned_s = self._young, {}, now_s
        self._young.update(full_at_s)


class Allowance:
    """The remaining quota of the devices of one call. Nothing is taken before `take`; hot path."""

    def __init__(self, buckets: Buckets[bytes], *, now_s: float) -> None:
        self._buckets = buckets
        self._now_s = now_s
        self._interval_s = 1.0 / buckets.quota.readings_per_s
        # A bucket that is full any later holds less than nothing.
        self._latest_s = now_s + buckets.quota.full_after_s
        self._full_at_s: dict[bytes, float] = {}
        self._refused: dict[bytes, int] = {}

    @property
    def refused(self) -> int:
        """The number of readings that were not admitted."""
        return sum(self._refused.values())

    def wait_s(self, device: bytes) -> float:
        """Admit the device's next reading, or return after how long it, and the refused before it, would be.

        0: it is admitted.
        """
        full_at_s = self._full_at_s.get(device)
        if full_at_s is None:
            full_at_s = self._buckets.full_at_s(device, now_s=self._now_s)
        if full_at_s + self._interval_s <= self._latest_s + _LOST_S:
            self._full_at_s[device] = full_at_s + self._interval_s
            return 0.0
        refused = self._refused[device] = self._refused.get(device, 0) + 1
        return full_at_s + refused * self._interval_s - self._latest_s

    def admit_all(self, readings: Mapping[bytes, int]) -> bool:
        """Admit readings, so many of each device, where all of them fit; otherwise none."""
        full_at_s: dict[bytes, float] = {}
        for device, count in readings.items():
            before_s = self._full_at_s.get(device)
            if before_s is None:
                before_s = self._buckets.full_at_s(device, now_s=self._now_s)
            full_at_s[device] = before_s + count * self._interval_s
            if full_at_s[device] > self._latest_s + _LOST_S:
                return False
        self._full_at_s.update(full_at_s)
        return True

    def take(self) -> None:
        """Take the admitted readings out of the devices' buckets."""
        self._buckets.put(self._full_at_s, now_s=self._now_s)


class QuotaKeeper:
    """The token buckets of the organizations and devices that send to one process; used by one event loop.

    monotonic_s: a clock that never goes back. over_device: readings refused for their device's quota since the
    process began; over_organization: those of calls refused for their organization's.
    """

    def __init__(self, quotas: Quotas, *, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._devices: Buckets[bytes] | None = None if quotas.device is None else Buckets(quotas.device)
        self._organizations: Buckets[int] | None = None
        if quotas.organization is not None:
            self._organizations = Buckets(quotas.organization)
        self.over_device = 0
        self.over_organization = 0

    def allowance(self, organization_id: int, *, sent: int) -> Allowance | None:
        """Return what the devices of a call may still send; None: no limit.

        sent: the call's readings. Raises RateLimitedError where the organization may send none at all just now.
        """
        self._check(organization_id, 1, sent=sent)
        return None if self._devices is None else Allowance(self._devices, now_s=self._monotonic_s())

    def take(self, organization_id: int, readings: int, allowance: Allowance | None, *, sent: int) -> None:
        """Take a call's accepted readings out of the buckets: the organization's and its devices', or none.

        Raises RateLimitedError where they are more than the organization may send.
        """
        self._check(organization_id, readings, sent=sent)
        if self._organizations is not None and readings:
            self._organizations.take(organization_id, readings, now_s=self._monotonic_s())
        if allowance is not None:
            allowance.take()
            self.over_device += allowance.refused

    def _check(self, organization_id: int, readings: int, *, sent: int) -> None:
        if self._organizations is None or not readings:
            return
        wait_s = self._organizations.wait_s(organization_id, readings, now_s=self._monotonic_s())
        if wait_s > 0:
            self.over_organization += sent
            retry_after_s = whole_seconds(wait_s)
            msg = f"The organization sends more than its quota. Try again in {retry_after_s} s."
            raise RateLimitedError(msg, retry_after_s=retry_after_s)
