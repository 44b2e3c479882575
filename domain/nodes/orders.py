"""Orders of lists of entities: by their own columns, by when they were last heard, by health as of now."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ARRAY, DateTime, Double, String, Uuid, and_, bindparam, cast, column, func, literal
from sqlalchemy.orm import Session

from domain.nodes.filters.health import healths_of
from domain.plant.devices.tables import device_presence
from graph.entities.model import EntityFilter, EntityOrder
from graph.entities.pages import Sorting, entity_conditions
from graph.sql import uuids_text
from graph.tables import INSTANT, entities


class ListOrder(StrEnum):
    """The contract's EntityOrder; each ends with the id. Who was never heard, or has no score, comes last."""

    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    CREATED_ASC = "CREATED_ASC"
    CREATED_DESC = "CREATED_DESC"
    UPDATED_ASC = "UPDATED_ASC"
    UPDATED_DESC = "UPDATED_DESC"
    TYPE_ASC = "TYPE_ASC"
    TYPE_DESC = "TYPE_DESC"
    STATUS_ASC = "STATUS_ASC"
    STATUS_DESC = "STATUS_DESC"
    EXTERNAL_ID_ASC = "EXTERNAL_ID_ASC"
    EXTERNAL_ID_DESC = "EXTERNAL_ID_DESC"
    LAST_SEEN_ASC = "LAST_SEEN_ASC"
    LAST_SEEN_DESC = "LAST_SEEN_DESC"
    HEALTH_ASC = "HEALTH_ASC"
    HEALTH_DESC = "HEALTH_DESC"


# What stands for none: later than any instant, above any score; or the opposite.
_NEVER_ASC: Final = datetime(9999, 12, 31, tzinfo=UTC)
_NEVER_DESC: Final = datetime(1, 1, 2, tzinfo=UTC)
_NO_SCORE_ASC: Final = 1000.0
_NO_SCORE_DESC: Final = -1.0


def order_resolve(
    session: Session, *, organization_id: int, order: ListOrder, where: EntityFilter, now: datetime
) -> EntityOrder | Sorting:
    """Return the graph's order for the contract's. where: what is listed; of it alone health is computed.

    Raises LimitExceededError where that are too many assets with a profile.
    """
    match order:
        case ListOrder.LAST_SEEN_ASC | ListOrder.LAST_SEEN_DESC:
            return _last_seen(order)
        case ListOrder.HEALTH_ASC | ListOrder.HEALTH_DESC:
            return _health(session, organization_id, order, where, now)
        case _:
            return EntityOrder(order.value)


def _last_seen(order: ListOrder) -> Sorting:
    is_descending = order is ListOrder.LAST_SEEN_DESC
    presence = device_presence.c
    never = literal(_NEVER_DESC if is_descending else _NEVER_ASC, DateTime(timezone=True))
    return Sorting(
        name=order.value,
        column=func.coalesce(presence.last_seen_at, never, type_=INSTANT),
        source=device_presence,
        on=and_(presence.organization_id == entities.c.organization_id, presence.device_id == entities.c.id),
        is_descending=is_descending,
    )


def _health(session: Session, organization_id: int, order: ListOrder, where: EntityFilter, now: datetime) -> Sorting:
    is_descending = order is ListOrder.HEALTH_DESC
    conditions = entity_conditions(organization_id, where)
    scores = healths_of(session, organization_id=organization_id, conditions=conditions, now=now, path=("orderBy",))
    ids = bindparam("scored", uuids_text(scores), String, unique=True)
    scored = (
        func.unnest(cast(ids, ARRAY(Uuid)), cast(literal(list(scores.values()), ARRAY(Double)), ARRAY(Double)))
        .table_valued(column("id", Uuid), column("score", Double))
        .render_derived("scored")
    )
    return Sorting(
        name=order.value,
        column=func.coalesce(scored.c.score, _NO_SCORE_DESC if is_descending else _NO_SCORE_ASC, type_=Double),
        source=scored,
        on=scored.c.id == entities.c.id,
        is_descending=is_descending,
    )
