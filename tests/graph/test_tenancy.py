"""Functions that act as the owner show an organization nothing of another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from graph.errors import NotFoundError
from graph.instants import moment_resolve
from graph.kinds import EntityKind
from graph.walk.queries import below
from graph.walk.snapshot.cache import Snapshots
from testing.installation import PROJECT
from testing.world import World, place

_LOOKS = text(
    "SELECT (SELECT count(*) FROM entities_in_boxes(:organization_id, '((-180,-90),(180,90))', NULL)),"
    " (SELECT count(*) FROM entities_named_like(:organization_id, '%')),"
    " (SELECT count(*) FROM entities_searched(:organization_id, '', ARRAY['SPACE'], 10)),"
    " (SELECT count(*) FROM edges_recorded_since(:organization_id, '-infinity', 10))"
)


def test_an_organization_is_found_by_its_own_transactions_alone(worlds: Callable[[str], World]) -> None:
    ours, theirs = worlds("ours"), worlds("theirs")
    hall, room = place(ours, [shapely.box(0, 0, 2, 2), shapely.box(1, 1, 2, 2)])
    ours.edge(hall, "CONTAINS", room)
    parameters = {"organization_id": ours.organization_id}
    with ours.session() as session:
        assert tuple(session.execute(_LOOKS, parameters).one()) == (2, 2, 2, 1)
    with theirs.session() as session:
        assert tuple(session.execute(_LOOKS, parameters).one()) == (0, 0, 0, 0)
    with Session(ours.api) as session:
        assert tuple(session.execute(_LOOKS, parameters).one()) == (0, 0, 0, 0)


def test_a_graph_in_memory_is_walked_by_its_own_organization_alone(worlds: Callable[[str], World]) -> None:
    """The copy knows no row security: the clock, which does, is asked before it."""
    ours, theirs = worlds("ours"), worlds("theirs")
    hall, room = ours.entities(EntityKind.SPACE, 2)
    ours.edge(hall, "CONTAINS", room)
    snapshots = Snapshots()
    with ours.session(snapshots) as session:
        assert below(session, organization_id=ours.organization_id, entity_ids=[hall]) == [hall, room]
    assert snapshots.organization_ids == [ours.organization_id]
    with theirs.session(snapshots) as session:
        for organization_id in (ours.organization_id, theirs.organization_id):
            with pytest.raises(NotFoundError):
                below(session, organization_id=organization_id, entity_ids=[hall])
            with pytest.raises(NotFoundError):
                moment_resolve(session, organization_id=ours.organization_id, as_of=None, known_at=None)


# Where a confined transaction sees the whole organization, and how often: for checks, and for what is answered to nobody.
UNSCOPED = {
    # Edges of one entity, and of many, that a change concerns, which is refused where one leads elsewhere.
    "graph/edges/queries.py": 2,
    # Circles, of one edge and of many.
    "graph/edges/checks.py": 2,
    # External ids that are taken.
    "graph/entities/operations.py": 1,
    # External ids that the parts of a clone may have.
    "domain/nodes/clone.py": 1,
    # The log of updates of events.
    "domain/rules/events/updates.py": 1,
    # Places in the trail.
    "graph/trail.py": 2,
    # Batches in which the caller's readings are.
    "domain/telemetry/dead_letters/operations.py": 1,
    # The caller's own sessions.
    "domain/plant/organizations/sessions.py": 1,
}


def test_where_a_confined_transaction_sees_more_is_known() -> None:
    """Another place is a decision: what is read there must not reach an answer."""
    uses: Counter[str] = Counter()
    for package in ("graph", "domain", "gql", "argus", "workers"):
        for path in (PROJECT / package).rglob("*.py"):
            count = len(re.findall(r"\bwith unscoped\(", path.read_text("utf-8")))
            if count:
                uses[str(path.relative_to(PROJECT))] = count
    assert uses == UNSCOPED
