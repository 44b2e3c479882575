"""The share of a process that one token may use, so that others have theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from domain.base.errors import RateLimitedError
from domain.base.quotas import Quota
from gql.access.fair_threads import CALLER, FairThreads
from gql.access.shares import AT_ONCE, WAITING_MAX, Shares
from testing.waits import patient


def submitted(threads: FairThreads, caller: str | None, job: Callable[[], object]) -> Future[object]:
    token = CALLER.set(caller)
    try:
        return threads.submit(job)
    finally:
        CALLER.reset(token)


def test_slow_work_of_one_caller_leaves_threads_to_the_others() -> None:
    threads = FairThreads(4, per_caller_max=2, name="test")
    release = threading.Event()
    try:
        slow = [submitted(threads, "greedy", lambda: release.wait(patient(60))) for _ in range(30)]
        assert submitted(threads, "modest", lambda: "done").result(patient(60)) == "done"
        assert submitted(threads, None, lambda: "own").result(patient(60)) == "own"
        assert sum(future.running() for future in slow) == 2
        release.set()
        assert all(future.result(patient(60)) for future in slow)
    finally:
        release.set()
        threads.shutdown(wait=True)


def test_waiting_operations_run_in_order() -> None:
    threads = FairThreads(1, per_caller_max=1, name="test")
    release, order = threading.Event(), list[str]()
    try:
        submitted(threads, "first", lambda: release.wait(patient(60)))
        jobs = [submitted(threads, name, lambda name=name: order.append(name)) for name in "aaabbc"]  # type: ignore[misc]
        release.set()
        for job in jobs:
            job.result(patient(60))
        assert order == ["a", "b", "c", "a", "b", "a"]
    finally:
        threads.shutdown(wait=True)


def test_waiting_calls_are_cancelled_at_a_stop_and_errors_reach_the_caller() -> None:
    threads = FairThreads(1, per_caller_max=1, name="test")
    release = threading.Event()
    running = submitted(threads, "a", lambda: release.wait(patient(60)))
    failing = submitted(threads, "b", lambda: 1 // 0)
    while not running.running():
        pass
    release.set()
    with pytest.raises(ZeroDivisionError):
        failing.result(patient(60))
    release.clear()
    last = submitted(threads, "a", lambda: release.wait(patient(60)))
    while not last.running():
        pass
    waiting = submitted(threads, "a", lambda: None)
    threads.shutdown(wait=False)
    release.set()
    assert waiting.cancelled()
    with pytest.raises(RuntimeError):
        threads.submit(lambda: None)


def test_concurrent_operations_of_a_token_are_bounded_and_do_not_delay_others() -> None:
    async def main() -> None:
        shares = Shares()
        release, running = asyncio.Event(), list[str]()

        async def operate(caller: str) -> None:
            async with shares.slot(caller):
                running.append(caller)
                await release.wait()

        greedy = [asyncio.create_task(operate("greedy")) for _ in range(30)]
        modest = asyncio.create_task(operate("modest"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert running == ["greedy"] * AT_ONCE + ["modest"]
        # One that gives up while it waits takes nobody's place.
        greedy[AT_ONCE].cancel()
        greedy[-1].cancel()
        release.set()
        await asyncio.gather(*greedy, modest, return_exceptions=True)
        assert running.count("greedy") == 28
        await asyncio.gather(*(operate("greedy") for _ in range(AT_ONCE)))

    asyncio.run(main())


def test_waiting_operations_are_bounded_in_number_and_time() -> None:
    async def main() -> None:
        shares = Shares(wait_max_s=0.05)
        release = asyncio.Event()

        async def operate() -> None:
            async with shares.slot("greedy"):
                await release.wait()

        tasks = [asyncio.create_task(operate()) for _ in range(AT_ONCE + WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimitedError, match=f"More than {WAITING_MAX}"):
            await operate()
        late, _ = await asyncio.wait(tasks[AT_ONCE:])
        assert {type(task.exception()) for task in late} == {RateLimitedError}
        release.set()
        await asyncio.gather(*tasks[:AT_ONCE])
        assert shares.refused == 1 + WAITING_MAX
        await operate()

    asyncio.run(main())


def test_over_its_time_a_token_is_refused_until_there_is_some_again() -> None:
    now_s = [100.0]

    async def operate(shares: Shares, caller: str, took_s: float) -> None:
        async with shares.slot(caller):
            now_s[0] += took_s

    async def main() -> None:
        shares = Shares(work=Quota(2, 10), monotonic_s=lambda: now_s[0])
        # Two seconds a second come in, one goes out: one operation after the other never runs dry.
        for _ in range(100):
            await operate(shares, "steady", 0.9)
        async with shares.slot("greedy"), shares.slot("greedy"), shares.slot("greedy"):
            # Three at the same time.
            now_s[0] += 8
        with pytest.raises(RateLimitedError) as refused:
            await operate(shares, "greedy", 0.1)
        # 24 s were used of the 10 there were at once.
        assert refused.value.retry_after_s == pytest.approx(7)
        await operate(shares, "modest", 0.1)
        now_s[0] += refused.value.retry_after_s
        await operate(shares, "greedy", 0.1)
        assert shares.refused == 1

    asyncio.run(main())
