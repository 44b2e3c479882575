"""A child process that ends is restarted, with growing delays."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest

from argus.supervisor import child as module
from argus.supervisor.child import FIRST_PAUSE_S, LONGEST_PAUSE_S, WELL_AFTER_S, Child


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def nothing(_: object) -> None:
    pass


def ended() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    return process


def test_the_pauses_double_up_to_the_longest(clock: Clock) -> None:
    said: list[str] = []
    begun: list[float] = []

    def begin() -> subprocess.Popen[bytes]:
        begun.append(clock.now)
        return ended()

    child = Child("It", begin, nothing)
    child.start()
    for _ in range(20_000):
        child.watch(said.append)
        clock.now += 0.05
    pauses = [later - earlier for earlier, later in pairwise(begun)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE_S, abs=0.11)
    assert pauses[1] == pytest.approx(2 * FIRST_PAUSE_S, abs=0.11)
    assert max(pauses) == pytest.approx(LONGEST_PAUSE_S, abs=0.11)
    assert child.restarts == len(begun) - 1
    assert "status 3" in said[0]


def test_a_child_that_lived_long_is_met_with_the_first_pause_again(clock: Clock) -> None:
    begun: list[float] = []

    def begin() -> subprocess.Popen[bytes]:
        begun.append(clock.now)
        return ended()

    child = Child("It", begin, nothing)
    child.start()
    for _ in range(200):
        child.watch(nothing)
        clock.now += 0.05
    clock.now += WELL_AFTER_S + LONGEST_PAUSE_S
    child.watch(nothing)
    clock.now += WELL_AFTER_S + 1
    fell = clock.now
    child.watch(nothing)
    clock.now += FIRST_PAUSE_S + 0.01
    child.watch(nothing)
    assert begun[-1] == pytest.approx(fell + FIRST_PAUSE_S, abs=0.1)


def test_a_failed_start_is_retried(clock: Clock) -> None:
    tries: list[float] = []

    def begin() -> subprocess.Popen[bytes]:
        tries.append(clock.now)
        if len(tries) == 2:
            raise OSError("no such program")
        return ended()

    said: list[str] = []
    child = Child("It", begin, nothing)
    child.start()
    for _ in range(100):
        child.watch(said.append)
        clock.now += 0.05
    assert len(tries) >= 3
    assert any("no such program" in line for line in said)


def test_one_that_ends_by_itself_is_not_started_again(clock: Clock) -> None:
    statuses: list[int] = []
    begun: list[float] = []

    def begin() -> subprocess.Popen[bytes]:
        begun.append(clock.now)
        return ended()

    child = Child("It", begin, nothing, ended=statuses.append)
    child.start()
    for _ in range(100):
        child.watch(nothing)
        clock.now += 1
    child.stop()
    assert (statuses, len(begun)) == ([3], 1)
