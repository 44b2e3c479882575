"""Allowed transitions of activities."""

from __future__ import annotations

from itertools import product

import pytest

from domain.work.activities.lifecycle import ActivityState, is_state, move_check, state_of
from graph.errors import ConflictError

MOVES = {
    ("OPEN", "ASSIGNED"),
    ("OPEN", "CANCELLED"),
    ("ASSIGNED", "OPEN"),
    ("ASSIGNED", "IN_PROGRESS"),
    ("ASSIGNED", "CANCELLED"),
    ("IN_PROGRESS", "DONE"),
    ("IN_PROGRESS", "CANCELLED"),
    ("DONE", "VERIFIED"),
    ("DONE", "OPEN"),
    ("VERIFIED", "OPEN"),
    ("CANCELLED", "OPEN"),
}


def allowed(before: ActivityState, after: ActivityState) -> bool:
    try:
        move_check(before, after)
    except ConflictError:
        return False
    return True


def test_exactly_these_moves_are_allowed() -> None:
    assert {(b.value, a.value) for b, a in product(ActivityState, repeat=2) if allowed(b, a)} == MOVES


def test_a_refusal_names_what_is_allowed() -> None:
    with pytest.raises(ConflictError, match="that is OPEN can become ASSIGNED, CANCELLED, not DONE"):
        move_check(ActivityState.OPEN, ActivityState.DONE)


def test_a_status_of_the_plants_own_counts_as_open() -> None:
    assert state_of("waiting for parts") is ActivityState.OPEN
    assert not is_state("waiting for parts")
    assert state_of("in_progress") is ActivityState.IN_PROGRESS
