"""Read series of many entities at once: those named, all below one or a group; also across them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.base.packed import Aggregate, Series
from domain.nodes.filters.conditions import entity_filter
from domain.nodes.filters.model import ListFilter
from domain.telemetry.model.across import ACROSS, series_across
from domain.telemetry.model.fill import Fill
from domain.telemetry.store.history import telemetry_read
from graph.entities.pages import entity_conditions
from graph.errors import ArgusError, BadInputError, LimitExceededError
from graph.kinds import EntityKind
from graph.tables import entities

ENTITIES_MAX: Final = 1_000
ENTITIES_SELECTED_MAX: Final = 10_000
METRICS_MAX: Final = 100
# Values in one answer; and those that are aggregated across entities for one.
VALUES_MAX: Final = 100_000
VALUES_ACROSS_MAX: Final = 1_000_000

# Those that measure something.
_MEASURING: Final = frozenset({EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE})


@dataclass(frozen=True, slots=True)
class SeriesSelection:
    """Which entities: those named, under_id and all that is below it now, or those in a group now. One of the three.

    kinds, types: of those below and of a group, only these; None: of all.
    """

    entity_ids: Sequence[UUID] | None = None
    under_id: UUID | None = None
    group_id: UUID | None = None
    kinds: Collection[EntityKind] | None = None
    types: Collection[str] | None = None


def series_read(
    session: Session,
    *,
    organization_id: int,
    selection: SeriesSelection,
    metrics: Sequence[str],
    from_: datetime,
    to: datetime | None,
    bucket: tuple[int, timedelta] | None,
    aggregate: Aggregate,
    across: Aggregate | None,
    fill: Fill,
    timezone: str,
    max_points: int,
    now: datetime,
    offline_after: timedelta,
) -> list[Series]:
    """Return the series of the selected entities, by entity, then as `telemetry_read` has them.

    Entities that have none of the metrics are left out. across: one series per metric instead, of `under_id` or else of
    the first entity: the buckets of each series are aggregated and filled, then the values of each bucket across the
    series.

    offline_after: see `entity_filter`. The number of statements does not depend on that of entities.

    Raises BadInputError and LimitExceededError (path names the argument), NotFoundError for an unknown entity or group.
    """
    _check(selection, metrics=metrics, is_bucketed=bucket is not None, across=across)
    entity_ids = _entities(session, organization_id, selection, now=now, offline_after=offline_after)
    by_entity = telemetry_read(
        session,
        organization_id=organization_id,
        entity_ids=entity_ids,
        metrics=metrics,
        from_=from_,
        to=to,
        bucket=bucket,
        aggregate=aggregate,
        timezone=timezone,
        max_points=max_points,
        now=now,
        fill=fill,
        values_max=VALUES_MAX if across is None else VALUES_ACROSS_MAX,
        is_padded=False,
    )
    series = [own for entity_id in entity_ids for own in by_entity[entity_id]]
    if across is None:
        return series
    if not series:
        return []
    owner = selection.under_id or entity_ids[0]
    by_metric: dict[str, list[Series]] = {metric: [] for metric in metrics}
    for own in series:
        by_metric[own.metric].append(own)
    return [series_across(parts, entity_id=owner, how=across) for parts in by_metric.values() if parts]


def _check(selection: SeriesSelection, *, metrics: Sequence[str], is_bucketed: bool, across: Aggregate | None) -> None:
    given = (selection.entity_ids, selection.under_id, selection.group_id)
    if sum(item is not None for item in given) != 1:
        raise BadInputError("Give one of entityIds, underId and groupId.", path=("entityIds",))
    for name, is_given in (("kinds", selection.kinds is not None), ("types", selection.types is not None)):
        if is_given and selection.entity_ids is not None:
            raise BadInputError(f"{name} selects among what is below underId, or in a group.", path=(name,))
    _check_count("metrics", len(metrics), METRICS_MAX)
    if selection.entity_ids is not None:
        _check_count("entityIds", len(selection.entity_ids), ENTITIES_MAX)
    if across is None:
        return
    if not is_bucketed:
        raise BadInputError("across aggregates buckets: give a bucket.", path=("across",))
    if across not in ACROSS:
        message = f"Across entities there is no {across}, which takes values in order; use one of {', '.join(ACROSS)}."
        raise BadInputError(message, path=("across",))


def _check_count(name: str, count: int, most: int) -> None:
    if not count:
        raise BadInputError(f"{name} names at least one.", path=(name,))
    if count > most:
        raise LimitExceededError(f"{name} names {count}; at most {most} are read at once.", path=(name,))


def _entities(
    session: Session, organization_id: int, selection: SeriesSelection, *, now: datetime, offline_after: timedelta
) -> list[UUID]:
    if selection.entity_ids is not None:
        return list(dict.fromkeys(selection.entity_ids))
    kinds = _MEASURING if selection.kinds is None else _MEASURING & set(selection.kinds)
    where = ListFilter(kinds=kinds, types=selection.types, under_id=selection.under_id, group_id=selection.group_id)
    try:
        filter_ = entity_filter(
            session, organization_id=organization_id, where=where, now=now, offline_after=offline_after
        )
    except ArgusError as error:
        # It names the place in a filter.
        error.path = error.path[1:]
        raise
    conditions = entity_conditions(organization_id, filter_)
    ids = session.scalars(
        select(entities.c.id).where(*conditions).order_by(entities.c.id).limit(ENTITIES_SELECTED_MAX + 1)
    ).all()
    if len(ids) > ENTITIES_SELECTED_MAX:
        name = "groupId" if selection.under_id is None else "underId"
        message = f"{name} selects more than {ENTITIES_SELECTED_MAX} entities; choose kinds or types."
        raise LimitExceededError(message, path=(name,))
    return list(ids)
