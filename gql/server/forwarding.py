"""Forward operations from the process that has the live data to one that answers reads, where there are several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gql.base.context import Context
from gql.server.documents import definitions_of, is_mutation_of
from gql.server.execution import INGEST, caller_of, is_ingest, is_subscription
from gql.server.failures import INVALID, STATUS
from gql.server.preparation import Prepared, Request, RequestError
from gql.server.requests import request_to_json


def is_forwardable(context: Context, token: str | None) -> bool:
    """Return whether what is no subscription and no ingest is forwarded."""
    return context.services.forward is not None and token is not None


def is_forwarded_unparsed(request: Request) -> bool:
    """Tell, without parsing it, that a document is another process's: it has no subscription and is no ingest.

    One of several operations is decided about once it is known which.
    """
    definitions = definitions_of(request.query)
    if "subscription" in definitions:
        return False
    return "mutation" not in definitions or not is_mutation_of(request.query, INGEST)


def is_forwarded(prepared: Prepared) -> bool:
    """Return whether another process answers an operation."""
    return not is_subscription(prepared) and not is_ingest(prepared)


async def forwarded(context: Context, token: str | None, request: Request) -> bytes:
    """Return another process's answer, encoded. Raises RequestError, RateLimitedError, UnavailableError."""
    forward = context.services.forward
    assert forward is not None  # noqa: S101  (see is_forwardable)
    assert token is not None  # noqa: S101
    # So many at a time, as if they were executed here.
    async with context.services.shares.slot(caller_of(context)):
        result = await forward(token, request_to_json(request))
    if result.answer is None:
        errors = [dict(error) for error in result.errors]
        raise RequestError(errors, status=_status(errors[0]))
    return result.answer


def _status(error: Mapping[str, Any]) -> int:
    return STATUS.get(error.get("extensions", {}).get("code", ""), INVALID)
