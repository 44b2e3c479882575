"""Shared by mutations of everything that fits a filter."""

from __future__ import annotations

import strawberry

from domain.base.bulk import BulkResult
from gql.errors import UserError, user_error
from graph.errors import ArgusError


@strawberry.type
class BulkPayload:
    """Result of a mutation of everything that fits a filter, in one transaction. What is refused stays as it is.

    Attributes:
        matched: Number of items that fit the filter.
        changed: Number of them that became other than they were; of a dry run, that would.
        errors: Why the mutation was refused as a whole, or single items: these have the path ['filter', id, ...], and
            are 1,000 at most.
    """

    matched: int
    changed: int
    errors: list[UserError]


def bulk_payload(result: BulkResult | None, error: ArgusError | None = None) -> BulkPayload:
    """Return the payload of a result, or of the error that refused all."""
    if result is None:
        return BulkPayload(matched=0, changed=0, errors=[] if error is None else [user_error(error)])
    return BulkPayload(
        matched=result.matched, changed=result.changed, errors=[user_error(refused) for refused in result.errors]
    )
