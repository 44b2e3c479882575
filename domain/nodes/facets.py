"""Facets: how many of the entities that a filter selects have which value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, case, cast, func, literal, null, select, tuple_
from sqlalchemy.orm import Session

from domain.definitions.profiles.tables import asset_profiles
from domain.nodes.filters.conditions import entity_filter
from domain.nodes.filters.model import ListFilter
from domain.plant.assets.tables import assets
from domain.plant.devices.model import Connectivity
from domain.plant.devices.tables import device_presence
from domain.rules.events.queries import open_condition
from domain.rules.model import Severity
from domain.rules.tables import events
from graph.entities.pages import entity_conditions
from graph.errors import BadInputError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.tables import entities


class FacetBy(StrEnum):
    """What entities are counted by."""

    KIND = "KIND"
    TYPE = "TYPE"
    STATUS = "STATUS"
    CONNECTIVITY = "CONNECTIVITY"
    PROFILE = "PROFILE"
    OPEN_SEVERITY = "OPEN_SEVERITY"


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value, None for entities that have none, and how many have it. label: its name for people."""

    value: str | None
    label: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values, ties in the order of the values. is_truncated: there are more."""

    by: FacetBy
    values: Sequence[FacetValue]
    is_truncated: bool


# Never those of the list itself: a condition of a filter may look at the same table.
_PRESENCE: Final = device_presence.alias("facet_presence")
_ASSETS: Final = assets.alias("facet_assets")
_PROFILES: Final = asset_profiles.alias("facet_profiles")
_RANKS: Final = {severity.value: rank for rank, severity in enumerate(Severity)}


def facets_read(
    session: Session,
    *,
    organization_id: int,
    where: ListFilter,
    by: Sequence[FacetBy],
    first: int,
    now: datetime,
    offline_after: timedelta,
) -> list[Facet]:
    """Count the entities of a filter by each of these, in their order: at most `first` values of each.

    One statement, however many facets, besides those of the filter; it reads each entity of the filter once.
    now, offline_after: see `entity_list`. Raises BadInputError, NotFoundError as that does, and for a facet that is
    named twice.
    """
    size = PageRequest(first).size
    if len(set(by)) != len(by):
        raise BadInputError("A facet is named twice.", path=("by",))
    filter_ = entity_filter(session, organization_id=organization_id, where=where, now=now, offline_after=offline_after)
    conditions = entity_conditions(organization_id, filter_)
    if not by:
        return []
    chosen = _chosen(organization_id, by, conditions, since=now - offline_after)
    counted: dict[FacetBy, list[FacetValue]] = {item: [] for item in by}
    for row in session.execute(_ranked(organization_id, by, chosen, most=size + 1)):
        counted[by[row.place]].append(FacetValue(row.value, row.label, int(row.number)))
    return [Facet(item, values[:size], len(values) > size) for item, values in counted.items()]


def _chosen(
    organization_id: int, by: Sequence[FacetBy], conditions: Sequence[ColumnElement[bool]], *, since: datetime
) -> FromClause:
    """Return the entities of a filter with a column for each facet. since: whoever was heard then is online."""
    source: FromClause = entities
    columns: dict[FacetBy, ColumnElement[Any]] = {
        FacetBy.KIND: entities.c.kind,
        FacetBy.TYPE: entities.c.type,
        FacetBy.STATUS: entities.c.status,
    }
    if FacetBy.CONNECTIVITY in by:
        source = source.outerjoin(_PRESENCE, _is_of(_PRESENCE.c.organization_id, _PRESENCE.c.device_id))
        columns[FacetBy.CONNECTIVITY] = case(
            (entities.c.kind != EntityKind.DEVICE, null()),
            (_PRESENCE.c.last_seen_at.is_(None), literal(Connectivity.NEVER_SEEN.value)),
            (_PRESENCE.c.last_seen_at >= since, literal(Connectivity.ONLINE.value)),
            else_=literal(Connectivity.OFFLINE.value),
        )
    if FacetBy.PROFILE in by:
        source = source.outerjoin(_ASSETS, _is_of(_ASSETS.c.organization_id, _ASSETS.c.id))
        columns[FacetBy.PROFILE] = _ASSETS.c.profile_id
    if FacetBy.OPEN_SEVERITY in by:
        worst = _worst(organization_id)
        source = source.outerjoin(worst, worst.c.entity_id == entities.c.id)
        columns[FacetBy.OPEN_SEVERITY] = case(
            {rank: severity for severity, rank in _RANKS.items()}, value=worst.c.rank, else_=null()
        )
    return select(*(columns[item].label(item.value) for item in by)).select_from(source).where(*conditions).subquery()


def _worst(organization_id: int) -> FromClause:
    """Return each entity that has an open event, with the rank of the worst one."""
    rank = func.max(case(_RANKS, value=events.c.severity)).label("rank")
    return (
        select(events.c.entity_id, rank)
        .where(events.c.organization_id == organization_id, open_condition())
        .group_by(events.c.entity_id)
        .subquery("facet_events")
    )


def _ranked(organization_id: int, by: Sequence[FacetBy], chosen: FromClause, *, most: int) -> Select[Any]:
    """Return the statement of the most frequent values. place: of the facet in `by`; number: how many."""
    # Once by all columns together, for few combinations occur; these are then counted for each column.
    together = select(*chosen.c, func.count().label("number")).group_by(*chosen.c).subquery()
    columns = [together.c[item.value] for item in by]
    counted = (
        select(func.grouping(*columns).label("grouping"), *columns, func.sum(together.c.number).label("number"))
        .group_by(func.grouping_sets(*map(tuple_, columns)))
        .subquery()
    )
    # A bit for each column, the last one's the lowest; clear in the rows of its own set.
    every = (1 << len(by)) - 1
    places = {every - (1 << (len(by) - 1 - place)): place for place in range(len(by))}
    values: Mapping[int, ColumnElement[Any]] = {
        grouping: cast(counted.c[by[place].value], Text) for grouping, place in places.items()
    }
    valued = select(
        case(places, value=counted.c.grouping).label("place"),
        case(values, value=counted.c.grouping).label("value"),
        (counted.c[FacetBy.PROFILE.value] if FacetBy.PROFILE in by else null()).label("profile_id"),
        counted.c.number,
    ).subquery()
    order = (valued.c.number.desc(), valued.c.value.asc().nulls_last())
    ranked = select(
        valued, func.row_number().over(partition_by=valued.c.place, order_by=order).label("rank")
    ).subquery()
    label: ColumnElement[Any] = ranked.c.value
    if FacetBy.PROFILE in by:
        name = select(_PROFILES.c.name).where(
            _PROFILES.c.organization_id == organization_id, _PROFILES.c.id == ranked.c.profile_id
        )
        label = case((ranked.c.place == by.index(FacetBy.PROFILE), name.scalar_subquery()), else_=label)
    return (
        select(ranked.c.place, ranked.c.value, label.label("label"), ranked.c.number)
        .where(ranked.c.rank <= most)
        .order_by(ranked.c.place, ranked.c.rank)
    )


def _is_of(organization_id: ColumnElement[Any], entity_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(organization_id == entities.c.organization_id, entity_id == entities.c.id)
