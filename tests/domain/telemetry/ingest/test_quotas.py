"""Quotas: token buckets, isolation between devices, and bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.base.errors import RateLimitedError
from domain.base.quotas import Allowance, Buckets, Quota, QuotaKeeper, Quotas, whole_seconds
from domain.telemetry.ingest.accept import Acceptance, readings_accept
from domain.telemetry.ingest.acceptor import Acceptor
from domain.telemetry.ingest.group_commit import GroupCommitter
from domain.telemetry.model.readings import Devices, KnownDevice, ReadingDraft
from runtime.database import transaction
from testing.line import NOW, Line, draft
from testing.world import world_create

ONE, TWO = (KnownDevice(UUID(int=n), 0) for n in (1, 2))
DEVICES = Devices({"1": ONE, "2": TWO}, {})


@pytest.fixture
def line(engine: Callable[[str], Engine]) -> Line:
    return Line(world_create(owner=engine("owner"), api=engine("api"), slug="line"), engine)


class Time:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def admitted(allowance: Allowance | None, *devices: str) -> Acceptance:
    drafts = [ReadingDraft(device_id=device, metrics={"n": n}) for n, device in enumerate(devices)]
    return readings_accept(drafts, devices=DEVICES, own=None, now_us=1, allowance=allowance)


@given(
    rate=st.floats(0.01, 10_000),
    burst=st.integers(1, 50),
    calls=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 10)), max_size=60),
)
def test_never_more_than_the_burst_and_the_rate_since(rate: float, burst: int, calls: list[tuple[float, int]]) -> None:
    buckets: Buckets[bytes] = Buckets(Quota(rate, burst))
    now_s, admitted = 0.0, []
    for pause_s, readings in calls:
        now_s += pause_s
        allowance = Allowance(buckets, now_s=now_s)
        waits_s = [allowance.wait_s(b"d") for _ in range(readings)]
        allowance.take()
        assert waits_s == sorted(waits_s)
        admitted.append((now_s, waits_s.count(0.0)))
    for first, (since_s, _) in enumerate(admitted):
        taken = 0
        for at_s, readings in admitted[first:]:
            taken += readings
            assert taken <= burst + (at_s - since_s) * rate + 0.1
    # Waiting as long as the error says is always enough.
    burst_part = min(burst, 3)
    now_s += buckets.wait_s(b"d", burst_part, now_s=now_s)
    allowance = Allowance(buckets, now_s=now_s)
    assert [allowance.wait_s(b"d") for _ in range(burst_part)] == [0.0] * burst_part


def test_readings_over_a_device_quota_are_refused_one_by_one() -> None:
    buckets: Buckets[bytes] = Buckets(Quota(2.0, 3))
    allowance = Allowance(buckets, now_s=0.0)
    done = admitted(allowance, "1", "1", "2", "1", "1", "2", "1", "1")
    allowance.take()
    assert (done.accepted, done.rejected, done.retry_after_s) == (5, 3, 1.5)
    assert [(error.code, error.path, error.message[-6:-1]) for error in done.errors] == [
        ("RATE_LIMITED", ("readings", "4"), "n 1 s"),
        ("RATE_LIMITED", ("readings", "6"), "n 1 s"),
        ("RATE_LIMITED", ("readings", "7"), "n 2 s"),
    ]
    assert done.by_partition[0].metrics == [b'{"n":0}', b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":5}']
    # After the time in the error, all refused readings fit.
    assert admitted(Allowance(buckets, now_s=1.5), "1", "1", "1").rejected == 0
    assert admitted(Allowance(buckets, now_s=1.4), "1", "1", "1").rejected == 1


def test_a_reading_refused_for_itself_takes_nothing() -> None:
    buckets: Buckets[bytes] = Buckets(Quota(1.0, 1))
    allowance = Allowance(buckets, now_s=0.0)
    drafts = [ReadingDraft(device_id="1", metrics=5), ReadingDraft(device_id="1", metrics={"n": 1})]
    done = readings_accept(drafts, devices=DEVICES, own=None, now_us=1, allowance=allowance)
    assert [error.code for error in done.errors] == ["INVALID_METRICS"]


def test_an_organization_over_its_quota_is_refused_whole_and_its_devices_lose_nothing() -> None:
    time = Time()
    keeper = QuotaKeeper(Quotas(device=Quota(1.0, 4), organization=Quota(10.0, 5)), monotonic_s=time)

    def send(organization_id: int, *devices: str) -> Acceptance:
        allowance = keeper.allowance(organization_id, sent=len(devices))
        done = admitted(allowance, *devices)
        keeper.take(organization_id, done.accepted, allowance, sent=len(devices))
        return done

    assert send(7, "1", "1", "2").accepted == 3
    with pytest.raises(RateLimitedError, match="Try again in 1 s") as raised:
        send(7, "1", "1", "2")
    assert (raised.value.retry_after_s, keeper.over_organization, keeper.over_device) == (1, 3, 0)
    # The refused call took neither from the organization nor from the device, and others are not concerned.
    assert send(7, "1", "2").accepted == 2
    assert send(8, "2").accepted == 1
    with pytest.raises(RateLimitedError):
        keeper.allowance(7, sent=1)
    time.now_s += 0.1
    # What its device's quota refuses is not the organization's.
    assert send(7, "1").accepted == 1
    time.now_s += 0.1
    done = send(7, *["1"] * 40, "2")
    assert (done.accepted, [error.code for error in done.errors]) == (1, ["RATE_LIMITED"] * 40)
    assert keeper.over_device == 40


def test_without_quotas_there_is_no_limit() -> None:
    keeper = QuotaKeeper(Quotas(), monotonic_s=Time())
    assert keeper.allowance(7, sent=1_000) is None
    keeper.take(7, 1_000_000, None, sent=1_000_000)
    assert admitted(None, *["1"] * 500).rejected == 0


def test_full_buckets_are_forgotten_and_the_number_of_buckets_is_bounded() -> None:
    buckets: Buckets[int] = Buckets(Quota(1.0, 10), buckets_max=100)
    for key in range(1_000):
        buckets.take(key, 10, now_s=key / 1_000)
        assert len(buckets) <= 100
    # Those that sent last are the ones still known.
    assert buckets.wait_s(999, 1, now_s=1.0) > 0
    assert buckets.wait_s(0, 1, now_s=1.0) == 0
    buckets.take(1, 1, now_s=12.0)
    buckets.take(1, 1, now_s=23.0)
    assert len(buckets) == 2
    assert buckets.full_at_s(1, now_s=23.0) == 24.0


@given(takes=st.lists(st.tuples(st.floats(0, 6), st.integers(0, 4), st.integers(1, 3)), max_size=80))
def test_forgetting_what_is_full_changes_nothing(takes: list[tuple[float, int, int]]) -> None:
    quota = Quota(2.0, 10)
    buckets: Buckets[int] = Buckets(quota)
    plain: dict[int, float] = {}
    now_s = 0.0
    for pause_s, key, readings in takes:
        now_s += pause_s
        if buckets.wait_s(key, readings, now_s=now_s) == 0:
            buckets.take(key, readings, now_s=now_s)
            plain[key] = max(plain.get(key, 0.0), now_s) + readings / quota.readings_per_s
        for n in range(5):
            assert buckets.full_at_s(n, now_s=now_s) == max(plain.get(n, 0.0), now_s)


def test_a_refused_call_stores_nothing(line: Line, engine: Callable[[str], Engine]) -> None:
    time = Time()
    for name in ("loud", "quiet", "other"):
        line.device(name)
    committer = GroupCommitter(
        transaction=lambda: transaction(engine("ingest")), publish=lambda _batches: None, now=lambda: NOW
    )
    committer.start()
    acceptor = Acceptor(
        directory=line.directory(),
        committer=committer,
        now=lambda: NOW,
        quotas=QuotaKeeper(Quotas(device=Quota(1.0, 2), organization=Quota(1.0, 4)), monotonic_s=time),
    )

    def send(*names: str) -> Any:
        return asyncio.run(
            acceptor.accept(
                organization_id=line.organization_id,
                readings=[draft({"external_id": name, "metrics": {"n": n}}) for n, name in enumerate(names)],
                transport="http",
                own_device_id=None,
            )
        )

    try:
        done = send("loud", "loud", "loud", "quiet")
        assert (done.accepted, [error.path for error in done.errors]) == (3, [("readings", "2")])
        with pytest.raises(RateLimitedError):
            send("other", "other")
        time.now_s += 1.0
        assert send("other", "other").accepted == 2
    finally:
        committer.stop()
    rows = line.rows("SELECT metrics::text FROM telemetry_raw ORDER BY id")
    assert [row[0] for row in rows] == ['{"n":0}', '{"n":1}', '{"n":3}', '{"n":0}', '{"n":1}']


def test_a_wait_is_reported_in_whole_seconds() -> None:
    waits_s = [whole_seconds(wait_s) for wait_s in (0.0, 0.2, 1.0, 98_000.000_000_000_01, 98_000.002)]
    assert waits_s == [1, 1, 1, 98_000, 98_001]
