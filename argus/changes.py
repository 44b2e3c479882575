"""Changes made from the command line: as the API's role, in the organization's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.orm import Session

from domain.exchange.imports.apply import ChangeRunner
from graph.change import GraphChange, graph_change_begin
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from runtime.settings.model import Settings

T = TypeVar("T")


class _DryRunError(Exception):
    """Rolls back a dry run."""


@contextmanager
def changes_run(
    settings: Settings, *, organization_id: int, actor: str, dry_run: bool = False
) -> Iterator[ChangeRunner]:
    """Yield a runner of changes. dry_run: all of them in one transaction that is rolled back at the end."""
    engine = engine_create(settings.database_url("api"), pool_size=1)

    def begin(session: Session) -> GraphChange:
        return graph_change_begin(session, organization_id=organization_id, actor=actor, new_id=new_id)

    def run(work: Callable[[Session, GraphChange], T]) -> T:
        with transaction(engine, organization_id) as session:
            return work(session, begin(session))

    try:
        if not dry_run:
            yield run
            return
        try:
            with transaction(engine, organization_id) as session:
                change = begin(session)
                yield lambda work: work(session, change)
                raise _DryRunError
        except _DryRunError:
            return
    finally:
        engine.dispose()
