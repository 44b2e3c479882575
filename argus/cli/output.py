"""Notice that what a command prints cannot be written, and stop writing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO

# 128 and the number of SIGPIPE: the status of a program that a closed pipe ends.
OUTPUT_CLOSED: Final = 141


class OutputError(Exception):
    """Standard output or standard error cannot be written. is_closed: the reader has gone, as `head` goes.

    It is no OSError, so that nobody takes it for one of the file or the connection at hand.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"The output cannot be written: {error.strerror or error}.")
        self.is_closed = isinstance(error, BrokenPipeError)


class _Guarded:
    """A stream that raises OutputError."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str, /) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputError(error) from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputError(error) from error


@contextmanager
def output_guarded() -> Iterator[None]:
    """Within the block, and as it ends, raise OutputError where what is printed cannot be written.

    What could not be written is dropped then, so that the interpreter does not try again as it ends.
    """
    streams = sys.stdout, sys.stderr
    # Of a stream that is closed from the beginning there is nothing to guard.
    guarded = [None if stream is None else _Guarded(stream) for stream in streams]
    sys.stdout, sys.stderr = guarded
    try:
        try:
            yield
        finally:
            for guard in guarded:
                if guard is not None:
                    guard.flush()
    except OutputError:
        for stream in streams:
            _drop(stream)
        raise
    finally:
        sys.stdout, sys.stderr = streams


def _drop(stream: TextIO | None) -> None:
    """Have a stream that cannot be written lead nowhere."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
