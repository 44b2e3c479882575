"""Read asset profiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, any_, cast, func, literal, select
from sqlalchemy.orm import Session

from domain.base.packed import micros_of
from domain.definitions.profiles.content import content_of
from domain.definitions.profiles.model import AssetProfile, ProfileContent, ProfileVersion
from domain.definitions.profiles.tables import asset_profile_versions, asset_profiles
from domain.plant.assets.tables import assets
from domain.telemetry.model.attribution import BEGIN_US, END_US
from graph.errors import NotFoundError
from graph.keyset import Keyset
from graph.paging import Page, PageRequest
from graph.sql import any_of
from graph.tables import entities

_KEYSET: Final = Keyset("assetProfiles", {"created_at": asset_profiles.c.created_at, "id": asset_profiles.c.id})
VERSIONS_MAX: Final = 1000

# By profile: when each content is in force, in microseconds of event time, half-open and ascending.
InForce = Mapping[UUID, list[tuple[int, int, ProfileContent]]]


def profiles_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, AssetProfile]:
    """Return the profiles of these ids, deleted ones too; one that does not exist is left out. One statement."""
    rows = session.execute(_newest(organization_id).where(any_of(asset_profiles.c.id, ids)))
    return {row.id: _profile(row) for row in rows}


def profile_get(session: Session, *, organization_id: int, profile_id: UUID, path: str = "id") -> AssetProfile:
    """Return a profile that is not deleted. Raises NotFoundError."""
    profile = profiles_get(session, organization_id=organization_id, ids=[profile_id]).get(profile_id)
    if profile is None or profile.deleted_at is not None:
        raise NotFoundError(f"There is no asset profile {profile_id}.", path=(path,))
    return profile


def profile_names_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the names of those of these profiles that are not deleted. At most one statement."""
    return {} if not ids else _names(session, organization_id, any_of(asset_profiles.c.id, ids))


def profile_ids_by_name(session: Session, *, organization_id: int, names: Collection[str]) -> Mapping[str, UUID]:
    """Return the ids of those of these profiles, by name, that are not deleted. At most one statement."""
    if not names:
        return {}
    by_id = _names(session, organization_id, asset_profiles.c.name == any_(cast(list(names), ARRAY(Text))))
    return {name: profile_id for profile_id, name in by_id.items()}


def profiles_page(session: Session, *, organization_id: int, page: PageRequest) -> Page[AssetProfile]:
    """Return one page, the oldest first. One statement, and one more for the total if requested."""
    here = (asset_profiles.c.organization_id == organization_id, asset_profiles.c.deleted_at.is_(None))
    count = select(func.count()).select_from(asset_profiles).where(*here)
    rows = _KEYSET.page(session, _newest(organization_id).where(*here), page, count=count)
    return rows.of([_profile(row) for row in rows.items])


def profile_versions(
    session: Session, *, organization_id: int, ids: Collection[UUID]
) -> Mapping[UUID, list[ProfileVersion]]:
    """Return the versions of these profiles, by number. One statement."""
    table = asset_profile_versions
    rows = session.execute(
        select(table)
        .where(table.c.organization_id == organization_id, any_of(table.c.profile_id, ids))
        .order_by(table.c.profile_id, table.c.number)
    )
    result: dict[UUID, list[ProfileVersion]] = {}
    for row in rows:
        result.setdefault(row.profile_id, []).append(_version(row))
    return result


def profiles_in_force(session: Session, *, organization_id: int, ids: Collection[UUID] | None = None) -> InForce:
    """Return the content of these profiles, or of all, by spans of event time.

    Nothing is in force before the first version.
    One statement.
    """
    table = asset_profile_versions
    chosen = [] if ids is None else [any_of(table.c.profile_id, ids)]
    rows = session.execute(
        select(table.c.profile_id, table.c.effective_from, table.c.number, table.c.content)
        .where(table.c.organization_id == organization_id, *chosen)
        .order_by(table.c.profile_id, table.c.effective_from, table.c.number)
    )
    begun: dict[UUID, dict[int, ProfileContent]] = {}
    for row in rows:
        # Of two that begin together, the later one, with the greater number, is in force.
        begun.setdefault(row.profile_id, {})[max(micros_of(row.effective_from), BEGIN_US)] = content_of(row.content)
    return {profile_id: _spans(versions) for profile_id, versions in begun.items()}


