"""An organization in a test's database, and shorthands for changes of its graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import shapely
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from graph.change import GraphChange, graph_change_begin
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_create
from graph.edges.queries import edge_versions_by_id, edges_newest
from graph.geometry.geojson import geometry_of_geojson
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.relationships.operations import relationships_install
from graph.tables import entities
from graph.tenancy import organization_set
from graph.walk.snapshot.cache import INFO_KEY, Snapshots

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_NUMBERS = count(1)


def new_id() -> UUID:
    """Return the next identifier; like UUIDv7 they rise."""
    return UUID(int=(0x0190 << 112) | (7 << 76) | (2 << 62) | next(_NUMBERS))


def day(number: float) -> datetime:
    """Return an instant so many days after EPOCH."""
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class World:
    """One organization, reached as the API's role reaches it."""

    organization_id: int
    api: Engine

    @contextmanager
    def session(self, snapshots: Snapshots | None = None) -> Iterator[Session]:
        """One transaction, bound to the organization; it walks in memory where snapshots are given."""
        with Session(self.api, info={} if snapshots is None else {INFO_KEY: snapshots}) as session, session.begin():
            organization_set(session, organization_id=self.organization_id)
            yield session

    @contextmanager
    def changing(self, reason: str | None = None) -> Iterator[tuple[Session, GraphChange]]:
        """One transaction with one change."""
        with Session(self.api) as session, session.begin():
            yield session, self.change(session, reason)

    def change(self, session: Session, reason: str | None = None) -> GraphChange:
        """Begin the change of a transaction."""
        return graph_change_begin(
            session, organization_id=self.organization_id, actor="test", new_id=new_id, reason=reason
        )

    def entities(self, kind: EntityKind, number: int, type_name: str | None = None) -> list[EntityId]:
        """Make so many entities of a kind."""
        ids = [EntityId(new_id()) for _ in range(number)]
        common = {
            "organization_id": self.organization_id,
            "kind": kind,
            "type": type_name,
            "status": "active",
            "created_at": EPOCH,
            "updated_at": EPOCH,
        }
        with self.session() as session:
            if type_name is not None:
                self._type_ensure(session, kind, type_name)
            session.execute(
                insert(entities), [{**common, "id": entity_id, "name": f"{kind} {entity_id}"} for entity_id in ids]
            )
        return ids

    def entity(self, kind: EntityKind, type_name: str | None = None) -> EntityId:
        """Make one entity."""
        return self.entities(kind, 1, type_name)[0]

    def delete(self, session: Session, entity_id: UUID, at: datetime) -> None:
        """Mark an entity deleted."""
        session.execute(
            text("UPDATE entities SET deleted_at = :at WHERE organization_id = :organization_id AND id = :id"),
            {"at": at, "organization_id": self.organization_id, "id": entity_id},
        )

    def edge(self, source: UUID, relationship: str, target: UUID, **arguments: Any) -> EdgeVersion:
        """Create one edge in a separate change, from EPOCH on by default."""
        with self.changing() as (session, change):
            return edge_create(
                session,
                change=change,
                source_id=source,
                target_id=target,
                relationship=relationship,
                **{"valid_from": EPOCH, **arguments},
            )

    def _type_ensure(self, session: Session, kind: EntityKind, name: str) -> None:
        session.execute(
            text(
                "INSERT INTO entity_types (organization_id, id, kind, name, created_at, updated_at)"
                " VALUES (:organization_id, :id, :kind, :name, :now, :now) ON CONFLICT DO NOTHING"
            ),
            {
                "organization_id": self.organization_id,
                "id": new_id(),
                "kind": kind,
                "name": name,
                "now": EPOCH,
            },
        )


def world_create(*, owner: Engine, api: Engine, slug: str) -> World:
    """Make an organization as the owner of the tables does."""
    with Session(owner) as session, session.begin():
        organization_id = session.scalars(
            text(
                "INSERT INTO organizations (public_id, slug, name, created_at)"
                " VALUES (:public_id, :slug, :slug, :now) RETURNING id"
            ),
            {"public_id": new_id(), "slug": slug, "now": EPOCH},
        ).one()
        session.execute(
            text("INSERT INTO graph_clocks VALUES (:organization_id, :now, 0)"),
            {"organization_id": organization_id, "now": EPOCH},
        )
        organization_set(session, organization_id=organization_id)
        relationships_install(session, organization_id=organization_id, now=EPOCH)
    return World(int(organization_id), api)


def edge_get(session: Session, *, organization_id: int, edge_id: UUID) -> EdgeVersion:
    """Return the version of that id, or the newest version of the edge of that id, retracted or not."""
    versions = edge_versions_by_id(session, organization_id=organization_id, ids=[edge_id])
    return (
        versions[edge_id]
        if versions
        else edges_newest(session, organization_id=organization_id, ids=[edge_id])[edge_id]
    )


def place(world: World, shapes: Sequence[Any], kind: EntityKind = EntityKind.SPACE) -> list[EntityId]:
    """Insert entities with these shapes."""
    ids = [EntityId(new_id()) for _ in shapes]
    stored = [geometry_of_geojson(json.loads(shapely.to_geojson(shape))) for shape in shapes]
    rows = [
        {
            "organization_id": world.organization_id,
            "id": entity_id,
            "kind": kind,
            "name": "x",
            "status": "active",
            "attributes": {},
            "geometry": geometry.wkb,
            "bounds": geometry.bounds,
            "created_at": EPOCH,
            "updated_at": EPOCH,
        }
        for entity_id, geometry in zip(ids, stored, strict=True)
    ]
    if rows:
        with world.session() as session:
            session.execute(insert(entities), rows)
    return ids
