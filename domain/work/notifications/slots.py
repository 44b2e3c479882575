"""Concurrency of webhook calls: slots of a process, and a circuit breaker for each queue. Pure, in memory.

A queue is a pair of organization and destination: what one organization sends to a host keeps no other from it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from domain.work.notifications.claims import Outcome, Pair

# Of the calls that one process makes at once: one organization's, one destination's, and one queue's at most.
OF_ORGANIZATION: Final = 64
OF_DESTINATION: Final = 32
OF_PAIR: Final = 8
# Calls in a row that nobody answered, after which a queue pauses, and for how long: doubled at each probe that fails.
FAILURES_MAX: Final = 5
PAUSE_FIRST_S: Final = 5.0
PAUSE_LAST_S: Final = 300.0
# Remembered at most; the one that has been away longest is forgotten first, and costs a few calls more.
_BREAKERS_MAX: Final = 10_000


@dataclass(slots=True)
class _Breaker:
    """Failures in a row of one queue. closed: pause_s is 0. resumes_s: when one call may probe it."""

    failures: int = 0
    pause_s: float = 0.0
    resumes_s: float = 0.0


@dataclass(slots=True)
class Slots:
    """The calls under way in one process. total: at once."""

    total: int
    _of_organization: Counter[int] = field(default_factory=Counter)
    _of_destination: Counter[str] = field(default_factory=Counter)
    _of_pair: Counter[Pair] = field(default_factory=Counter)
    _breakers: dict[Pair, _Breaker] = field(default_factory=dict)
    _busy: int = 0

    def plan(self, due: Iterable[Pair], *, now_s: float) -> dict[int, dict[str, int]]:
        """Return how many calls may begin now, by organization and destination.

        Slots are dealt one at a time, to the organization that has fewest, and there to the queue that has fewest.
        """
        dealt: Counter[Pair] = Counter()
        of_destination = Counter(self._of_destination)
        queues: dict[int, list[tuple[int, Pair]]] = {}
        for pair in due:
            if self._room(pair, now_s) > 0:
                heapq.heappush(queues.setdefault(pair.organization_id, []), (self._of_pair[pair], pair))
        by_load = [(self._of_organization[organization_id], organization_id) for organization_id in queues]
        heapq.heapify(by_load)
        free = self.total - self._busy
        while by_load and free > 0:
            busy, organization_id = heapq.heappop(by_load)
            mine = queues[organization_id]
            if busy >= OF_ORGANIZATION or not mine:
                continue
            count, pair = heapq.heappop(mine)
            if of_destination[pair.destination] < OF_DESTINATION:
                dealt[pair] += 1
                of_destination[pair.destination] += 1
                free -= 1
                busy += 1
                if dealt[pair] < self._room(pair, now_s):
                    heapq.heappush(mine, (count + 1, pair))
            heapq.heappush(by_load, (busy, organization_id))
        planned: dict[int, dict[str, int]] = {}
        for pair, slots in dealt.items():
            planned.setdefault(pair.organization_id, {})[pair.destination] = slots
        return planned

    def begin(self, pair: Pair) -> None:
        """Take a slot."""
        self._count(pair, 1)

    def end(self, pair: Pair, outcome: Outcome, *, now_s: float) -> bool:
        """Release a slot and record the outcome of its call. True: the queue starts or ends a pause."""
        self._count(pair, -1)
        if not outcome.is_transient:
            self._breakers.pop(pair, None)
            return False
        breaker = self._breakers.pop(pair, None) or _Breaker()
        # The last that failed comes last.
        self._breakers[pair] = breaker
        if len(self._breakers) > _BREAKERS_MAX:
            del self._breakers[next(iter(self._breakers))]
        breaker.failures += 1
        # Others that were under way when it began to pause say nothing new.
        if breaker.failures < FAILURES_MAX or now_s < breaker.resumes_s:
            return False
        breaker.pause_s = min(breaker.pause_s * 2, PAUSE_LAST_S) if breaker.pause_s else PAUSE_FIRST_S
        breaker.resumes_s = now_s + breaker.pause_s
        return True

    @property
    def free(self) -> int:
        """The number of free slots."""
        return self.total - self._busy

    def _room(self, pair: Pair, now_s: float) -> int:
        breaker = self._breakers.get(pair)
        most = OF_PAIR
        if breaker is not None and breaker.pause_s:
            most = 0 if now_s < breaker.resumes_s else 1
        return most - self._of_pair[pair]

    def _count(self, pair: Pair, change: int) -> None:
        self._busy += change
        self._of_organization[pair.organization_id] += change
        self._of_destination[pair.destination] += change
        self._of_pair[pair] += change
        # What is at rest takes no memory.
        if not self._of_pair[pair]:
            del self._of_pair[pair]
        if not self._of_destination[pair.destination]:
            del self._of_destination[pair.destination]
        if not self._of_organization[pair.organization_id]:
            del self._of_organization[pair.organization_id]
