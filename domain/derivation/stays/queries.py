"""Read stays: who was in which area, and when, from the derived series."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from domain.base.packed import Points, instant_of, micros_of
from domain.derivation.formulas.config import DerivationConfig, derivation_config_read
from domain.derivation.formulas.outputs import FORMULA
from domain.derivation.stays.model import Stay
from domain.derivation.stays.rules import Presence, Watch, presences_of
from domain.derivation.stays.watched import Watches, watches_of, watching
from domain.plant.assets.tables import assets
from domain.telemetry.model.attribution import Segment, SeriesRow, Source
from domain.telemetry.store.links import LINKED_KINDS, series_rows
from domain.telemetry.store.scan import points_scan
from graph.entities.queries import entities_by_external_id
from graph.errors import BadInputError, LimitExceededError
from graph.kinds import EntityKind
from graph.paging import Page, PageRequest, page_of_sorted
from graph.sql import any_of
from graph.tables import entities

MOVING_MAX: Final = 10_000
# How far beyond the range the ends of stays are searched for, step by step.
_AROUND_US: Final = (0, 86_400_000_000, 7 * 86_400_000_000)

# When it begins, as far as was read back; its entity, metric and area.
_Key = tuple[int, str, str, str]


@dataclass(frozen=True, slots=True)
class _StaySeries:
    """A stored series that tells whether its entity is in an area."""

    row: SeriesRow
    area: str
    space_id: UUID | None
    watches: Sequence[Watch]


@dataclass(frozen=True, slots=True)
class _Range:
    """A request for stays that overlap [begins_us, ends_us), as far as they are known up to now_us."""

    begins_us: int
    ends_us: int
    now_us: int


@dataclass(frozen=True, slots=True)
class _ListedStay:
    """A stay and its place in a list."""

    stay: Stay
    key: _Key


@dataclass(frozen=True, slots=True)
class _SeriesWindow:
    """A series to read over a range and some time around it."""

    series: _StaySeries
    requested: _Range
    around_us: int

    @property
    def begins_us(self) -> int:
        # A point just before the range counts in it, up to its age.
        return max(
            0, self.requested.begins_us - self.around_us - max(watch.max_age_us for watch in self.series.watches)
        )

    @property
    def ends_us(self) -> int:
        return self.requested.ends_us + self.around_us

    def source(self) -> Source:
        row = self.series.row
        return Source(row.entity_id, row.metric, None, (Segment(row, self.begins_us, self.ends_us),))

    def read(self, points: Points) -> tuple[list[_ListedStay], bool]:
        """Return the stays that overlap the range, and whether any may begin or end outside of what was read."""
        presences = presences_of(points.at, points.values, self.series.watches)
        overlapping = [
            e for e in presences if e.begins_us < self.requested.ends_us and e.ends_us > self.requested.begins_us
        ]
        first_us = int(points.at[0])
        cut = [(self._begins_before(item, first_us), self._ends_after(item)) for item in overlapping]
        stays = [
            self._stay(item, is_begun=is_begun, is_open=is_open)
            for item, (is_begun, is_open) in zip(overlapping, cut, strict=True)
        ]
        return stays, any(is_begun or is_open for is_begun, is_open in cut)

    def _begins_before(self, presence: Presence, first_us: int) -> bool:
        # An earlier point that was read is joined to it, or separates it from others; older points no longer count.
        reach_us = self.begins_us + max(watch.max_age_us for watch in self.series.watches)
        is_first = presence.begins_us == first_us and presence.begins_us < reach_us
        return is_first and self.begins_us > max(0, self.series.watches[0].begins_us)

    def _ends_after(self, presence: Presence) -> bool:
        # Nothing is known after now.
        return presence.is_lost and self.ends_us <= presence.ends_us and self.ends_us <= self.requested.now_us

    def _stay(self, presence: Presence, *, is_begun: bool, is_open: bool) -> _ListedStay:
        row, is_inside = self.series.row, is_open or presence.ends_us > self.requested.now_us
        stay = Stay(
            row.entity_id,
            self.series.space_id,
            row.metric,
            None if is_begun else instant_of(presence.begins_us),
            None if is_inside else instant_of(presence.ends_us),
            presence.is_lost and not is_inside,
        )
        return _ListedStay(stay, (presence.begins_us, str(row.entity_id), row.metric, self.series.area))


def asset_stays_pages(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], page: PageRequest, **when: Any
) -> Mapping[UUID, Page[Stay]]:
    """Return one page of the stays of each of these assets, the earliest first. when: as `_range` takes it.

    Raises BadInputError, and LimitExceededError where more points than are read at once would have to be. Seven
    statements at most.
    """
    requested = _range(**when)
    moving = session.execute(_moving(organization_id).where(any_of(entities.c.id, entity_ids))).all()
    config = derivation_config_read(session, organization_id=organization_id)
    watched = _watched(session, organization_id=organization_id, moving=moving, config=config, spaces=None)
    by_asset: dict[UUID, list[_ListedStay]] = {}
    for listed in _stays_read(session, organization_id=organization_id, watched=watched, requested=requested):
        by_asset.setdefault(listed.stay.entity_id, []).append(listed)
    return {entity_id: _page(by_asset.get(entity_id, []), page) for entity_id in entity_ids}


def space_stays_pages(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], page: PageRequest, **when: Any
) -> Mapping[UUID, Page[Stay]]:
    """Return one page of the stays in the area of each of these spaces, the earliest first. when: as `_range` takes it.

    Of assets and spaces that are not deleted. Raises BadInputError, and LimitExceededError where more than MOVING_MAX
    things could have been there, or more points than are read at once would have to be. Eight statements at most.
    """
    requested = _range(**when)
    rows = session.execute(
        select(entities.c.id, entities.c.external_id).where(
            entities.c.organization_id == organization_id,
            any_of(entities.c.id, entity_ids),
            entities.c.external_id.is_not(None),
            entities.c.deleted_at.is_(None),
        )
    )
    spaces = {row.external_id: row.id for row in rows}
    config = derivation_config_read(session, organization_id=organization_id)
    types, profiles = watching(config, areas=spaces)
    moving: Sequence[Row[Any]] = ()
    if types or profiles:
        of_type = tuple_(entities.c.kind, entities.c.type).in_(types)
        statement = _moving(organization_id).where(entities.c.deleted_at.is_(None), entities.c.kind.in_(LINKED_KINDS))
        moving = session.execute(
            statement.where(or_(of_type, any_of(assets.c.profile_id, profiles))).limit(MOVING_MAX + 1)
        ).all()
    if len(moving) > MOVING_MAX:
        message = f"More than {MOVING_MAX} things could have been there; ask for the stays of some of them instead."
        raise LimitExceededError(message)
    watched = _watched(session, organization_id=organization_id, moving=moving, config=config, spaces=spaces)
    by_space: dict[UUID | None, list[_ListedStay]] = {}
    for listed in _stays_read(session, organization_id=organization_id, watched=watched, requested=requested):
        by_space.setdefault(listed.stay.space_id, []).append(listed)
    return {entity_id: _page(by_space.get(entity_id, []), page) for entity_id in entity_ids}


def _range(*, from_: datetime | None, to: datetime | None, now: datetime) -> _Range:
    """to: None for `now`. from_: None for the instant `to`. The range is half-open; an instant is one of its own."""
    until = micros_of(now if to is None else to)
    begins = until if from_ is None else micros_of(from_)
    if begins > until:
        end = "to" if to is not None else "now, where to is not given"
        raise BadInputError(f"from must not be later than {end}.", path=("from",))
    return _Range(max(begins, 0), max(until, begins + 1, 1), micros_of(now))


def _moving(organization_id: int) -> Select[Any]:
    same_asset = and_(assets.c.organization_id == entities.c.organization_id, assets.c.id == entities.c.id)
    return (
        select(entities.c.id, entities.c.kind, entities.c.type, assets.c.profile_id)
        .outerjoin_from(entities, assets, same_asset)
        .where(entities.c.organization_id == organization_id)
    )


def _watched(
    session: Session,
    *,
    organization_id: int,
    moving: Sequence[Row[Any]],
    config: DerivationConfig,
    spaces: Mapping[str, UUID] | None,
) -> list[_StaySeries]:
    """Return the stored series that tell whether moving things are in a space.

    spaces: those requested, by external id; None: all.
    """
    if not moving:
        return []
    watches: dict[UUID, Watches] = {}
    # Everything of one type and profile has the same derivation.
    known: dict[tuple[str, str | None, UUID | None], Watches] = {}
    for row in moving:
        key = (row.kind, row.type, row.profile_id)
        if key not in known:
            derivation = config.get(*key)
            known[key] = {} if derivation is None else watches_of(derivation, areas=spaces)
        if known[key]:
            watches[row.id] = known[key]
    if spaces is None:
        areas = {area for of_entity in watches.values() for _, area in of_entity}
        space_by_area = entities_by_external_id(
            session, organization_id=organization_id, kind=EntityKind.SPACE, external_ids=areas
        )
        spaces = {area: space.id for area, space in space_by_area.items()}
    series = series_rows(session, organization_id=organization_id, entity_ids=watches)
    return [
        _StaySeries(row, area, spaces.get(area), of_area)
        for entity_id, of_entity in watches.items()
        for row in series.get(entity_id, ())
        for (metric, area), of_area in of_entity.items()
        if row.origin == FORMULA and row.metric == metric
    ]


def _stays_read(
    session: Session, *, organization_id: int, watched: Sequence[_StaySeries], requested: _Range
) -> list[_ListedStay]:
    """Return the stays that overlap the range. One statement, and one more for each step in the search for its ends."""
    done: list[_ListedStay] = []
    open_ = watched
    for around_us in _AROUND_US:
        windows = [_SeriesWindow(item, requested, around_us) for item in open_]
        scanned = points_scan(
            session,
            organization_id=organization_id,
            sources=[window.source() for window in windows],
            begins_us=min((window.begins_us for window in windows), default=0),
            ends_us=max((window.ends_us for window in windows), default=0),
        )
        open_ = []
        for n, points in scanned:
            window = windows[n]
            stays, is_cut = window.read(points)
            if is_cut and around_us != _AROUND_US[-1]:
                open_.append(window.series)
            else:
                done += stays
    return done


def _page(listed: list[_ListedStay], page: PageRequest) -> Page[Stay]:
    listed.sort(key=lambda item: item.key)
    stays = page_of_sorted(listed, page, name="stays", types=(int, str, str, str), key=lambda item: item.key)
    return stays.of([item.stay for item in stays.items])
