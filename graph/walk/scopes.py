"""Access scopes: confine a transaction to what lies below some entities, as of now.

The database holds the wall, for whatever statement: the transaction goes on as the role argus_scoped, whose policies
let through the rows of the entities in the scope (migrations/versions/0004_access_scopes.py). What is below an entity
means what it means everywhere (graph/walk/below.py).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.ids import EntityId, NewId
from graph.instants import Clock, Moment, moment_resolve
from graph.relationships.builtin import LINKS
from graph.tenancy import ScopeBound, scope_bound, scope_bound_set
from graph.walk.below import below_select
from graph.walk.queries import walk_engine
from graph.walk.snapshot.cache import INFO_KEY

# Where a session keeps the scopes of its process, put there by what opens sessions.
SCOPES_KEY: Final = "access_scopes"
CHARS_MAX: Final = 64 * 1024 * 1024
# Links that do not hold now: their devices may have left the scope, or be yet to come.
_OTHER_LINKS = text(
    """
    SELECT DISTINCT e.source_id, e.target_id FROM entity_edges e
    WHERE e.organization_id = :organization_id AND e.relationship = ANY (:links) AND e.target_kind = 'DEVICE'
        AND upper_inf(e.recorded) AND NOT e.valid @> CAST(:now AS timestamptz)
    """
)
# When the first edge begins or ends from now on.
_NEXT = text(
    """
    SELECT least(min(lower(valid)) FILTER (WHERE lower(valid) > :now),
        min(upper(valid)) FILTER (WHERE upper(valid) > :now))
    FROM entity_edges WHERE organization_id = :organization_id AND upper_inf(recorded)
    """
)
_BIND = text(
    "SELECT set_config('argus.scope_roots', :roots, true), set_config('argus.scope', :ids, true),"
    " set_config('argus.scope_sources', :sources, true), set_config('role', 'argus_scoped', true)"
)
_CREATED = text("SELECT set_config('argus.scope_created', :ids, true)")
_EXISTING = text("SELECT id FROM entities WHERE organization_id = :organization_id AND id = ANY (CAST(:ids AS uuid[]))")
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scope:
    """What lies below some entities at one revision of the graph, from an instant until the next edge begins or ends.

    ids: of it, and sources: of the devices that were or will be linked to it, each an array's literal.
    """

    clock: Clock
    begins: datetime
    until: datetime
    ids: str
    sources: str

    def holds(self, moment: Moment) -> bool:
        """Return whether it is what a walk at this moment finds."""
        return moment.clock == self.clock and self.begins <= moment.as_of < self.until


class Scopes:
    """The scopes that one process has found lately. Any thread may use it. chars_max: of their ids together."""

    def __init__(self, *, chars_max: int = CHARS_MAX) -> None:
        self._chars_max = chars_max
        self._chars = 0
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, tuple[UUID, ...]], Scope] = OrderedDict()

    def get(self, session: Session, *, organization_id: int, under: tuple[UUID, ...], moment: Moment) -> Scope:
        """Return the scope at a moment that is now, remembered or found by a walk."""
        key = organization_id, under
        with self._lock:
            known = self._known.get(key)
            if known is not None and known.holds(moment):
                self._known.move_to_end(key)
                return known
        scope = scope_find(session, organization_id=organization_id, under=under, moment=moment)
        with self._lock:
            self._remove(key)
            self._known[key] = scope
            self._chars += _chars(scope)
            while self._chars > self._chars_max and self._known:
                self._remove(next(iter(self._known)))
        return scope

    def _remove(self, key: tuple[int, tuple[UUID, ...]]) -> None:
        scope = self._known.pop(key, None)
        self._chars -= 0 if scope is None else _chars(scope)


def scope_find(session: Session, *, organization_id: int, under: Sequence[UUID], moment: Moment) -> Scope:
    """Find what lies below some entities at a moment that is now; nothing below none."""
    assert moment.clock is not None  # noqa: S101  (of a moment that is now)
    if not under:
        return Scope(moment.clock, moment.as_of, _FOREVER, _array(()), _array(()))
    roots = [EntityId(entity_id) for entity_id in under]
    ids = set(walk_engine(session, organization_id=organization_id, moment=moment).below(roots=roots))
    values = {"organization_id": organization_id, "now": moment.as_of}
    links = session.execute(_OTHER_LINKS, {**values, "links": list(LINKS)})
    sources = {target for source, target in links if source in ids and target not in ids}
    until: datetime | None = session.execute(_NEXT, values).scalar_one()
    return Scope(moment.clock, moment.as_of, until or _FOREVER, _array(ids), _array(sources))


def scope_bind(session: Session, *, organization_id: int, under: Collection[UUID]) -> None:
    """Confine the current transaction, which serves the organization, to what lies below these entities now.

    Until it ends: other rows are not there for it, and cannot be written. No entity: nothing is there.
    """
    roots = tuple(under)
    moment = moment_resolve(session, organization_id=organization_id, as_of=None, known_at=None)
    scopes: Scopes | None = session.info.get(SCOPES_KEY)
    if scopes is None or moment.clock is None or moment.clock.own:
        # What a transaction has changed itself is remembered for nobody.
        scope = scope_find(session, organization_id=organization_id, under=roots, moment=moment)
    else:
        scope = scopes.get(session, organization_id=organization_id, under=roots, moment=moment)
    session.execute(_BIND, {"roots": _array(roots), "ids": scope.ids, "sources": scope.sources})
    # Graphs in memory are of the whole organization.
    session.info.pop(INFO_KEY, None)
    scope_bound_set(session, ScopeBound(roots, scope.clock.revision))


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
        created = set(self._session.scalars(_EXISTING, values))
        if not created:
            return created
        moment = moment_resolve(self._session, organization_id=organization_id, as_of=None, known_at=None)
        bound = scope_bound(self._session)
        roots = () if bound is None else bound.roots
        below = below_select(organization_id=organization_id, entity_ids=roots, moment=moment)
        return created - set(self._session.scalars(below))


def _array(ids: Collection[UUID]) -> str:
    """Return a literal of uuid[]: as one text, for a parameter of many UUIDs is slower."""
    return "{" + ",".join(entity_id.hex for entity_id in ids) + "}"


def _chars(scope: Scope) -> int:
    return len(scope.ids) + len(scope.sources)
