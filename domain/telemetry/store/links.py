"""Read kinds, links and stored series: where every telemetry read starts. One statement each."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.telemetry.model.attribution import (
    BEGIN_US,
    END_US,
    Latest,
    Link,
    SeriesRow,
    Source,
    device_sources,
    linked_sources,
    mapping_of,
)
from graph.errors import NotFoundError
from graph.json_bounds import texts_storable
from graph.kinds import EntityKind
from graph.relationships.builtin import LINKS
from graph.sql import rows_read, uuids_text
from graph.tenancy import scope_bound

# What can be the source of a link.
LINKED_KINDS = frozenset({EntityKind.ASSET, EntityKind.SPACE})
_KIND_OF = {kind.value: kind for kind in EntityKind}

_KINDS = "SELECT id, kind FROM entities WHERE organization_id = %(organization_id)s AND id = ANY(%(ids)s::uuid[])"
_LINKS = """
SELECT source_id, target_id, port, metadata, lower(valid),
    CASE WHEN upper_inf(valid) THEN NULL ELSE upper(valid) END
FROM entity_edges
WHERE organization_id = %(organization_id)s AND {of} AND relationship = ANY(%(links)s) AND target_kind = 'DEVICE'
    AND upper_inf(recorded)
"""
# Of devices that have left the caller's access scope, too.
_LINKS_OF_SCOPE = """
SELECT source_id, target_id, port, metadata, lower(valid),
    CASE WHEN upper_inf(valid) THEN NULL ELSE upper(valid) END
FROM links_of_scope(%(organization_id)s) WHERE {of}
"""
_OF_SOURCES = "source_id = ANY(%(source_ids)s::uuid[])"
_OF_DEVICES = "target_id = ANY(%(device_ids)s::uuid[])"
_OF_BOTH = f"({_OF_SOURCES} OR {_OF_DEVICES})"
_SERIES = """
SELECT s.id, s.entity_id, s.port, s.metric, s.unit, v.type, s.origin, s.declared_type,
    v."timestamp", v.value, v.text, v.received_at
FROM series s
LEFT JOIN latest_values v ON v.organization_id = s.organization_id AND v.series_id = s.id
WHERE s.organization_id = %(organization_id)s AND s.entity_id = ANY(%(ids)s::uuid[])
    AND (%(metrics)s::text[] IS NULL OR s.metric = ANY(%(metrics)s::text[]))
"""


def kinds_get(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], path: Sequence[str] = ("entityIds",)
) -> Mapping[UUID, EntityKind]:
    """Return the kind of each entity, deleted ones too. Raises NotFoundError (at `path`) where one does not exist."""
    rows = rows_read(session, _KINDS, organization_id=organization_id, ids=uuids_text(entity_ids))
    kinds = {entity_id: _KIND_OF[kind] for entity_id, kind in rows}
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
    of = _OF_BOTH if source_ids and device_ids else _OF_SOURCES if source_ids else _OF_DEVICES
    rows = rows_read(
        session,
        (_LINKS_OF_SCOPE if scope_bound(session) is not None else _LINKS).replace("{of}", of),
        organization_id=organization_id,
        source_ids=uuids_text(source_ids),
        device_ids=uuids_text(device_ids),
        links=list(LINKS),
    )
    return [
        Link(source, device, port, micros_of(begins), END_US if ends is None else micros_of(ends), mapping_of(metadata))
        for source, device, port, metadata, begins, ends in rows
    ]


def series_rows(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], metrics: Collection[str] | None = None
) -> Mapping[UUID, Sequence[SeriesRow]]:
    """Return the stored series of these entities with their latest points, by entity.

    metrics: as their devices name them; None: of all.
    """
    by_entity: dict[UUID, list[SeriesRow]] = {}
    if not entity_ids:
        return by_entity
    rows = rows_read(
        session,
        _SERIES,
        organization_id=organization_id,
        ids=uuids_text(entity_ids),
        metrics=None if metrics is None else sorted(texts_storable(metrics)),
    )
    for series_id, entity_id, port, metric, unit, type_, origin, declared, at, value, text, received_at in rows:
        latest = None if at is None else Latest(at, type_, value, text, received_at)
        row = SeriesRow(series_id, entity_id, port, metric, unit, type_, origin, declared, latest)
        by_entity.setdefault(entity_id, []).append(row)
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
    names = None if metrics is None else _device_metrics(links.values(), metrics)
    rows = series_rows(session, organization_id=organization_id, entity_ids=wanted, metrics=names)
    sources: dict[UUID, Sequence[Source]] = {}
    for device_id in devices:
        sources[device_id] = device_sources(rows.get(device_id, ()), metrics=metrics)
    for entity_id in linked:
        own = links.get(entity_id, [])
        sources[entity_id] = linked_sources(entity_id, links=own, rows_by_device=rows, metrics=metrics)
    return sources


def _device_metrics(links: Iterable[Sequence[Link]], metrics: Collection[str]) -> set[str]:
    """Return the names that devices may have for these metrics."""
    names = set(metrics)
    for link in itertools.chain.from_iterable(links):
        names |= {own for own, shown in (link.mapping or {}).items() if shown in metrics}
    return names


def _devices_of(links: Iterable[Sequence[Link]]) -> set[UUID]:
    return {link.device_id for of_entity in links for link in of_entity}
