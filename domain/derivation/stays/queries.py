"""Read stays: who was in which area, from when to when, as the derived series now say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from domain.base.packed import Points, instant_of, micros_of
from domain.derivation.formulas.config import Configured, configured_read
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
from graph.paging import CursorKey, Page, PageRequest
from graph.sql import any_of
from graph.tables import entities

MOVING_MAX: Final = 10_000
# How far beyond the range the ends of stays are looked for, step by step.
_AROUND_US: Final = (0, 86_400_000_000, 7 * 86_400_000_000)
_CURSOR: Final = "stays"

# When it begins, as far as was looked; its entity, metric and area.
_Key = tuple[int, str, str, str]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A stored series that says whether its entity is in an area."""

    row: SeriesRow
    area: str
    space_id: UUID | None
    watches: Sequence[Watch]


@dataclass(frozen=True, slots=True)
class _Range:
    """Asked for are stays that touch [begins_us, ends_us); what they are is known up to now_us."""

    begins_us: int
    ends_us: int
    now_us: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A stay and its place in a list."""

    stay: Stay
    key: _Key


@dataclass(frozen=True, slots=True)
class _Look:
    """A series, looked at over a range and some time around it."""

    watched: _Watched
    asked: _Range
    around_us: int

    @property
    def begins_us(self) -> int:
        # What was true just before counts on, up to its age.
        return max(0, self.asked.begins_us - self.around_us - max(each.max_age_us for each in self.watched.watches))

    @property
    def ends_us(self) -> int:
        return self.asked.ends_us + self.around_us

    def source(self) -> Source:
        row = self.watched.row
        return Source(row.entity_id, row.metric, None, (Segment(row, self.begins_us, self.ends_us),))

    def read(self, points: Points) -> tuple[list[_Found], bool]:
        """Return the stays that touch the range, and whether any may begin or end otherwise than what was looked at."""
        presences = presences_of(points.at, points.values, self.watched.watches)
        touching = [e for e in presences if e.begins_us < self.asked.ends_us and e.ends_us > self.asked.begins_us]
        first_us = int(points.at[0])
        cut = [(self._begins_before(each, first_us), self._ends_after(each)) for each in touching]
        found = [
            self._stay(each, is_begun=is_begun, is_open=is_open)
            for each, (is_begun, is_open) in zip(touching, cut, strict=True)
        ]
        return found, any(is_begun or is_open for is_begun, is_open in cut)

    def _begins_before(self, presence: Presence, first_us: int) -> bool:
        # A point seen before it would have been joined to it, or parts it from all that was; an older one is too old.
        reach_us = self.begins_us + max(each.max_age_us for each in self.watched.watches)
        is_first = presence.begins_us == first_us and presence.begins_us < reach_us
        return is_first and self.begins_us > max(0, self.watched.watches[0].begins_us)

    def _ends_after(self, presence: Presence) -> bool:
        # Nothing that is known comes after now.
        return presence.is_lost and self.ends_us <= presence.ends_us and self.ends_us <= self.asked.now_us

    def _stay(self, presence: Presence, *, is_begun: bool, is_open: bool) -> _Found:
        row, is_inside = self.watched.row, is_open or presence.ends_us > self.asked.now_us
        stay = Stay(
            row.entity_id,
            self.watched.space_id,
            row.metric,
            None if is_begun else instant_of(presence.begins_us),
            None if is_inside else instant_of(presence.ends_us),
            presence.is_lost and not is_inside,
        )
        return _Found(stay, (presence.begins_us, str(row.entity_id), row.metric, self.watched.area))


def asset_stays_pages(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], page: PageRequest, **when: Any
) -> Mapping[UUID, Page[Stay]]:
    """Return one page of the stays of each of these assets, the earliest first. when: as `_range` takes it.

    Raises BadInputError, and LimitExceededError where more points than are read at once would have to be. Seven
    statements at most.
    """
    asked = _range(**when)
    moving = session.execute(_moving(organization_id).where(any_of(entities.c.id, entity_ids))).all()
    configured = configured_read(session, organization_id=organization_id)
    watched = _watched(session, organization_id=organization_id, moving=moving, configured=configured, spaces=None)
    by_asset: dict[UUID, list[_Found]] = {}
    for found in _found(session, organization_id=organization_id, watched=watched, asked=asked):
        by_asset.setdefault(found.stay.entity_id, []).append(found)
    return {entity_id: _page(by_asset.get(entity_id, []), page) for entity_id in entity_ids}


def space_stays_pages(
    session: Session, *, organization_id: int, entity_ids: Collection[UUID], page: PageRequest, **when: Any
) -> Mapping[UUID, Page[Stay]]:
    """Return one page of the stays in the area of each of these spaces, the earliest first. when: as `_range` takes it.

    Of assets and spaces that are not deleted. Raises BadInputError, and LimitExceededError where more than MOVING_MAX
    things could have been there, or more points than are read at once would have to be. Eight statements at most.
    """
    asked = _range(**when)
    rows = session.execute(
        select(entities.c.id, entities.c.external_id).where(
            entities.c.organization_id == organization_id,
            any_of(entities.c.id, entity_ids),
            entities.c.external_id.is_not(None),
            entities.c.deleted_at.is_(None),
        )
    )
    spaces = {row.external_id: row.id for row in rows}
    configured = configured_read(session, organization_id=organization_id)
    types, profiles = watching(configured, areas=spaces)
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
    watched = _watched(session, organization_id=organization_id, moving=moving, configured=configured, spaces=spaces)
    by_space: dict[UUID | None, list[_Found]] = {}
    for found in _found(session, organization_id=organization_id, watched=watched, asked=asked):
        by_space.setdefault(found.stay.space_id, []).append(found)
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
    mine = and_(assets.c.organization_id == entities.c.organization_id, assets.c.id == entities.c.id)
    return (
        select(entities.c.id, entities.c.kind, entities.c.type, assets.c.profile_id)
        .outerjoin_from(entities, assets, mine)
        .where(entities.c.organization_id == organization_id)
    )


def _watched(
    session: Session,
    *,
    organization_id: int,
    moving: Sequence[Row[Any]],
    configured: Configured,
    spaces: Mapping[str, UUID] | None,
) -> list[_Watched]:
    """Return the stored series of what moves that say whether it is in a space.

    spaces: those asked for, by external id; None: all.
    """
    if not moving:
        return []
    watches: dict[UUID, Watches] = {}
    # All things of a type and a profile share what is derived.
    known: dict[tuple[str, str | None, UUID | None], Watches] = {}
    for row in moving:
        key = (row.kind, row.type, row.profile_id)
        if key not in known:
            derivation = configured.get(*key)
            known[key] = {} if derivation is None else watches_of(derivation, areas=spaces)
        if known[key]:
            watches[row.id] = known[key]
    if spaces is None:
        asked = {area for of_entity in watches.values() for _, area in of_entity}
        there = entities_by_external_id(
            session, organization_id=organization_id, kind=EntityKind.SPACE, external_ids=asked
        )
        spaces = {area: space.id for area, space in there.items()}
    series = series_rows(session, organization_id=organization_id, entity_ids=watches)
    return [
        _Watched(row, area, spaces.get(area), of_area)
        for entity_id, of_entity in watches.items()
        for row in series.get(entity_id, ())
        for (metric, area), of_area in of_entity.items()
        if row.origin == FORMULA and row.metric == metric
    ]


def _found(session: Session, *, organization_id: int, watched: Sequence[_Watched], asked: _Range) -> list[_Found]:
    """Return the stays that touch the range. One statement, and one more for each step its ends are looked for."""
    done: list[_Found] = []
    open_ = watched
    for around_us in _AROUND_US:
        looked = [_Look(each, asked, around_us) for each in open_]
        scanned = points_scan(
            session,
            organization_id=organization_id,
            sources=[look.source() for look in looked],
            begins_us=min((look.begins_us for look in looked), default=0),
            ends_us=max((look.ends_us for look in looked), default=0),
        )
        open_ = []
        for n, points in scanned:
            look = looked[n]
            found, is_cut = look.read(points)
            if is_cut and around_us != _AROUND_US[-1]:
                open_.append(look.watched)
            else:
                done += found
    return done


def _page(found: list[_Found], page: PageRequest) -> Page[Stay]:
    found.sort(key=lambda each: each.key)
    after = None if page.after is None else _key_read(page.after)
    rest = found if after is None else [each for each in found if each.key > after]
    shown = rest[: page.first]
    return Page(
        [each.stay for each in shown],
        [(_CURSOR, *each.key) for each in shown],
        len(rest) > page.first,
        page.after is not None,
        lambda: len(found),
    )


def _key_read(key: CursorKey) -> _Key:
    match key:
        case (name, int(begins_us), str(entity_id), str(metric), str(area)) if name == _CURSOR:
            return begins_us, entity_id, metric, area
    raise BadInputError("This cursor does not belong to this list.", path=("after",))
