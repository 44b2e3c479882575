"""Format the reason of a failure: one line, no traceback."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from graph.texts import text_clean

REASON_MAX_CHARS: Final = 500
_ROOT: Final = Path(__file__).resolve().parents[3]


def reason_of(error: BaseException) -> str:
    """Return what failed and where: type, first line of the message, file and line of the innermost own frame.

    Of an error of the database only what the database said: neither the statement nor its parameters.
    """
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    lines = str(cause).strip().splitlines()
    message = f"{type(cause).__name__}: {lines[0]}" if lines else type(cause).__name__
    place = _place(error)
    return text_clean(f"{message} ({place})" if place else message, max_chars=REASON_MAX_CHARS)


def _place(error: BaseException) -> str | None:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and ".venv" not in path.parts:
            return f"{path.relative_to(_ROOT).as_posix()}:{frame.lineno}"
    return None
