"""Preview the effects of a profile change on the assets that use it. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.definitions.profiles.model import ProfileContent
from domain.definitions.profiles.queries import users_count, users_of
from graph.entities.model import Entity
from graph.entities.queries import entities_get
from graph.json_bounds import json_same

ASSETS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """Names that are new, gone, or mean something else, each ascending."""

    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]


@dataclass(frozen=True, slots=True)
class AssetPreview:
    """The effect of a change on one asset's attributes.

    given: those that would be new or another, by name. retained: those that stay though the profile's default does not.
    """

    asset: Entity
    given: Mapping[str, Any]
    retained: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProfilePreview:
    """The effects of a change. total: assets that use the profile. assets: of the first ASSETS_MAX, those affected."""

    total: int
    is_truncated: bool
    attributes: Difference
    thresholds: Difference
    formulas: Difference
    rules: Difference
    is_health_changed: bool
    assets: Sequence[AssetPreview]


def profile_preview(
    session: Session, *, organization_id: int, profile_id: UUID, before: ProfileContent, after: ProfileContent
) -> ProfilePreview:
    """Return the effects of a change from `before` to `after` on the assets that use the profile. Three statements."""
    total = users_count(session, organization_id=organization_id, profile_id=profile_id)
    users = users_of(session, organization_id=organization_id, profile_id=profile_id, limit=ASSETS_MAX)
    entities = entities_get(session, organization_id=organization_id, ids=users)
    attributes = difference(before.attributes, after.attributes)
    previews = [_asset(entities[entity], before.attributes, after.attributes, attributes) for entity in entities]
    return ProfilePreview(
        total=total,
        is_truncated=total > len(users),
        attributes=attributes,
        thresholds=difference(before.thresholds, after.thresholds),
        formulas=difference(before.formulas, after.formulas),
        rules=difference({r["name"]: r for r in before.rules}, {r["name"]: r for r in after.rules}),
        is_health_changed=not json_same(before.health, after.health),
        assets=sorted((p for p in previews if p.given or p.retained), key=lambda p: (p.asset.name, p.asset.id)),
    )


def attributes_propagated(
    attributes: Mapping[str, Any], *, old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an asset's attributes after its profile's defaults have become others.

    One that is still the old default becomes the new one; a new default that the asset does not have is added where
    it had none before; anything else stays, what the profile no longer has, too.
    """
    propagated = dict(attributes)
    for name, value in new.items():
        if name not in old:
            propagated.setdefault(name, value)
        elif name in attributes and json_same(attributes[name], old[name]):
            propagated[name] = value
    return propagated


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Return how two sets of named things differ."""
    return Difference(
        sorted(after.keys() - before.keys()),
        sorted(before.keys() - after.keys()),
        sorted(name for name in before.keys() & after.keys() if not json_same(before[name], after[name])),
    )


def _asset(asset: Entity, old: Mapping[str, Any], new: Mapping[str, Any], changed: Difference) -> AssetPreview:
    propagated = attributes_propagated(asset.attributes, old=old, new=new)
    given = {
        name: value
        for name, value in propagated.items()
        if name not in asset.attributes or not json_same(asset.attributes[name], value)
    }
    changed_names = {*changed.added, *changed.removed, *changed.changed}
    retained = sorted(name for name in changed_names & asset.attributes.keys() if name not in given)
    return AssetPreview(asset, given, retained)
