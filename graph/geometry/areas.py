"""Test many points against an area."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import ARRAY, Text, any_, cast, select
from sqlalchemy.orm import Session

from graph.kinds import EntityKind
from graph.tables import entities

Numbers = npt.NDArray[np.float64]
Area = Callable[[Numbers, Numbers], npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Area:
    geometry: shapely.Geometry

    def __call__(self, longitudes: Numbers, latitudes: Numbers) -> npt.NDArray[np.bool_]:
        inside: npt.NDArray[np.bool_] = shapely.intersects_xy(self.geometry, longitudes, latitudes)
        return inside


def areas_get(
    session: Session, *, organization_id: int, kind: EntityKind, external_ids: Collection[str]
) -> dict[str, Area]:
    """Return, by external id, a function that says whether points lie in an entity.

    Points are longitude and latitude, in degrees. The edge belongs to the area. Entities that are deleted or have no
    location are left out. One statement.
    """
    rows = session.execute(
        select(entities.c.external_id, entities.c.geometry).where(
            entities.c.organization_id == organization_id,
            entities.c.kind == kind,
            entities.c.external_id == any_(cast(list(external_ids), ARRAY(Text))),
            entities.c.deleted_at.is_(None),
            entities.c.geometry.is_not(None),
        )
    )
    areas: dict[str, Area] = {}
    for row in rows:
        geometry = shapely.from_wkb(row.geometry)
        shapely.prepare(geometry)
        areas[row.external_id] = _Area(geometry)
    return areas
