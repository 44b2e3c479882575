"""Create the demo plant, once, in one change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from argus.changes import changes_run
from argus.demo.layout import TYPES, AssetSpec, LinkSpec, plant
from argus.demo.watch import PROFILES, RULES, ProfileSpec
from domain.configuration.entity_types.operations import entity_type_create
from domain.configuration.profiles.operations import asset_profile_set, profile_create
from domain.plant.assets.operations import asset_create
from domain.plant.devices.links import device_link
from domain.plant.devices.operations import device_create
from domain.plant.organizations.operations import organization_create
from domain.plant.organizations.queries import organization_list
from domain.plant.persons.operations import person_create
from domain.plant.spaces.operations import space_create
from domain.rules.operations import rule_create
from domain.work.activities.operations import activity_create
from graph.change import GraphChange
from graph.edges.operations import edge_create
from graph.entities.model import Entity, EntityDraft
from graph.ids import EntityId
from graph.kinds import EntityKind
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from runtime.settings.model import Settings

SLUG: Final = "demo"
LINKS: Final = frozenset({"MONITORED_BY", "CONTROLLED_BY"})
# How long the plant has been as it is.
BUILT_AT: Final = timedelta(days=90)


def demo_ensure(settings: Settings) -> bool:
    """Create the organization `demo` with its plant; return whether it was missing.

    An organization that an interrupted start left empty is filled.
    """
    engine = engine_create(settings.database_url("owner"), pool_size=1)
    with transaction(engine) as session:
        existing = next((item for item in organization_list(session) if item.slug == SLUG), None)
        organization = existing or organization_create(
            session, name="Demo plant", slug=SLUG, public_id=new_id(), now=utc_now()
        )
    engine.dispose()
    with changes_run(settings, organization_id=organization.id, actor="argus demo") as run:
        return run(_fill)


def _fill(session: Session, change: GraphChange) -> bool:
    from graph.entities.queries import entity_by_external_id

    asset_specs, link_specs = plant()
    first = entity_by_external_id(
        session,
        organization_id=change.organization_id,
        kind=asset_specs[0].kind,
        external_id=asset_specs[0].external_id,
    )
    if first is not None:
        return False
    for name, metrics in TYPES.items():
        entity_type_create(
            session,
            change=change,
            kind=EntityKind.DEVICE,
            name=name,
            telemetry_schema={"metrics": {metric: dict(schema) for metric, schema in metrics.items()}},
            effective_from=change.recorded - BUILT_AT,
        )
    ids = {asset_spec.external_id: _create(session, change, asset_spec).id for asset_spec in asset_specs}
    for link_spec in link_specs:
        _link_create(session, change, link_spec, ids)
    for draft in RULES:
        rule_create(session, change=change, draft=replace(draft, effective_from=change.recorded - BUILT_AT))
    for profile_spec in PROFILES:
        _profile_create(
            session, change, profile_spec, [ids[s.external_id] for s in asset_specs if s.type == profile_spec.type]
        )
    return True


def _profile_create(
    session: Session, change: GraphChange, profile_spec: ProfileSpec, asset_ids: Sequence[EntityId]
) -> None:
    profile = profile_create(
        session,
        change=change,
        name=profile_spec.type,
        type_name=profile_spec.type,
        effective_from=change.recorded - BUILT_AT,
        thresholds=profile_spec.thresholds,
        health=profile_spec.health,
    )
    for asset_id in asset_ids:
        asset_profile_set(session, change=change, asset_id=asset_id, profile_id=profile.id)


def _create(session: Session, change: GraphChange, asset_spec: AssetSpec) -> Entity:
    attributes: dict[str, Any] = {"simulation": asset_spec.signals} if asset_spec.signals else {}
    draft = EntityDraft(
        name=asset_spec.name,
        external_id=asset_spec.external_id,
        type=asset_spec.type,
        attributes=attributes,
        location=asset_spec.location,
    )
    details: Mapping[str, Any] = asset_spec.details
    match asset_spec.kind:
        case EntityKind.DEVICE:
            return device_create(session, change=change, draft=draft, firmware_version="1.4.2")
        case EntityKind.ASSET:
            return asset_create(session, change=change, draft=draft)
        case EntityKind.SPACE:
            return space_create(session, change=change, draft=draft)
        case EntityKind.PERSON:
            return person_create(session, change=change, draft=draft, **details)
        case EntityKind.ACTIVITY:
            due_at = change.recorded + timedelta(days=7)
            return activity_create(session, change=change, draft=draft, due_at=due_at, **details)


def _link_create(session: Session, change: GraphChange, link_spec: LinkSpec, ids: Mapping[str, EntityId]) -> None:
    since = change.recorded - (BUILT_AT if link_spec.began_h is None else timedelta(hours=link_spec.began_h))
    until = None if link_spec.ended_h is None else change.recorded - timedelta(hours=link_spec.ended_h)
    source, target = ids[link_spec.source], ids[link_spec.target]
    if link_spec.relationship in LINKS:
        device_link(
            session,
            change=change,
            device_id=target,
            asset_id=source,
            relationship=link_spec.relationship,
            port=link_spec.port,
            valid_from=since,
            valid_until=until,
            metadata={} if link_spec.mapping is None else {"metrics_mapping": dict(link_spec.mapping)},
        )
        return
    edge_create(
        session,
        change=change,
        source_id=source,
        target_id=target,
        relationship=link_spec.relationship,
        valid_from=since,
        valid_until=until,
    )
