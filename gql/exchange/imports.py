"""Import entities and edges, many at once, as records."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import strawberry
from sqlalchemy.orm import Session

from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.files import remark_of
from domain.exchange.imports.outcome import Outcome
from domain.exchange.imports.read import record_read
from domain.exchange.imports.records import Record, Remark
from gql.access.principal import ADMINS
from gql.base.context import Info
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError
from graph.change import GraphChange
from graph.errors import ArgusError, LimitExceededError

RECORDS_MAX = 1_000


@strawberry.type
class ImportPayload:
    """Result of an import. A record at fault is reported in `errors`, and the others are applied.

    Attributes:
        created: Number of entities that were created.
        updated: Number of entities that were updated.
        unchanged: Number of entities that were as the record says.
        definitions_created: Number of types and relationships that were created.
        definitions_updated: Number of types and relationships that were updated.
        definitions_unchanged: Number of types and relationships that were as the record says.
        edges_created: Number of edges that were created.
        edges_updated: Number of edges that were corrected.
        edges_unchanged: Number of edges that were as the record says.
        errors: What was left out and why; the path holds the record's place.
    """

    created: int
    updated: int
    unchanged: int
    definitions_created: int
    definitions_updated: int
    definitions_unchanged: int
    edges_created: int
    edges_updated: int
    edges_unchanged: int
    errors: list[UserError]


class _LeaveNothingError(Exception):
    """Rolls back a change: a dry run, or one with nothing to write."""


@mutations
class ImportMutation:
    """Imports."""

    @mutation(ADMINS)
    async def import_graph(
        self,
        info: Info,
        records: list[JSON],
        valid_from: DateTime | None = None,
        dry_run: bool = False,
        reason: str | None = None,
    ) -> ImportPayload:
        """Import entities, edges, types and relationships. Importing the same again changes nothing.

        Args:
            records: At most 1,000 records, each a JSON object as a line of `argus export graph`.
            valid_from: Instant from which edges hold that do not say so themselves. Default: now.
        """
        if len(records) > RECORDS_MAX:
            message = f"records holds {len(records)}; at most {RECORDS_MAX} are taken at once."
            raise LimitExceededError(message, path=("records",))
        # Before the transaction takes the organization's lock.
        parsed, outcome = list(_read(records)), Outcome()

        def work(session: Session, change: GraphChange) -> None:
            nonlocal outcome
            outcome = records_apply(parsed, run=lambda apply: apply(session, change), valid_from=valid_from)
            if dry_run or not outcome.written:
                raise _LeaveNothingError

        with contextlib.suppress(_LeaveNothingError):
            await info.context.change(work, reason=reason)
        return ImportPayload(
            created=outcome.created,
            updated=outcome.updated,
            unchanged=outcome.unchanged,
            definitions_created=outcome.definitions_created,
            definitions_updated=outcome.definitions_updated,
            definitions_unchanged=outcome.definitions_unchanged,
            edges_created=outcome.edges_created,
            edges_updated=outcome.edges_updated,
            edges_unchanged=outcome.edges_unchanged,
            errors=[
                _error(item) for item in sorted(outcome.remarks, key=lambda located_errors: located_errors.line or 0)
            ],
        )


def _read(records: list[Any]) -> Iterator[Record | Remark]:
    for place, record in enumerate(records):
        try:
            yield record_read(record, line=place)
        except ArgusError as error:
            yield remark_of(error, subject=f"record {place}", line=place)


def _error(remark: Remark) -> UserError:
    path = ["records", *([] if remark.line is None else [str(remark.line)]), *remark.path]
    return UserError(code=remark.code or "BAD_USER_INPUT", message=remark.message, path=path)
