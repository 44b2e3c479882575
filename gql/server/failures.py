"""Convert failures of operations to the errors that are sent, and to the status of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from gql.errors import DEFECT_MESSAGE, ErrorCode, argus_error, known
from gql.server.preparation import RequestError
from gql.server.requests import RequestRefusedError

INVALID: Final = 400
# The status of HTTP for a code; 400 for any other.
STATUS: Final[Mapping[str, int]] = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "ORGANIZATION_SUSPENDED": 403,
    "LIMIT_EXCEEDED": 413,
    "UNSUPPORTED": 415,
    "RATE_LIMITED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# The same for calls that are no GraphQL: their status alone says what became of them.
CODE_STATUS: Final[Mapping[str, int]] = {
    **STATUS,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "OVERLAP": 409,
    "CYCLE": 409,
    "INTERNAL": 500,
}

_log = structlog.get_logger(__name__)


def errors_of(error: Exception, *, trace_id: str) -> list[dict[str, Any]]:
    """Return the errors of an operation that was not executed, or ended early. A defect is masked, and logged."""
    if isinstance(error, RequestError):
        return error.errors
    if isinstance(error, RequestRefusedError):
        return [{"message": error.message, "extensions": {"code": error.code}}]
    shown = known(error)
    if shown is not None:
        return [argus_error(shown)]
    _log.error("graphql.defect", trace_id=trace_id, exc_info=error)
    return [{"message": DEFECT_MESSAGE, "extensions": {"code": ErrorCode.INTERNAL, "traceId": trace_id}}]
