"""Read series of many entities at once: of those that are named or of all below one, by themselves or across them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.base.packed import Aggregate, Series
from domain.telemetry.model.across import ACROSS, series_across
from domain.telemetry.model.fill import Fill
from domain.telemetry.store.history import telemetry_read
from graph.errors import BadInputError, LimitExceededError
from graph.json_bounds import texts_storable
from graph.kinds import EntityKind
from graph.sql import rows_read, uuids_text
from graph.walk.queries import below

ENTITIES_MAX: Final = 1_000
ENTITIES_BELOW_MAX: Final = 10_000
METRICS_MAX: Final = 100
# Values in one answer; and those that are aggregated across entities for one.
VALUES_MAX: Final = 100_000
VALUES_ACROSS_MAX: Final = 1_000_000

# Those that measure something.
_MEASURING: Final = frozenset({EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE})

_SELECT = """
SELECT id FROM entities
WHERE organization_id = %(organization_id)s AND id = ANY(%(ids)s::uuid[]) AND kind::text = ANY(%(kinds)s::text[])
    AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[])) AND deleted_at IS NULL
ORDER BY id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SeriesSelection:
    """Which entities: those named, or under_id and all that is below it now. Exactly one of the two.

    kinds, types: of those below, only these; None: of all.
    """

    entity_ids: Sequence[UUID] | None = None
    under_id: UUID | None = None
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
) -> list[Series]:
    """Return the series of the selected entities, by entity, then as `telemetry_read` has them.

    Entities that have none of the metrics are left out. across: one series per metric instead, of the entity that is
    selected by or of the first that is named: the buckets of each series are aggregated and filled, then the values of
    each bucket across the series.

    The number of statements does not depend on that of entities. Raises BadInputError and LimitExceededError (path
    names the argument), NotFoundError for an unknown entity.
    """
    _check(selection, metrics=metrics, is_bucketed=bucket is not None, across=across)
    entity_ids = _entities(session, organization_id, selection)
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
    owner = selection.under_id or entity_ids[0]
    by_metric: dict[str, list[Series]] = {metric: [] for metric in metrics}
    for own in series:
        by_metric[own.metric].append(own)
    return [series_across(parts, entity_id=owner, how=across) for parts in by_metric.values() if parts]


def _check(selection: SeriesSelection, *, metrics: Sequence[str], is_bucketed: bool, across: Aggregate | None) -> None:
    if (selection.entity_ids is None) == (selection.under_id is None):
        raise BadInputError("Give either entityIds or underId.", path=("entityIds",))
    for name, is_given in (("kinds", selection.kinds is not None), ("types", selection.types is not None)):
        if is_given and selection.under_id is None:
            raise BadInputError(f"{name} selects among what is below underId.", path=(name,))
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


def _entities(session: Session, organization_id: int, selection: SeriesSelection) -> list[UUID]:
    if selection.entity_ids is not None:
        return list(dict.fromkeys(selection.entity_ids))
    assert selection.under_id is not None  # noqa: S101  (checked)
    kinds = _MEASURING if selection.kinds is None else _MEASURING & set(selection.kinds)
    rows = rows_read(
        session,
        _SELECT,
        organization_id=organization_id,
        ids=uuids_text(below(session, organization_id=organization_id, entity_ids=[selection.under_id])),
        kinds=[kind.value for kind in kinds],
        types=None if selection.types is None else texts_storable(selection.types),
        limit=ENTITIES_BELOW_MAX + 1,
    )
    if len(rows) > ENTITIES_BELOW_MAX:
        message = f"More than {ENTITIES_BELOW_MAX} entities are below; choose kinds or types, or go further down."
        raise LimitExceededError(message, path=("underId",))
    return [entity_id for (entity_id,) in rows]
