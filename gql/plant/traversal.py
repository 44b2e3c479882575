"""Walks over the graph: traverse, path, edges through time."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry
from sqlalchemy.orm import Session

from domain.nodes.names import NameKind
from gql.access.principal import VIEWERS
from gql.base.connections import Rows, paged, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import DirectionEnum, EdgeConnection, Entity, EntityKindEnum, clock, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.roots import queries, query
from gql.base.scalars import DateTime
from gql.errors import errors_under
from gql.plant.edges import Edge, edge_connection, to_edge
from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.pages import edge_versions_page
from graph.edges.queries import edge_versions_by_id
from graph.entities.queries import entities_get
from graph.errors import BadInputError
from graph.paging import PageRequest
from graph.texts import text_nfc
from graph.walk.below import below_during
from graph.walk.model import Path as PathRow
from graph.walk.model import Reached, Step
from graph.walk.queries import entities_check, path, traverse


@strawberry.type
class Traversal:
    """The result of a traversal of the graph.

    Attributes:
        node_ids: Ids of the entities reached, in the order of `nodes`, without loading them.
        depths: For each of `nodeIds`, the least number of hops to it.
        truncated: True where `limit` cut the result short.
    """

    reached: strawberry.Private[Reached]
    node_ids: list[strawberry.ID]
    depths: list[int]
    truncated: bool

    @strawberry.field
    async def nodes(self, info: Info) -> list[Entity]:
        """Entities reached, nearest first, each once. The start is not among them unless the last step includes it."""
        entities = await asyncio.gather(
            *(load(info.context, entities_get, entity_id) for entity_id in self.reached.ids)
        )
        return [to_entity(row) for row in entities if row is not None]

    @strawberry.field
    async def edges(self, info: Info) -> list[Edge]:
        """Edges that the traversal followed, nearest first, at most 10,000."""
        result = await asyncio.gather(
            *(load(info.context, edge_versions_by_id, edge_id) for edge_id in self.reached.edge_ids)
        )
        return [to_edge(version) for version in result if version is not None]


@strawberry.type
class Path:
    """A path from one entity to another.

    Attributes:
        length: Number of edges of the path.
    """

    row: strawberry.Private[PathRow]
    length: int

    @strawberry.field
    async def nodes(self, info: Info) -> list[Entity]:
        """Entities on the path in order, both ends included."""
        entities = await asyncio.gather(*(load(info.context, entities_get, entity_id) for entity_id in self.row.ids))
        return [to_entity(row) for row in entities if row is not None]

    @strawberry.field
    async def edges(self, info: Info) -> list[Edge]:
        """Edges of the path in order; one may point either way."""
        result = await asyncio.gather(
            *(load(info.context, edge_versions_by_id, edge_id) for edge_id in self.row.edge_ids)
        )
        return [to_edge(version) for version in result if version is not None]


@strawberry.input
class TraverseStep:
    """One step of a traversal: 1 to `depth` hops over these relationships.

    Attributes:
        relationships: Names of the relationships to follow.
        kinds: Which kinds of entity the step keeps; others are passed through all the same. Default: all.
        types: Which types of entity the step keeps, by name; others are passed through all the same. Default: all.
        include_start: True: the step keeps the entities it starts from, too, whatever their kind and type.
    """

    relationships: list[str]
    direction: DirectionEnum = Direction.OUT  # type: ignore[valid-type]
    depth: int = 1
    kinds: list[EntityKindEnum] | None = None  # type: ignore[valid-type]
    types: list[str] | None = None
    include_start: bool = False


@strawberry.input
class TraverseInput:
    """A traversal of the graph, step by step.

    Attributes:
        start_ids: Ids of the entities where the first step starts, at most 1,000.
        steps: Up to 16 steps. Each starts from every entity that the step before kept; what the last one keeps is
            returned.
        limit: Most entities that are returned, 1 to 10,000.
    """

    start_ids: list[strawberry.ID]
    steps: list[TraverseStep]
    limit: int = 1000
    as_of: DateTime | None = None
    known_at: DateTime | None = None


@queries
class TraversalQuery:
    """Walks."""

    @query(VIEWERS, scoped=True)
    async def traverse(self, info: Info, input: TraverseInput) -> Traversal:
        """Traverse the graph from some entities, step by step.

        Args:
            input: Where the traversal starts, and its steps.
        """
        steps = [
            Step(
                tuple(sorted(set(step.relationships))),
                step.direction,
                step.depth,
                None if step.kinds is None else frozenset(step.kinds),
                None if step.types is None else frozenset(map(text_nfc, step.types)),
                step.include_start,
            )
            for step in input.steps
        ]
        with errors_under("input"):
            reached = await info.context.read(
                traverse,
                start_ids=[uuid_named(start_id, "startIds", str(n)) for n, start_id in enumerate(input.start_ids)],
                steps=steps,
                limit=input.limit,
                with_edges=_wants(info, "edges"),
                as_of=input.as_of,
                known_at=input.known_at,
            )
        if not reached.ids:
            for place, step in enumerate(input.steps):
                info.context.unmatched_add_all(NameKind.TYPE, step.types, "input", "steps", str(place), "types")
        return Traversal(
            reached=reached,
            node_ids=[strawberry.ID(str(entity_id)) for entity_id in reached.ids],
            depths=reached.depths,
            truncated=reached.truncated,
        )

    @query(VIEWERS, scoped=True)
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
        """A shortest path from one entity to another, or null where there is none.

        Args:
            from_id: Id of the entity where the path begins.
            to_id: Id of the entity where the path ends.
            max_depth: Greatest number of edges of the path, 1 to 32.
        """
        row = await info.context.read(
            path,
            from_id=uuid_named(from_id, "fromId"),
            to_id=uuid_named(to_id, "toId"),
            relationships=relationships,
            direction=direction,
            depth_max=max_depth,
            as_of=as_of,
            known_at=known_at,
        )
        return None if row is None else Path(row=row, length=len(row.edge_ids))

    @query(VIEWERS, scoped=True)
    @paged(first=500)
    async def edge_versions(
        self,
        info: Info,
        from_: Annotated[DateTime, strawberry.argument(name="from")],
        *,
        page: PageRequest,
        entity_ids: list[strawberry.ID] | None = None,
        under_id: strawberry.ID | None = None,
        relationships: list[str] | None = None,
        to: DateTime | None = None,
    ) -> EdgeConnection:
        """All versions of all edges valid within [from, to) at these entities, corrected and retracted ones too.

        With these a client can move through time by itself. Exactly one of `entityIds` and `underId` is given.

        Args:
            from_: Start of the range of valid time, inclusive.
            entity_ids: Ids of the entities whose edges are listed.
            under_id: Id of an entity: edges of it and of all that was below it at some time in the range.
            to: End of the range of valid time, exclusive. Default: now.
        """
        if (entity_ids is None) == (under_id is None):
            raise BadInputError("Give either entityIds or underId.", path=("entityIds",))
        ids = [uuid_named(entity_id, "entityIds", str(n)) for n, entity_id in enumerate(entity_ids or ())]
        under = None if under_id is None else uuid_named(under_id, "underId")
        ends = clock(info) if to is None else to
        count = wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[EdgeVersion]:
            if under is None:
                inside = entities_check(session, organization_id=organization_id, ids=ids, path="entityIds")
            else:
                roots = entities_check(session, organization_id=organization_id, ids=[under], path="underId")
                inside = below_during(
                    session, organization_id=organization_id, entity_ids=roots, begins=from_, ends=ends
                )
            versions = edge_versions_page(
                session,
                organization_id=organization_id,
                entity_ids=inside,
                begins=from_,
                ends=ends,
                page=page,
                relationships=relationships,
            )
            return rows_of(versions, count=count)

        return edge_connection(await info.context.read(read))


def _wants(info: Info, name: str) -> bool:
    return any(selected.name == name for field in info.selected_fields for selected in field.selections)  # type: ignore[union-attr]
