"""Lists of entities as the contract filters them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from domain.plant.devices.model import Connectivity
from domain.plant.devices.queries import connectivity_condition
from graph.entities.model import Entity, EntityFilter, EntityOrder
from graph.entities.pages import entities_page
from graph.entities.queries import entities_get
from graph.errors import NotFoundError
from graph.ids import EntityId
from graph.instants import moment_resolve
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest
from graph.walk.queries import below_among


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """The contract's EntityFilter; None: no condition.

    under_id: everything below that entity, itself included. is_deleted: the deleted ones instead of the others.
    """

    kinds: Collection[EntityKind] | None = None
    types: Collection[str] | None = None
    statuses: Collection[str] | None = None
    search: str | None = None
    under_id: UUID | None = None
    connectivity: Connectivity | None = None
    is_deleted: bool = False


def entity_list(
    session: Session,
    *,
    organization_id: int,
    where: ListFilter,
    page: PageRequest,
    now: datetime,
    offline_after: timedelta,
    order: EntityOrder = EntityOrder.NAME_ASC,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Page[Entity]:
    """Return one page of the entities. as_of, known_at: of `under_id` alone.

    now, offline_after: a device heard within `offline_after` before `now` is online. connectivity leaves devices
    only. Raises BadInputError, NotFoundError for an unknown `under_id`.
    """
    filter_ = entity_filter(
        session,
        organization_id=organization_id,
        where=where,
        now=now,
        offline_after=offline_after,
        as_of=as_of,
        known_at=known_at,
    )
    return entities_page(session, organization_id=organization_id, where=filter_, page=page, order=order)


def entity_filter(
    session: Session,
    *,
    organization_id: int,
    where: ListFilter,
    now: datetime,
    offline_after: timedelta,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> EntityFilter:
    """Return the graph's filter for the contract's: the one place that translates it. Arguments: see `entity_list`.

    Raises BadInputError, NotFoundError for an unknown `under_id`.
    """
    among = None
    if where.under_id is not None:
        if not entities_get(session, organization_id=organization_id, ids=[where.under_id]):
            raise NotFoundError(f"There is no entity {where.under_id}.", path=("filter", "underId"))
        moment = moment_resolve(session, organization_id=organization_id, as_of=as_of, known_at=known_at)
        among = below_among(
            session, organization_id=organization_id, entity_ids=[EntityId(where.under_id)], moment=moment
        )
    kinds, also = where.kinds, _connectivity(where, now, offline_after)
    if also is not None:
        kinds = {EntityKind.DEVICE} & set(EntityKind if kinds is None else kinds)
    return EntityFilter(
        kinds=kinds,
        types=where.types,
        statuses=where.statuses,
        search=where.search,
        among=among,
        also=also,
        is_deleted=where.is_deleted,
    )


def _connectivity(where: ListFilter, now: datetime, offline_after: timedelta) -> ColumnElement[bool] | None:
    if where.connectivity is None:
        return None
    return connectivity_condition(where.connectivity, now=now, offline_after=offline_after)
