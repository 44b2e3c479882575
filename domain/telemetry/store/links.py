"""Read kinds, links and stored series: where every telemetry read starts. One statement each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, case, func, or_, select
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.telemetry.model.attribution import (
    BEGIN_US,
    END_US,
    Link,
    SeriesRow,
    Source,
    device_sources,
    linked_sources,
    mapping_of,
)
from domain.telemetry.store.tables import latest_values, series
from graph.errors import NotFoundError
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from graph.sql import any_of
from graph.tables import entities, entity_edges
from graph.walk.scopes import is_scoped

# What can be the source of a link.
LINKED_KINDS = frozenset({EntityKind.ASSET, EntityKind.SPACE})

_LINK = ("source_id", "target_id", "port", "metadata", "valid")


def kinds_get(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], path: Sequence[str] = ("entityIds",)
) -> Mapping[UUID, EntityKind]:
    """Return the kind of each entity, deleted ones too. Raises NotFoundError (at `path`) where one does not exist."""
    rows = session.execute(
        select(entities.c.id, entities.c.kind).where(
            entities.c.organization_id == organization_id, any_of(entities.c.id, entity_ids)
        )
    )
    kinds = {row.id: EntityKind(row.kind) for row in rows}
    missing = [entity_id for entity_id in entity_ids if entity_id not in kinds]
    if missing:
        msg = f"There is no entity {missing[0]}."
        raise NotFoundError(msg, path=path)
    return kinds


def links_list(
    session: Session,
    *,
    organization_id: int,
    source_ids: Collection[UUID] = (),
    device_ids: Collection[UUID] = (),
) -> list[Link]:
    """Return the links, as believed now and over all valid time, of these sources and of these devices."""
    if not source_ids and not device_ids:
        return []
    edges: Any = entity_edges.c
    if is_scoped(session):
        # Of devices that have left the scope, too.
        edges = func.links_of_scope(organization_id).table_valued(*(edges[name] for name in _LINK)).render_derived().c
        conditions = []
    else:
        conditions = [
            edges.organization_id == organization_id,
            edges.relationship.in_(LINKS),
            edges.target_kind == EntityKind.DEVICE,
            func.upper_inf(edges.recorded),
        ]
    until = case((func.upper_inf(edges.valid), None), else_=func.upper(edges.valid))
    rows = session.execute(
        select(
            edges.source_id,
            edges.target_id,
            edges.port,
            edges.metadata,
            func.lower(edges.valid).label("begins"),
            until.label("ends"),
        ).where(
            *conditions,
            or_(
                *([any_of(edges.source_id, source_ids)] if source_ids else []),
                *([any_of(edges.target_id, device_ids)] if device_ids else []),
            ),
        )
    )
    return [_link(row) for row in rows]


def series_rows(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], metrics: Collection[str] | None = None
) -> Mapping[UUID, Sequence[SeriesRow]]:
    """Return the stored series of these entities, by entity. metrics: as their devices name them; None: of all."""
    by_entity: dict[UUID, list[SeriesRow]] = {}
    if not entity_ids:
        return by_entity
    rows = session.execute(
        select(
            series.c.id,
            series.c.entity_id,
            series.c.port,
            series.c.metric,
            series.c.unit,
            latest_values.c.type,
            series.c.origin,
            series.c.declared_type,
        )
        .outerjoin(
            latest_values,
            and_(
                latest_values.c.organization_id == series.c.organization_id,
                latest_values.c.series_id == series.c.id,
            ),
        )
        .where(
            series.c.organization_id == organization_id,
            any_of(series.c.entity_id, entity_ids),
            *([] if metrics is None else [series.c.metric.in_(sorted(metrics))]),
        )
    )
    for row in rows:
        by_entity.setdefault(row.entity_id, []).append(SeriesRow(*row))
    return by_entity


def sources_list(
    session: Session,
    *,
    organization_id: int,
    entity_ids: Collection[UUID],
    metrics: Collection[str] | None,
    begins_us: int = BEGIN_US,
    ends_us: int = END_US,
) -> Mapping[UUID, Sequence[Source]]:
    """Return the sources of each entity, in three statements.

    metrics: only these, or all. begins_us, ends_us: only links whose valid time overlaps this range. Persons
    and activities, which measure nothing, are left out. Raises NotFoundError where an entity does not exist.
    """
    kinds = kinds_get(session, organization_id=organization_id, entity_ids=entity_ids)
    linked = [entity_id for entity_id in kinds if kinds[entity_id] in LINKED_KINDS]
    links: dict[UUID, list[Link]] = {}
    for link in links_list(session, organization_id=organization_id, source_ids=linked):
        if link.begins_us < ends_us and link.ends_us > begins_us:
            links.setdefault(link.source_id, []).append(link)
    devices = [entity_id for entity_id in kinds if kinds[entity_id] is EntityKind.DEVICE]
    wanted = {*devices, *linked, *_devices_of(links.values())}
    rows = series_rows(session, organization_id=organization_id, entity_ids=wanted)
    sources: dict[UUID, Sequence[Source]] = {}
    for device_id in devices:
        sources[device_id] = device_sources(rows.get(device_id, ()), metrics=metrics)
    for entity_id in linked:
        own = links.get(entity_id, [])
        sources[entity_id] = linked_sources(entity_id, links=own, rows_by_device=rows, metrics=metrics)
    return sources


def _devices_of(links: Iterable[Sequence[Link]]) -> set[UUID]:
    return {link.device_id for of_entity in links for link in of_entity}


def _link(row: Row[*tuple[Any, ...]]) -> Link:
    ends_us = END_US if row.ends is None else micros_of(row.ends)
    return Link(row.source_id, row.target_id, row.port, micros_of(row.begins), ends_us, mapping_of(row.metadata))
