"""Ensure that a metric of an entity has one writer: a formula or a rollup, not both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from domain.definitions.entity_types.tables import telemetry_schemas
from domain.definitions.profiles.tables import asset_profile_versions, asset_profiles
from domain.derivation.formulas.formulas import MEMBER
from domain.derivation.rollups.model import EntitySelector, RollupDraft
from domain.derivation.rollups.queries import rollups_list
from graph.errors import ConflictError
from graph.kinds import EntityKind
from graph.tables import entity_types

# Where a profile's version has its formulas.
_FORMULAS: Final = "formulas"


def formulas_refuse_type(
    session: Session, *, organization_id: int, entity_type_id: UUID, kind: EntityKind, name: str
) -> None:
    """Raise ConflictError where any version of a type's schema derives what a rollup writes at such entities.

    Call it after writing. Two statements.
    """
    rows = session.scalars(
        select(telemetry_schemas.c.schema[MEMBER]).where(
            telemetry_schemas.c.organization_id == organization_id,
            telemetry_schemas.c.entity_type_id == entity_type_id,
        )
    )
    metrics = {metric for derived in rows for metric in derived or ()}
    at = EntitySelector(frozenset({kind}), frozenset({name}))
    _refuse(session, organization_id, metrics, at, path=("telemetrySchema", MEMBER))


def formulas_refuse_profile(
    session: Session, *, organization_id: int, type_name: str | None, metrics: Collection[str]
) -> None:
    """Raise ConflictError where a profile derives what a rollup writes at assets of its type. One statement."""
    _refuse(session, organization_id, metrics, _selector_of(type_name), path=(_FORMULAS,))


def formulas_check(session: Session, *, organization_id: int, draft: RollupDraft) -> None:
    """Raise ConflictError where a formula derives what a rollup is to write. Two statements."""
    for kind, name in session.execute(_types_deriving(organization_id, draft.metric)):
        if draft.at.has(kind, name):
            message = f"{draft.metric!r} is derived by the telemetry schema of the type {name!r}."
            raise ConflictError(message, path=("metric",))
    for name, type_name in session.execute(_profiles_deriving(organization_id, draft.metric)):
        if draft.at.meets(_selector_of(type_name)):
            raise ConflictError(f"{draft.metric!r} is derived by the profile {name!r}.", path=("metric",))


def _refuse(
    session: Session, organization_id: int, metrics: Collection[str], at: EntitySelector, *, path: tuple[str, ...]
) -> None:
    if not metrics:
        return
    for rollup in rollups_list(session, organization_id=organization_id):
        if rollup.draft.metric in metrics and rollup.draft.at.meets(at):
            message = f"The rollup {rollup.draft.name!r} writes {rollup.draft.metric!r} at such entities already."
            raise ConflictError(message, path=(*path, rollup.draft.metric))


def _selector_of(type_name: str | None) -> EntitySelector:
    """Return the assets that a profile is for."""
    return EntitySelector(frozenset({EntityKind.ASSET}), None if type_name is None else frozenset({type_name}))


def _types_deriving(organization_id: int, metric: str) -> Select[Any]:
    return (
        select(entity_types.c.kind, entity_types.c.name)
        .join_from(
            telemetry_schemas,
            entity_types,
            (entity_types.c.organization_id == telemetry_schemas.c.organization_id)
            & (entity_types.c.id == telemetry_schemas.c.entity_type_id),
        )
        .where(
            telemetry_schemas.c.organization_id == organization_id,
            telemetry_schemas.c.schema[MEMBER].has_key(metric),
        )
        .order_by(entity_types.c.kind, entity_types.c.name)
    )


def _profiles_deriving(organization_id: int, metric: str) -> Select[Any]:
    return (
        select(asset_profiles.c.name, asset_profiles.c.type)
        .join_from(
            asset_profile_versions,
            asset_profiles,
            (asset_profiles.c.organization_id == asset_profile_versions.c.organization_id)
            & (asset_profiles.c.id == asset_profile_versions.c.profile_id),
        )
        .where(
            asset_profiles.c.organization_id == organization_id,
            asset_profiles.c.deleted_at.is_(None),
            asset_profile_versions.c.content[_FORMULAS].has_key(metric),
        )
        .order_by(asset_profiles.c.name)
    )
