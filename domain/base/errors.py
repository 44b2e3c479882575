"""Errors of ingest."""

from __future__ import annotations

from graph.errors import ArgusError


class RateLimitedError(ArgusError):
    """Too many readings wait to be written. Nothing of the call was taken; repeat it later.

    retry_after_s: when to try again, in seconds.
    """

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
