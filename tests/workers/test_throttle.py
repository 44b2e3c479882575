"""Throttled logging of failures, by a clock of the test."""

from __future__ import annotations

from workers.throttle import Throttle


def test_the_same_failure_is_logged_with_pauses_that_grow_and_how_often_it_was_muted() -> None:
    now = 0.0
    throttle = Throttle(clock=lambda: now)
    logged: list[tuple[float, int]] = []
    while now < 7_200:
        muted = throttle.admits("event_actions_failed", 7, "poison")
        if muted is not None:
            logged.append((now, muted))
        now += 1
    assert logged == [(0, 0), (30, 29), (90, 59), (210, 119), (450, 239), (930, 479), (1890, 959), (3810, 1919)]
    # Another reason is logged at once; the first one, after a long pause, again.
    assert throttle.admits("event_actions_failed", 7, "another") == 0
    now += 7_200
    assert throttle.admits("event_actions_failed", 7, "poison") == 0
    now += 31
    assert throttle.admits("event_actions_failed", 7, "poison") == 0