def profile_ids_of(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """Return the profile of each of these assets that uses one. One statement."""
    rows = session.execute(
        select(assets.c.id, assets.c.profile_id).where(
            assets.c.organization_id == organization_id, any_of(assets.c.id, ids), assets.c.profile_id.is_not(None)
        )
    )
    return {row.id: row.profile_id for row in rows}


def asset_profiles_get(session: Session, *, organization_id: int, ids: Collection[UUID]) -> Mapping[UUID, AssetProfile]:
    """Return the profile of each of these assets that uses one. Two statements."""
    used = profile_ids_of(session, organization_id=organization_id, ids=ids)
    profiles = profiles_get(session, organization_id=organization_id, ids=set(used.values()))
    return {asset_id: profiles[profile_id] for asset_id, profile_id in used.items()}


def users_of(session: Session, *, organization_id: int, profile_id: UUID, limit: int) -> list[UUID]:
    """Return at most `limit` of the assets that use a profile and are not deleted, by id. One statement."""
    return list(
        session.scalars(_users(select(assets.c.id), organization_id, profile_id).order_by(assets.c.id).limit(limit))
    )


def users_count(session: Session, *, organization_id: int, profile_id: UUID) -> int:
    """Return how many assets that are not deleted use a profile. One statement."""
    counted = select(func.count()).select_from(assets)
    return int(session.execute(_users(counted, organization_id, profile_id)).scalar_one())


def _names(session: Session, organization_id: int, chosen: ColumnElement[bool]) -> dict[UUID, str]:
    table = asset_profiles.c
    rows = session.execute(
        select(table.id, table.name).where(table.organization_id == organization_id, table.deleted_at.is_(None), chosen)
    )
    return {row.id: row.name for row in rows}


def _users(statement: Select[Any], organization_id: int, profile_id: UUID) -> Select[Any]:
    mine = (entities.c.organization_id == assets.c.organization_id) & (entities.c.id == assets.c.id)
    return statement.join(entities, mine).where(
        assets.c.organization_id == organization_id,
        assets.c.profile_id == profile_id,
        entities.c.deleted_at.is_(None),
    )


def _newest(organization_id: int) -> Select[Any]:
    table = asset_profile_versions
    newest = (
        select(table.c.number, table.c.effective_from, table.c.recorded_at, table.c.actor, table.c.content)
        .where(table.c.organization_id == asset_profiles.c.organization_id, table.c.profile_id == asset_profiles.c.id)
        .order_by(table.c.number.desc())
        .limit(1)
        .lateral("newest")
    )
    return (
        select(asset_profiles, newest)
        .join(newest, literal(value=True))
        .where(asset_profiles.c.organization_id == organization_id)
    )


def _profile(row: Any) -> AssetProfile:
    return AssetProfile(
        row.id,
        row.name,
        row.type,
        _version(row),
        row.created_at.astimezone(UTC),
        row.updated_at.astimezone(UTC),
        None if row.deleted_at is None else row.deleted_at.astimezone(UTC),
    )


def _version(row: Any) -> ProfileVersion:
    return ProfileVersion(
        row.number,
        row.effective_from.astimezone(UTC),
        row.recorded_at.astimezone(UTC),
        row.actor,
        content_of(row.content),
    )


def _spans(begun: Mapping[int, ProfileContent]) -> list[tuple[int, int, ProfileContent]]:
    begins = sorted(begun)
    return [(b, e, begun[b]) for b, e in zip(begins, [*begins[1:], END_US], strict=True)]
