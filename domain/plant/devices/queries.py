"""Read details of devices, when they were last heard, and how many assets they serve."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, cast, distinct, exists, func, select
from sqlalchemy.orm import Session

from domain.plant.devices.model import DEVICE, Connectivity, DeviceDetails
from domain.plant.devices.tables import device_presence
from domain.plant.entity_kind import details_get
from graph.ids import EntityId
from graph.instants import moment_resolve
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from graph.tables import entities, entity_edges


def device_details_get(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> dict[EntityId, DeviceDetails]:
    """Return the details of these devices; ids of anything else are left out. One statement."""
    result = details_get(session, organization_id=organization_id, spec=DEVICE, ids=ids)
    return {device_id: DeviceDetails(**details) for device_id, details in result.items()}


def device_presence_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[EntityId, datetime]:
    """Return when each of these devices was last heard, by receipt; one never heard is left out. One statement."""
    rows = session.execute(
        select(device_presence.c.device_id, device_presence.c.last_seen_at).where(
            device_presence.c.organization_id == organization_id,
            device_presence.c.device_id == any_(cast(list(ids), ARRAY(Uuid))),
        )
    )
    return {EntityId(row.device_id): row.last_seen_at.astimezone(UTC) for row in rows}


def connectivity_of(last_seen_at: datetime | None, *, now: datetime, offline_after: timedelta) -> Connectivity:
    """Return a device's connectivity by when it was last heard; exactly `offline_after` ago is still online."""
    if last_seen_at is None:
        return Connectivity.NEVER_SEEN
    return Connectivity.ONLINE if last_seen_at >= now - offline_after else Connectivity.OFFLINE


def connectivity_condition(
    connectivity: Connectivity, *, now: datetime, offline_after: timedelta
) -> ColumnElement[bool]:
    """Return a condition on `entities` that selects devices of this connectivity, as `connectivity_of` has it."""
    of_device = and_(
        device_presence.c.organization_id == entities.c.organization_id, device_presence.c.device_id == entities.c.id
    )
    since = now - offline_after
    match connectivity:
        case Connectivity.NEVER_SEEN:
            condition: ColumnElement[bool] = ~exists().where(of_device)
        case Connectivity.ONLINE:
            condition = exists().where(of_device, device_presence.c.last_seen_at >= since)
        case Connectivity.OFFLINE:
            condition = exists().where(of_device, device_presence.c.last_seen_at < since)
    return and_(entities.c.kind == EntityKind.DEVICE, condition)


def linked_assets_count(
    session: Session, *, organization_id: int, ids: Sequence[UUID], as_of: datetime | None = None
) -> dict[EntityId, int]:
    """Return how many assets each device monitors or controls as of the time (default now). Two statements."""
    moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=None)
    edges = entity_edges.c
    rows = session.execute(
        select(edges.target_id, func.count(distinct(edges.source_id)).label("assets"))
        .where(
            edges.organization_id == organization_id,
            edges.target_id == any_(cast(list(ids), ARRAY(Uuid))),
            edges.relationship.in_(LINKS),
            edges.source_kind == EntityKind.ASSET,
            func.upper_inf(edges.recorded),
            edges.valid.contains(moment.as_of),
        )
        .group_by(edges.target_id)
    )
    return {**dict.fromkeys(map(EntityId, ids), 0), **{EntityId(row.target_id): row.assets for row in rows}}
