"""Convert errors to answers: the only module that does.

What the caller can mend goes into a payload's `errors`; authentication, authorization, limits and whatever is away
are top-level errors with `extensions.code`; a defect is masked, logged, and can be found by its trace id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import strawberry
import structlog
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError

from domain.base.transient import NO_ANSWER, is_transient, transient_reason
from graph.errors import ArgusError, DeadlineExceededError, UnavailableError

TOP_LEVEL = frozenset(
    {
        "UNAUTHENTICATED", "FORBIDDEN", "COST_LIMIT_EXCEEDED", "RATE_LIMITED", "UNAVAILABLE", "INTERNAL",
        "DEADLINE_EXCEEDED",
    }
)  # fmt: skip
_SUGGESTION = re.compile(r" Did you mean [^?]*\?")
# A statement that ran into its own time limit, or was cancelled.
_QUERY_CANCELED = "57014"
_SLOW_MESSAGE = "A statement of this operation took longer than it may and was ended. Ask for less at once."
UNAVAILABLE_MESSAGE = f"{NO_ANSWER}. Nothing was changed; try again."
DEFECT_MESSAGE = "Something went wrong inside Argus. The trace id leads to it in the log."

_log = structlog.get_logger(__name__)


@strawberry.type
class UserError:
    """An error that the caller can fix.

    Attributes:
        code: One of the documented codes, e.g. BAD_USER_INPUT, NOT_FOUND, CONFLICT.
        message: One sentence, for a person.
        path: Where the fault lies: the path into the arguments, e.g. ['readings', '3', 'timestamp'].
    """

    code: str
    message: str
    path: list[str]


class UnauthenticatedError(ArgusError):
    """No token, or one that is not valid."""

    code = "UNAUTHENTICATED"


class ForbiddenError(ArgusError):
    """A token that may not do this."""

    code = "FORBIDDEN"


class CostLimitError(ArgusError):
    """An operation that asks for too much at once."""

    code = "COST_LIMIT_EXCEEDED"


def user_error(error: ArgusError, *, under: Sequence[str] = ()) -> UserError:
    """Return an error for a payload. under: the argument the core's path lies in, e.g. ('input',).

    Raises the error itself where it belongs at the top.
    """
    if error.code in TOP_LEVEL:
        raise error
    path = [*under, *error.path]
    return UserError(code=error.code, message=error.message, path=path)


def known(error: BaseException) -> ArgusError | None:
    """Return the error to show to the caller; None for a defect."""
    if isinstance(error, ArgusError):
        return error
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
        return DeadlineExceededError(_SLOW_MESSAGE)
    if is_transient(error):
        return UnavailableError(f"{transient_reason(error)}. Nothing was changed; try again.")
    return None


def formatted(error: GraphQLError, *, trace_id: str, suggests: bool) -> dict[str, Any]:
    """Return one top-level error as it is sent, and log it where it is a defect.

    suggests: whether names are suggested for one that does not exist, which tells of the schema.
    """
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    answer: dict[str, Any] = {}
    if original is None or isinstance(original, GraphQLError):
        located_errors = original or error
        message = located_errors.message
        answer["message"] = message if suggests else _SUGGESTION.sub("", message)
        extensions = {**(error.extensions or {}), **(located_errors.extensions or {})}
        extensions.setdefault("code", "BAD_USER_INPUT")
    elif (argus := known(original)) is not None:
        answer["message"] = argus.message
        extensions = {"code": argus.code}
        if argus.path:
            extensions["argumentPath"] = list(argus.path)
        if (retry := getattr(argus, "retry_after_s", None)) is not None:
            extensions["retryAfterSeconds"] = retry
    else:
        _log.error("graphql.defect", trace_id=trace_id, path=error.path, exc_info=original)
        answer["message"] = DEFECT_MESSAGE
        extensions = {"code": "INTERNAL", "traceId": trace_id}
    if error.locations:
        answer["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        answer["path"] = error.path
    answer["extensions"] = extensions
    return answer


def transport_error(code: str, message: str, **extensions: object) -> dict[str, Any]:
    """Return an answer for a call that never became an operation."""
    return {"errors": [{"message": message, "extensions": {"code": code, **extensions}}]}
