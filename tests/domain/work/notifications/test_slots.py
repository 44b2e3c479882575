"""Concurrency of webhook calls, and the circuit breaker of a queue."""

from __future__ import annotations

from domain.work.notifications.claims import Outcome, Pair
from domain.work.notifications.slots import FAILURES_MAX, OF_DESTINATION, OF_ORGANIZATION, OF_PAIR, PAUSE_FIRST_S, Slots

TRANSIENT_FAILURE = Outcome("No answer", is_transient=True)
TAKEN = Outcome()


def begun(slots: Slots, planned: dict[int, dict[str, int]]) -> int:
    for organization_id, destinations in planned.items():
        for destination, count in destinations.items():
            for _ in range(count):
                slots.begin(Pair(organization_id, destination))
    return sum(sum(counts.values()) for counts in planned.values())


def test_slots_are_assigned_round_robin_to_organizations_and_their_queues() -> None:
    slots = Slots(6)
    due = [*(Pair(1, f"h{n}:1") for n in range(9)), Pair(2, "h0:1"), Pair(3, "h9:1")]
    planned = slots.plan(due, now_s=0)
    assert {organization: sum(counts.values()) for organization, counts in planned.items()} == {1: 2, 2: 2, 3: 2}
    assert set(planned[1].values()) == {1}
    begun(slots, planned)
    assert (slots.free, slots.plan(due, now_s=0)) == (0, {})
    slots.end(Pair(1, "h0:1"), TAKEN, now_s=0)
    # Who has least under way comes first.
    assert slots.plan(due, now_s=0) == {1: {"h0:1": 1}}


def test_no_organization_destination_or_queue_has_more_than_its_share() -> None:
    slots = Slots(10_000)
    assert begun(slots, slots.plan([Pair(1, "a:1")], now_s=0)) == OF_PAIR
    assert begun(slots, slots.plan([Pair(1, f"b{n}:1") for n in range(99)], now_s=0)) == OF_ORGANIZATION - OF_PAIR
    assert begun(slots, slots.plan([Pair(n, "c:1") for n in range(2, 99)], now_s=0)) == OF_DESTINATION
    assert slots.plan([Pair(200, "c:1"), Pair(1, "d:1"), Pair(200, "d:1")], now_s=0) == {200: {"d:1": OF_PAIR}}


def test_an_open_circuit_breaker_pauses_longer_each_time_and_probes_with_one_call() -> None:
    slots, silent, near = Slots(100), Pair(1, "away:1"), Pair(2, "away:1")
    begun(slots, slots.plan([silent], now_s=0))
    pauses = [slots.end(silent, TRANSIENT_FAILURE, now_s=1) for _ in range(OF_PAIR)]
    assert pauses == [n == FAILURES_MAX for n in range(1, OF_PAIR + 1)]
    # Another organization's calls to the same place go on.
    assert slots.plan([silent, near], now_s=1) == {2: {"away:1": OF_PAIR}}
    now_s, pause_s = 1.0, PAUSE_FIRST_S
    for _ in range(3):
        assert slots.plan([silent], now_s=now_s + pause_s - 0.1) == {}
        now_s += pause_s
        assert begun(slots, slots.plan([silent], now_s=now_s)) == 1
        assert slots.plan([silent], now_s=now_s) == {}
        assert slots.end(silent, TRANSIENT_FAILURE, now_s=now_s)
        pause_s *= 2
    now_s += pause_s
    assert begun(slots, slots.plan([silent], now_s=now_s)) == 1
    assert not slots.end(silent, Outcome("The answer is 404."), now_s=now_s)
    assert slots.plan([silent], now_s=now_s) == {1: {"away:1": OF_PAIR}}


def test_successes_between_failures_keep_a_queue_running() -> None:
    slots, pair = Slots(100), Pair(1, "a:1")
    for _ in range(10):
        for outcome in (*[TRANSIENT_FAILURE] * (FAILURES_MAX - 1), TAKEN):
            slots.begin(pair)
            assert not slots.end(pair, outcome, now_s=0)


def test_idle_queues_take_no_memory() -> None:
    slots = Slots(100)
    for n in range(50):
        slots.begin(Pair(n, f"h{n}:1"))
        slots.end(Pair(n, f"h{n}:1"), TAKEN, now_s=0)
    assert (slots._of_pair, slots._of_destination, slots._of_organization, slots._breakers) == ({}, {}, {}, {})
