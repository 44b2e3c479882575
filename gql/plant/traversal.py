"""Walks over the graph: traverse, path, edges through time."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry
from sqlalchemy.orm import Session

from gql.base.connections import Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import DirectionEnum, Entity, EntityKindEnum, clock, entity_of
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.scalars import DateTime
from gql.plant.edges import Edge, EdgeConnection, edge_connection, edge_of
from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.pages import edge_versions_page
from graph.edges.queries import edge_versions_by_id
from graph.entities.queries import entities_get
from graph.errors import BadInputError
from graph.walk.below import below_during
from graph.walk.model import Reached, Step, Way
from graph.walk.queries import entities_check, path, traverse


@strawberry.type
class Traversal:
    """What a walk reached."""

    reached: strawberry.Private[Reached]
    node_ids: list[strawberry.ID] = strawberry.field(description="Same order as nodes, without loading them.")
    depths: list[int]
    truncated: bool = strawberry.field(description="True where `limit` cut the walk short.")

    @strawberry.field
    async def nodes(self, info: Info) -> list[Entity]:
        """Reached entities, nearest first, each once; the start is not among them."""
        found = await asyncio.gather(*(load(info.context, entities_get, each) for each in self.reached.ids))
        return [entity_of(row) for row in found if row is not None]

    @strawberry.field
    async def edges(self, info: Info) -> list[Edge]:
        """The edges the walk followed."""
        found = await asyncio.gather(*(load(info.context, edge_versions_by_id, each) for each in self.reached.edge_ids))
        return [edge_of(version) for version in found if version is not None]


@strawberry.type
class Path:
    """A way from one entity to another."""

    way: strawberry.Private[Way]
    length: int

    @strawberry.field
    async def nodes(self, info: Info) -> list[Entity]:
        """The entities on the way, both ends included."""
        found = await asyncio.gather(*(load(info.context, entities_get, each) for each in self.way.ids))
        return [entity_of(row) for row in found if row is not None]

    @strawberry.field
    async def edges(self, info: Info) -> list[Edge]:
        """The edges on the way."""
        found = await asyncio.gather(*(load(info.context, edge_versions_by_id, each) for each in self.way.edge_ids))
        return [edge_of(version) for version in found if version is not None]


@strawberry.input
class TraverseStep:
    """One step of a walk: 1 to depth hops over these relationships."""

    relationships: list[str]
    direction: DirectionEnum = Direction.OUT  # type: ignore[valid-type]
    depth: int = 1
    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None
    include_start: bool = strawberry.field(default=False, description="Pass the nodes it starts from on too.")


@strawberry.input
class TraverseInput:
    """A walk.

    Each step starts from every node the step before reached (the first: from the start). Only the last step's
    nodes are returned. One step with depth n walks 1 to n hops.
    """

    start_ids: list[strawberry.ID]
    steps: list[TraverseStep]
    limit: int = strawberry.field(default=1000, description="1..10000")
    as_of: DateTime | None = None
    known_at: DateTime | None = None


@strawberry.type
class TraversalQuery:
    """Walks."""

    @strawberry.field
    async def traverse(self, info: Info, input: TraverseInput) -> Traversal:
        """Walk the graph from some entities on, step by step."""
        steps = [
            Step(
                tuple(sorted(set(step.relationships))),
                step.direction,
                step.depth,
                None if step.kinds is None else frozenset(step.kinds),
                None if step.types is None else frozenset(step.types),
                step.include_start,
            )
            for step in input.steps
        ]
        reached = await info.context.read(
            traverse,
            start_ids=[uuid_named(each, "input", "startIds", str(n)) for n, each in enumerate(input.start_ids)],
            steps=steps,
            limit=input.limit,
            with_edges=_wants(info, "edges"),
            as_of=input.as_of,
            known_at=input.known_at,
        )
        return Traversal(
            reached=reached,
            node_ids=[strawberry.ID(str(each)) for each in reached.ids],
            depths=reached.depths,
            truncated=reached.truncated,
        )

    @strawberry.field
    async def path(
        self,
        info: Info,
        from_id: strawberry.ID,
        to_id: strawberry.ID,
        relationships: list[str] | None = None,
        direction: DirectionEnum = Direction.ANY,  # type: ignore[valid-type]
        max_depth: int = 16,
        as_of: DateTime | None = None,
        known_at: DateTime | None = None,
    ) -> Path | None:
        """A shortest path, or null."""
        way = await info.context.read(
            path,
            from_id=uuid_named(from_id, "fromId"),
            to_id=uuid_named(to_id, "toId"),
            relationships=relationships,
            direction=direction,
            depth_max=max_depth,
            as_of=as_of,
            known_at=known_at,
        )
        return None if way is None else Path(way=way, length=len(way.edge_ids))

    @strawberry.field
    async def edge_versions(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        entity_ids: list[strawberry.ID] | None = None,
        under_id: strawberry.ID | None = None,
        relationships: list[str] | None = None,
        to: DateTime | None = None,
        first: int = 500,
        after: str | None = None,
    ) -> EdgeConnection:
        """Every version of every edge that touches [from, to) at these entities, or below one.

        What a client needs to move through time by itself.
        """
        if (entity_ids is None) == (under_id is None):
            raise BadInputError("Give either entityIds or underId.", path=("entityIds",))
        ids = [uuid_named(each, "entityIds", str(n)) for n, each in enumerate(entity_ids or ())]
        under = None if under_id is None else uuid_named(under_id, "underId")
        ends = clock(info) if to is None else to
        request, count = page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[EdgeVersion]:
            if under is None:
                inside = entities_check(session, organization_id=organization_id, ids=ids, path="entityIds")
            else:
                roots = entities_check(session, organization_id=organization_id, ids=[under], path="underId")
                inside = below_during(
                    session, organization_id=organization_id, entity_ids=roots, begins=from_, ends=ends
                )
            page = edge_versions_page(
                session,
                organization_id=organization_id,
                entity_ids=inside,
                begins=from_,
                ends=ends,
                page=request,
                relationships=relationships,
            )
            return rows_of(page, count=count)

        return edge_connection(await info.context.read(read))


def _wants(info: Info, name: str) -> bool:
    return any(selected.name == name for field in info.selected_fields for selected in field.selections)  # type: ignore[union-attr]
