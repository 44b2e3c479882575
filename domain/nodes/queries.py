"""Resolve ids of any type to nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from domain.definitions.entity_types.model import EntityType
from domain.definitions.entity_types.queries import entity_types_get
from domain.definitions.groups.model import Group
from domain.definitions.groups.queries import groups_get
from domain.definitions.profiles.model import AssetProfile
from domain.definitions.profiles.queries import profiles_get
from domain.derivation.rollups.model import Rollup
from domain.derivation.rollups.queries import rollups_get
from domain.plant.devices.tokens import DeviceToken, device_tokens_get
from domain.plant.organizations.api_keys import ApiKey, api_keys_get
from domain.rules.events.queries import events_get
from domain.rules.model import Event, Rule
from domain.rules.queries import rules_get
from domain.rules.shelving.model import MaintenanceWindow, Shelf
from domain.rules.shelving.queries import maintenance_windows_get, shelves_get
from domain.telemetry.dead_letters.model import DeadLetter
from domain.telemetry.dead_letters.queries import dead_letters_get
from domain.telemetry.raw_readings import RawReading, raw_readings_get
from domain.work.activity_templates.model import ActivityTemplate
from domain.work.activity_templates.queries import activity_templates_get
from domain.work.notifications.model import Notification
from domain.work.notifications.queries import notifications_get
from graph.changes import Change, changes_get
from graph.edges.model import EdgeVersion
from graph.edges.queries import edge_versions_by_id, edges_newest
from graph.entities.model import Entity
from graph.entities.queries import entities_get

Definition = EntityType | AssetProfile | ActivityTemplate | Rule | Rollup | Group
Record = ApiKey | Change | DeadLetter | DeviceToken | Event | Notification | RawReading | Shelf | MaintenanceWindow
Node = Entity | EdgeVersion | Definition | Record
_READS: tuple[Callable[..., Mapping[UUID, Node]], ...] = (
    edge_versions_by_id,
    edges_newest,
    entity_types_get,
    changes_get,
    dead_letters_get,
    profiles_get,
    rules_get,
    groups_get,
    events_get,
    rollups_get,
    activity_templates_get,
    notifications_get,
    shelves_get,
    maintenance_windows_get,
    device_tokens_get,
    api_keys_get,
    raw_readings_get,
)


def nodes_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> dict[UUID, Node]:
    """Return the nodes of these ids: entities (deleted ones too), edges and their versions, entity types, and so on.

    An edge's own id names its newest version. An id that names nothing of this organization is left out. The
    number of statements does not depend on the number of ids, and what is found early is not asked for again.
    """
    nodes: dict[UUID, Node] = dict(entities_get(session, organization_id=organization_id, ids=ids).items())
    for read in _READS:
        missing = [entity_id for entity_id in ids if entity_id not in nodes]
        if not missing:
            break
        nodes |= read(session, organization_id=organization_id, ids=missing)
    return nodes
