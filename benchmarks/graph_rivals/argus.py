"""Argus itself: the graph in PostgreSQL, walked in memory and by recursive SQL."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks.graph_rivals.data import OPEN, Data
from graph.direction import Direction
from graph.ids import EntityId
from graph.instants import moment_resolve
from graph.tenancy import organization_set
from graph.walk.model import DEPTH_MAX, Step
from graph.walk.snapshot.cache import Snapshots
from graph.walk.snapshot.model import Snapshot, micros_of
from graph.walk.snapshot.walk import SnapshotWalk
from graph.walk.sql import SqlWalk
from testing.world import World

T0 = datetime(2025, 1, 1, tzinfo=UTC)

_DESCENDANTS = text(
    """
    WITH RECURSIVE down (id) AS (
        SELECT CAST(:start AS uuid)
        UNION
        SELECT e.target_id FROM down d JOIN entity_edges e
            ON e.organization_id = :organization_id AND e.source_id = d.id AND e.relationship = :relationship
            AND e.valid @> CAST(:as_of AS timestamptz) AND upper_inf(e.recorded)
    )
    SELECT count(*) - 1 FROM down
    """
)
# Ids rise with their numbers, so that a number can be found again.
_ID = "CAST('01800000-0000-7000-8000-' || lpad(to_hex({}), 12, '0') AS uuid)"


def at(unit: int) -> datetime:
    """Return a time unit as an instant: hours from T0."""
    return T0 + timedelta(hours=int(unit))


def node_id(number: int) -> EntityId:
    """Return a node's id."""
    return EntityId(UUID(f"01800000-0000-7000-8000-{number:012x}"))


def store(owner: Engine, world: World, data: Data) -> None:
    """Write the graph as it would be after all changes. Exclusion is checked by Argus at each change, not here."""
    with owner.begin() as connection:
        for constraint in ("believed", "exclusive", "shared", "version"):
            connection.execute(text(f"ALTER TABLE entity_edges DROP CONSTRAINT IF EXISTS ex_entity_edges_{constraint}"))
        connection.execute(
            text(
                "INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)"
                f" SELECT :o, {_ID.format('n')}, :kind, 'n' || n, 'active', :t, :t FROM generate_series(0, :last) n"
            ),
            {"o": world.organization_id, "kind": data.kind, "t": T0, "last": data.nodes - 1},
        )
        connection.execute(text("CREATE TEMPORARY TABLE bench (s int, t int, b int, e int) ON COMMIT DROP"))
        raw = connection.connection.driver_connection
        assert raw is not None
        with raw.cursor() as cursor, cursor.copy("COPY bench FROM STDIN") as copy:
            columns = zip(*(c.tolist() for c in (data.source, data.target, data.begins, data.ends)), strict=True)
            copy.write("".join(f"{s}\t{t}\t{b}\t{e}\n" for s, t, b, e in columns))
        connection.execute(
            text(
                "INSERT INTO entity_edges (organization_id, id, edge_id, relationship, source_id, source_kind,"
                " target_id, target_kind, valid, recorded)"
                f" SELECT :o, gen_random_uuid(), gen_random_uuid(), :r, {_ID.format('s')}, :kind, {_ID.format('t')},"
                " :kind, tstzrange(CAST(:t0 AS timestamptz) + b * interval '1 hour',"
                " CASE WHEN e < :open THEN CAST(:t0 AS timestamptz) + e * interval '1 hour' END),"
                " tstzrange(CAST(:t0 AS timestamptz), NULL) FROM bench"
            ),
            {"o": world.organization_id, "r": data.relationship, "kind": data.kind, "t0": T0, "open": OPEN},
        )
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


class InMemory:
    """The snapshot, walked as the API walks it."""

    name = "snapshot"

    def __init__(self, world: World, data: Data) -> None:
        self._data = data
        began = time.perf_counter()
        with world.session(snapshots := Snapshots(bytes_max=1 << 32)) as session:
            self.snapshot = snapshot_of(session, world, snapshots)
        self.load_s = time.perf_counter() - began

    def _walk(self, as_of: int) -> SnapshotWalk:
        return SnapshotWalk(self.snapshot, micros_of(at(as_of)), otherwise=None)  # type: ignore[arg-type]

    def descendants(self, start: int, as_of: int) -> int:
        """Return how many there are."""
        step = Step((self._data.relationship,), depth=DEPTH_MAX)
        reached = self._walk(as_of).reach_indices(start=node_id(start), step=step)
        assert reached is not None
        # A step may come back to its start where edges go round; here none does.
        return len(reached[0])

    def path(self, begin: int, end: int, as_of: int) -> int | None:
        """Return the length of a shortest path; None: there is none."""
        way = self._walk(as_of).path(
            from_id=node_id(begin),
            to_id=node_id(end),
            relationships=(self._data.relationship,),
            direction=Direction.OUT,
            depth_max=DEPTH_MAX,
        )
        return None if way is None else len(way.edge_ids)


class BySql:
    """One recursive statement for descendants; a statement a level, from both ends, for paths."""

    name = "recursive SQL"

    def __init__(self, world: World, data: Data) -> None:
        self._data = data
        self._world = world
        self._session = Session(world.api)
        organization_set(self._session, organization_id=world.organization_id)

    def descendants(self, start: int, as_of: int) -> int:
        """Return how many there are."""
        values = {"start": node_id(start), "relationship": self._data.relationship, "as_of": at(as_of)}
        values["organization_id"] = self._world.organization_id
        return int(self._session.execute(_DESCENDANTS, values).scalar_one())

    def path(self, begin: int, end: int, as_of: int) -> int | None:
        """Return the length of a shortest path; None: there is none."""
        organization_id = self._world.organization_id
        moment = moment_resolve(self._session, organization_id=organization_id, as_of=at(as_of), known_at=None)
        way = SqlWalk(self._session, organization_id, moment).path(
            from_id=node_id(begin),
            to_id=node_id(end),
            relationships=(self._data.relationship,),
            direction=Direction.OUT,
            depth_max=DEPTH_MAX,
        )
        return None if way is None else len(way.edge_ids)

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()


def snapshot_of(session: Session, world: World, snapshots: Snapshots) -> Snapshot:
    """Return the organization's snapshot as the session sees it."""
    clock = moment_resolve(session, organization_id=world.organization_id, as_of=None, known_at=None).clock
    assert clock is not None
    snapshot = snapshots.get(
        session, organization_id=world.organization_id, revision=clock.revision, recorded=clock.recorded
    )
    assert snapshot is not None
    return snapshot


def versions_bytes(snapshot: Snapshot) -> tuple[float, float]:
    """Return bytes an edge version: of the edges alone, and with the nodes."""
    edges = sum(table.nbytes for table in snapshot.tables)
    return edges / snapshot.edges, snapshot.nbytes / snapshot.edges


def random_instants(count: int, span: int) -> list[int]:
    """Return instants to ask for."""
    return [int(instant) for instant in np.random.default_rng(7).integers(span // 10, span, count)]
