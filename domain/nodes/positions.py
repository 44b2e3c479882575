"""Where entities are now by what they report: their latest longitude and latitude."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.nodes.latest_points import points_of, points_values
from graph.entities.places import Positions
from graph.errors import LimitExceededError
from graph.ids import EntityId
from graph.kinds import EntityKind

LONGITUDE: Final = "longitude"
LATITUDE: Final = "latitude"
POSITIONS_MAX: Final = 100_000
_POSITIONS: Final = """
    SELECT e.id, e.kind, max(x.value) AS longitude, max(y.value) AS latitude
    FROM ({longitudes}) x
    JOIN ({latitudes}) y ON y.id = x.id
    JOIN entities e ON e.organization_id = :organization_id AND e.id = x.id AND e.deleted_at IS NULL
    WHERE x.value BETWEEN -180 AND 180 AND y.value BETWEEN -90 AND 90
    GROUP BY e.id, e.kind HAVING count(*) = 1
    LIMIT :most
"""


def positions_now(session: Session, *, organization_id: int) -> Positions:
    """Return the position of every entity that has reported one: the latest `longitude` and `latitude`, in degrees.

    A device with several ports that report one is at none of them. One statement. Raises LimitExceededError above
    POSITIONS_MAX.
    """
    statement = _POSITIONS.format(
        longitudes=points_of(session, ":longitude_name"), latitudes=points_of(session, ":latitude_name")
    )
    values = points_values(session, organization_id=organization_id)
    values |= {"longitude_name": LONGITUDE, "latitude_name": LATITUDE, "most": POSITIONS_MAX + 1}
    rows = session.execute(text(statement), values).all()
    if len(rows) > POSITIONS_MAX:
        message = f"More than {POSITIONS_MAX} entities report a position; name the kinds or look at one of them."
        raise LimitExceededError(message)
    return Positions(
        {EntityId(row.id): (EntityKind(row.kind), float(row.longitude), float(row.latitude)) for row in rows}
    )
