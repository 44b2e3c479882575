"""Edges: time-bound relationships, and the links of devices."""

from __future__ import annotations

from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.plant.devices.links import device_link, device_unlink
from gql.base.connections import PageInfo, Rows
from gql.base.context import Info
from gql.base.entities import Entity, Node, entity_of
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.scalars import JSON, DateTime
from gql.base.shown import shows, shows_pages_of
from gql.errors import UserError
from gql.plant.devices import LINKS
from graph.absent import ABSENT
from graph.change import GraphChange
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_create, edge_end, edge_retract
from graph.edges.replace import Replacement, edges_replace_target
from graph.entities.queries import entities_get, entity_get
from graph.errors import BadInputError
from graph.kinds import EntityKind


@strawberry.type
class Edge(Node):
    """A time-bound relationship: source RELATIONSHIP target, e.g. asset MONITORED_BY device.

    `id` names this version; mutations accept it or edgeId and act on the current belief.
    """

    version: strawberry.Private[EdgeVersion]
    edge_id: strawberry.ID = strawberry.field(description="Names the edge through all its corrections.")
    relationship: str
    port: int | None
    metadata: JSON
    valid_from: DateTime
    valid_until: DateTime | None
    recorded_at: DateTime
    retracted_at: DateTime | None

    @strawberry.field
    async def source(self, info: Info) -> Entity:
        """Where it comes from."""
        return await _end(info, self.version.source_id)

    @strawberry.field
    async def target(self, info: Info) -> Entity:
        """Where it leads."""
        return await _end(info, self.version.target_id)


@strawberry.type
class EdgeEdge:
    """An edge in a list."""

    cursor: str
    node: Edge


