"""Bind transactions to an organization and, for confined callers, to an access scope: for row-level security."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from graph.errors import BeyondScopeError

_SET = text("SELECT set_config('argus.organization_id', :organization_id, true)")
_ROLE = text("SELECT set_config('role', :role, true)")
_SEEN = text("SELECT id FROM entities WHERE organization_id = :organization_id AND id = ANY (:ids)")
_SCOPED_ROLE: Final = "argus_scoped"
_KEY: Final = "access_scope"


@dataclass(frozen=True, slots=True)
class ScopeBound:
    """What a transaction is confined to. revision: of the graph, than which the scope is not older."""

    roots: tuple[UUID, ...]
    revision: int


def organization_set(session: Session, *, organization_id: int) -> None:
    """Bind the current transaction of `session` to one organization, until it ends."""
    session.execute(_SET, {"organization_id": str(organization_id)})


def scope_bound_set(session: Session, bound: ScopeBound) -> None:
    """Note that the session's transaction is confined; see `graph.walk.scopes.scope_bind`, which does it."""
    session.info[_KEY] = bound


def scope_bound(session: Session) -> ScopeBound | None:
    """Return what the session's transaction is confined to; None: to nothing."""
    bound: ScopeBound | None = session.info.get(_KEY)
    return bound


@contextmanager
def unscoped(session: Session) -> Iterator[None]:
    """Let a block see the whole organization in a confined transaction: for checks that have to, never for answers.

    Whether a change contradicts something is so for everybody; what it contradicts is nobody's who cannot see it.
    """
    if scope_bound(session) is None:
        yield
        return
    session.execute(_ROLE, {"role": "none"})
    try:
        yield
    except DBAPIError:
        # The transaction is over, and the role with it.
        raise
    except BaseException:
        session.execute(_ROLE, {"role": _SCOPED_ROLE})
        raise
    session.execute(_ROLE, {"role": _SCOPED_ROLE})


def beyond_scope_check(session: Session, *, organization_id: int, ids: Collection[UUID], what: str) -> None:
    """Raise BeyondScopeError where a confined transaction does not see all of these entities. what: says why."""
    if beyond_scope_ids(session, organization_id=organization_id, ids=ids):
        raise BeyondScopeError(what)


def beyond_scope_ids(session: Session, *, organization_id: int, ids: Collection[UUID]) -> set[UUID]:
    """Return those of these entities that a confined transaction does not see; none where it is not confined."""
    if scope_bound(session) is None or not ids:
        return set()
    return set(ids) - set(session.scalars(_SEEN, {"organization_id": organization_id, "ids": list(ids)}))
