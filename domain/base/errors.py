"""Errors of taking readings in."""

from __future__ import annotations

from graph.errors import ArgusError


class RateLimitedError(ArgusError):
    """More waits to be written than may wait. Nothing of the call was taken; it may be repeated.

    retry_after_s: when to try again, in seconds.
    """

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
