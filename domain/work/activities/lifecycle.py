"""The lifecycle of activities: states and allowed transitions. Pure.

    OPEN -> ASSIGNED -> IN_PROGRESS -> DONE -> VERIFIED

CANCELLED is reached from every unfinished state; what is finished can be opened again. A state is an entity's status
in small letters; a status that a plant uses beside these counts as OPEN.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from graph.errors import ConflictError


class ActivityState(StrEnum):
    """State of an activity."""

    OPEN = "OPEN"
    ASSIGNED = "ASSIGNED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    VERIFIED = "VERIFIED"
    CANCELLED = "CANCELLED"

    @property
    def status(self) -> str:
        """The status of an entity in this state."""
        return self.value.lower()

    @property
    def is_finished(self) -> bool:
        """Whether the state is final."""
        return self in FINISHED


FINISHED: Final = frozenset({ActivityState.DONE, ActivityState.VERIFIED, ActivityState.CANCELLED})

ALLOWED: Final[dict[ActivityState, tuple[ActivityState, ...]]] = {
    ActivityState.OPEN: (ActivityState.ASSIGNED, ActivityState.CANCELLED),
    ActivityState.ASSIGNED: (ActivityState.OPEN, ActivityState.IN_PROGRESS, ActivityState.CANCELLED),
    ActivityState.IN_PROGRESS: (ActivityState.DONE, ActivityState.CANCELLED),
    ActivityState.DONE: (ActivityState.VERIFIED, ActivityState.OPEN),
    ActivityState.VERIFIED: (ActivityState.OPEN,),
    ActivityState.CANCELLED: (ActivityState.OPEN,),
}

_BY_STATUS: Final = {state.status: state for state in ActivityState}


def state_of(status: str) -> ActivityState:
    """Return the state that a status means."""
    return _BY_STATUS.get(status, ActivityState.OPEN)


def is_state(status: str) -> bool:
    """Return whether a status is one of the lifecycle's own."""
    return status in _BY_STATUS


def move_check(before: ActivityState, after: ActivityState, *, path: tuple[str, ...] = ("to",)) -> None:
    """Raise ConflictError, naming the allowed states, where an activity cannot go from one state to the other."""
    if after not in ALLOWED[before]:
        allowed = ", ".join(ALLOWED[before])
        raise ConflictError(f"An activity that is {before} can become {allowed}, not {after}.", path=path)
