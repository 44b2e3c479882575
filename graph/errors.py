"""Errors that are shown to the caller. Anything else is a defect and is masked at the edge."""

from __future__ import annotations

from collections.abc import Sequence


class ArgusError(Exception):
    """Base of every error with a code.

    code: one of the documented codes (docs/reference/errors.md). message: a full sentence for the caller.
    path: names of the argument at fault, outermost first, e.g. ("readings", "3", "timestamp").
    """

    code = "INTERNAL"

    def __init__(self, message: str, *, path: Sequence[str] = (), code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)
        if code is not None:
            self.code = code


class NotFoundError(ArgusError):
    """The object of an id or a name does not exist, or not for this organization."""

    code = "NOT_FOUND"


class BadInputError(ArgusError):
    """An argument that cannot be used."""

    code = "BAD_USER_INPUT"


class ConflictError(ArgusError):
    """The change contradicts what is already recorded."""

    code = "CONFLICT"


class BeyondScopeError(ArgusError):
    """The caller is confined to a part of the plant, and this concerns more."""

    code = "FORBIDDEN"


class LimitExceededError(ArgusError):
    """A stated bound was reached."""

    code = "LIMIT_EXCEEDED"


class UnavailableError(ArgusError):
    """Something this needs is unavailable for now; nothing was changed, repeat the call later."""

    code = "UNAVAILABLE"


class DeadlineExceededError(ArgusError):
    """The operation, or one of its statements, took longer than it may."""

    code = "DEADLINE_EXCEEDED"


class AbandonedError(ArgusError):
    """The caller has disconnected; no answer is sent."""
