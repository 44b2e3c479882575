"""Convert errors to answers: the only module that does.

What the caller can mend goes into a payload's `errors`; authentication, authorization, limits and whatever is away
are top-level errors with `extensions.code`; a defect is masked, logged, and can be found by its trace id.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

import strawberry
import structlog
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError

from domain.base.transient import NO_ANSWER, is_transient, transient_reason
from graph.errors import ArgusError, BeyondScopeError, DeadlineExceededError, UnavailableError


class ErrorCode(StrEnum):
    """Codes of errors, at `extensions.code` and `UserError.code`; docs/reference/errors.md says what they mean."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    ORGANIZATION_SUSPENDED = "ORGANIZATION_SUSPENDED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    OVERLAP = "OVERLAP"
    CYCLE = "CYCLE"
    KIND_NOT_ALLOWED = "KIND_NOT_ALLOWED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    COST_LIMIT_EXCEEDED = "COST_LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    # Of documents that are sent by their ids, or trusted.
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    UNTRUSTED_DOCUMENT = "UNTRUSTED_DOCUMENT"
    # Of a reading, in a payload alone.
    UNKNOWN_DEVICE = "UNKNOWN_DEVICE"
    INVALID_TIMESTAMP = "INVALID_TIMESTAMP"
    INVALID_METRICS = "INVALID_METRICS"


# Never in a payload: the caller cannot fix them by another argument.
TOP_LEVEL: Final = frozenset(
    {
        ErrorCode.UNAUTHENTICATED,
        ErrorCode.FORBIDDEN,
        ErrorCode.ORGANIZATION_SUSPENDED,
        ErrorCode.COST_LIMIT_EXCEEDED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.UNAVAILABLE,
        ErrorCode.INTERNAL,
        ErrorCode.DEADLINE_EXCEEDED,
        ErrorCode.PERSISTED_QUERY_NOT_FOUND,
        ErrorCode.UNTRUSTED_DOCUMENT,
    }
)
# graphql-core's message about an argument whose variable does not fit it.
_ARGUMENT: Final = re.compile(r"Argument '(\w+)' (?:of|has)\b")
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
        code: One of BAD_USER_INPUT, NOT_FOUND, CONFLICT, OVERLAP, CYCLE, KIND_NOT_ALLOWED, LIMIT_EXCEEDED; FORBIDDEN
            where a confined caller's change concerns more than its part of the plant; of a reading also UNKNOWN_DEVICE,
            INVALID_TIMESTAMP, INVALID_METRICS, RATE_LIMITED.
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
    """An operation that asks for too much at once. cost: as far as it was counted."""

    code = "COST_LIMIT_EXCEEDED"

    def __init__(self, message: str, *, cost: float, cost_max: float) -> None:
        super().__init__(message)
        self.cost, self.cost_max = cost, cost_max


def user_error(error: ArgusError, *, under: Sequence[str] = ()) -> UserError:
    """Return an error for a payload. under: the argument the core's path lies in, e.g. ('input',).

    Raises the error itself where it belongs at the top.
    """
    if error.code in TOP_LEVEL and not isinstance(error, BeyondScopeError):
        raise error
    path = [*under, *error.path]
    return UserError(code=error.code, message=error.message, path=path)


@contextmanager
def errors_under(*path: str) -> Iterator[None]:
    """Put the argument that the core's paths lie in before the paths of its errors."""
    try:
        yield
    except ArgusError as error:
        error.path = (*path, *error.path)
        raise


def known(error: BaseException) -> ArgusError | None:
    """Return the error to show to the caller; None for a defect."""
    if isinstance(error, ArgusError):
        return error
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
        return DeadlineExceededError(_SLOW_MESSAGE)
    if is_transient(error):
        return UnavailableError(f"{transient_reason(error)}. Nothing was changed; try again.")
    return None


def formatted(error: GraphQLError, *, trace_id: str) -> dict[str, Any]:
    """Return one top-level error as it is sent, and log it where it is a defect."""
    original: BaseException | None = error
    extensions: dict[str, Any] = {}
    while isinstance(original, GraphQLError):
        extensions = {**(original.extensions or {}), **extensions}
        original = original.original_error
    answer: dict[str, Any] = {}
    if original is None:
        answer["message"] = error.message
        extensions.setdefault("code", ErrorCode.BAD_USER_INPUT)
        if argument := _ARGUMENT.match(error.message):
            extensions.setdefault("argumentPath", [argument[1]])
    elif (argus := known(original)) is not None:
        answer["message"] = argus.message
        extensions = extensions_of(argus)
    else:
        _log.error("graphql.defect", trace_id=trace_id, path=error.path, exc_info=original)
        answer["message"] = DEFECT_MESSAGE
        extensions = {"code": ErrorCode.INTERNAL, "traceId": trace_id}
    if error.locations:
        answer["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        answer["path"] = error.path
    answer["extensions"] = extensions
    return answer


def argus_error(error: ArgusError) -> dict[str, Any]:
    """Return an error of an operation that was not executed."""
    return {"message": error.message, "extensions": extensions_of(error)}


def extensions_of(error: ArgusError) -> dict[str, Any]:
    """Return what a top-level error says besides its message."""
    extensions: dict[str, Any] = {"code": error.code}
    if error.path:
        extensions["argumentPath"] = list(error.path)
    if isinstance(error, CostLimitError):
        extensions["cost"] = {"asked": math.ceil(error.cost), "allowed": math.floor(error.cost_max)}
    if (retry := getattr(error, "retry_after_s", None)) is not None:
        extensions["retryAfterSeconds"] = retry
    return extensions


def transport_error(code: str, message: str, **extensions: object) -> dict[str, Any]:
    """Return an answer for a call that never became an operation."""
    return {"errors": [{"message": message, "extensions": {"code": code, **extensions}}]}
