"""Compare wanted with stored points: what is to be written, and what is to be deleted. Pure; hot path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from domain.base.packed import Column, Instants, Values

_NO_INSTANTS: Final[Instants] = np.empty(0, dtype=np.int64)


class PointChanges(NamedTuple):
    """How the wanted points of one metric of an entity differ from the stored ones.

    at, values: new and changed points, in microseconds since the Unix epoch. removed: instants of points to delete.
    corrects: a stored point was wrong. [begins_us, ends_us) covers all of it. A tuple, for there is one for each series
    and transaction, and a frozen dataclass takes three times as long to make.
    """

    entity: bytes
    metric: str
    at: Instants
    values: Values
    removed: Instants
    begins_us: int
    ends_us: int
    corrects: bool


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """The change of one derived series."""

    series_id: int
    points: PointChanges


def points_diff(*, metric: str, entities: Sequence[bytes], wanted: Column, stored: Column) -> list[PointChanges]:
    """Return the differences between wanted and stored points of one metric, both over the same spans.

    entities: by the columns' owners. Points that are stored as wanted are left out.
    """
    ends_wanted = np.searchsorted(wanted.owner, np.arange(len(entities) + 1)).tolist()
    ends_stored = np.searchsorted(stored.owner, np.arange(len(entities) + 1)).tolist()
    changes = []
    for n, entity in enumerate(entities):
        first, last = ends_wanted[n], ends_wanted[n + 1]
        begins, ends = ends_stored[n], ends_stored[n + 1]
        at, values = wanted.at[first:last], wanted.values[first:last]
        if begins != ends:
            change = _changed(
                entity=entity,
                metric=metric,
                wanted_at=at,
                wanted_values=values,
                stored_at=stored.at[begins:ends],
                stored_values=stored.values[begins:ends],
            )
            if change is not None:
                changes.append(change)
        elif first != last:
            changes.append(
                PointChanges(
                    entity=entity,
                    metric=metric,
                    at=at,
                    values=values,
                    removed=_NO_INSTANTS,
                    begins_us=int(at[0]),
                    ends_us=int(at[-1]) + 1,
                    corrects=False,
                )
            )
    return changes


def _changed(
    *,
    entity: bytes,
    metric: str,
    wanted_at: Instants,
    wanted_values: Values,
    stored_at: Instants,
    stored_values: Values,
) -> PointChanges | None:
    """Return how wanted points of one series differ from its stored ones, at least one; None where nothing does."""
    place = np.minimum(np.searchsorted(stored_at, wanted_at), len(stored_at) - 1)
    existed = stored_at[place] == wanted_at
    fresh = ~(existed & (stored_values[place] == wanted_values))
    removed = stored_at[~np.isin(stored_at, wanted_at, assume_unique=True)]
    changed_at = np.concatenate((wanted_at[fresh], removed))
    if not len(changed_at):
        return None
    return PointChanges(
        entity=entity,
        metric=metric,
        at=wanted_at[fresh],
        values=wanted_values[fresh],
        removed=removed,
        begins_us=int(changed_at.min()),
        ends_us=int(changed_at.max()) + 1,
        corrects=bool(len(removed)) or bool(existed[fresh].any()),
    )


def series_changes(points: Sequence[PointChanges], *, series: Mapping[bytes, int]) -> list[SeriesChange]:
    """Return the changes of the series of one metric. series: by entity, where anything changes."""
    return [SeriesChange(series[item.entity], item) for item in points]


def changes_clip(changes: Sequence[SeriesChange], *, retained_from_us: int) -> list[SeriesChange]:
    """Return the changes from an instant on."""
    return [
        change if change.points.begins_us >= retained_from_us else _clipped(change, retained_from_us)
        for change in changes
        if change.points.ends_us > retained_from_us
    ]


def _clipped(change: SeriesChange, retained_from_us: int) -> SeriesChange:
    points = change.points
    is_retained = points.at >= retained_from_us
    clipped = points._replace(
        at=points.at[is_retained],
        values=points.values[is_retained],
        removed=points.removed[points.removed >= retained_from_us],
        begins_us=retained_from_us,
    )
    return SeriesChange(change.series_id, clipped)


def spans_changed(changes: Sequence[SeriesChange]) -> dict[bytes, tuple[int, int]]:
    """Return the first and the last instant of what changed, by entity."""
    spans: dict[bytes, tuple[int, int]] = {}
    for change in changes:
        begins_us, last_us = change.points.begins_us, change.points.ends_us - 1
        first, last = spans.get(change.points.entity, (begins_us, last_us))
        spans[change.points.entity] = min(first, begins_us), max(last, last_us)
    return spans