@strawberry.type
class EdgeConnection:
    """A page of edges."""

    rows: strawberry.Private[Rows[EdgeVersion]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[Edge]:
        """The edges."""
        return [edge_of(version) for version in self.rows.items]

    @strawberry.field
    def edges(self) -> list[EdgeEdge]:
        """The edges, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [EdgeEdge(cursor=cursor, node=edge_of(version)) for version, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.input
class CreateEdgeInput:
    """A new edge. validFrom defaults to now, validUntil to open."""

    source_id: strawberry.ID
    target_id: strawberry.ID
    relationship: str
    port: int | None = None
    valid_from: DateTime | None = None
    valid_until: DateTime | None = None
    metadata: JSON | None = None


@strawberry.input
class LinkDeviceInput:
    """A new link.

    metadata.metrics_mapping {deviceMetric: assetMetric} renames and selects; without it every metric passes under
    its own name.
    """

    device_id: strawberry.ID
    asset_id: strawberry.ID
    relationship: str = "MONITORED_BY"
    port: int | None = None
    valid_from: DateTime | None = None
    valid_until: DateTime | None = None
    metadata: JSON | None = None


@strawberry.type
class EdgePayload:
    """The edge as it is now believed; null if refused."""

    edge: Edge | None
    errors: list[UserError]


@strawberry.type
class ReplaceDevicePayload:
    """The links of the device that ended, and those its replacement has from then on."""

    ended: list[Edge]
    created: list[Edge]
    errors: list[UserError]


@strawberry.type
class EdgeMutation:
    """Mutations of edges."""

    @strawberry.mutation
    async def create_edge(self, info: Info, input: CreateEdgeInput) -> EdgePayload:
        """Record that a relationship holds, from validFrom (default now) until validUntil (default open)."""

        def work(session: Session, change: GraphChange) -> EdgeVersion:
            return edge_create(
                session,
                change=change,
                source_id=uuid_named(input.source_id, "sourceId"),
                target_id=uuid_named(input.target_id, "targetId"),
                relationship=input.relationship,
                port=input.port,
                valid_from=input.valid_from,
                valid_until=input.valid_until,
                metadata=_object(input.metadata),
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def end_edge(
        self, info: Info, id: strawberry.ID, at: DateTime | None = None, reason: str | None = None
    ) -> EdgePayload:
        """The relationship stopped being true at `at` (default now), which must lie inside its validity.

        To lengthen or move it, correctEdge.
        """

        def work(session: Session, change: GraphChange) -> EdgeVersion:
            return edge_end(session, change=change, edge_id=uuid_named(id, "id"), at=at)

        return await payload_of(info, _payload, work, under=(), reason=reason)

    @strawberry.mutation
    async def correct_edge(
        self,
        info: Info,
        id: strawberry.ID,
        valid_from: DateTime | None = UNSET,
        valid_until: DateTime | None = UNSET,
        retract: bool = False,
        reason: str | None = None,
    ) -> EdgePayload:
        """It never was as recorded: the old belief is closed, the new one written.

        An absent argument is unchanged, validUntil: null opens it again. retract: it was never true; stands alone.
        """

        def work(session: Session, change: GraphChange) -> EdgeVersion:
            edge_id = uuid_named(id, "id")
            if retract:
                if valid_from is not UNSET or valid_until is not UNSET:
                    raise BadInputError("retract stands alone: what was never true has no validity.", path=("retract",))
                return edge_retract(session, change=change, edge_id=edge_id)
            if valid_from is None:
                raise BadInputError("validFrom cannot be null; leave it out to keep it.", path=("validFrom",))
            return edge_correct(
                session,
                change=change,
                edge_id=edge_id,
                valid_from=ABSENT if valid_from is UNSET else valid_from,
                valid_until=ABSENT if valid_until is UNSET else valid_until,
            )

        return await payload_of(info, _payload, work, under=(), reason=reason)

    @strawberry.mutation
    async def link_device(self, info: Info, input: LinkDeviceInput) -> EdgePayload:
        """Link a device, or a port of it, to an asset."""

        def work(session: Session, change: GraphChange) -> EdgeVersion:
            return device_link(
                session,
                change=change,
                device_id=uuid_named(input.device_id, "deviceId"),
                asset_id=uuid_named(input.asset_id, "assetId"),
                relationship=input.relationship,
                port=input.port,
                valid_from=input.valid_from,
                valid_until=input.valid_until,
                metadata=_object(input.metadata),
            )

        return await payload_of(info, _payload, work)

    @strawberry.mutation
    async def unlink_device(
        self,
        info: Info,
        device_id: strawberry.ID,
        asset_id: strawberry.ID,
        port: int | None = None,
        at: DateTime | None = None,
        reason: str | None = None,
    ) -> EdgePayload:
        """End the links of exactly that port (none: the portless ones) valid at `at` (default now)."""

        def work(session: Session, change: GraphChange) -> EdgeVersion:
            ended = device_unlink(
                session,
                change=change,
                device_id=uuid_named(device_id, "deviceId"),
                asset_id=uuid_named(asset_id, "assetId"),
                port=port,
                at=at,
            )
            return ended[0]

        return await payload_of(info, _payload, work, under=(), reason=reason)

    @strawberry.mutation
    async def replace_device(
        self,
        info: Info,
        device_id: strawberry.ID,
        replacement_id: strawberry.ID,
        at: DateTime | None = None,
        reason: str | None = None,
    ) -> ReplaceDevicePayload:
        """End every link of the device at `at`, and give its replacement the same ones from then on, in one step."""

        def work(session: Session, change: GraphChange) -> Replacement:
            device = entity_get(
                session,
                organization_id=change.organization_id,
                entity_id=uuid_named(device_id, "deviceId"),
                kind=EntityKind.DEVICE,
                path=("deviceId",),
            )
            return edges_replace_target(
                session,
                change=change,
                target_id=device.id,
                replacement_id=uuid_named(replacement_id, "replacementId"),
                relationships=LINKS,
                at=at,
            )

        def make(done: Replacement | None, errors: list[UserError]) -> ReplaceDevicePayload:
            return ReplaceDevicePayload(
                ended=[] if done is None else [edge_of(version) for version in done.cut],
                created=[] if done is None else [edge_of(version) for version in done.created],
                errors=errors,
            )

        return await payload_of(info, make, work, under=(), reason=reason)


@shows(EdgeVersion)
def edge_of(version: EdgeVersion) -> Edge:
    """Return a version of an edge as it is shown."""
    return Edge(
        id=strawberry.ID(str(version.id)),
        version=version,
        edge_id=strawberry.ID(str(version.edge_id)),
        relationship=version.relationship,
        port=version.port,
        metadata=JSON(version.metadata),
        valid_from=DateTime(version.valid_from),
        valid_until=None if version.valid_until is None else DateTime(version.valid_until),
        recorded_at=DateTime(version.recorded_at),
        retracted_at=None if version.retracted_at is None else DateTime(version.retracted_at),
    )


@shows_pages_of(EdgeVersion)
def edge_connection(rows: Rows[EdgeVersion]) -> EdgeConnection:
    """Return a page of edges as it is shown."""
    return EdgeConnection(rows=rows, page_info=rows.page_info)


async def _end(info: Info, entity_id: Any) -> Entity:
    row = await load(info.context, entities_get, entity_id)
    assert row is not None  # noqa: S101  (a foreign key holds it)
    return entity_of(row)


def _payload(version: EdgeVersion | None, errors: list[UserError]) -> EdgePayload:
    return EdgePayload(edge=None if version is None else edge_of(version), errors=errors)


def _object(metadata: Any) -> Any:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise BadInputError("metadata must be an object.", path=("metadata",))
    return metadata
