"""The health score: costs of its parts, staleness, and agreement with a plain reference."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.derivation.health.score import Child, Facts, OpenEvent, Track, expiries, health_points, health_score
from domain.derivation.health.settings import HealthSettings, settings_of

MINUTE = 60_000_000
BUCKET = 15 * MINUTE
ALWAYS = (-(2**62), 2**62)
BOUNDS = {"t": {"critLow": 0, "warnLow": 10, "warnHigh": 80, "critHigh": 90, "weight": 40}}
LATE = 10_000 * MINUTE
ONE, TWO = UUID(int=1), UUID(int=2)


def settings(thresholds: dict[str, Any] | None = None, **health: Any) -> HealthSettings:
    return settings_of(BOUNDS if thresholds is None else thresholds, health)


def track(*points: tuple[float, float]) -> Track:
    """Points of (minute, value)."""
    return Track(np.array([int(m * MINUTE) for m, _ in points], dtype=np.int64), np.array([v for _, v in points]))


def readings(*minutes: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([minute * MINUTE for minute in minutes], dtype=np.int64)


def costs(facts: Facts, begins: int = 0, now: int = LATE, of: HealthSettings | None = None) -> dict[str, float]:
    """Evaluate the bucket that begins at a minute; what each part costs, and the score."""
    begins_us = begins * MINUTE
    score = health_score(of or settings(), facts, begins_us=begins_us, ends_us=begins_us + BUCKET, now_us=now)
    parts = {f"{part.part} {part.subject}": part.cost for part in score.parts}
    return parts if score.score is None else {**parts, "score": score.score}


def test_no_data_gives_no_score() -> None:
    assert costs(Facts()) == {}
    assert costs(Facts(values={"other": track((1, 5))})) == {}


@pytest.mark.parametrize(
    ("value", "cost"),
    [(0, 40), (0.1, 20), (10, 20), (10.1, 0), (50, 0), (79.9, 0), (80, 20), (89.9, 20), (90, 40), (1000, 40)],
)
def test_a_warning_costs_half_and_what_is_critical_all(value: float, cost: float) -> None:
    assert costs(Facts(values={"t": track((1, 95), (14, value))})) == {"THRESHOLD t": cost, "score": 100 - cost}


def test_the_last_value_before_the_end_counts_while_it_is_fresh() -> None:
    facts = Facts(values={"t": track((5, 95), (15, 50))})
    assert costs(facts)["score"] == 60
    assert costs(facts, begins=15)["score"] == 100
    # At 15 + 60 minutes it is too old; the bucket in which that falls is evaluated so, and not the one before.
    assert costs(facts, begins=60)["score"] == 100
    assert costs(facts, begins=75) == {}


def test_staleness_is_noticed_when_due() -> None:
    facts = Facts(readings=readings(5))
    assert costs(facts, begins=60, now=65 * MINUTE - 1) == {"FRESHNESS None": 0, "score": 100}
    assert costs(facts, begins=60, now=65 * MINUTE) == {"FRESHNESS None": 20, "score": 80}
    assert expiries(settings(), facts) == [65 * MINUTE]
    assert expiries(settings(), Facts(readings=readings(5, 65, 126))) == [125 * MINUTE, 186 * MINUTE]


def test_events_cost_by_severity_while_they_are_open() -> None:
    facts = Facts(events=[OpenEvent(ONE, "HIGH", 20 * MINUTE, 30 * MINUTE), OpenEvent(TWO, "LOW", 0, 2**62)])
    assert costs(facts) == {f"EVENT {TWO}": 5, "score": 95}
    assert costs(facts, begins=15) == {f"EVENT {ONE}": 30, f"EVENT {TWO}": 5, "score": 65}
    assert costs(facts, begins=30) == {f"EVENT {TWO}": 5, "score": 95}


def test_children_cost_by_their_mean_or_the_worst() -> None:
    facts = Facts(
        children=[Child(ONE, [ALWAYS], track((14, 40))), Child(TWO, [(0, 20 * MINUTE)], track((14, 100), (29, 0)))]
    )
    assert costs(facts) == {f"CHILDREN {ONE}": 9, "score": 91}
    worst = settings(children={"combine": "worst", "weight": 50})
    assert costs(facts, of=worst) == {f"CHILDREN {ONE}": 30, "score": 70}
    # The second is no part any more at the end of the next bucket.
    assert costs(facts, begins=15) == {f"CHILDREN {ONE}": 18, "score": 82}


def test_a_score_does_not_go_below_nothing() -> None:
    events = [OpenEvent(UUID(int=n), "CRITICAL", 0, 2**62) for n in range(3)]
    assert costs(Facts(events=events))["score"] == 0


def test_silence_costs_for_as_long_as_it_lasts_but_gives_no_score_alone() -> None:
    silent = Facts(readings=readings(5))
    assert costs(silent, begins=60) == {"FRESHNESS None": 20, "score": 80}
    assert costs(silent, begins=75) == {"FRESHNESS None": 20}
    facts = Facts(readings=readings(5), events=[OpenEvent(ONE, "LOW", 0, 2**62)])
    assert costs(facts, begins=90_000, now=10**6 * MINUTE) == {"FRESHNESS None": 20, f"EVENT {ONE}": 5, "score": 75}


def test_a_part_lapses_only_while_it_is_one() -> None:
    facts = Facts(readings=readings(140), children=[Child(ONE, [(100 * MINUTE, 2**62)], track((14, 40)))])
    points = health_points(settings(), facts, begins_us=0, ends_us=10 * BUCKET, now_us=LATE)
    assert (points.at // MINUTE).tolist() == [135]


def test_points_are_stored_where_anything_happened() -> None:
    facts = Facts(values={"t": track((1, 95), (40, 50))}, events=[OpenEvent(ONE, "LOW", 200 * MINUTE, 2**62)])
    points = health_points(settings(), facts, begins_us=0, ends_us=20 * BUCKET, now_us=LATE)
    # At 100 minutes the value becomes too old, and nothing is known: no point.
    assert (points.at // MINUTE).tolist() == [0, 30, 195]
    assert points.values.tolist() == [60, 100, 95]


minutes = st.lists(st.integers(0, 300), max_size=8, unique=True).map(sorted)


@given(
    at=minutes,
    values=st.lists(st.sampled_from([-5.0, 5.0, 50.0, 85.0, 95.0]), min_size=8, max_size=8),
    heard=minutes,
    child=minutes,
    joined=st.tuples(st.integers(0, 150), st.integers(151, 400)),
    opened=st.tuples(st.integers(0, 150), st.integers(151, 400)),
    now=st.integers(0, 500),
)
def test_points_are_what_a_plain_reference_gives(
    at: list[int],
    values: list[float],
    heard: list[int],
    child: list[int],
    joined: tuple[int, int],
    opened: tuple[int, int],
    now: int,
) -> None:
    known = list(zip(at, values, strict=False))
    facts = Facts(
        values={"t": track(*known)},
        readings=readings(*heard),
        events=[OpenEvent(ONE, "HIGH", opened[0] * MINUTE, opened[1] * MINUTE)],
        children=[Child(TWO, [(joined[0] * MINUTE, joined[1] * MINUTE)], track(*((m, 40.0) for m in child)))],
    )
    points = health_points(settings(), facts, begins_us=0, ends_us=40 * BUCKET, now_us=now * MINUTE)
    wanted = {}
    for begins in range(0, 600, 15):
        score = plain(begins, known, heard, child, joined, opened, now)
        if score is not None:
            wanted[begins] = score
    assert dict(zip((points.at // MINUTE).tolist(), points.values.tolist(), strict=True)) == wanted


def plain(
    begins: int,
    known: list[tuple[int, float]],
    heard: list[int],
    child: list[int],
    joined: tuple[int, int],
    opened: tuple[int, int],
    now: int,
) -> float | None:
    """The score of a bucket of 15 minutes, in minutes, written down as the documentation says it; None: no point."""
    ends = begins + 15

    def here(minute: int) -> bool:
        return begins <= minute < ends

    def gone(minute: int) -> bool:
        return minute + 60 < ends and minute + 60 <= now

    def lapses(all_of: list[int]) -> list[int]:
        lasting = [m for m in all_of if not any(m < other <= m + 60 for other in all_of)]
        return [m + 60 for m in lasting if here(m + 60) and m + 60 <= now]

    measured = [m for m, _ in known]
    event_changes_done = any(here(m) for m in [*measured, *heard, *joined, *opened])
    event_changes_done |= any(here(m) and joined[0] <= m < joined[1] for m in child)
    event_changes_done |= any(lapses(lapse) for lapse in (measured, heard))
    event_changes_done |= any(joined[0] <= m < joined[1] for m in lapses(child))
    costs: list[float] = []
    if (before := [(m, v) for m, v in known if m < ends]) and not gone(before[-1][0]):
        value = before[-1][1]
        costs.append(40 if value <= 0 or value >= 90 else 20 if value <= 10 or value >= 80 else 0)
    is_long_silent = False
    if heard_before := [m for m in heard if m < ends]:
        costs.append(20 if gone(heard_before[-1]) else 0)
        is_long_silent = heard_before[-1] + 60 < begins and heard_before[-1] + 60 <= now
    if opened[0] < ends and opened[1] > begins:
        costs.append(30)
    if joined[0] < ends <= joined[1] and (scored := [m for m in child if m < ends]) and not gone(scored[-1]):
        costs.append(30 * 60 / 100)
    # Of silence alone, once it lasts, there is no score.
    is_known = bool(costs) and not (is_long_silent and len(costs) == 1)
    return max(0, 100 - sum(costs)) if event_changes_done and is_known else None
