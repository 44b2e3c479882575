"""Lists of entities as the contract filters them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from domain.nodes.filters.conditions import entity_filter
from domain.nodes.filters.model import ListFilter
from domain.nodes.orders import ListOrder, order_resolve
from graph.entities.model import Entity
from graph.entities.pages import entities_page
from graph.paging import Page, PageRequest


def entity_list(
    session: Session,
    *,
    organization_id: int,
    where: ListFilter,
    page: PageRequest,
    now: datetime,
    offline_after: timedelta,
    order: ListOrder = ListOrder.NAME_ASC,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Page[Entity]:
    """Return one page of the entities. Arguments and errors: see `entity_filter`, `order_resolve`, `entities_page`."""
    filter_ = entity_filter(
        session,
        organization_id=organization_id,
        where=where,
        now=now,
        offline_after=offline_after,
        as_of=as_of,
        known_at=known_at,
    )
    resolved = order_resolve(session, organization_id=organization_id, order=order, where=filter_, now=now)
    return entities_page(session, organization_id=organization_id, where=filter_, page=page, order=resolved)
