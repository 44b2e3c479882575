"""Link devices to the assets and spaces that they monitor or control, by port and valid time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.error_paths import path_renamed
from domain.base.metrics import METRICS_MAX, NAME_CHARS_MAX
from domain.plant.devices.model import LINK_METADATA, METRICS_MAPPING
from graph.change import GraphChange
from graph.direction import Direction
from graph.edges.model import EdgeVersion
from graph.edges.operations import edge_create, edge_end
from graph.edges.queries import edges_of
from graph.entities.queries import entities_get
from graph.errors import BadInputError, LimitExceededError, NotFoundError
from graph.ids import EntityId
from graph.instants import instant_utc
from graph.json_bounds import text_check
from graph.relationships.builtin import LINKS, MONITORED_BY
from graph.texts import json_nfc

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


def device_link(
    session: Session,
    *,
    change: GraphChange,
    device_id: UUID,
    asset_id: UUID,
    relationship: str = MONITORED_BY,
    port: int | None = None,
    exclusive: bool | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    metadata: Mapping[str, Any] = _EMPTY,
) -> EdgeVersion:
    """Link a device to an asset or a space from `valid_from` (default: the change) to `valid_until`.

    metadata.metrics_mapping {deviceMetric: assetMetric} renames and selects; without it every metric passes
    under its own name. exclusive: no other asset has that port at the same time; None: as the relationship says, so
    that a port may monitor many. Raises BadInputError for a relationship that makes no link or for metadata that is
    not a link's, and what `graph.edges.operations.edge_create` raises.
    """
    if relationship not in LINKS:
        message = f"A device is linked by {' or '.join(LINKS)}, not by {relationship}."
        raise BadInputError(message, path=("relationship",))
    metadata = link_metadata_check(metadata, relationship=relationship)
    with path_renamed(sourceId="assetId", targetId="deviceId"):
        return edge_create(
            session,
            change=change,
            source_id=asset_id,
            target_id=device_id,
            relationship=relationship,
            port=port,
            exclusive=exclusive,
            valid_from=valid_from,
            valid_until=valid_until,
            metadata=metadata,
        )


def link_metadata_check(metadata: Mapping[str, Any], *, relationship: str) -> Mapping[str, Any]:
    """Return the metadata of an edge; of a link with the names of metrics in NFC. Pure.

    Raises BadInputError, LimitExceededError for what a link cannot have; other edges may have any.
    """
    if relationship not in LINKS:
        return metadata
    unknown = sorted(set(metadata) - LINK_METADATA)
    if unknown:
        known = " and ".join(sorted(LINK_METADATA))
        message = f"The metadata of a link has {known}, not {unknown[0][:NAME_CHARS_MAX]!r}."
        raise BadInputError(message, path=("metadata", unknown[0]))
    if METRICS_MAPPING in metadata:
        _mapping_check(metadata)
    checked: Mapping[str, Any] = json_nfc(metadata)
    return checked


def device_unlink(
    session: Session,
    *,
    change: GraphChange,
    device_id: UUID,
    asset_id: UUID,
    port: int | None = None,
    at: datetime | None = None,
) -> list[EdgeVersion]:
    """End the links of exactly that port (None: those without one) that are valid at `at` (default: the change).

    Raises NotFoundError where there are none, BadInputError where one begins at that very instant.
    """
    instant = change.recorded if at is None else instant_utc(at, path="at")
    entities = entities_get(session, organization_id=change.organization_id, ids=[device_id, asset_id])
    for entity_id, path in ((device_id, "deviceId"), (asset_id, "assetId")):
        if EntityId(entity_id) not in entities:
            raise NotFoundError(f"There is no entity {entity_id}.", path=(path,))
    edges = edges_of(
        session,
        organization_id=change.organization_id,
        entity_ids=[device_id],
        direction=Direction.IN,
        relationships=LINKS,
        as_of=instant,
    )[EntityId(device_id)]
    links = [edge for edge in edges if edge.source_id == asset_id and edge.port == port]
    if not links:
        where = "without a port" if port is None else f"at port {port}"
        message = f"At {instant.isoformat()} no link {where} connects device {device_id} to {asset_id}."
        raise NotFoundError(message, path=("port",) if port is not None else ("deviceId",))
    return [edge_end(session, change=change, edge_id=link.edge_id, at=instant) for link in links]


def _mapping_check(metadata: Mapping[str, Any]) -> None:
    mapping, path = metadata[METRICS_MAPPING], ("metadata", METRICS_MAPPING)
    if not isinstance(mapping, Mapping):
        message = f"{METRICS_MAPPING} must be an object {{deviceMetric: assetMetric}}."
        raise BadInputError(message, path=path)
    if len(mapping) > METRICS_MAX:
        raise LimitExceededError(f"{METRICS_MAPPING} may name {METRICS_MAX} metrics.", path=path)
    taken: dict[str, str] = {}
    for device_metric, mapped in mapping.items():
        place = (*path, str(device_metric))
        text_check(device_metric, path=path, min_chars=1, max_chars=NAME_CHARS_MAX)
        metric = text_check(mapped, path=place, min_chars=1, max_chars=NAME_CHARS_MAX)
        if metric in taken:
            message = f"{taken[metric]!r} and {device_metric!r} would both become {metric!r}."
            raise BadInputError(message, path=place)
        taken[metric] = device_metric
