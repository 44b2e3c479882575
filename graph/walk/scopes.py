"""Access scopes: confine a transaction to what lies below some entities, as of now.

The database holds the wall, for whatever statement: the transaction goes on as the role argus_scoped, whose policies
let through the rows of the entities in the scope (migrations/versions/0004_access_scopes.py). What is below an entity
means what it means everywhere (graph/walk/below.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.ids import EntityId, NewId
from graph.instants import moment_resolve
from graph.walk.below import below_select
from graph.walk.queries import walk_engine
from graph.walk.snapshot.cache import INFO_KEY

_SCOPED: Final = "access_scope"
_REVISION: Final = "access_scope_revision"
# Devices that were ever linked to an entity of the scope, and are not in it now.
_SOURCES = text(
    """
    SELECT DISTINCT e.target_id FROM entity_edges e
    WHERE e.organization_id = :organization_id AND e.source_id = ANY (CAST(:ids AS uuid[]))
        AND e.relationship IN ('MONITORED_BY', 'CONTROLLED_BY') AND e.target_kind = 'DEVICE' AND upper_inf(e.recorded)
        AND NOT e.target_id = ANY (CAST(:ids AS uuid[]))
    """
)
_BIND = text(
    "SELECT set_config('argus.scope_roots', :roots, true), set_config('argus.scope', :ids, true),"
    " set_config('argus.scope_sources', :sources, true), set_config('role', 'argus_scoped', true)"
)
_CREATED = text("SELECT set_config('argus.scope_created', :ids, true)")
_OUTSIDE = text("SELECT id FROM entities WHERE organization_id = :organization_id AND id = ANY (CAST(:ids AS uuid[]))")


def scope_bind(session: Session, *, organization_id: int, under: Collection[UUID]) -> None:
    """Confine the current transaction, which serves the organization, to what lies below these entities now.

    Until it ends: other rows are not there for it, and cannot be written. No entity: nothing is there.
    """
    ids: list[EntityId] = []
    moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    assert moment.clock is not None  # noqa: S101  (of a moment that is now)
    if under:
        roots = [EntityId(entity_id) for entity_id in under]
        ids = walk_engine(session, organization_id=organization_id, moment=moment).below(roots=roots)
    below = _array(ids)
    sources = session.scalars(_SOURCES, {"organization_id": organization_id, "ids": below}) if ids else ()
    session.execute(_BIND, {"roots": _array(under), "ids": below, "sources": _array(list(sources))})
    # Graphs in memory are of the whole organization.
    session.info.pop(INFO_KEY, None)
    session.info[_SCOPED] = tuple(under)
    session.info[_REVISION] = moment.clock.revision


def is_scoped(session: Session) -> bool:
    """Return whether the session's transaction was confined."""
    return _SCOPED in session.info


def scope_revision(session: Session) -> int | None:
    """Return a revision of the graph than which the transaction's scope is not older; None: it was not confined."""
    revision: int | None = session.info.get(_REVISION)
    return revision


class ScopedIds:
    """Draws the identifiers of a confined change, whose rows it may see from then on.

    new_id: draws one.
    """

    def __init__(self, session: Session, new_id: NewId) -> None:
        self._session = session
        self._new_id = new_id
        self._drawn: list[UUID] = []

    def __call__(self) -> UUID:
        """Return a new identifier."""
        drawn = self._new_id()
        self._drawn.append(drawn)
        self._session.execute(_CREATED, {"ids": _array(self._drawn)})
        return drawn

    def outside(self, *, organization_id: int) -> set[UUID]:
        """Return the created entities that do not lie below the entities of the scope, as the change leaves them."""
        values = {"organization_id": organization_id, "ids": _array(self._drawn)}
        created = set(self._session.scalars(_OUTSIDE, values))
        if not created:
            return created
        moment = moment_resolve(self._session, organization_id=organization_id, as_of=None, known_at=None)
        roots: Sequence[UUID] = self._session.info[_SCOPED]
        below = below_select(organization_id=organization_id, entity_ids=roots, moment=moment)
        return created - set(self._session.scalars(below))


def _array(ids: Collection[UUID]) -> str:
    """Return a literal of uuid[]: as one text, for a parameter of many UUIDs is slower."""
    return "{" + ",".join(entity_id.hex for entity_id in ids) + "}"
