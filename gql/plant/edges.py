"""Edges: time-bound relationships, and the links of devices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.plant.devices.links import device_link, device_unlink, link_metadata_check
from gql.access.principal import OPERATORS
from gql.base.connections import Rows
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import LINKS, EdgeConnection, Entity, Node, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError
from graph.absent import ABSENT
from graph.change import GraphChange
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_correct, edge_create, edge_end, edge_retract
from graph.edges.replace import Replacement, edges_replace_target
from graph.entities.queries import entities_get, entity_get
from graph.errors import BadInputError, NotFoundError
from graph.kinds import EntityKind


@strawberry.type
class Edge(Node):
    """A time-bound relationship, bitemporal: source RELATIONSHIP target, e.g. asset MONITORED_BY device.

    Each correction makes a new version. Mutations take the id of the edge or of any version, and act on what is
    believed now.

    Attributes:
        id: Id of this version of the edge.
        edge_id: Id of the edge, the same through all its corrections.
        relationship: Name of the relationship, read from source to target.
        port: Port of the device at which it is linked; null: none.
        exclusive: Whether no other edge may have its place at the same time: by choice, the port of a device among the
            edges of the relationship from entities of the source's kind; else what the relationship says. False: it is
            shared.
        metadata: JSON object that was given with the edge. `metrics_mapping` renames and selects the metrics of a link.
        valid_from: Instant from which the relationship holds in the world (valid time), inclusive.
        valid_until: Instant at which the relationship ends in the world (valid time), exclusive; null: it is open.
        recorded_at: When this version was recorded (system time).
        retracted_at: When this version was superseded or retracted (system time); null: it is believed now.
    """

    version: strawberry.Private[EdgeVersion]
    edge_id: strawberry.ID
    relationship: str
    port: int | None
    exclusive: bool
    metadata: JSON
    valid_from: DateTime
    valid_until: DateTime | None
    recorded_at: DateTime
    retracted_at: DateTime | None

    @strawberry.field
    async def source(self, info: Info) -> Entity:
        """The entity at which the edge begins."""
        return await _end(info, self.version.source_id)

    @strawberry.field
    async def target(self, info: Info) -> Entity:
        """The entity at which the edge ends."""
        return await _end(info, self.version.target_id)


@strawberry.input
class CreateEdgeInput:
    """A new edge.

    Attributes:
        source_id: Id of the entity at which the edge begins.
        target_id: Id of the entity at which the edge ends.
        relationship: Name of the relationship, as listed by `relationships`. KIND_NOT_ALLOWED where it does not join
            them.
        port: Port of the target device, for links. Default: none.
        exclusive: True: no other edge of the relationship, from an entity of the source's kind, leads to that port of
            the device at the same time. Default: as the relationship says; false for most.
        valid_from: Instant from which it holds in the world, inclusive. Default: now.
        valid_until: Instant at which it ends in the world, exclusive. Default: open.
        metadata: JSON object that is kept with the edge; of MONITORED_BY and CONTROLLED_BY as `linkDevice` has it.
            Default: {}.
    """

    source_id: strawberry.ID
    target_id: strawberry.ID
    relationship: str
    port: int | None = None
    exclusive: bool | None = None
    valid_from: DateTime | None = None
    valid_until: DateTime | None = None
    metadata: JSON | None = None


@strawberry.input
class LinkDeviceInput:
    """A link of a device to an asset or a space, whose metrics the device measures or controls.

    Attributes:
        asset_id: Id of the asset or space.
        relationship: MONITORED_BY or CONTROLLED_BY.
        port: Port of the device whose readings are meant. Default: the readings without a port.
        exclusive: True: no other asset (or no other space) has that port over the relationship at the same time.
            Default: false for MONITORED_BY, since sensors may be shared; true for an asset CONTROLLED_BY a device.
        valid_from: Instant from which the link holds, inclusive. Default: now.
        valid_until: Instant at which the link ends, exclusive. Default: open.
        metadata: JSON object of a `metrics_mapping`, {deviceMetric: assetMetric}, which renames and selects; without it
            all metrics pass. Any other member is refused.
    """

    device_id: strawberry.ID
    asset_id: strawberry.ID
    relationship: str = "MONITORED_BY"
    port: int | None = None
    exclusive: bool | None = None
    valid_from: DateTime | None = None
    valid_until: DateTime | None = None
    metadata: JSON | None = None


@strawberry.type
class EdgePayload:
    """Result of a mutation of an edge.

    Attributes:
        edge: The version of the edge that was written; null if it was refused.
    """

    edge: Edge | None
    errors: list[UserError]


@strawberry.type
class ReplaceDevicePayload:
    """Result of a replacement of a device.

    Attributes:
        ended: Links of the old device, now ended.
        created: Links of the replacement, from that instant on.
    """

    ended: list[Edge] | None
    created: list[Edge] | None
    errors: list[UserError]


@mutations
class EdgeMutation:
    """Mutations of edges."""

    @mutation(OPERATORS, scoped=True)
    async def create_edge(self, info: Info, input: CreateEdgeInput) -> EdgePayload:
        """Create an edge: the relationship holds from `validFrom` until `validUntil`.

        OVERLAP where the same is recorded for a part of that time, CONFLICT where an exclusive place is taken, CYCLE in
        a hierarchy.
        """

        def prepare() -> Callable[..., EdgeVersion]:
            metadata = link_metadata_check(_object(input.metadata), relationship=input.relationship)
            return partial(
                edge_create,
                source_id=uuid_named(input.source_id, "sourceId"),
                target_id=uuid_named(input.target_id, "targetId"),
                relationship=input.relationship,
                port=input.port,
                exclusive=input.exclusive,
                valid_from=input.valid_from,
                valid_until=input.valid_until,
                metadata=metadata,
            )

        return await payload_of(info, _payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def end_edge(
        self, info: Info, id: strawberry.ID, at: DateTime | None = None, reason: str | None = None
    ) -> EdgePayload:
        """End an edge: the relationship stopped being true. To lengthen or move its validity use `correctEdge`.

        Args:
            id: Id of the edge or of a version of it.
            at: Instant in valid time, strictly inside the edge's validity. Default: now.
        """

        def prepare() -> Callable[..., EdgeVersion]:
            return partial(edge_end, edge_id=uuid_named(id, "id"), at=at)

        return await payload_of(info, _payload, prepare, under=(), reason=reason)

    @mutation(OPERATORS, scoped=True)
    async def correct_edge(
        self,
        info: Info,
        id: strawberry.ID,
        valid_from: DateTime | None = UNSET,
        valid_until: DateTime | None = UNSET,
        exclusive: bool | None = UNSET,
        retract: bool = False,
        reason: str | None = None,
    ) -> EdgePayload:
        """Correct an edge that never was as recorded: a new version supersedes the current one, kept as history.

        Args:
            id: Id of the edge or of a version of it.
            valid_from: Instant from which it holds in the world. Left out: unchanged; null is BAD_USER_INPUT.
            valid_until: Instant at which it ends in the world. Left out: unchanged; null: it is open again.
            exclusive: Whether it is to have its place alone. Left out: unchanged; null is BAD_USER_INPUT.
            retract: True: the relationship was never true. Not together with any other correction.
        """

        def prepare() -> Callable[..., EdgeVersion]:
            edge_id = uuid_named(id, "id")
            if retract:
                if any(item is not UNSET for item in (valid_from, valid_until, exclusive)):
                    raise BadInputError(
                        "Give retract alone: what was never true has nothing else to correct.", path=("retract",)
                    )
                return partial(edge_retract, edge_id=edge_id)
            if valid_from is None:
                raise BadInputError("validFrom cannot be null; leave it out to keep it.", path=("validFrom",))
            if exclusive is None:
                raise BadInputError("exclusive cannot be null; leave it out to keep it.", path=("exclusive",))
            return partial(
                edge_correct,
                edge_id=edge_id,
                valid_from=ABSENT if valid_from is UNSET else valid_from,
                valid_until=ABSENT if valid_until is UNSET else valid_until,
                exclusive=ABSENT if exclusive is UNSET else exclusive,
            )

        return await payload_of(info, _payload, prepare, under=(), reason=reason)

    @mutation(OPERATORS, scoped=True)
    async def link_device(self, info: Info, input: LinkDeviceInput) -> EdgePayload:
        """Link a device, or a port of it, to an asset or a space.

        Args:
            input: The link to create.
        """

        def prepare() -> Callable[..., EdgeVersion]:
            return partial(
                device_link,
                device_id=uuid_named(input.device_id, "deviceId"),
                asset_id=uuid_named(input.asset_id, "assetId"),
                relationship=input.relationship,
                port=input.port,
                exclusive=input.exclusive,
                valid_from=input.valid_from,
                valid_until=input.valid_until,
                metadata=_object(input.metadata),
            )

        return await payload_of(info, _payload, prepare)

    @mutation(OPERATORS, scoped=True)
    async def unlink_device(
        self,
        info: Info,
        device_id: strawberry.ID,
        asset_id: strawberry.ID,
        port: int | None = None,
        at: DateTime | None = None,
        reason: str | None = None,
    ) -> EdgePayload:
        """End the links of a device to an asset at exactly one port. NOT_FOUND where there is none at that instant.

        Args:
            asset_id: Id of the asset or space.
            port: Port of the device. Null: the links without a port, not those of all ports.
            at: Instant in valid time at which the links end. Default: now.
        """

        def prepare() -> Callable[..., list[EdgeVersion]]:
            device, asset = uuid_named(device_id, "deviceId"), uuid_named(asset_id, "assetId")
            return partial(device_unlink, device_id=device, asset_id=asset, port=port, at=at)

        def make(ended: list[EdgeVersion] | None, errors: list[UserError]) -> EdgePayload:
            return _payload(None if ended is None else ended[0], errors)

        return await payload_of(info, make, prepare, under=(), reason=reason)

    @mutation(OPERATORS, scoped=True)
    async def replace_device(
        self,
        info: Info,
        device_id: strawberry.ID,
        replacement_id: strawberry.ID,
        at: DateTime | None = None,
        reason: str | None = None,
    ) -> ReplaceDevicePayload:
        """End all links of a device at an instant and give its replacement the same ones from then on, in one step.

        Args:
            device_id: Id of the device that is replaced.
            replacement_id: Id of the device that takes its place.
            at: Instant in valid time of the replacement. Default: now.
        """

        def prepare() -> Callable[..., Replacement]:
            replaced, replacement = uuid_named(device_id, "deviceId"), uuid_named(replacement_id, "replacementId")

            def work(session: Session, *, change: GraphChange) -> Replacement:
                device = entity_get(
                    session,
                    organization_id=change.organization_id,
                    entity_id=replaced,
                    kind=EntityKind.DEVICE,
                    path=("deviceId",),
                )
                return edges_replace_target(
                    session,
                    change=change,
                    target_id=device.id,
                    replacement_id=replacement,
                    relationships=LINKS,
                    at=at,
                )

            return work

        def make(done: Replacement | None, errors: list[UserError]) -> ReplaceDevicePayload:
            return ReplaceDevicePayload(
                ended=[] if done is None else [to_edge(version) for version in done.cut],
                created=[] if done is None else [to_edge(version) for version in done.created],
                errors=errors,
            )

        return await payload_of(info, make, prepare, under=(), reason=reason)


@converts(EdgeVersion)
def to_edge(version: EdgeVersion) -> Edge:
    """Convert a version of an edge to its GraphQL object."""
    return Edge(
        id=strawberry.ID(str(version.id)),
        version=version,
        edge_id=strawberry.ID(str(version.edge_id)),
        relationship=version.relationship,
        port=version.port,
        exclusive=version.exclusive,
        metadata=JSON(version.metadata),
        valid_from=DateTime(version.valid_from),
        valid_until=None if version.valid_until is None else DateTime(version.valid_until),
        recorded_at=DateTime(version.recorded_at),
        retracted_at=None if version.retracted_at is None else DateTime(version.retracted_at),
    )


def edge_connection(rows: Rows[EdgeVersion]) -> EdgeConnection:
    """Convert a page of edges to its GraphQL object."""
    return EdgeConnection(rows=rows, show=to_edge)


async def _end(info: Info, entity_id: Any) -> Entity:
    row = await load(info.context, entities_get, entity_id)
    if row is None:
        # By the change that is answered, it has left the part of the plant that a confined caller sees.
        raise NotFoundError(f"{entity_id} is not below what this token is confined to any longer.")
    return to_entity(row)


def _payload(version: EdgeVersion | None, errors: list[UserError]) -> EdgePayload:
    return EdgePayload(edge=None if version is None else to_edge(version), errors=errors)


def _object(metadata: Any) -> Any:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise BadInputError("metadata must be an object.", path=("metadata",))
    return metadata
