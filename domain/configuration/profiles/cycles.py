"""Refuse formulas of a profile and a type that form a cycle only together."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from domain.definitions.profiles.tables import asset_profiles
from domain.derivation.formulas.config import derivation_config_read
from domain.derivation.formulas.formulas import cycle_text
from domain.plant.assets.tables import assets
from graph.errors import BadInputError
from graph.tables import entities


def circles_refuse(
    session: Session,
    *,
    organization_id: int,
    path: tuple[str, ...],
    profile_id: UUID | None = None,
    type_name: str | None = None,
) -> None:
    """Raise BadInputError where assets would derive a metric from itself. Call it when all is written.

    Looked at are the pairs of a type and a profile that an asset has, and that of a profile and its own type, of this
    profile or this type. Four statements.
    """
    used = select(entities.c.type, assets.c.profile_id.label("id")).join_from(
        assets, entities, (entities.c.organization_id == assets.c.organization_id) & (entities.c.id == assets.c.id)
    )
    meant = select(asset_profiles.c.type, asset_profiles.c.id).where(asset_profiles.c.deleted_at.is_(None))
    cycles = [
        session.execute(
            used.distinct().where(
                assets.c.organization_id == organization_id,
                assets.c.profile_id.is_not(None),
                or_(assets.c.profile_id == profile_id, entities.c.type == type_name),
            )
        ),
        session.execute(
            meant.where(
                asset_profiles.c.organization_id == organization_id,
                or_(asset_profiles.c.id == profile_id, asset_profiles.c.type == type_name),
            )
        ),
    ]
    pairs = {(row.type, row.id) for rows in cycles for row in rows}
    if not pairs:
        return
    config = derivation_config_read(session, organization_id=organization_id)
    for of_type, of_profile in sorted(pairs, key=lambda pair: (pair[0] or "", pair[1])):
        cycle = config.cycle(of_type, of_profile)
        if cycle is not None:
            what = f"assets of the type {of_type!r} with the profile {of_profile}"
            raise BadInputError(f"{cycle_text(cycle)} would go in a circle at {what}.", path=(*path, cycle[0]))
